"""A training run as a folder: ``run.json`` says what it is, ``state.safetensors`` how far it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from gst_core import __version__
from gst_core.errors import GstError
from gst_core.model.checkpoint import load_tensors
from gst_core.model.config import ModelConfig
from gst_core.model.network import GeneSymbolTransformer
from gst_core.training.augmentation import Evolution
from gst_core.training.config import TrainingConfig
from gst_core.training.state import STATE_FILE, load_weights
from gst_core.vocabulary import Vocabulary

RUN_FILE: Final = "run.json"
FORMAT: Final = "gst-run-1"


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
        """Read a file's digest; of a dataset's folder, that of its table."""
        table = path
        if path.is_dir():
            from gst_core.dataset.table import table_of

            table = table_of(path)
        try:
            with table.open("rb") as file:
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


def describe(run: Run) -> str:
    """Sum up the training data in one sentence."""
    files = ", ".join(file.name for file in run.data)
    without = f", without the genera {', '.join(run.hold_out)}" if run.hold_out else ""
    return (
        f"{run.proteins:,} proteins with {len(run.vocabulary):,} gene symbols from {files}"
        f"{without}; trained with gst {__version__}"
    )
