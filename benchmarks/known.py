"""gst_assign beside homology search on what both know: known genomes, changed ones, twins, chance.

    python -m benchmarks.known --checkpoint vertebrates.onnx --symbols symbols.tsv \
        --output benchmarks/results

The model must have been built from all vertebrates of the data, and DIAMOND searches all of them.
`benchmarks/README.md` explains what is asked and how it is counted.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import numpy as np

from benchmarks.protocol import options
from benchmarks.protocol.files import write_fasta, write_json
from benchmarks.protocol.measure import run_measured, use_cores
from benchmarks.protocol.sets import SEED, TRAINING_FILES, Query, as_queries, letters, sample
from benchmarks.protocol.tables import percent, table
from gst_core import GeneNamer
from gst_core.cli._common import run
from gst_core.files import atomic_write
from gst_core.nomenclature import Canonical, read_canonical, read_tables
from gst_core.taxonomy import resolve
from gst_core.training.known import substituted
from gst_core.training.proteins import LabelledProtein, is_vertebrate, read_labelled

_ROOT: Final = Path(__file__).resolve().parents[1]

SPECIES: Final = {
    "human": 9606,
    "mouse": 10090,
    "rat": 10116,
    "cow": 9913,
    "zebrafish": 7955,
}
#: Shares of the residues that are replaced, in percent, from and to; and proteins of each.
CHANGED: Final = ((0.1, 0.5), (0.5, 1), (1, 2))
EACH: Final = 3000
#: Residues of the random peptides; and how many of each length.
PEPTIDES: Final = (5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60, 100)
CHANCE: Final = 1000
#: Proteins of each kind of strangers; kinds as in ``homology``.
STRANGERS: Final = 500
FOREIGN: Final = ("fungi", "plants", "protists")

#: Symbol and score of each query that has an answer.
Names = dict[str, tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Queries with the symbols that are right, in the form in which they are compared."""

    queries: list[Query]
    right: list[frozenset[str]]


class Known:
    """The labelled proteins, and the symbols of each sequence."""

    def __init__(self, folder: Path, canonical: Canonical, hgnc: Path) -> None:
        everything = read_labelled(
            [folder / name for name in TRAINING_FILES], vertebrates_only=False
        )
        self.proteins = [p for p in everything if is_vertebrate(p.taxon)]
        self.foreign = [p for p in everything if p.taxon.clade in FOREIGN]
        self.key: Callable[[str], str] = lambda symbol: canonical.symbol(symbol).upper()
        self._leave = read_tables(hgnc).readthrough
        self._provisional = canonical.is_provisional
        self.of: defaultdict[bytes, set[str]] = defaultdict(set)
        for protein in self.proteins:
            if self._counts(protein):
                self.of[protein.codes.tobytes()].add(self.key(protein.symbol))

    def _counts(self, protein: LabelledProtein) -> bool:
        """Whether a protein's label is a gene's: none of two genes, and no placeholder."""
        return protein.key not in self._leave and not self._provisional(protein.symbol)

    def alone(self, taxon_id: int) -> list[LabelledProtein]:
        """Give the proteins of a species whose sequence no other symbol has."""
        return [
            protein
            for protein in self.proteins
            if protein.taxon.taxon_id == taxon_id
            and self._counts(protein)
            and len(self.of[protein.codes.tobytes()]) == 1
        ]

    def twins(self) -> list[LabelledProtein]:
        """Give the human RefSeq proteins that several genes of RefSeq have."""
        genes: defaultdict[bytes, list[LabelledProtein]] = defaultdict(list)
        for protein in self.proteins:
            if "_" in protein.accession and self._counts(protein):
                genes[protein.codes.tobytes()].append(protein)
        return [protein for own in genes.values() if len(own) > 1 for protein in own]

    def asked(self, name: str, proteins: Sequence[LabelledProtein], kind: str = "") -> Asked:
        """Ask for proteins as they are."""
        right = [frozenset(self.of[p.codes.tobytes()]) for p in proteins]
        return Asked(as_queries(name, proteins, kind), right)


