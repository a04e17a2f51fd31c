"""What ``gst build`` and ``gst train`` take, by the number of proteins.

    python -m benchmarks.scale --proteins swissprot_eukaryota.fasta.zst \
        --proteins human_refseq_one_per_gene.fasta.gz --hgnc hgnc_complete_set.txt.gz \
        --number 90000 --number 300000 --number 1000000 --references 65535 --references 250000
    python -m benchmarks.scale ... --command train --number 90000 --number 300000

Where more proteins are asked for than there are, the rest are made of these by simulated evolution:
relatives in 300 of the species, with up to 30% of their residues replaced. Symbols stay as many as
they are. Accuracy on such proteins means nothing and is not looked at; the model is asked for the
time that naming takes. A million proteins take some 700 MB in the folder for temporary files.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click
import numpy as np
import onnxruntime

from benchmarks.protocol.measure import run_measured
from gst_core.sequences import ALPHABET
from gst_core.training.augmentation import Evolution
from gst_core.training.proteins import LabelledProtein, read_labelled

SPECIES: Final = 300
EVOLUTION: Final = Evolution(unchanged=0.02, distance=0.3)
#: Proteins simulated, steps of a network, and proteins to name: the same whatever the number.
SIMULATED, STEPS, BATCH, NAMED = 50_000, 20, 512, 4_000
COMMANDS: Final = ("build", "train")
HEADS: Final = {
    "build": (
        *("proteins", "references", "`gst build`, CPU s", "peak, MiB", "model, MB"),
        *("naming, CPU ms a protein", "its peak, MiB"),
    ),
    "train": ("proteins", f"`gst train`, {STEPS} steps of {BATCH}, s", "CPU s", "peak, MiB"),
}
GST: Final = (sys.executable, "-m", "gst_core.cli.main")
_LETTERS: Final = np.frombuffer(ALPHABET.encode(), np.uint8)


def relatives(
    proteins: Sequence[LabelledProtein], number: int
) -> Iterator[tuple[LabelledProtein, int, bytes]]:
    """Draw proteins, and evolve them: of which, in which species, its residues."""
    rng = np.random.default_rng(1)
    every = sorted({p.taxon.taxon_id for p in proteins})
    species = rng.permutation(np.array(every))[:SPECIES]
    for start in range(0, number, 1000):
        drawn = rng.integers(0, len(proteins), min(1000, number - start))
        own = [proteins[i] for i in drawn.tolist()]
        lengths = np.array([len(p.codes) for p in own])
        codes, lengths = EVOLUTION(np.concatenate([p.codes for p in own]), lengths, rng)
        ends = np.cumsum(lengths)
        taxa = rng.choice(species, len(own)).tolist()
        for protein, taxon, first, last in zip(own, taxa, ends - lengths, ends, strict=True):
            yield protein, taxon, _LETTERS[codes[first:last]].tobytes()


def write(proteins: Sequence[LabelledProtein], number: int, path: Path) -> None:
    """Write so many proteins, real ones first."""
    with path.open("wb") as file:
        for n, p in enumerate(proteins[:number]):
            residues = _LETTERS[p.codes].tobytes()
            file.write(_record(f"r{n}", p.taxon.taxon_id or 0, p.symbol, residues))
        made = relatives(proteins, max(0, number - len(proteins)))
        for n, (p, taxon, residues) in enumerate(made):
            file.write(_record(f"s{n}", taxon, p.symbol, residues))


def _record(name: str, taxon: int, symbol: str, residues: bytes) -> bytes:
    return f">{name} OX={taxon} GN={symbol}\n".encode() + residues + b"\n"


@click.command()
@click.option("--proteins", "fastas", required=True, multiple=True, type=click.Path(path_type=Path))
@click.option("--hgnc", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--number", "numbers", multiple=True, type=click.IntRange(1000), default=(90_000,))
@click.option(
    "--command",
    "commands",
    multiple=True,
    type=click.Choice(COMMANDS),
    default=("build",),
    help="What is measured; may be repeated. Of `train` the first steps alone.",
)
@click.option(
    "--references",
    multiple=True,
    type=click.IntRange(1000),
    default=(65_535,),
    help="References at most of `build`; may be repeated.",
)
def main(
    fastas: tuple[Path, ...],
    hgnc: Path,
    numbers: tuple[int, ...],
    commands: tuple[str, ...],
    references: tuple[int, ...],
) -> None:
    """Measure, and print a table in Markdown for each command."""
    proteins = read_labelled(fastas)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for command in COMMANDS:
            if command not in commands:
                continue
            _row(*HEADS[command])
            click.echo(f"|{' ---: |' * len(HEADS[command])}")
            for number in numbers:
                fasta = folder / "proteins.fa"
                write(proteins, number, fasta)
                given = ["--proteins", str(fasta), "--hgnc", str(hgnc)]
                if command == "train":
                    _row(f"{number:,}", *_train(given, number, folder))
                    continue
                query = folder / "query.fa"
                write(list(reversed(proteins)), NAMED, query)
                for most in references:
                    _row(f"{number:,}", *_build(given, most, query, folder))
            click.echo()


def _row(*cells: str) -> None:
    click.echo(f"| {' | '.join(cells)} |")


def _build(given: Sequence[str], most: int, query: Path, folder: Path) -> tuple[str, ...]:
    model = folder / "model.onnx"
    options = ["--references", str(most), "--simulate", str(SIMULATED), "--output", str(model)]
    made = run_measured([*GST, "build", *given, *options], folder / "build.log")
    assign = [sys.executable, "-m", "gst_core.cli.assign", "--checkpoint", str(model)]
    assign += ["--sequences_fasta", str(query), "--output", str(folder / "named.tsv")]
    asked = run_measured(assign, folder / "assign.log")
    return (
        *(f"{_references(model):,}", f"{made.cpu_seconds:.0f}", f"{made.peak_mib:,.0f}"),
        f"{model.stat().st_size / 1e6:.1f}",
        *(f"{1000 * asked.cpu_seconds / NAMED:.2f}", f"{asked.peak_mib:,.0f}"),
    )


def _train(given: Sequence[str], number: int, folder: Path) -> tuple[str, ...]:
    epochs = ["--epochs", str(STEPS * BATCH / number), "--batch_size", str(BATCH)]
    run = [*GST, "train", *given, *epochs, "--output", str(folder / f"run_{number}")]
    cost = run_measured(run, folder / "train.log")
    return f"{cost.seconds:.0f}", f"{cost.cpu_seconds:.0f}", f"{cost.peak_mib:,.0f}"


def _references(model: Path) -> int:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return int(next(o.shape[0] for o in session.get_outputs() if o.name == "lengths"))


if __name__ == "__main__":
    main()
