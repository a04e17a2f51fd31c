"""Which references share words with a protein: an inverted index, built when a model is opened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gst_core.references import compiled, portable
from gst_core.references.postings import PARTS, SHORT_FOR_TALLY, TALLIED
from gst_core.references.store import MOST_REFERENCES, References


class WordIndex:
    """References by the words they contain.

    Parameters
    ----------
    references
        The references, 65,536 at most.
    workers
        Threads that build it.
    library
        The compiled implementation; without it numpy's is used, to the same numbers.

    Attributes
    ----------
    totals
        ``(R,)`` float32: sum of the weights of each reference's words, in nats. A word's weight
        is its inverse document frequency.
    """

    def __init__(
        self,
        references: References,
        workers: int = 1,
        library: compiled.Library | None = compiled.LIBRARY,
    ) -> None:
        if len(references) > MOST_REFERENCES:
            raise ValueError(f"{len(references)} references, {MOST_REFERENCES} at most")
        self._search: compiled.CompiledSearch | portable.PortableSearch
        if library is None:
            postings = portable.build(references, workers)
            self._search = portable.PortableSearch(postings, references)
        else:
            postings = compiled.build(library, references, workers)
            self._search = compiled.CompiledSearch(library, postings, references)
        self.totals = (postings.totals / PARTS).astype(np.float32)
        self._lengths = references.lengths

    def search(
        self, codes: NDArray[np.uint8], most: int, hidden: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int32], NDArray[np.float64], float]:
        """Find the references that share the rarest words with a protein.

        A reference's score is the sum of the weights of shared words, each counted once,
        over the root of its length: long references share more by chance.

        Parameters
        ----------
        codes
            Plain residue codes of the protein.
        most
            References wanted.
        hidden
            ``(R,)``: references to leave out.

        Returns
        -------
        references
            Numbers of at most `most` references that score more than
            :data:`~gst_core.references.postings.LEAST` of the best, the best first; of
            equally good ones the first stored comes first.
        shared
            Sum of the weights of the words shared with each, in nats, as if those not looked
            up were shared as often as the others.
        own
            Sum of the weights of the protein's words, in nats.
        """
        found, shared, own, used = self._search(codes, most, hidden)
        return found, shared.astype(np.float64) * (own / max(used, 1) / PARTS), own / PARTS

    def search_similar(
        self, codes: NDArray[np.uint8], most: int, hidden: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int32]:
        """Find the references that have many words like those of a protein, one behind the other.

        Finds relatives that share hardly any word with it, and takes sixty times longer. The
        references that exceed most what is to be expected of their length
        (:data:`~gst_core.references.postings.TALLIED` of them) are ranked by their best diagonal.

        Parameters
        ----------
        codes
            Plain residue codes of the protein.
        most
            References wanted.
        hidden
            ``(R,)``: references to leave out.

        Returns
        -------
        references
            Numbers of at most `most` references, the best first.
        """
        rows = self._search.similar_words(codes)
        tally = self._search.tally_similar(rows).astype(np.float64)
        excess = tally - tally.sum() / self._lengths.sum() * self._lengths
        tallied = excess / np.sqrt(np.maximum(self._lengths, SHORT_FOR_TALLY))
        if hidden is not None:
            tallied[hidden] = 0
        size = min(TALLIED, len(tallied))
        highest = np.argpartition(-tallied, size - 1)[:size]
        wanted: NDArray[np.int32] = np.sort(highest[tallied[highest] > 0]).astype(np.int32)
        scores = self._search.score_diagonals(rows, len(codes), wanted)
        best: NDArray[np.int32] = wanted[np.argsort(-scores, kind="stable")[:most]]
        return best
