"""Training the network that decides among candidates, and the temperature of its probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from gst_core.model.candidates import CandidateConfig, CandidateTransformer
from gst_core.training.calibration import TEMPERATURES
from gst_core.training.simulation import Simulated

#: What is tried as doubt: that none of the candidates is right was trained to be more likely
#: than it is in a genome, so that the network knows the case.
DOUBTS: Final = np.linspace(-6, 1, 29)

#: Genera of so many proteins and more count alike in calibration, smaller ones less: what databases
#: have of them are often genes of special interest, toxins for instance, and not a genome's.
A_GENOME: Final = 100

#: Called after each epoch with its number from 1 and the mean loss.
OnEpoch = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class DecidingConfig:
    """What fixes a training run besides the data and the network.

    Attributes
    ----------
    epochs
        Passes over the simulated proteins.
    batch_size
        Proteins a step.
    rate
        Peak learning rate (AdamW, one cycle: Smith and Topin 2019).
    weight_decay
        Decoupled.
    seed
        Of weights, order and dropout.
    networks
        Trained from as many seeds, this and the following ones; the best is kept.
    """

    epochs: int = 5
    batch_size: int = 256
    rate: float = 2e-3
    weight_decay: float = 0.01
    seed: int = 1
    networks: int = 3


def fit_best(
    data: Simulated,
    seen: Simulated,
    shape: CandidateConfig,
    training: DecidingConfig,
    device: str = "cpu",
    on_epoch: OnEpoch | None = None,
) -> CandidateTransformer:
    """Train networks that differ in nothing but chance, and keep the one that fits others best.

    Parameters
    ----------
    data
        Simulated proteins to learn from.
    seen
        Those of genera that are not among them.
    shape, training, device
        As for :func:`fit`.
    on_epoch
        Told of every epoch; they are counted on from one network to the next.
    """
    best, lowest, epochs = None, np.inf, 0

    def count(_: int, loss: float) -> None:
        nonlocal epochs
        epochs += 1
        if on_epoch is not None:
            on_epoch(epochs, loss)

    for number in range(training.networks):
        seeded = replace(training, seed=training.seed + number)
        network = fit(data, shape, seeded, device, count)
        loss = loss_of(network, seen)
        if best is None or loss < lowest:
            best, lowest = network, loss
    assert best is not None
    return best


def fit(
    data: Simulated,
    shape: CandidateConfig,
    training: DecidingConfig,
    device: str = "cpu",
    on_epoch: OnEpoch | None = None,
) -> CandidateTransformer:
    """Train a network.

    Parameters
    ----------
    data
        Simulated proteins.
    shape, training
        What fixes network and run.
    device
        ``"cpu"`` or ``"cuda"``.
    on_epoch
        Told of every epoch.

    Returns
    -------
    network
        On the CPU, ready for inference.
    """
    torch.manual_seed(training.seed)
    network = CandidateTransformer(shape)
    features, present = torch.from_numpy(data.features), torch.from_numpy(data.present)
    answers = torch.from_numpy(data.answers)
    network.scale_to(features, present)
    network.to(device).train()
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=training.rate, weight_decay=training.weight_decay
    )
    per_epoch = -(-len(answers) // training.batch_size)
    steps = training.epochs * per_epoch
    # With a rise of a single step OneCycleLR divides by zero.
    rise = 0.2 if steps == 10 else 0.1
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, training.rate, total_steps=steps, pct_start=rise
    )
    order = torch.Generator().manual_seed(training.seed)
    for epoch in range(1, training.epochs + 1):
        total = 0.0
        for rows in torch.split(torch.randperm(len(answers), generator=order), training.batch_size):
            logits = network(features[rows].to(device), present[rows].to(device))
            loss = F.cross_entropy(logits, answers[rows].to(device))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(rows)
        if on_epoch is not None:
            on_epoch(epoch, total / len(answers))
    return network.cpu().eval()


@torch.no_grad()
def logits_of(network: CandidateTransformer, data: Simulated) -> NDArray[np.float32]:
    """Weigh simulated proteins, ``(N, 1 + K)``."""
    parts = [
        network(
            torch.from_numpy(data.features[s : s + 4096]),
            torch.from_numpy(data.present[s : s + 4096]),
        )
        for s in range(0, len(data.answers), 4096)
    ]
    return torch.cat(parts).numpy()


def loss_of(network: CandidateTransformer, data: Simulated) -> float:
    """Give the mean cross entropy of simulated proteins, in nats."""
    logits = torch.from_numpy(logits_of(network, data))
    return float(F.cross_entropy(logits, torch.from_numpy(data.answers)))


def calibrate(network: CandidateTransformer, data: Simulated) -> None:
    """Make the best candidate's probability tell how often it is right; changes the network.

    Parameters
    ----------
    network
        Trained, not calibrated.
    data
        Proteins of genera that it has not learnt from, as a new species has them.
    """
    logits = logits_of(network, data)
    right = logits[:, 1:].argmax(1) + 1 == data.answers
    # Genera count alike: most proteins are of a few mammals.
    _, genus, size = np.unique(data.genera, return_inverse=True, return_counts=True)
    weights = 1 / np.maximum(size[genus], A_GENOME)
    best = (np.inf, 1.0, 0.0)
    for doubt in DOUBTS:
        shifted = logits.copy()
        for temperature in TEMPERATURES:
            shifted[:, 0] = logits[:, 0] + doubt * temperature
            probability = best_probability(shifted / temperature)
            p = np.where(right, probability, 1 - probability).clip(1e-6)
            loss = float(-np.average(np.log(p), weights=weights))
            best = min(best, (loss, float(temperature), float(doubt)))
    network.temperature.fill_(best[1])
    network.doubt.fill_(best[2])


def best_probability(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probability of the best candidate of each protein, ``(N,)``."""
    odds = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    best: NDArray[np.float64] = odds[:, 1:].max(1) / odds.sum(1)
    return best
