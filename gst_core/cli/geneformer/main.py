"""The ``geneformer`` command group."""

from __future__ import annotations

import click

from gst_core import __version__
from gst_core.cli._common import LazyGroup, run

#: name -> (module, attribute, short help); one file a command
COMMANDS: dict[str, tuple[str, str, str]] = {
    "attention": (
        "gst_core.cli.geneformer.attention",
        "attention",
        "Write what a network attends to, by layer, head and gene.",
    ),
    "bridge": (
        "gst_core.cli.geneformer.bridge",
        "bridge",
        "Lead the genes of a species that GST has named to Geneformer's.",
    ),
    "check": (
        "gst_core.cli.geneformer.check",
        "check",
        "Tell whether counts can be tokenised, and what to do if not.",
    ),
    "classify": (
        "gst_core.cli.geneformer.classify",
        "classify",
        "Train a network further to tell classes of cells or genes.",
    ),
    "compare": (
        "gst_core.cli.geneformer.compare",
        "compare",
        "Compare an embedding with PCA, on your own labels and batches.",
    ),
    "demo": (
        "gst_core.cli.geneformer.demo",
        "demo",
        "Show all this on bundled cells and a small network.",
    ),
    "embed": (
        "gst_core.cli.geneformer.embed",
        "embed",
        "Embed cells or genes with a network.",
    ),
    "export": (
        "gst_core.cli.geneformer.export",
        "export",
        "Write a network as one ONNX file.",
    ),
    "perturb": (
        "gst_core.cli.geneformer.perturb",
        "perturb",
        "Delete, overexpress or shift genes, and measure what that does to cells.",
    ),
    "pretrain": (
        "gst_core.cli.geneformer.pretrain",
        "pretrain",
        "Train a network of your own to tell hidden genes.",
    ),
    "setup": (
        "gst_core.cli.geneformer.setup",
        "setup",
        "Make Geneformer's official dictionaries ready for use.",
    ),
    "statistics": (
        "gst_core.cli.geneformer.statistics",
        "statistics",
        "Tell which perturbations did something.",
    ),
    "tokenize": (
        "gst_core.cli.geneformer.tokenize",
        "tokenize",
        "Encode raw counts as ranked genes: a dataset of tokens.",
    ),
    "transfer": (
        "gst_core.cli.geneformer.transfer",
        "transfer",
        "Give cells the labels of a reference, by embeddings.",
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
@click.option("--debug", is_flag=True, help="Show the Python traceback of an error.")
def geneformer(debug: bool) -> None:
    """Geneformer: from raw counts to tokens and embedded cells, of any species.

    Begin with: geneformer setup --from DIR
    """
    del debug  # read by gst_core.cli._common.run, before Click is in charge


def main() -> None:
    """Entry point of ``geneformer``."""
    run(geneformer, "geneformer")


if __name__ == "__main__":
    main()
