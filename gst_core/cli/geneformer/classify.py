"""``geneformer classify``: classes of cells and genes by a network that is trained further."""

from __future__ import annotations

import click

from gst_core.cli._common import LazyGroup

#: name -> (module, attribute, short help); one file a command
COMMANDS: dict[str, tuple[str, str, str]] = {
    "cells": (
        "gst_core.cli.geneformer.classify_cells",
        "cells",
        "Train and test a classifier of cells: types, states, diseases.",
    ),
    "genes": (
        "gst_core.cli.geneformer.classify_genes",
        "genes",
        "Train and test a classifier of genes: dosage sensitivity, targets.",
    ),
    "predict": (
        "gst_core.cli.geneformer.classify_predict",
        "predict",
        "Classify new cells, or genes in them, by a trained classifier.",
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def classify() -> None:
    """Train a network further to tell classes of cells or genes apart, and use it."""
