"""Options that several benchmarks have."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click

_DATA: Final = Path(__file__).resolve().parents[3] / "shared" / "data"

#: Where the labelled proteins and the tables of names lie.
data_folder = click.option(
    "--data_folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(os.environ.get("GST_SHARED_DATA", _DATA)),
    help="Folder with proteins/ and mappings/  [default: $GST_SHARED_DATA or ../shared/data]",
)
#: What a model's labels stand for.
symbols_table = click.option(
    "--symbols",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="Table of gst symbols that the model was built with.",
)
