"""The ``gst`` command group."""

from __future__ import annotations

import click

from gst_core import __version__
from gst_core.cli._common import LazyGroup, run

#: name -> (module, attribute, short help); one file a command
COMMANDS: dict[str, tuple[str, str, str]] = {
    "build": (
        "gst_core.cli.build",
        "build",
        "Build a model of reference proteins, as the embedded one.",
    ),
    "calibrate": ("gst_core.cli.calibrate", "calibrate", "Fit probabilities to held-out genera."),
    "compare": (
        "gst_core.cli.compare",
        "compare",
        "Compare a genome's assignments with known symbols.",
    ),
    "completion": (
        "gst_core.cli.completion",
        "completion",
        "Make a shell complete commands and options.",
    ),
    "dataset": (
        "gst_core.cli.dataset",
        "dataset",
        "Make training sets from Ensembl, UniProt, RefSeq.",
    ),
    "db": ("gst_core.cli.db", "db", "Ensembl core databases: dump, load, check."),
    "demo": ("gst_core.cli.demo", "demo", "Name the bundled sample and sum up the results."),
    "evaluate": (
        "gst_core.cli.evaluate",
        "evaluate_genomes",
        "Compare many genomes' assignments, by genome and clade.",
    ),
    "export": ("gst_core.cli.export", "export", "Write the model file of a training run."),
    "filter": (
        "gst_core.cli.filter",
        "filter_assignments",
        "Keep the assignments above a probability.",
    ),
    "import": (
        "gst_core.cli.import_checkpoint",
        "import_checkpoint",
        "Write a checkpoint of the original as an .onnx model.",
    ),
    "page": ("gst_core.cli.page", "page", "Make a page that names proteins in the browser."),
    "report": ("gst_core.cli.report", "report", "Report on result tables: HTML, MultiQC."),
    "symbols": (
        "gst_core.cli.symbols",
        "symbols",
        "Find the current symbols of training labels.",
    ),
    "train": ("gst_core.cli.train", "train", "Train a model on labelled proteins."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
@click.option("--debug", is_flag=True, help="Show the Python traceback of an error.")
def gst(debug: bool) -> None:
    """Gene Symbol Transformer: train, export, evaluate and load gene symbols.

    Naming proteins is a program of its own: gst_assign.
    """
    del debug  # read by gst_core.cli._common.run, before Click is in charge


def main() -> None:
    """Entry point of ``gst``."""
    run(gst, "gst")


if __name__ == "__main__":
    main()
