"""Training and query sequences of the benchmark.

A split is a set of training sequences with the query sets asked of it:

``genera``
    Vertebrates without Bos, Gallus, Xenopus and Danio. Asked: all proteins of each
    of the four; samples of the projected proteins of mammals and birds, from genera
    without a single training sequence; and proteins that must not be named.
``tetrapods``
    The same without anything that is no tetrapod. Asked: Danio.
``unseen``
    Vertebrates without eight other genera, which are asked. No decision was ever based on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gst_core.sequences import ALPHABET, encode
from gst_core.taxonomy import Taxon
from gst_core.training.proteins import LabelledProtein, read_labelled

HELD_OUT: Final = ("Bos", "Gallus", "Xenopus", "Danio")
#: Query sets of the split ``unseen``, and their genera.
UNSEEN: Final = {
    "Canis": ("Canis",),
    "Oryctolagus": ("Oryctolagus",),
    "birds": ("Meleagris", "Struthio"),
    "fishes": ("Salmo", "Carassius", "Tetraodon", "Cyprinus"),
}
TETRAPODS: Final = frozenset(
    ("amphibians", "reptiles", "aves", "mammalia", "marsupials", "rodentia", "primates", "humans")
)
#: Eukaryotes far from any vertebrate; the data hold no bacterial or viral proteins.
FOREIGN: Final = ("fungi", "plants", "protists")

TRAINING_FILES: Final = ("swissprot_eukaryota.fasta.zst", "human_refseq_one_per_gene.fasta.gz")
MAMMALS_FILE: Final = "mammals64_exon_aligned_proteins.fasta.zst"
BIRDS_FILE: Final = "avian48_141genes_proteins.fasta.gz"

#: Proteins drawn for each sampled set and for each kind of negative.
MAMMALS, BIRDS, NEGATIVES = 2000, 1000, 500
SEED: Final = 20

_LETTERS: Final = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Query:
    """A protein to be named.

    Attributes
    ----------
    query_id
        Unique in the benchmark.
    accession
        Of the source; empty for an artificial sequence.
    symbol
        The known symbol; empty for an artificial sequence.
    kind
        ``protein``, or the kind of negative: ``random``, ``shuffled`` or one of
        :data:`FOREIGN`.
    taxon
        The species that a program is told; for an artificial sequence, that of the
        protein it was made from.
    residues
        Upper-case letters.
    """

    query_id: str
    accession: str
    symbol: str
    kind: str
    taxon: Taxon
    residues: bytes


@dataclass(frozen=True, slots=True)
class Split:
    """Training sequences, and the queries by name of their set."""

    name: str
    training: list[LabelledProtein]
    queries: dict[str, list[Query]]


def symbols_of(proteins: Iterable[LabelledProtein]) -> frozenset[str]:
    """Give the symbols of proteins, in the form in which they are compared."""
    return frozenset(protein.key for protein in proteins)


def genera_split(vertebrates: Iterable[LabelledProtein]) -> Split:
    """Hold out four genera."""
    return _without("genera", {genus: (genus,) for genus in HELD_OUT}, vertebrates)


def tetrapod_split(genera: Split) -> Split:
    """Leave the fish out of the training sequences too, and ask for zebrafish again."""
    training = [p for p in genera.training if p.taxon.clade in TETRAPODS]
    return Split("tetrapods", training, {"Danio": genera.queries["Danio"]})


def unseen_split(vertebrates: Iterable[LabelledProtein]) -> Split:
    """Hold out genera that nothing was chosen by."""
    return _without("unseen", UNSEEN, vertebrates)


def _without(
    name: str, sets: Mapping[str, Sequence[str]], vertebrates: Iterable[LabelledProtein]
) -> Split:
    """Hold out the genera of some query sets."""
    set_of = {genus: queries for queries, genera in sets.items() for genus in genera}
    training: list[LabelledProtein] = []
    held: dict[str, list[LabelledProtein]] = {queries: [] for queries in sets}
    for protein in vertebrates:
        held.get(set_of.get(protein.taxon.genus or "", ""), training).append(protein)
    return Split(name, training, {queries: as_queries(queries, held[queries]) for queries in sets})


def as_queries(
    name: str, proteins: Sequence[LabelledProtein], kind: str = "protein"
) -> list[Query]:
    """Turn proteins with known symbols into queries."""
    return [
        Query(f"{name}_{number}", p.accession, p.symbol, kind, p.taxon, letters(p))
        for number, p in enumerate(proteins, 1)
    ]


def letters(protein: LabelledProtein) -> bytes:
    """Residues as upper-case letters."""
    return _LETTERS[protein.codes].tobytes()


def sample(proteins: Iterable[LabelledProtein], number: int) -> list[LabelledProtein]:
    """Draw some proteins, which stay in their order; all where there are not as many."""
    kept = list(proteins)
    rng = np.random.default_rng(SEED)
    rows = rng.permutation(len(kept))[:number]
    return [kept[row] for row in sorted(rows)]


def negatives(genera: Split, others: Sequence[LabelledProtein]) -> list[Query]:
    """Make and choose sequences that no symbol of the training set is right for.

    Random ones have the composition of the training sequences and the lengths of the
    held-out proteins; shuffled ones are held-out proteins with their residues permuted;
    those of fungi, plants and protists bear symbols that no training sequence has.

    Parameters
    ----------
    genera
        The split whose queries lend their lengths and species.
    others
        Labelled proteins, of which those of :data:`FOREIGN` clades are drawn.
    """
    rng = np.random.default_rng(SEED)
    pool = [query for genus in HELD_OUT for query in genera.queries[genus]]
    trained = np.concatenate([p.codes for p in genera.training])
    composition = np.bincount(trained, minlength=len(_LETTERS)) / len(trained)
    queries = []
    for number, row in enumerate(rng.permutation(len(pool))[: 2 * NEGATIVES], 1):
        source = pool[row]
        if number % 2:
            codes = rng.choice(len(_LETTERS), size=len(source.residues), p=composition)
            kind, residues = "random", _LETTERS[codes].tobytes()
        else:
            permuted = rng.permutation(np.frombuffer(source.residues, dtype=np.uint8))
            kind, residues = "shuffled", permuted.tobytes()
        queries.append(Query(f"{kind}_{number}", "", "", kind, source.taxon, residues))
    known = symbols_of(genera.training)
    for clade in FOREIGN:
        strangers = (p for p in others if p.taxon.clade == clade and p.key not in known)
        queries += as_queries(clade, sample(strangers, NEGATIVES), clade)
    return queries


def all_labelled(split: Split) -> list[LabelledProtein]:
    """Give training sequences and queries of a split, those apart that no symbol is right for."""
    queries = (query for own in split.queries.values() for query in own)
    return split.training + [
        LabelledProtein(q.accession, encode(q.residues), q.symbol, q.taxon)
        for q in queries
        if q.kind == "protein"
    ]


def read_splits(folder: Path) -> list[Split]:
    """Read the protein files and make the splits with all their queries.

    Parameters
    ----------
    folder
        With the files named above.

    Raises
    ------
    GstError
        If a file is missing or damaged.
    """
    vertebrates = list(read_labelled([folder / name for name in TRAINING_FILES]))
    genera = genera_split(vertebrates)
    known = {protein.taxon.genus for protein in genera.training}
    for name, file, number in (
        ("mammals64", MAMMALS_FILE, MAMMALS),
        ("avian48", BIRDS_FILE, BIRDS),
    ):
        new = (p for p in read_labelled([folder / file]) if p.taxon.genus not in known)
        genera.queries[name] = as_queries(name, sample(new, number))
    everything = read_labelled([folder / TRAINING_FILES[0]], vertebrates_only=False)
    genera.queries["negatives"] = negatives(genera, everything)
    return [genera, tetrapod_split(genera), unseen_split(vertebrates)]
