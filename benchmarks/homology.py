r"""gst_assign beside homology search: who names the proteins of new genera, and how fast.

    python -m benchmarks.homology --work_folder runs/homology \
        prepare symbols diamond gst --checkpoint genera.onnx score --output benchmarks/results

Stages run in the order given. What a stage has made is not made again unless its
inputs change; ``--afresh`` measures everything again. `benchmarks/README.md` explains
the protocol.
"""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.protocol import methods, options
from benchmarks.protocol.files import SYMBOLS_FILE, write_json, write_split
from benchmarks.protocol.measure import use_cores
from benchmarks.protocol.scores import score_folder
from benchmarks.protocol.sets import all_labelled, read_splits
from benchmarks.protocol.tables import as_markdown
from gst_core.cli._common import run
from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.nomenclature import canonicalise, read_tables, write_canonical

_ROOT = Path(__file__).resolve().parents[1]


@click.group(chain=True)
@click.option(
    "--work_folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=_ROOT / "runs" / "homology",
    help="Where sequences, hits and names are kept.  [default: runs/homology]",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Threads of each program, and cores that all are bound to.",
)
@click.option("--afresh", is_flag=True, help="Run and measure again what was measured before.")
@click.pass_context
def homology(context: click.Context, work_folder: Path, threads: int, afresh: bool) -> None:
    """Compare gst_assign with DIAMOND on genera that neither has seen."""
    use_cores(threads)
    context.obj = work_folder, threads, afresh


@homology.command()
@options.data_folder
@click.pass_obj
def prepare(obj: tuple[Path, int, bool], data_folder: Path) -> None:
    """Write training and query sequences."""
    work_folder = obj[0]
    for split in read_splits(data_folder / "proteins"):
        write_split(work_folder / split.name, split)
        click.echo(f"{split.name}: {len(split.training):,} training sequences", err=True)


@homology.command()
@options.data_folder
@click.pass_obj
def symbols(obj: tuple[Path, int, bool], data_folder: Path) -> None:
    """Find the symbols that labels stand for, from all proteins and no method's answers."""
    mappings = data_folder / "mappings"
    tables = read_tables(
        mappings / "hgnc_complete_set.txt.gz",
        [
            mappings / f"{name}.rpt.gz"
            for name in ("HOM_MouseHumanSequence", "HGNC_AllianceHomology")
        ],
        mappings / "human_orthos.txt.gz",
    )
    genera = read_splits(data_folder / "proteins")[0]
    write_canonical(obj[0] / SYMBOLS_FILE, canonicalise(all_labelled(genera), tables))


@homology.command()
@click.option("--program", default="diamond", show_default=True, help="Name or path of DIAMOND.")
@click.option("--mode", "modes", multiple=True, default=("sensitive", "fast"), show_default=True)
@click.pass_obj
def diamond(obj: tuple[Path, int, bool], program: str, modes: tuple[str, ...]) -> None:
    """Name all queries by DIAMOND's best hit."""
    work_folder, threads, afresh = obj
    for split in _splits(work_folder):
        methods.make_database(program, split, threads, afresh)
        for queries in _query_sets(split):
            for mode in modes:
                click.echo(f"{split.name}/{queries}: diamond --{mode}", err=True)
                methods.search(program, split, queries, mode, threads, afresh)


@homology.command()
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="Model trained on the training sequences of split 'genera' alone.",
)
@click.option(
    "--tetrapods_checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The same for split 'tetrapods', which is left out without it.",
)
@click.option(
    "--unseen_checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The same for split 'unseen'.",
)
@click.pass_obj
def gst(
    obj: tuple[Path, int, bool],
    checkpoint: Path,
    tetrapods_checkpoint: Path | None,
    unseen_checkpoint: Path | None,
) -> None:
    """Name all queries with gst_assign."""
    work_folder, threads, afresh = obj
    checkpoints = {
        "genera": checkpoint,
        "tetrapods": tetrapods_checkpoint,
        "unseen": unseen_checkpoint,
    }
    for split in _splits(work_folder):
        model = checkpoints[split.name]
        if model is None:
            continue
        for queries in _query_sets(split):
            click.echo(f"{split.name}/{queries}: gst_assign", err=True)
            methods.assign(model, split, queries, threads, afresh)


@homology.command()
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for homology.json and homology.md.",
)
@click.pass_obj
def score(obj: tuple[Path, int, bool], output: Path) -> None:
    """Score all methods that have run, and write the tables."""
    result = score_folder(obj[0])
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / "homology.json", result)
    with atomic_write(output / "homology.md") as file:
        file.write(as_markdown(result))
    click.echo(f"{output / 'homology.md'}", err=True)


def _splits(work_folder: Path) -> list[Path]:
    splits = sorted(path.parent for path in work_folder.glob("*/training.tsv"))
    if not splits:
        raise GstError("holds no sequences", where=str(work_folder), hint="run 'prepare' first")
    return splits


def _query_sets(split: Path) -> list[str]:
    return sorted(path.parent.name for path in split.glob("*/queries.tsv"))


if __name__ == "__main__":
    run(homology, "benchmarks.homology")
