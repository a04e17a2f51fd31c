"""Writers and readers of results: table, JSON, HTML report, MultiQC; all atomic."""

from gst_core.results.provenance import Genome, ModelInfo
from gst_core.results.table import Row, read_table
from gst_core.results.writer import ResultWriter, open_results

__all__ = ["Genome", "ModelInfo", "ResultWriter", "Row", "open_results", "read_table"]
