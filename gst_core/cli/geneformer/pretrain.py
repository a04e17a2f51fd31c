"""``geneformer pretrain``: a network of one's own, from tokenised cells."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gst_core.cli._paths import InputFile, OutputFolder, check_paths
from gst_core.cli.geneformer._options import model_version_option, resources_option
from gst_core.cli.geneformer._progress import bar

if TYPE_CHECKING:
    from gst_core.geneformer.network import MaskedLanguageModel
    from gst_core.geneformer.resources import Resources

_SIZE = click.IntRange(min=1)


@click.command()
@click.argument("dataset", type=InputFile(path_type=Path, exists=True))
@click.option(
    "--output",
    required=True,
    type=OutputFolder(path_type=Path, file_okay=False),
    help="Folder of the run: started again with the same options, it goes on.",
)
@click.option(
    "--validation",
    type=click.Path(path_type=Path, exists=True),
    help="Dataset of cells to be asked about.  [default: a share of DATASET]",
)
@click.option(
    "--held_out",
    default=0.05,
    show_default=True,
    type=click.FloatRange(0, 0.9),
    help="That share of the cells.",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Network to train further, in place of a new one.",
)
@click.option("--layers", default=6, show_default=True, type=_SIZE, help="Of a new network.")
@click.option("--width", default=256, show_default=True, type=_SIZE, help="Of its hidden states.")
@click.option("--heads", default=4, show_default=True, type=_SIZE, help="Of its attention.")
@click.option("--feedforward", type=_SIZE, help="Width of its hidden layers.  [default: 2 x width]")
@click.option(
    "--positions",
    type=_SIZE,
    help="Longest cell; longer ones are cut.  [default: 2,048 of V1, 4,096 of V2]",
)
@click.option("--dropout", default=0.02, show_default=True, type=click.FloatRange(0, 0.9))
@click.option("--epochs", default=3, show_default=True, type=_SIZE)
@click.option("--batch_cells", default=12, show_default=True, type=_SIZE, help="A process.")
@click.option(
    "--accumulate", default=1, show_default=True, type=_SIZE, help="Batches of a process a step."
)
@click.option(
    "--learning_rate", default=1e-3, show_default=True, type=click.FloatRange(0, min_open=True)
)
@click.option(
    "--warmup",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of the steps in which the rate rises.",
)
@click.option("--weight_decay", default=1e-3, show_default=True, type=click.FloatRange(0))
@click.option("--bf16", is_flag=True, help="Compute in bfloat16.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1))
@click.option("--evaluate_every", default=500, show_default=True, type=_SIZE, help="Steps.")
@click.option("--checkpoint_every", default=500, show_default=True, type=_SIZE, help="Steps.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
)
@click.option("--threads", type=_SIZE, help="CPU threads a process.  [default: all]")
@model_version_option
@resources_option
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def pretrain(
    dataset: Path,
    output: Path,
    validation: Path | None,
    held_out: float,
    checkpoint: Path | None,
    layers: int,
    width: int,
    heads: int,
    feedforward: int | None,
    positions: int | None,
    dropout: float,
    epochs: int,
    batch_cells: int,
    accumulate: int,
    learning_rate: float,
    warmup: float,
    weight_decay: float,
    bf16: bool,
    seed: int,
    evaluate_every: int,
    checkpoint_every: int,
    device: str,
    threads: int | None,
    model_version: str,
    resources: Path | None,
    quiet: bool,
) -> None:
    """Train a network to tell genes that are hidden in the cells of DATASET.

    \b
    geneformer pretrain cells.dataset --output run --layers 6 --width 256
    torchrun --nproc_per_node 2 -m gst_core.cli.geneformer.main pretrain cells.dataset --output run

    The folder then has config.json and model.safetensors, as transformers' BertForMaskedLM reads.
    """  # noqa: D301
    from gst_core.geneformer.pretraining import PretrainingConfig
    from gst_core.geneformer.pretraining import pretrain as run
    from gst_core.geneformer.pretraining_cells import read_cells
    from gst_core.geneformer.resources import Resources
    from gst_core.geneformer.weights import fingerprint, weight_file
    from gst_core.model.workers import close_workers, open_workers

    check_paths()
    dictionary = Resources.load(model_version, resources)
    chosen, workers = open_workers(device, threads)
    try:
        network = _network(
            checkpoint,
            dictionary,
            (layers, width, heads, feedforward or 2 * width, positions or dictionary.max_length),
            dropout,
            seed,
        )
        cells = read_cells(
            dataset, validation, held_out, dictionary, network.config.positions, seed
        )
        config = PretrainingConfig(
            epochs=epochs,
            batch_cells=batch_cells,
            accumulate=accumulate,
            learning_rate=learning_rate,
            warmup=warmup,
            weight_decay=weight_decay,
            seed=seed,
            bf16=bf16,
            evaluate_every=evaluate_every,
            checkpoint_every=checkpoint_every,
        )
        facts: dict[str, object] = {
            "network": network.config.to_json(),
            "began_with": fingerprint(weight_file(checkpoint)) if checkpoint else "",
            "cells": cells.fingerprint,
            "model_version": model_version,
        }
        silent = quiet or not workers.first
        if not silent:
            click.echo(
                f"geneformer: {network.config.parameters:,} parameters, {len(cells.train):,} cells "
                f"to learn from, {len(cells.held_out):,} held out, on {chosen}, "
                f"{workers.world} process{'es' if workers.world > 1 else ''}",
                err=True,
            )
        with bar("pretrain", "steps", silent) as progress:
            summary = run(
                network,
                cells.train,
                cells.held_out,
                dictionary,
                config,
                output,
                facts=facts,
                device=chosen,
                workers=workers,
                on_step=lambda step, steps, _: progress(step, steps),
            )
        workers.wait()
    finally:
        close_workers(workers)
    if silent:
        return
    if "held_out_loss" in summary:
        loss, plain, unseen = (
            f"{summary[name]:.4f}" for name in ("held_out_loss", "unigram", "unseen")
        )
        click.echo(
            f"geneformer: held-out loss {loss} nats; by the genes' frequencies alone {plain}, by "
            f"those of the genes that a cell does not show {unseen}",
            err=True,
        )
    click.echo(f"geneformer: {summary['steps']} steps -> {output}", err=True)


def _network(
    checkpoint: Path | None,
    dictionary: Resources,
    shape: tuple[int, int, int, int, int],
    dropout: float,
    seed: int,
) -> MaskedLanguageModel:
    """Make a new network, or open the one to train further."""
    import torch

    from gst_core.geneformer.config import NetworkConfig
    from gst_core.geneformer.network import MaskedLanguageModel
    from gst_core.geneformer.weights import load_masked_language_model

    if checkpoint is not None:
        network = load_masked_language_model(checkpoint)
        dictionary.require_size(network.config.vocabulary, str(checkpoint))
        return network
    layers, width, heads, feedforward, positions = shape
    if width % heads:
        raise click.UsageError(f"--width {width} is not a multiple of --heads {heads}")
    torch.manual_seed(seed)
    return MaskedLanguageModel(
        NetworkConfig(
            dictionary.vocabulary_size,
            width,
            layers,
            heads,
            feedforward,
            positions,
            hidden_dropout=dropout,
            attention_dropout=dropout,
            pad_token=dictionary.pad_token,
        )
    )
