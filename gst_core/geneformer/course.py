"""What a fine-tuning is told, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError


class DivergedError(GstError):
    """The loss is no number any more."""


@dataclass(frozen=True, slots=True)
class FineTuningConfig:
    """The course of a training.

    Attributes
    ----------
    epochs
        How often each cell is seen at most.
    batch_cells
        Cells of a batch; each makes a step.
    learning_rate, head_learning_rate
        Of the encoder and of the heads, which begin with random weights, at their height.
    warmup
        Share of the steps in which the rates rise; then they fall to zero in a straight line.
    weight_decay
        Of AdamW; not of biases and norms.
    dropout
        Before the heads.
    freeze_layers
        So many of the first layers, and the embeddings below them, stay as they are.
    adapter_rank
        Where it is not 0, the weights of the encoder stay as they are, and low-rank matrices of
        that rank are learnt beside them; see :mod:`gst_core.geneformer.adapters`.
    class_weights
        ``balanced``: a class counts the more the rarer it is; or ``none``.
    patience
        Epochs without a lower loss of the held-out examples until training ends; 0: never.
    seed
        Of every draw.
    bf16
        Compute in bfloat16 where that is safe (autocast).
    checkpoint_every
        Steps between states on disk.
    """

    epochs: int = 10
    batch_cells: int = 12
    learning_rate: float = 5e-5
    head_learning_rate: float = 1e-3
    warmup: float = 0.1
    weight_decay: float = 1e-3
    dropout: float = 0.1
    freeze_layers: int = 0
    adapter_rank: int = 0
    class_weights: Literal["balanced", "none"] = "balanced"
    patience: int = 3
    seed: int = 0
    bf16: bool = False
    checkpoint_every: int = 100


@dataclass(frozen=True, slots=True)
class Lesson:
    """Examples to learn from, or to be asked about.

    Attributes
    ----------
    cells
        Numbers of the cells that are read.
    labels
        ``(tasks, cells of the file)``, or of genes ``(tasks, vocabulary)``; -1 is no label.
    """

    cells: NDArray[np.intp]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Course:
    """What came of a training.

    Attributes
    ----------
    epochs
        Number of epochs that were run.
    best_epoch
        The one whose weights were kept, from 1.
    losses
        Loss of the held-out examples after each epoch; of a training without them, none.
    seconds
        That it took.
    """

    epochs: int
    best_epoch: int
    losses: tuple[float, ...]
    seconds: float
