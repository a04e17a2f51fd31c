"""``geneformer perturb``: what taking genes away, or more of them, does to cells."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from gst_core.cli._paths import InputFile, OutputFolder, check_paths
from gst_core.cli.geneformer._options import (
    NetworkChoice,
    bf16_option,
    filter_option,
    network_options,
    parse_filters,
)
from gst_core.cli.geneformer._progress import bar

if TYPE_CHECKING:
    from gst_core.geneformer.perturbation_plan import Targets
    from gst_core.geneformer.perturbation_run import Forecast, States
    from gst_core.geneformer.resources import Resources


@click.command()
@click.argument("source", metavar="DATASET_OR_COUNTS", type=InputFile(path_type=Path))
@click.option(
    "--checkpoint",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of a Geneformer model (config.json, model.safetensors), or an .onnx file of "
    "geneformer export.",
)
@click.option(
    "--output",
    required=True,
    type=OutputFolder(path_type=Path, file_okay=False),
    help="Folder; started again with the same options, a run goes on there.",
)
@click.option(
    "--perturbation",
    "kind",
    required=True,
    type=click.Choice(["delete", "overexpress", "inhibit", "activate"]),
    help="Take genes out, put them first, or shift them down or up by quartiles of the ranks.",
)
@click.option(
    "--genes",
    multiple=True,
    metavar="ID[,ID...]|all",
    help="Genes to perturb together, as symbols or Ensembl ids; may be repeated, for each "
    "perturbation.  [default: all, each in turn]",
)
@click.option(
    "--genes_file",
    type=InputFile(path_type=Path, exists=True, dir_okay=False),
    help="One perturbation a line, in place of --genes or beside it.",
)
@click.option("--each", is_flag=True, help="Perturb each of the genes by itself.")
@click.option("--pairs", is_flag=True, help="Perturb each by itself, and each two together.")
@click.option("--anchor", metavar="ID", help="Perturb this one with each other gene of a cell too.")
@click.option(
    "--rank_shift",
    default=1,
    show_default=True,
    type=click.IntRange(1, 3),
    help="Quartiles by which inhibit and activate shift.",
)
@click.option(
    "--embedding",
    type=click.Choice(["cell", "cls"]),
    help="What stands for a cell: the mean of its genes, or its <cls>.  [default: cls of V2]",
)
@click.option(
    "--layer",
    type=click.Choice(["-1", "0"]),
    default="-1",
    show_default=True,
    help="0: the network's last layer; -1: the second to last.",
)
@filter_option("Cells to perturb")
@click.option("--state_column", help="Attribute of cells that says their state.")
@click.option("--start", help="State of the cells to perturb.")
@click.option("--goal", help="State towards which shifts are measured.")
@click.option("--alternative", "alternatives", multiple=True, help="Another; may be repeated.")
@click.option(
    "--state_embeddings",
    type=InputFile(path_type=Path, exists=True, dir_okay=False),
    help="JSON: the embedding of each state.  [default: the mean of its cells here]",
)
@click.option("--gene_shifts", is_flag=True, help="Measure the shift of every other gene, too.")
@click.option("--max_cells", type=click.IntRange(min=1), help="Draw so many cells.")
@click.option("--seed", default=0, show_default=True, help="Of the draw.")
@click.option(
    "--shard",
    default="1/1",
    show_default=True,
    metavar="I/N",
    help="Do the I-th of N shares: for array jobs, which need share the output folder alone.",
)
@click.option("--dry_run", is_flag=True, help="Say what it will cost, and do nothing.")
@network_options
@bf16_option
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def perturb(
    source: Path,
    checkpoint: Path,
    output: Path,
    kind: str,
    genes: tuple[str, ...],
    genes_file: Path | None,
    each: bool,
    pairs: bool,
    anchor: str | None,
    rank_shift: int,
    embedding: str | None,
    layer: str,
    filters: tuple[str, ...],
    state_column: str | None,
    start: str | None,
    goal: str | None,
    alternatives: tuple[str, ...],
    state_embeddings: Path | None,
    gene_shifts: bool,
    max_cells: int | None,
    seed: int,
    shard: str,
    dry_run: bool,
    network: NetworkChoice,
    bf16: bool,
    quiet: bool,
) -> None:
    """Perturb genes of cells, and measure how far that moves the cells.

    OUTPUT/shifts.parquet has a row for each perturbation of each cell: the cosine of the cell's
    embedding before and after, and, with states, how much nearer it came to each. A run that was
    killed goes on where it was. `geneformer statistics` is what comes after.

    \b
    geneformer perturb cells.dataset --checkpoint gf-12L-104M-i4096 --output deleted \\
        --perturbation delete --genes all --filter cell_type=Cardiomyocyte --max_cells 100
    geneformer perturb cells.dataset --checkpoint gf-12L-104M-i4096 --output over \\
        --perturbation overexpress --genes GATA4,MEF2C,TBX5 \\
        --state_column cell_type --start Fibroblast --goal Cardiomyocyte
    """  # noqa: D301
    share = _share(shard)
    states = _states(state_column, start, goal, alternatives)
    if state_embeddings and states is None:
        raise click.UsageError("--state_embeddings goes with --state_column, --start and --goal")
    chosen = parse_filters(filters)
    if each and pairs:
        raise click.UsageError("--pairs has each gene by itself already")
    from gst_core.geneformer.perturbation_run import Options, perturb_file

    check_paths()
    vectors = _read_states(state_embeddings) if state_embeddings else None
    model = network.load(checkpoint, quiet=quiet, bf16=bf16)
    targets = _targets(_lines(genes, genes_file), each, pairs, anchor, model.resources)
    options = Options(
        kind=cast(Any, kind),
        quartiles=rank_shift,
        targets=targets,
        embedding=cast(Any, embedding),
        layer=cast(Any, int(layer)),
        filters=chosen,
        states=states,
        max_cells=max_cells,
        seed=seed,
        gene_shifts=gene_shifts,
    )

    def forecast(told: Forecast) -> bool:
        if not quiet or dry_run:
            click.echo(_sentence(told, model.encoder.device), err=True)
        return not dry_run

    began = time.perf_counter()
    with bar("perturb", "perturbed cells", quiet) as progress:
        rows = perturb_file(
            model,
            source,
            output,
            options,
            checkpoint=checkpoint,
            state_vectors=vectors,
            **network.counts,
            shard=share,
            forecast=forecast,
            progress=progress,
        )
    if quiet or dry_run:
        return
    seconds = time.perf_counter() - began
    if rows is None:
        text = f"share {shard} is done, others are not: the table comes with the last"
    else:
        text = f"{rows:,} perturbed cells -> {output / 'shifts.parquet'}"
    click.echo(f"geneformer: {text} ({seconds:.1f} s)", err=True)


def _sentence(told: Forecast, device: str) -> str:
    """Say what a run has before it."""
    text = f"geneformer: {told.passes:,} forward passes of {told.cells:,} cells"
    if told.missing < told.parts:
        text += f"; {told.missing:,} of {told.parts:,} parts are left to do here"
    if told.gene_rows:
        text += f"; up to {told.gene_rows:,} shifts of single genes"
    return f"{text}; about {duration(told.seconds)} on {device}"


def duration(seconds: float) -> str:
    """Write a time as a person would: seconds, minutes, hours or days."""
    for size, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _share(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise click.BadParameter(f"{text!r} is not as 1/8 to 8/8", param_hint="--shard")
    return int(found[1]), int(found[2])


def _states(
    column: str | None, start: str | None, goal: str | None, alternatives: tuple[str, ...]
) -> States | None:
    from gst_core.geneformer.perturbation_run import States

    if not (column or start or goal or alternatives):
        return None
    if not (column and start and goal):
        raise click.UsageError("states need all of --state_column, --start and --goal")
    states = States(column, start, goal, alternatives)
    if len(set(states.names)) < len(states.names):
        raise click.UsageError("a state is given twice")
    return states


def _lines(genes: tuple[str, ...], file: Path | None) -> list[list[str]]:
    """Names of the genes of each perturbation; nothing for all in turn."""
    texts = list(genes)
    if file is not None:
        lines = file.read_text(encoding="utf-8").splitlines()
        texts += [line for line in lines if line.strip() and not line.startswith("#")]
    named = [[part.strip() for part in text.split(",") if part.strip()] for text in texts]
    named = [own for own in named if own]
    if ["all"] in named:
        if len(named) > 1:
            raise click.UsageError("--genes all has every gene already")
        return []
    if not named and texts:
        raise click.UsageError("no gene is named")
    return named


def _targets(
    named: list[list[str]], each: bool, pairs: bool, anchor: str | None, resources: Resources
) -> Targets:
    from gst_core.geneformer.perturbation_plan import Targets

    if not named:
        if pairs or each:
            raise click.UsageError("--each and --pairs need --genes")
        return Targets(anchor=None if anchor is None else int(resources.tokens_of([anchor])[0]))
    if anchor is not None:
        raise click.UsageError("--anchor goes with all genes: use --pairs with these")
    groups = [tuple(dict.fromkeys(map(int, resources.tokens_of(names)))) for names in named]
    flat = [token for group in groups for token in group]
    if pairs:
        return Targets.pairs(flat)
    return Targets.each(flat) if each else Targets(tuple(dict.fromkeys(groups)))


def _read_states(path: Path) -> dict[str, list[float]]:
    from gst_core.errors import GstError

    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): [float(x) for x in values] for name, values in found.items()}
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise GstError(
            "is no JSON object of the states' embeddings",
            where=str(path),
            hint='as {"healthy": [0.1, ...], "ill": [...]}',
        ) from error
