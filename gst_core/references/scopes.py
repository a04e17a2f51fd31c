"""In which species a symbol is given: in all, or in those alone whose own name it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Of a class in a species that it is not given in, where no other takes its place.
NOT_GIVEN: Final = -1


class Scopes:
    """Symbols that are given in some clades or genera alone.

    ``hbb1`` is a fish's, ``Patr-A`` a chimpanzee's: in another species the references that bear
    them speak for the gene that they are copies of, and for nothing where there is none.

    Parameters
    ----------
    where
        Names of clades and genera by class index, of the classes that are not given everywhere.
    originals
        ``(C,)``: class index of the gene that each symbol is a copy of; its own where it is none.

    Raises
    ------
    ValueError
        If a class index is none.
    """

    def __init__(
        self, where: Mapping[int, Sequence[str]], originals: NDArray[np.integer[Any]]
    ) -> None:
        if where and not 0 <= min(where) <= max(where) < len(originals):
            raise ValueError("a symbol given in some clades alone is none of the vocabulary")
        self._where = {number: frozenset(names) for number, names in where.items()}
        self._originals = originals
        self._made: dict[tuple[str | None, str | None], NDArray[np.int32]] = {}

    def given(self, clade: str | None, genus: str | None = None) -> NDArray[np.int32]:
        """Give the class that references of each class speak for in a species.

        Parameters
        ----------
        clade
            Category of the species; where it is unknown, all symbols are given.
        genus
            Of the species.

        Returns
        -------
        given
            ``(C,)``; :data:`NOT_GIVEN` where there is none.
        """
        key = clade, genus
        if key not in self._made:
            given = np.arange(len(self._originals), dtype=np.int32)
            if clade is not None:
                out = [n for n, names in self._where.items() if not names & {clade, genus}]
                given[out] = NOT_GIVEN
                original = self._originals[out]
                there = original[given[original] == original]
                given[np.array(out, dtype=np.int64)[given[original] == original]] = there
            self._made[key] = given
        return self._made[key]
