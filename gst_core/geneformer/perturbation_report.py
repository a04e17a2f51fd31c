"""Statistics of a folder of ``geneformer perturb``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gst_core.errors import GstError
from gst_core.geneformer import perturbation_statistics as statistics
from gst_core.geneformer.perturbation_figures import DRAWN, figure_of, save
from gst_core.geneformer.perturbation_files import (
    GENE_SHIFTS,
    SHIFTS,
    TOGETHER,
    TOWARDS,
    read_description,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Statistics:
    """A table of statistics and where it came from.

    Attributes
    ----------
    mode
        Which statistics.
    table
        A row a perturbation, or a pair of perturbed and affected gene.
    description
        What was done.
    """

    mode: str
    table: pd.DataFrame
    description: dict[str, Any]

    def check_picture(self, path: Path) -> None:
        """Make sure that there is something to draw.

        Raises
        ------
        GstError
            If not, or if the picture's kind is unknown.
        """
        if self.mode not in DRAWN or len(self.table) < 2:
            raise GstError("there is no picture of one row, or of affected genes", where=str(path))
        if path.suffix not in (".png", ".svg", ".pdf"):
            raise GstError("is no .png, .svg or .pdf", where=str(path), hint="name it so")

    def draw(self, path: Path, title: str) -> None:
        """Draw the table; see :func:`~gst_core.geneformer.perturbation_figures.figure_of`."""
        save(figure_of(self.table, self.mode, title), path)


def statistics_of(folder: Path, mode: str | None = None, null: Path | None = None) -> Statistics:
    """Compute statistics.

    Parameters
    ----------
    folder
        Of ``geneformer perturb``.
    mode
        Which; without it, what fits the folder.
    null
        Another folder, to compare with.

    Raises
    ------
    GstError
        If the perturbation is not done, or has not what the mode needs.
    """
    description = read_description(folder)
    shifts = read_shifts(folder)
    mode = mode or _fitting(description, shifts, null)
    if mode == "goal_state_shift":
        states = description["states"]
        if not states:
            raise GstError(
                "was perturbed without states",
                where=str(folder),
                hint="perturb with --state_column, --start and --goal, or take another --mode",
            )
        table = statistics.toward_goal(shifts, states[1], states[2:])
    elif mode == "vs_null":
        assert null is not None
        other = read_description(null)
        for name in ("perturbation", "quartiles", "embedding", "layer", "model_version"):
            if other[name] != description[name]:
                raise GstError(
                    f"has {name} {other[name]}, and {folder} has {description[name]}",
                    where=str(null),
                    hint="compare perturbations of one kind",
                )
        table = statistics.against_null(shifts, read_shifts(null))
    elif mode == "mixture_model":
        table = statistics.mixture(shifts)
    elif mode == "cooperation":
        table = statistics.cooperation(shifts)
    elif mode == "aggregate_gene_shifts":
        table = statistics.gene_shifts(_read_genes(folder), shifts)
    else:
        table = statistics.aggregate(shifts)
    return Statistics(mode, table, description)


def read_shifts(folder: Path) -> pd.DataFrame:
    """Read the table of a perturbation that is done.

    Raises
    ------
    GstError
        If it is not.
    """
    import pandas as pd

    read_description(folder)
    if not (folder / SHIFTS).is_file():
        raise GstError(
            "is not done yet",
            where=str(folder),
            hint="start geneformer perturb again with the same options: it goes on",
        )
    table = pd.read_parquet(folder / SHIFTS)
    # A cell of which nothing is left to compare has no cosine.
    kept = table["cosine"].notna()
    for name in table.columns:
        if name.startswith(TOWARDS):
            kept &= table[name].notna()
    return table[kept].reset_index(drop=True)


def _read_genes(folder: Path) -> pd.DataFrame:
    import pandas as pd

    if not (folder / GENE_SHIFTS).is_file():
        raise GstError(
            "has no shifts of single genes", where=str(folder), hint="perturb with --gene_shifts"
        )
    return pd.read_parquet(folder / GENE_SHIFTS)


def _fitting(description: dict[str, Any], shifts: pd.DataFrame, null: Path | None) -> str:
    if null is not None:
        return "vs_null"
    if description["states"]:
        return "goal_state_shift"
    names = shifts["token"].astype(str)
    several = set(names.unique())
    pairs = [name.split(TOGETHER) for name in several if name.count(TOGETHER) == 1]
    if any(first in several and second in several for first, second in pairs):
        return "cooperation"
    return "mixture_model" if description["genes"] == "all" else "aggregate_data"
