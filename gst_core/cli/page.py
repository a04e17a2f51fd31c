"""``gst page``: a page that names proteins in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.cli._common import say
from gst_core.cli._paths import InputFile, OutputFolder, check_paths
from gst_core.page.building import build_page


@click.command()
@click.option(
    "-o",
    "--output",
    required=True,
    type=OutputFolder(path_type=Path, file_okay=False),
    help="Folder to make; a page that is there is replaced.",
)
@click.option(
    "--checkpoint", type=InputFile(), help="Model of references. Default: the embedded one."
)
@click.option(
    "--npm_archives",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the archives of onnxruntime-web and pyodide, as npm pack gives them; those "
    "that are not there are fetched. Default: the user's cache.",
)
def page(output: Path, checkpoint: Path | None, npm_archives: Path | None) -> None:
    """Make a page that names proteins in the browser.

    A static folder for any web server: the files of a user stay on the user's computer, and the
    page opens without a network when it was opened once.
    """
    check_paths()
    size = build_page(output, checkpoint, cache=npm_archives)
    say(f"gst page: {output}, {size / 1e6:.0f} MB")
