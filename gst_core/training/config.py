"""What fixes a training run besides the data and the network."""

from __future__ import annotations

from dataclasses import dataclass


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
