"""The numbers that a network reads of each candidate: what re-ranking goes by."""

from __future__ import annotations

from typing import Final

import numpy as np

from gst_core.references.evidence import COVERAGE, Array, Evidence
from gst_core.references.gapped import KAPPA, LAMBDA

#: Numbers a candidate.
FEATURES: Final = 28
#: Of models before these: they read the first ones.
FEATURES_BEFORE: Final = (21, 27)
#: Training proteins beyond this make a symbol no more likely.
ENOUGH: Final = 8
#: Coverage of a protein whose lineage is not known, where others have 0 and more.
UNTOLD: Final = -0.5


def features(evidence: Evidence) -> Array:
    """Turn evidence into what the network reads.

    Parameters
    ----------
    evidence
        Of B proteins with K candidates each.

    Returns
    -------
    features
        ``(B, K, 28)``; 0 where there is no candidate.
    """
    shared, total, found, score, mean, matches, columns, length, whole, count, kin = np.moveaxis(
        evidence.numbers, 2, 0
    )
    own, residues, itself, searched = (
        np.maximum(column, 1e-6)[:, None] for column in evidence.queries[:, :COVERAGE].T
    )
    covered = evidence.queries[:, COVERAGE, None]
    length, whole = np.maximum(length, 1), np.maximum(whole, 1)
    ranked = np.sort(score, axis=1)
    highest, second = ranked[:, -1:], ranked[:, -2:-1]
    competing = np.where(score == highest, second, highest)
    top = np.maximum(highest, 1)
    lead = (score - competing) / top
    cosine = shared / np.sqrt(own * np.maximum(total, 1e-6))
    shorter = np.minimum(length, residues)
    identity = matches / shorter
    columns_there = columns > 0
    equal = ((score[:, :, None] == score[:, None, :]) & (score[:, :, None] > 0)).sum(2)
    # Nats by which a score is above the highest that strangers are expected to have.
    surplus = LAMBDA * score - np.log(KAPPA * residues * searched)
    result = np.stack(
        np.broadcast_arrays(
            cosine,
            cosine / np.maximum(cosine.max(1, keepdims=True), 1e-9),
            np.clip(np.log(residues / length), -3, 3),
            np.log1p(found),
            score / itself,
            score / whole,
            score / top,
            np.tanh(8 * lead),
            np.tanh(40 * lead),
            score / shorter / 5,
            identity,
            identity - identity.max(1, keepdims=True),
            matches / np.maximum(columns, 1),
            columns_there,
            columns / residues,
            columns / length,
            mean / top,
            np.log(residues) / 8,
            np.log1p(score) / 8,
            np.log1p(np.minimum(count, ENOUGH)),
            kin,
            np.log1p(np.maximum(itself - score, 0)) / 8,
            np.log1p(np.maximum(whole - score, 0)) / 8,
            np.log1p(top - score) / 8,
            np.sign(lead) * np.log1p(np.abs(score - competing)) / 8,
            np.log(np.maximum(equal, 1)),
            np.clip(surplus, -20, 60) / 20,
            np.where(covered >= 0, np.log1p(np.maximum(covered, 0)) / 8, UNTOLD),
        ),
        axis=-1,
    ).astype(np.float32)
    result[~evidence.present] = 0
    return result