def sets_of(known: Known) -> dict[str, Asked]:
    """Make all that is asked, by the name of its row."""
    rng = np.random.default_rng(SEED)
    sets: dict[str, Asked] = {}
    alone = {name: known.alone(taxon) for name, taxon in SPECIES.items()}
    refseq = [p for p in alone["human"] if "_" in p.accession]
    sets["human, RefSeq"] = known.asked("refseq", refseq)
    sets["human, Swiss-Prot"] = known.asked(
        "swissprot", [p for p in alone["human"] if "_" not in p.accession]
    )
    for name in list(SPECIES)[1:]:
        sets[name] = known.asked(name, alone[name])
    pool = refseq + [p for name in list(SPECIES)[1:] for p in alone[name]]
    for low, high in CHANGED:
        name = f"{low:g} to {high:g}% of the residues changed"
        drawn = sample((p for p in pool if len(p.codes) * high >= 100), EACH)
        asked = known.asked(f"changed_{high:g}", drawn)
        changed = [
            Query(
                *(q.query_id, q.accession, q.symbol, q.kind, q.taxon),
                letters(
                    LabelledProtein(
                        "", substituted(p.codes, rng.uniform(low, high) / 100, rng), "", p.taxon
                    )
                ),
            )
            for q, p in zip(asked.queries, drawn, strict=True)
        ]
        sets[name] = Asked(changed, asked.right)
    sets["twins"] = known.asked("twin", known.twins())
    human = resolve(9606)
    pooled = np.concatenate([p.codes for p in refseq])
    composition = np.bincount(pooled, minlength=20)[:20] / (pooled < 20).sum()
    for length in PEPTIDES:
        codes = [rng.choice(20, length, p=composition).astype(np.uint8) for _ in range(CHANCE)]
        made = [LabelledProtein("", own, "", human) for own in codes]
        queries = as_queries(f"random_{length}", made, "random")
        sets[f"random, {length} residues"] = Asked(queries, [frozenset()] * CHANCE)
    symbols = {known.key(p.symbol) for p in known.proteins}
    for clade in FOREIGN:
        strange = (
            p
            for p in known.foreign
            if p.taxon.clade == clade and known.key(p.symbol) not in symbols
        )
        drawn = sample(strange, STRANGERS)
        sets[clade] = Asked(as_queries(clade, drawn, clade), [frozenset()] * len(drawn))
    return sets


def named_by_gst(namer: GeneNamer, sets: dict[str, Asked]) -> Names:
    """Name all queries, each under its species."""
    species: defaultdict[int, list[Query]] = defaultdict(list)
    for asked in sets.values():
        for query in asked.queries:
            species[query.taxon.taxon_id].append(query)
    return {
        found.stable_id: (found.symbol, found.probability)
        for taxon_id, queries in species.items()
        for found in namer.assign(
            [(q.query_id, q.residues.decode()) for q in queries], taxon_id=taxon_id
        )
        if found.symbol
    }


