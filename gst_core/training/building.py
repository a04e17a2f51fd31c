"""From labelled proteins to a model of references: chosen, simulated, trained, calibrated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.model.candidates import CandidateConfig, CandidateTransformer
from gst_core.nomenclature import Canonical, Tables, relabel, settle_entries
from gst_core.references.evidence import EvidenceFinder
from gst_core.references.index import NARROW
from gst_core.references.scopes import Scopes
from gst_core.references.store import References
from gst_core.reliability import expected_calibration_error
from gst_core.training.condensing import condense
from gst_core.training.core_genes import core_genes
from gst_core.training.deciding import (
    DecidingConfig,
    OnEpoch,
    calibrate,
    fit,
    named,
    out_of_fold,
    probability_of,
)
from gst_core.training.known import Known
from gst_core.training.proteins import LabelledProtein, require_genera
from gst_core.training.references import choose, gather
from gst_core.training.simulation import (
    BATCH,
    THIN,
    Labelled,
    Simulated,
    Simulation,
    folds,
    joined,
)
from gst_core.training.symbols import build_vocabulary, where_given
from gst_core.vocabulary import Vocabulary

#: Told of every step: what is done, and how far it has come from 0 to 1.
OnProgress = Callable[[str, float], None]

#: Share of the proteins that are named as those of known species beside those of new ones.
_KNOWN: Final = 0.4
#: Proteins of other animals, as a share of these: most have no name among those of vertebrates.
_STRANGERS: Final = 0.02
#: Share of the references that are chosen to stand for their symbols; the rest may be added where
#: these name proteins wrongly.
_SPREAD: Final = 0.9


@dataclass(frozen=True, slots=True)
class Built:
    """Everything a model of references consists of.

    Attributes
    ----------
    network, references, vocabulary
        As the model file has them.
    where
        Clades and genera by class index, of symbols that are not given everywhere.
    counts
        ``(C,)``: training proteins of each symbol.
    originals
        ``(C,)``: class index of the gene that each symbol is a copy of; its own where it is none.
    core
        Class indices of the genes that nearly every vertebrate has.
    proteins
        Training proteins.
    calibration
        Of networks that have learnt nothing from the genera that they are asked about: proteins,
        accuracy among the nameable, expected calibration error.
    """

    network: CandidateTransformer
    references: References
    vocabulary: Vocabulary
    where: dict[int, tuple[str, ...]]
    counts: NDArray[np.int64]
    originals: NDArray[np.int64]
    core: list[int]
    proteins: int
    calibration: dict[str, Any]


def build_model(
    proteins: Iterable[LabelledProtein],
    tables: Tables,
    canonical: Canonical | None = None,
    *,
    hold_out: Collection[str] = (),
    strangers: Iterable[LabelledProtein] = (),
    simulate: int | None = None,
    most_references: int = NARROW,
    training: DecidingConfig | None = None,
    device: str = "cpu",
    workers: int = 1,
    on_progress: OnProgress = lambda step, share: None,
) -> Built:
    """Choose references, simulate new species, and train the network that decides.

    Parameters
    ----------
    proteins
        Labelled proteins.
    tables
        Genes of nomenclature committees; proteins of readthrough genes are left out.
    canonical
        What labels stand for.
    hold_out
        Genera of which nothing is learnt.
    strangers
        Proteins of species far from all others: few of them have a name that is right.
    simulate
        Proteins to simulate at most; all without it.
    most_references
        References at most. A look-up takes the longer the more there are.
    training
        What fixes the network's training.
    device
        Of the network's training.
    workers
        Threads.
    on_progress
        Told of every step.

    Raises
    ------
    GstError
        If a genus is not there, fewer than two genera are left, they have no symbol in common,
        or there are too few proteins or more symbols than references.
    """
    everything = list(proteins)
    if canonical is not None:
        everything = settle_entries(relabel(everything, canonical), tables)
    require_genera(hold_out, everything)
    # What resembles a transcript of two genes is nearly always one of the two.
    readthrough = tables.readthrough
    kept = [
        protein
        for protein in everything
        if protein.taxon.genus not in hold_out and protein.key not in readthrough
    ]
    if len({p.taxon.genus for p in kept}) < 2:
        raise GstError("fewer than two genera are left", hint="new species cannot be simulated")
    vocabulary = build_vocabulary(kept, tables, canonical)
    index = {symbol.symbol.upper(): number for number, symbol in enumerate(vocabulary)}
    classes = np.array([index[p.key] for p in kept], dtype=np.int32)
    if len(vocabulary) > most_references:
        raise GstError(
            f"{len(vocabulary):,} symbols, and {most_references:,} references at most",
            hint="allow more references, or give proteins of one clade",
        )
    bases = _bases(vocabulary, canonical)
    families = np.unique(bases, return_inverse=True)[1].astype(np.int64)
    originals = np.array([index.get(base, number) for number, base in enumerate(bases)])
    where = where_given(kept, classes, bases, tables)
    labelled = Labelled(kept, classes, families, Scopes(where, originals))

    on_progress("choosing references", 0)
    room = max(int(_SPREAD * most_references), len(vocabulary))
    spread = choose(kept, classes, most=room)
    chosen = condense(
        labelled,
        spread,
        most_references,
        workers,
        lambda turn: on_progress(f"condensing references, round {turn}", 0),
    )
    references = gather(kept, classes, chosen)
    counts = np.bincount(classes, minlength=len(vocabulary))
    settings = training or DecidingConfig()
    data = _simulated(
        labelled,
        np.setdiff1d(chosen, spread),
        EvidenceFinder(references, counts.astype(np.int64), workers),
        list(strangers),
        room,
        simulate,
        settings.seed,
        workers,
        on_progress,
    )
    half = _halves(data)
    if any(not data.present[half != n].any() or not data.as_new[half == n].any() for n in (0, 1)):
        raise GstError(
            f"{len(data.answers):,} proteins are too few to train on some genera and "
            "calibrate on others",
            hint="give more proteins, or proteins of more genera",
        )

    def on_epoch(step: str, networks: int) -> OnEpoch:
        epochs = networks * settings.epochs
        return lambda epoch, loss: on_progress(f"{step}, loss {loss:.4f}", epoch / epochs)

    shape = CandidateConfig()
    logits = out_of_fold(data, half, shape, settings, device, on_epoch("training to calibrate", 2))
    network = fit(data, shape, settings, device, on_epoch("training", 1))
    logits, seen = logits[data.as_new], data[data.as_new]
    calibrate(network, logits, seen, originals)
    quality = _quality(network, logits, seen, originals)
    core = core_genes(kept, classes, vocabulary, originals)
    return Built(
        *(network, references, vocabulary, where, counts, originals, core, len(kept), quality)
    )


def _simulated(
    labelled: Labelled,
    added: NDArray[np.int64],
    finder: EvidenceFinder,
    strangers: list[LabelledProtein],
    room: int,
    simulate: int | None,
    seed: int,
    workers: int,
    on_progress: OnProgress,
) -> Simulated:
    """Gather what the network learns from: new species, known ones, and strangers."""
    fold = folds(labelled.proteins, seed)
    number_of_folds = int(fold.max()) + 1
    total = len(labelled.proteins)
    asked = total if simulate is None else min(total, simulate)
    parts: list[Simulated] = []
    for number in range(number_of_folds):
        simulation = Simulation(labelled, fold == number, workers, added, room)
        share = None if simulate is None else -(-simulate // number_of_folds)
        rows = simulation.sample(share, seed)
        again = simulation.again(rows, int(THIN * asked / number_of_folds), seed)
        shown = chain(simulation.run(rows, seed), simulation.run_thin(again, seed + 1))
        for turn, part in enumerate(shown, 1):
            parts.append(part)
            done = min(turn * BATCH / (len(rows) + len(again)), 1)
            on_progress("simulating new species", (number + done) / number_of_folds)
    if not parts:
        raise GstError(
            "no two genera have a symbol in common",
            hint="new species are simulated: give proteins of the same genes in several genera",
        )
    rng = np.random.default_rng(seed)
    rows = rng.permutation(total)
    rows = np.sort(rows[: int(_KNOWN * total) if simulate is None else simulate])
    known = Known(labelled, finder, workers)
    for turn, part in enumerate(known.run(rows, seed), 1):
        parts.append(part)
        on_progress("naming known species", min(turn * BATCH / len(rows), 1))
    share = int(_STRANGERS * asked)
    drawn = rng.permutation(len(strangers))[:share]
    parts += known.strangers([strangers[i] for i in drawn.tolist()])
    return joined(parts)


def _bases(vocabulary: Vocabulary, canonical: Canonical | None) -> list[str]:
    """Name the gene that each symbol is a copy of, in upper case."""
    return [
        symbol.symbol.upper() if canonical is None else canonical.base(symbol.symbol)
        for symbol in vocabulary
    ]


def _halves(data: Simulated) -> NDArray[np.int64]:
    """Divide proteins by genus in two: the largest genus, then two of the other half, and so on.

    Of few genera there are enough proteins to say how often they are named rightly. All of them
    have to be asked of a network that has not learnt from them: the one or two that a draw leaves
    aside may be human, and tell little of fishes.
    """
    _, genus, sizes = np.unique(data.genera, return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    half: NDArray[np.int64] = (rank[genus] + 1) // 2 % 2
    return half


def _quality(
    network: CandidateTransformer,
    logits: NDArray[np.float32],
    data: Simulated,
    originals: NDArray[np.integer[Any]],
) -> dict[str, Any]:
    best, members = named(logits, data.classes, originals)
    right = data.of_gene[np.arange(len(best)), best]
    nameable = data.answers > 0
    shifted = logits / float(network.temperature)
    shifted[:, 0] += float(network.doubt)
    probability = probability_of(shifted, members)
    return {
        "temperature": float(network.temperature),
        "doubt": float(network.doubt),
        "proteins": len(right),
        "accuracy": float(right[nameable].mean()) if nameable.any() else 0.0,
        "expected_calibration_error": expected_calibration_error(probability, right, equal="count"),
        "precision_at": {
            str(t): float(right[probability >= t].mean()) if (probability >= t).any() else None
            for t in (0.7, 0.9)
        },
    }
