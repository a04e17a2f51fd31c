"""Cells to learn from and cells to be asked about, of datasets of tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.dataset import TokenDataset
from gst_core.geneformer.masking import cut
from gst_core.geneformer.resources import Resources


class SomeCells(Sequence[NDArray[np.int64]]):
    """Cells of a dataset, read when they are asked for and cut to the network's positions.

    Parameters
    ----------
    dataset
        On disk.
    cells
        Which of its cells.
    positions
        Tokens of a cell at most.
    eos
        Token that ends cells, where there is one.
    """

    def __init__(
        self, dataset: TokenDataset, cells: NDArray[np.intp], positions: int, eos: int | None
    ) -> None:
        self._dataset, self._cells, self._positions, self._eos = dataset, cells, positions, eos

    def __len__(self) -> int:
        return len(self._cells)

    @overload
    def __getitem__(self, cell: int) -> NDArray[np.int64]: ...
    @overload
    def __getitem__(self, cell: slice) -> list[NDArray[np.int64]]: ...
    def __getitem__(self, cell: int | slice) -> NDArray[np.int64] | list[NDArray[np.int64]]:
        """Tokens of a cell, or of several."""
        if isinstance(cell, slice):
            return [self[number] for number in range(*cell.indices(len(self)))]
        if not -len(self) <= cell < len(self):
            raise IndexError(cell)
        return cut(self._dataset.tokens(int(self._cells[cell])), self._positions, self._eos)

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        return (self[number] for number in range(len(self)))


@dataclass(frozen=True, slots=True)
class PretrainingCells:
    """The cells of a run.

    Attributes
    ----------
    train, held_out
        To learn from, and to be asked about.
    fingerprint
        SHA-256 of all their tokens and of which are held out.
    """

    train: SomeCells
    held_out: SomeCells
    fingerprint: str


def read_cells(
    dataset: Path,
    validation: Path | None,
    held_out: float,
    resources: Resources,
    positions: int,
    seed: int,
) -> PretrainingCells:
    """Open the datasets of a run, and draw which cells are held out.

    Parameters
    ----------
    dataset, validation
        Folders or Parquet files; without `validation` a share of `dataset` is held out.
    held_out
        That share; of at least two cells one is.
    resources
        The dictionary they were made with.
    positions
        Tokens of a cell at most.
    seed
        Of the draw.

    Raises
    ------
    GstError
        If a dataset has tokens that the dictionary has not, or no cells.
    """
    opened = TokenDataset.open(dataset)
    other = TokenDataset.open(validation) if validation else opened
    digest = hashlib.sha256()
    for path, part in {dataset: opened, validation or dataset: other}.items():
        if not len(part) or not part.lengths.all():
            raise GstError("has no cells, or one without tokens", where=str(path))
        for number, cell in enumerate(part):
            if cell.min() < 0 or cell.max() >= resources.vocabulary_size:
                raise GstError(
                    f"cell {number}: a token beyond the {resources.vocabulary_size:,} of "
                    f"{resources.model_version}",
                    where=str(path),
                    hint="choose the --model_version and --resources it was tokenised with",
                )
            digest.update(np.ascontiguousarray(cell, np.int32).tobytes())
            digest.update(b"|")
    order = np.random.default_rng([seed, 7]).permutation(len(opened))
    if validation is None:
        number = round(held_out * len(order))
        if held_out > 0 and len(order) > 1:
            number = min(max(number, 1), len(order) - 1)
        kept, asked = np.sort(order[number:]), np.sort(order[:number])
    else:
        kept, asked = np.arange(len(opened)), np.arange(len(other))
    digest.update(asked.astype(np.int64).tobytes())
    eos = resources.eos_token
    return PretrainingCells(
        SomeCells(opened, kept, positions, eos),
        SomeCells(other, asked, positions, eos),
        digest.hexdigest(),
    )
