"""What fixes a training run besides the data and the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

from gst_core.errors import GstError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


Config = TypeVar("Config", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What fixes a training run besides the data and the network.

    Attributes
    ----------
    epochs
        Passes over the training proteins.
    batch_size
        Proteins a step.
    table_rate, network_rate
        Peak learning rates (Adam) of the tables and of everything else.
    warmup
        Share of the steps in which the rates rise to their peak.
    weight_decay
        Decoupled, of everything but the tables.
    clade_dropout
        Share of proteins trained as of unknown clade.
    clade_noise
        Share of proteins trained under a clade drawn at random. A clade with
        few proteins would otherwise learn that nothing but their symbols
        exists in it, and be wrong of the next species.
    balance
        A symbol seen n times is drawn in proportion to ``n ** (1 - balance)``.
    longest
        Residues of a protein that training reads; inference reads all.
    label_smoothing
        Of the cross entropy.
    patience
        Validations without a better result before training ends early; 0: never.
    validate_every, checkpoint_every
        Steps; checkpoints also at the end of training.
    seed
        Of every random draw.
    """

    epochs: float = 8.0
    batch_size: int = 512
    table_rate: float = 1e-3
    network_rate: float = 5e-4
    warmup: float = 0.05
    weight_decay: float = 0.01
    clade_dropout: float = 0.3
    clade_noise: float = 0.5
    balance: float = 0.0
    longest: int = 1024
    label_smoothing: float = 0.0
    patience: int = 0
    validate_every: int = 400
    checkpoint_every: int = 400
    seed: int = 1


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
