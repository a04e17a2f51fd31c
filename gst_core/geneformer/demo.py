"""What ``geneformer demo`` runs on: bundled cells, dictionary and network, and the commands.

The first half takes human cells to an embedding; in the second the proteins of mouse are named
from their sequences, and the names carry the mouse's cells to the same network.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.geneformer.masking import MaskedBatch, mask
from gst_core.geneformer.resources import Resources

#: Column of the cells that the picture shows and the comparison asks for.
LABEL: Final = "cell_type"


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured when the bundled network was trained.

    Attributes
    ----------
    weights
        Of the network.
    training_cells, shown_cells
        Cells it learnt from, and the others, which are in the bundled file.
    loss
        Mean surprise at genes hidden in the shown cells, in nats.
    unigram, unseen
        The same by the genes' frequencies in the training cells; and by those of the genes
        alone that a cell does not show.
    """

    weights: int
    training_cells: int
    shown_cells: int
    loss: float
    unigram: float
    unseen: float


def copy_demo(folder: Path) -> Measured:
    """Copy the bundled files into a folder, which is made where it does not exist.

    Returns
    -------
    measured
        What is known of the network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with as_file(files("gst_core") / "assets" / "geneformer") as bundled:
        shutil.copytree(bundled, folder, dirs_exist_ok=True)
    facts = json.loads((folder / "network" / "measured.json").read_text(encoding="utf-8"))
    return Measured(**facts)


def hide(cells: Sequence[NDArray[np.int64]], resources: Resources) -> list[MaskedBatch]:
    """Hide genes in each cell, by a draw of its own that is always the same."""
    return [mask([cell], resources, 0, number) for number, cell in enumerate(cells)]


def demo_commands(folder: Path) -> list[list[str]]:
    """Give the commands for the human cells, in their order, without ``geneformer`` itself."""
    cells, embedded = str(folder / "cells.h5ad"), str(folder / "embedded.h5ad")
    dictionary = ("--resources", str(folder))
    tokens, picture = str(folder / "cells.dataset"), str(folder / "cells.png")
    network = str(folder / "network")
    return [
        ["check", cells, *dictionary],
        ["tokenize", cells, "--output", tokens, "--custom_attribute", LABEL, *dictionary],
        [
            *("embed", cells, "--checkpoint", network, "--output", embedded),
            *("--plot", picture, "--color", LABEL, *dictionary),
        ],
        ["compare", embedded, "--label", LABEL],
    ]


def naming_command(folder: Path) -> list[str]:
    """Give what ``gst_assign`` is asked for: symbols of the mouse's proteins."""
    mouse = folder / "mouse"
    return [
        *("--sequences_fasta", str(mouse / "proteins.fa.gz"), "--scientific_name", "Mus musculus"),
        *("--output", str(mouse / "symbols.csv")),
    ]


def bridge_commands(folder: Path) -> list[list[str]]:
    """Give the commands that follow the naming, without ``geneformer`` itself."""
    mouse = folder / "mouse"
    dictionary = ("--resources", str(folder))
    return [
        [
            *("bridge", "--assignments", str(mouse / "symbols.csv")),
            *("--proteins_fasta", str(mouse / "proteins.fa.gz")),
            *("--counts", str(mouse / "cells.h5ad"), "--output", str(mouse / "human_genes.h5ad")),
            *dictionary,
        ],
        [
            *("embed", str(mouse / "human_genes.h5ad"), "--checkpoint", str(folder / "network")),
            *("--output", str(mouse / "embedded.h5ad"), *dictionary),
        ],
    ]
