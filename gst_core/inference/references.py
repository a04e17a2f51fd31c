"""The engine of models of references: search, align, and let the network decide."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.assignment import Evidence
from gst_core.inference.engine import Engine, Prediction
from gst_core.references import compiled
from gst_core.references.copies import share_with_copies
from gst_core.references.evidence import Evidence as Found
from gst_core.references.evidence import EvidenceFinder
from gst_core.references.features import FEATURES, FEATURES_BEFORE, features
from gst_core.references.gapped import draw
from gst_core.references.lookup import LONGEST
from gst_core.references.scopes import Scopes
from gst_core.references.store import STORED, References, unpack
from gst_core.references.twins import ranked_by, shared_equally, twins
from gst_core.sequences import encode
from gst_core.vocabulary import Symbol

FORMAT = "gst-2"
APPROVED: Final = "HGNC Symbol"


class ReferenceEngine(Engine):
    """References, and the Transformer that decides among the symbols they suggest."""

    format = FORMAT
    reads_as_original = False
    works_on_device = False  # search and alignment are the processor's
    batch_size = 128
    gives_evidence = True
    longest = LONGEST
    remedy = "build it again with gst build"

    def _read(self, metadata: dict[str, str]) -> None:
        shape = self._session.get_inputs()[0].shape
        missing = {*STORED, "probabilities"} - {o.name for o in self._session.get_outputs()}
        if missing:
            raise ValueError(f"it has no {', '.join(sorted(missing))}")
        if len(shape) != 3 or shape[2] not in (FEATURES, *FEATURES_BEFORE):
            raise ValueError(f"its network does not read the {FEATURES} features of this version")
        self.feature_count = int(shape[2])
        nothing = {
            "features": np.zeros((0, 1, self.feature_count), dtype=np.float32),
            "present": np.zeros((0, 1), dtype=np.bool_),
        }
        stored = dict(zip(STORED, self._run(STORED, nothing), strict=True))
        lengths, classes, clades = stored["lengths"], stored["classes"], stored["clades"]
        counts, originals = stored["counts"], stored["originals"]
        accessions = metadata["gst.accessions"].split("\n")
        sizes = {len(lengths), len(classes), len(clades), len(accessions)}
        fit = (
            len(sizes) == 1
            and len(counts) == len(self._vocabulary)
            and len(lengths) > 0
            and lengths.min() > 0
            and 0 <= classes.min() <= classes.max() < len(counts)
            and clades.max() <= len(self._clades)
            and len(originals) == len(counts)
            and 0 <= originals.min() <= originals.max() < len(counts)
        )
        if not fit:
            raise ValueError("its references and its vocabulary do not fit together")
        starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        references = References(
            unpack(stored["packed"], int(starts[-1])), starts, classes, clades, accessions
        )
        self._originals = originals
        self._scopes = Scopes(_read_scopes(metadata.get("gst.scopes", "[]")), originals)
        self._core = np.array(json.loads(metadata.get("gst.core", "[]")), dtype=np.int64)
        if len(self._core) and not 0 <= self._core.min() <= self._core.max() < len(counts):
            raise ValueError("its core genes are not in its vocabulary")
        # Of equally good ones the approved symbol comes first, then the first by name.
        approved = np.array([symbol.source == APPROVED for symbol in self._vocabulary])
        rank = np.empty(len(approved), dtype=np.int64)
        rank[np.argsort(~approved, kind="stable")] = np.arange(len(approved))
        self._rank = rank
        library = compiled.LIBRARY
        self.finder = EvidenceFinder(references, counts.astype(np.int64), self._workers, library)
        if library is None:
            self.warning = compiled.SLOW

    def cost(self, length: int) -> int:
        """Relative cost of a protein: nothing is padded, and little is kept of each."""
        return min(max(length, 64), LONGEST) // 4

    def predict(
        self,
        sequences: Sequence[bytes],
        clade: str | None,
        top_k: int,
        evidence: bool = False,
        genus: str | None = None,
    ) -> Prediction:
        """Name a batch of proteins; see :class:`~gst_core.inference.engine.Engine`."""
        codes = [encode(sequence[:LONGEST]) for sequence in sequences]
        clades = np.full(len(codes), self.clade_index(clade))
        given = [self._scopes.given(clade, genus)] * len(codes)
        found = self.finder.find(codes, clades, given=given)
        feed = {"features": features(found)[:, :, : self.feature_count], "present": found.present}
        weighed: NDArray[np.float32] = self._run(["probabilities"], feed)[0][:, 1:]
        shared, kept = share_with_copies(found.classes, weighed, self._originals)
        same = twins(found, kept, self.finder.references)
        shared = np.where(kept, shared_equally(shared, same), 0)
        k = min(top_k, weighed.shape[1])
        keys = self._rank[found.classes], -shared, -ranked_by(shared, same, found), ~kept
        order = np.lexsort(keys, axis=1)[:, :k]
        rows = np.arange(len(codes))[:, None]
        there = kept[rows, order]
        indices = np.where(there, found.classes[rows, order], -1).astype(np.int64)
        probabilities = np.where(there, shared[rows, order], 0).astype(np.float32)
        shown: list[Evidence | None] | None = None
        if evidence:
            shown = [
                self._show(own, found, same, row, int(order[row, 0]))
                for row, own in enumerate(codes)
            ]
        return Prediction(probabilities, indices, shown)

    def evidence_for(
        self, sequence: bytes, clade: str | None, symbol: Symbol, genus: str | None = None
    ) -> Evidence | None:
        """Say which reference speaks for a symbol of one protein."""
        codes = encode(sequence[:LONGEST])
        found = self._find(codes, clade, genus)
        candidate = self._candidate_of(found, symbol.symbol)
        if candidate is None:
            return None
        same = twins(found, found.present, self.finder.references)
        return self._show(codes, found, same, 0, candidate)

    @property
    def core_genes(self) -> dict[str, str]:
        """The core gene that each symbol speaks for; see :class:`Engine`."""
        speaks = np.flatnonzero(np.isin(self._originals, self._core))
        return {
            self._vocabulary[number].symbol.casefold(): self._vocabulary[gene].symbol
            for number, gene in zip(speaks.tolist(), self._originals[speaks].tolist(), strict=True)
        }

    def alignment_for(
        self, sequence: bytes, clade: str | None, symbol: str, genus: str | None = None
    ) -> str:
        """Draw the alignment with the reference that speaks for a symbol."""
        codes = encode(sequence[:LONGEST])
        found = self._find(codes, clade, genus)
        candidate = self._candidate_of(found, symbol)
        number = -1 if candidate is None else int(found.references[0, candidate])
        return draw(codes, self.finder.references[number], symbol) if number >= 0 else ""

    def _find(self, codes: NDArray[np.uint8], clade: str | None, genus: str | None) -> Found:
        """Find the candidates of one protein."""
        given = [self._scopes.given(clade, genus)]
        return self.finder.find([codes], np.full(1, self.clade_index(clade)), given=given)

    def _candidate_of(self, found: Found, symbol: str) -> int | None:
        """Find the number of a symbol among the candidates of one protein."""
        for candidate in np.flatnonzero(found.present[0]).tolist():
            name = self._vocabulary[int(found.classes[0, candidate])].symbol
            if name.casefold() == symbol.casefold():
                return int(candidate)
        return None

    def _show(
        self,
        codes: NDArray[np.uint8],
        found: Found,
        same: NDArray[np.int64],
        row: int,
        candidate: int,
    ) -> Evidence | None:
        reference = int(found.references[row, candidate])
        if reference < 0:
            return None
        references = self.finder.references
        equals = np.flatnonzero(found.present[row] & (same[row] == same[row, candidate]))
        others = found.classes[row, equals[equals != candidate]].tolist()
        alignment = self.finder.show(codes, reference)
        return Evidence(
            references.accessions[reference],
            alignment.identity,
            alignment.query_coverage,
            alignment.target_coverage,
            tuple(self._vocabulary[number].symbol for number in others),
        )


def _read_scopes(text: str) -> dict[int, list[str]]:
    """Read where symbols are given that are not given everywhere, as the metadata have it."""
    return {
        int(number): [str(name) for name in scope["where"]]
        for scope in json.loads(text)
        for number in scope["symbols"]
    }
