"""Training proteins, laid into arrays and split by genus."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from gst_core.clades import CLADES
from gst_core.errors import GstError
from gst_core.nomenclature import Canonical, Tables, relabel, settle_entries
from gst_core.training.batches import TrainingSet
from gst_core.training.proteins import LabelledProtein, clade_indices, require_genera
from gst_core.training.symbols import build_vocabulary
from gst_core.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Dataset:
    """Proteins ready for training.

    Attributes
    ----------
    vocabulary
        The symbols of the training and validation proteins.
    clades
        The clade categories; unknown is the index after the last.
    training
        Proteins to learn from.
    validation, held_out
        Proteins to watch, and those of the genera held out; class -1 where no training
        protein has the symbol, which nothing could be learnt of.
    """

    vocabulary: Vocabulary
    clades: tuple[str, ...]
    training: TrainingSet
    validation: TrainingSet
    held_out: TrainingSet


def prepare(
    proteins: Iterable[LabelledProtein],
    tables: Tables | None = None,
    *,
    canonical: Canonical | None = None,
    hold_out: Collection[str] = (),
    validation: Collection[str] = (),
) -> Dataset:
    """Build the vocabulary and split proteins by genus.

    Parameters
    ----------
    proteins
        All labelled proteins.
    tables
        Genes of nomenclature committees, which name and describe the symbols they share.
    canonical
        What labels stand for: all proteins get these symbols before anything else.
    hold_out
        Genera of which nothing is learnt, not even that their symbols exist.
    validation
        Genera whose proteins are not trained on while their symbols are in the vocabulary.

    Raises
    ------
    GstError
        If a genus has no protein, or no protein is left to train on.
    """
    proteins = list(proteins)
    if canonical is not None:
        proteins = relabel(proteins, canonical)
        proteins = proteins if tables is None else settle_entries(proteins, tables)
    require_genera((*hold_out, *validation), proteins)
    known = [p for p in proteins if p.taxon.genus not in hold_out]
    training = [p for p in known if p.taxon.genus not in validation]
    if not training:
        raise GstError("every protein is held out: none is left to train on")
    vocabulary = build_vocabulary(known, tables, canonical)
    classes = {symbol.symbol.upper(): index for index, symbol in enumerate(vocabulary)}
    learnt = {key: classes[key] for key in {protein.key for protein in training}}
    return Dataset(
        vocabulary,
        CLADES,
        arrange(training, classes),
        arrange([p for p in known if p.taxon.genus in validation], learnt),
        arrange([p for p in proteins if p.taxon.genus in hold_out], learnt),
    )


def arrange(proteins: list[LabelledProtein], classes: dict[str, int]) -> TrainingSet:
    """Lay proteins into arrays.

    Parameters
    ----------
    proteins
        In the order of the result.
    classes
        Class index of each symbol key; others become class -1.
    """
    return TrainingSet(
        np.concatenate([np.empty(0, np.uint8), *(p.codes for p in proteins)]),
        np.array([len(p.codes) for p in proteins], dtype=np.int64),
        np.array([classes.get(p.key, -1) for p in proteins], dtype=np.int64),
        clade_indices(proteins),
    )