def named_by_diamond(known: Known, sets: dict[str, Asked], threads: int, folder: Path) -> Names:
    """Name all queries by DIAMOND's best hit among all proteins; hits are kept in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    training, queries = folder / "training.fasta", folder / "queries.fasta"
    write_fasta(training, ((f"t{n}", letters(p)) for n, p in enumerate(known.proteins)))
    every = (query for asked in sets.values() for query in asked.queries)
    write_fasta(queries, ((q.query_id, q.residues) for q in every))
    digest = hashlib.sha256(training.read_bytes() + queries.read_bytes()).hexdigest()
    hits, log = folder / f"{digest[:16]}.hits", folder / "diamond.log"
    if not hits.exists():
        made = hits.with_suffix(".part")
        common = ["--threads", str(threads), "--db", str(training.with_suffix(".dmnd"))]
        run_measured(["diamond", "makedb", "--in", str(training), *common], log)
        search = ["diamond", "blastp", "--sensitive", "--query", str(queries), *common]
        search += ["--max-target-seqs", "1", "--out", str(made)]
        run_measured([*search, "--outfmt", "6", "qseqid", "sseqid", "bitscore"], log)
        made.replace(hits)
    names: Names = {}
    for line in hits.read_text().splitlines():
        query, target, score = line.split("\t")
        names.setdefault(query, (known.proteins[int(target[1:])].symbol, float(score)))
    return names


def scored(sets: dict[str, Asked], names: dict[str, Names], key: Callable[[str], str]) -> Any:
    """Count, for each set and method, what is right, and what is said with what probability."""
    result: dict[str, Any] = {}
    for name, asked in sets.items():
        own: dict[str, Any] = {"proteins": len(asked.queries)}
        for method, answers in names.items():
            given = [answers.get(q.query_id, ("", 0.0)) for q in asked.queries]
            right = np.array(
                [
                    key(s) in ok if s else False
                    for (s, _), ok in zip(given, asked.right, strict=True)
                ]
            )
            scores = np.array([score for _, score in given])
            facts = {"right": float(right.mean()), "named": float((scores > 0).mean())}
            if method == "gst":
                facts |= {f"at_{t}": float((scores >= t).mean()) for t in (0.7, 0.9)}
                facts |= {f"wrong_at_{t}": int((~right & (scores >= t)).sum()) for t in (0.7, 0.9)}
                facts["mean_probability"] = float(scores.mean())
            own[method] = facts
        result[name] = own
    return result


def as_markdown(result: dict[str, Any]) -> str:
    """Write the tables."""
    parts = ["# Known genomes, changed ones, twins, chance and strangers\n"]
    known = {name: own for name, own in result.items() if any(own["gst"]["right"] for _ in "x")}
    rows = [
        (
            name,
            f"{own['proteins']:,}",
            percent(own["gst"]["right"], 2),
            str(own["gst"]["wrong_at_0.7"]),
            str(own["gst"]["wrong_at_0.9"]),
            percent(own["gst"]["mean_probability"], 1),
            percent(own["diamond"]["right"], 2) if "diamond" in own else "-",
        )
        for name, own in known.items()
    ]
    header = ("asked", "proteins", "gst, right, %", "wrong at 0.7", "at 0.9")
    parts.append(table((*header, "mean probability, %", "DIAMOND --sensitive, right, %"), rows))
    parts.append("What has no name, % of 1,000 (strangers: 500) that get one:\n")
    rows = [
        (
            name,
            percent(own["gst"]["at_0.7"]),
            percent(own["gst"]["at_0.9"]),
            percent(own["diamond"]["named"]) if "diamond" in own else "-",
        )
        for name, own in result.items()
        if name not in known
    ]
    parts.append(table(("asked", "gst, at 0.7", "at 0.9", "DIAMOND, any hit"), rows))
    return "\n".join(parts)


@click.command()
@click.option("--checkpoint", type=click.Path(exists=True, path_type=Path), required=True)
@options.symbols_table
@options.data_folder
@click.option("--threads", type=click.IntRange(min=1), default=2, show_default=True)
@click.option(
    "--work_folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=_ROOT / "runs" / "known",
    help="Where DIAMOND's hits are kept, which take long.  [default: runs/known]",
)
@click.option("--without_diamond", is_flag=True, help="Ask gst alone.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), required=True)
def known(
    checkpoint: Path,
    symbols: Path,
    data_folder: Path,
    threads: int,
    work_folder: Path,
    without_diamond: bool,
    output: Path,
) -> None:
    """Compare gst_assign with DIAMOND on what both know."""
    use_cores(threads)
    canonical = read_canonical(symbols)
    hgnc = data_folder / "mappings" / "hgnc_complete_set.txt.gz"
    proteins = Known(data_folder / "proteins", canonical, hgnc)
    sets = sets_of(proteins)
    output.mkdir(parents=True, exist_ok=True)
    names = {"gst": named_by_gst(GeneNamer(checkpoint, threads=threads), sets)}
    if not without_diamond:
        names["diamond"] = named_by_diamond(proteins, sets, threads, work_folder)
    result = scored(sets, names, proteins.key)
    write_json(output / "known.json", result)
    with atomic_write(output / "known.md") as file:
        file.write(as_markdown(result))
    click.echo(f"{output / 'known.md'}", err=True)


if __name__ == "__main__":
    run(known, "benchmarks.known")
