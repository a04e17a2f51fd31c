"""Annotations of genomes: GFF3 and GTF to proteins, and names back into them."""

from gst_core.annotation.genes import Annotation, Gene, Transcript, read_annotation
from gst_core.annotation.naming import Named, choose_names
from gst_core.annotation.proteins import translate_genes
from gst_core.annotation.writing import write_annotation

__all__ = [
    "Annotation",
    "Gene",
    "Named",
    "Transcript",
    "choose_names",
    "read_annotation",
    "translate_genes",
    "write_annotation",
]
