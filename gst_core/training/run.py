"""A training run as a folder: ``run.json`` says what it is, ``state.safetensors`` how far it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, TypeVar

import torch

from gst_core import __version__
from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.model.checkpoint import load_tensors
from gst_core.model.config import ModelConfig
from gst_core.model.network import GeneSymbolTransformer
from gst_core.training.augmentation import Evolution
from gst_core.training.batches import TrainingSet
from gst_core.training.config import TrainingConfig
from gst_core.training.dataset import Dataset
from gst_core.training.loop import OnStep, train
from gst_core.training.prototypes import prototypes, start_from_prototypes
from gst_core.training.state import STATE_FILE, load_weights
from gst_core.vocabulary import Vocabulary

RUN_FILE: Final = "run.json"
FORMAT: Final = "gst-run-1"

Config = TypeVar("Config", ModelConfig, TrainingConfig, Evolution)


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file that a run was made from.

    Attributes
    ----------
    name
        Without its folder: that is nobody else's business.
    sha256
        Of its bytes, in hexadecimal.
    """

    name: str
    sha256: str

    @classmethod
    def of(cls, path: Path) -> DataFile:
        """Read a file's digest."""
        try:
            with path.open("rb") as file:
                return cls(path.name, hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise GstError(
                f"cannot read: {error.strerror}", where=str(path), hint="check the path"
            ) from error


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that fixes the result of a training run.

    Attributes
    ----------
    model, training, evolution
        Shape of the network, course of the training, augmentation.
    vocabulary
        The symbols, in the order of the classes.
    clades
        The clade categories; unknown is the index after the last.
    data
        The files it learns from, HGNC's included.
    hold_out, validation
        Genera that were left out entirely, and those that were only watched.
    proteins
        Number of training proteins.
    init_from
        Digest of the weights it began with; empty for a fresh run.
    """

    model: ModelConfig
    training: TrainingConfig
    evolution: Evolution
    vocabulary: Vocabulary
    clades: tuple[str, ...]
    data: tuple[DataFile, ...] = ()
    hold_out: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    proteins: int = 0
    init_from: str = ""

    def to_json(self) -> str:
        """Serialise; equal runs give equal text."""
        facts = {
            "format": FORMAT,
            "model": asdict(self.model),
            "training": asdict(self.training),
            "evolution": asdict(self.evolution),
            "data": [asdict(file) for file in self.data],
            "hold_out_genera": list(self.hold_out),
            "validation_genera": list(self.validation),
            "training_proteins": self.proteins,
            "init_from": self.init_from,
            "clades": list(self.clades),
            "vocabulary": json.loads(self.vocabulary.to_json()),
        }
        return json.dumps(facts, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Run:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            If something is missing or of another kind.
        """
        facts = json.loads(text)
        try:
            if facts["format"] != FORMAT:
                raise ValueError(f"its format is {facts['format']}, not {FORMAT}")
            return cls(
                ModelConfig(**facts["model"]),
                TrainingConfig(**facts["training"]),
                Evolution(**facts["evolution"]),
                Vocabulary.from_json(json.dumps(facts["vocabulary"])),
                tuple(facts["clades"]),
                tuple(DataFile(**file) for file in facts["data"]),
                tuple(facts["hold_out_genera"]),
                tuple(facts["validation_genera"]),
                facts["training_proteins"],
                facts["init_from"],
            )
        except KeyError as error:
            raise ValueError(f"{error} is missing") from error
        except TypeError as error:
            raise ValueError(str(error)) from error


def read_run(folder: Path) -> Run:
    """Read the description of a run.

    Raises
    ------
    GstError
        If the folder holds no run, or a damaged one.
    """
    path = folder / RUN_FILE
    try:
        return Run.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GstError(
            "holds no training run", where=str(folder), hint="give the --output of a gst train"
        ) from error
    except ValueError as error:
        raise GstError(f"not the description of a run: {error}", where=str(path)) from error


def load_network(folder: Path) -> tuple[Run, GeneSymbolTransformer]:
    """Load a run and its network as the last checkpoint has it, in evaluation mode.

    Raises
    ------
    GstError
        If the folder holds no run, or none that has come to its first checkpoint.
    """
    run = read_run(folder)
    path = folder / STATE_FILE
    if not path.exists():
        raise GstError("the run has no checkpoint yet", where=str(folder), hint="let it go on")
    network = GeneSymbolTransformer(run.model)
    load_weights(network, load_tensors(path)[0], path)
    return run, network.eval()


def override(config: Config, changes: Mapping[str, Any], section: str) -> Config:
    """Change fields of a configuration.

    Parameters
    ----------
    config
        The configuration to start from.
    changes
        New values by field.
    section
        What messages call the configuration.

    Raises
    ------
    GstError
        For a field that there is not, or a value of another type.
    """
    values = asdict(config)
    for name, value in changes.items():
        if name not in values:
            known = ", ".join(field.name for field in fields(config))
            raise GstError(f"there is no '{name}'", where=section, hint=f"there are {known}")
        kind = type(values[name])
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        if not fits or (kind is int and value != int(value)):
            raise GstError(f"'{name}' cannot be {value!r}", where=section, hint="give a number")
        values[name] = kind(value)
    return type(config)(**values)


def train_run(
    run: Run,
    data: Dataset,
    folder: Path,
    *,
    init_from: Path | None = None,
    device: str = "cpu",
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
    else:
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


def describe(run: Run) -> str:
    """Sum up the training data in one sentence."""
    files = ", ".join(file.name for file in run.data)
    without = f", without the genera {', '.join(run.hold_out)}" if run.hold_out else ""
    return (
        f"{run.proteins:,} proteins with {len(run.vocabulary):,} gene symbols from {files}"
        f"{without}; trained with gst {__version__}"
    )
