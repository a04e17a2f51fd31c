"""Starting a run: afresh, from another one, or where it was stopped."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.model.network import GeneSymbolTransformer
from gst_core.model.workers import ALONE, Workers
from gst_core.training.batches import TrainingSet
from gst_core.training.dataset import Dataset
from gst_core.training.loop import OnStep, train
from gst_core.training.prototypes import prototypes, start_from_prototypes
from gst_core.training.run import RUN_FILE, Run, load_network, read_run
from gst_core.training.state import STATE_FILE
from gst_core.vocabulary import Vocabulary


def train_run(
    run: Run,
    data: Dataset,
    folder: Path,
    *,
    init_from: Path | None = None,
    device: str = "cpu",
    workers: Workers = ALONE,
    on_step: OnStep | None = None,
) -> None:
    """Start a run, or go on with the one in the folder.

    Parameters
    ----------
    run
        What to do.
    data
        The data it is done on.
    folder
        The run's folder; made where it is not there.
    init_from
        Folder of the run whose weights a fresh run starts from.
    device
        ``"cpu"`` or ``"cuda"``.
    workers
        This process among those that share the run.
    on_step
        Told of every step.

    Raises
    ------
    GstError
        If the folder holds another run, or the one to start from has another shape.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RUN_FILE
    if path.exists():
        _expect_same(read_run(folder), run, folder)
    workers.wait()  # until all have looked
    if workers.first and not path.exists():
        with atomic_write(path) as file:
            file.write(run.to_json())
    torch.manual_seed(run.training.seed)
    network = GeneSymbolTransformer(run.model).to(device)
    if not (folder / STATE_FILE).exists():
        if init_from is None:
            start_from_prototypes(network, data.training, device)
        else:
            start_from_run(network, run.vocabulary, data.training, init_from, device)
    validation = data.validation if len(data.validation) else None
    train(
        network,
        data.training,
        validation,
        run.training,
        folder,
        evolution=run.evolution,
        device=device,
        workers=workers,
        on_step=on_step,
    )


def _expect_same(old: Run, new: Run, folder: Path) -> None:
    """Refuse to go on with a run under other settings."""
    before, after = json.loads(old.to_json()), json.loads(new.to_json())
    different = [name.replace("_", " ") for name in before if before[name] != after[name]]
    if different:
        raise GstError(
            f"holds a run with other settings ({', '.join(different)})",
            where=str(folder),
            hint="give the same options and files to go on with it, or another --output",
        )


@torch.no_grad()
def start_from_run(
    network: GeneSymbolTransformer,
    vocabulary: Vocabulary,
    data: TrainingSet,
    folder: Path,
    device: str = "cpu",
) -> None:
    """Start from the weights of another run, whatever its vocabulary.

    Symbols that both know keep their vectors; new ones get the mean direction of their
    proteins; everything else is copied.

    Parameters
    ----------
    network
        A new network; changed in place.
    vocabulary
        Its symbols.
    data
        The training proteins.
    folder
        The other run.
    device
        ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    GstError
        If the other run's network differs in more than its symbols.
    """
    other, trained = load_network(folder)
    weights = trained.state_dict()
    vectors = weights.pop("symbols").to(device)
    mine = network.state_dict()
    if any(mine[name].shape != value.shape for name, value in weights.items()):
        raise GstError(
            "its network has another shape", where=str(folder), hint="give the same --config"
        )
    network.load_state_dict({**mine, **weights})
    network.to(device)
    rows = {symbol.symbol.upper(): row for row, symbol in enumerate(other.vocabulary)}
    found = [rows.get(symbol.symbol.upper(), -1) for symbol in vocabulary]
    source = torch.tensor(found, device=device)
    directions, seen = prototypes(network, data, device)
    fresh = (source < 0) & seen
    network.symbols[fresh] = directions[fresh] * vectors.norm(dim=1).mean()
    network.symbols[source >= 0] = vectors[source[source >= 0]]
