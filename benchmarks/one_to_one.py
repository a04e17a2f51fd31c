"""Errors where the genes of a genome are named each by itself, and together (--one_to_one).

    python -m benchmarks.one_to_one --checkpoint heldout.onnx --symbols symbols.tsv \
        --taxon_id 9913 --taxon_id 9031 --taxon_id 8355 --taxon_id 8364 --taxon_id 7955

The model must not have seen the genera of these species. Asked are all their labelled proteins;
those of one gene, by its symbol, count as isoforms. Counted are proteins whose gene the model
knows, labels and answers as the current symbols that they stand for, copies as what they are
copies of.
"""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.protocol import options
from benchmarks.protocol.measure import use_cores
from benchmarks.protocol.sets import TRAINING_FILES, letters
from benchmarks.protocol.tables import table
from gst_core import GeneNamer
from gst_core.cli._common import run
from gst_core.nomenclature import read_canonical
from gst_core.taxonomy import resolve
from gst_core.training.proteins import read_labelled


@click.command()
@click.option("--checkpoint", type=click.Path(exists=True, path_type=Path), required=True)
@options.symbols_table
@click.option("--taxon_id", "taxon_ids", type=int, multiple=True, required=True)
@options.data_folder
@click.option("--threads", type=click.IntRange(min=1), default=2, show_default=True)
def one_to_one(
    checkpoint: Path,
    symbols: Path,
    taxon_ids: tuple[int, ...],
    data_folder: Path,
    threads: int,
) -> None:
    """Name genomes both ways, and print a table in Markdown."""
    use_cores(threads)
    canonical, namer = read_canonical(symbols), GeneNamer(checkpoint, threads=threads)
    every = read_labelled([data_folder / "proteins" / name for name in TRAINING_FILES])
    known = {canonical.base(symbol.symbol) for symbol in namer.engine.vocabulary}
    rows = []
    for taxon_id in taxon_ids:
        proteins = [p for p in every if p.taxon.taxon_id == taxon_id]
        right = [canonical.base(p.symbol) for p in proteins]
        genes = {f"p{n}": canonical.symbol(p.symbol).upper() for n, p in enumerate(proteins)}
        source = [(f"p{n}", letters(p).decode()) for n, p in enumerate(proteins)]
        row = [resolve(taxon_id).scientific_name, f"{sum(r in known for r in right):,}"]
        for together in (False, True):
            named = namer.assign(source, taxon_id=taxon_id, one_to_one=together, gene_of=genes)
            wrong = [
                found.probability
                for found, symbol in zip(named, right, strict=True)
                if symbol in known and canonical.base(found.symbol) != symbol
            ]
            row.append(f"{len(wrong)} ({sum(probability >= 0.7 for probability in wrong)})")
        rows.append(tuple(row))
    click.echo(table(("species", "proteins", "errors alone (at 0.7)", "together (at 0.7)"), rows))


if __name__ == "__main__":
    run(one_to_one, "benchmarks.one_to_one")
