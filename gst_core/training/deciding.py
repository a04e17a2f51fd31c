"""Training the network that decides among candidates, and the temperature of its probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from gst_core.model.candidates import CandidateConfig, CandidateTransformer
from gst_core.references.copies import given_to
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
    """

    epochs: int = 5
    batch_size: int = 256
    rate: float = 2e-3
    weight_decay: float = 0.01
    seed: int = 1


def out_of_fold(
    data: Simulated,
    fold: NDArray[np.int64],
    shape: CandidateConfig,
    training: DecidingConfig,
    device: str = "cpu",
    on_epoch: OnEpoch | None = None,
) -> NDArray[np.float32]:
    """Weigh proteins by networks that have learnt nothing from their genera.

    Parameters
    ----------
    data
        Simulated proteins.
    fold
        ``(N,)``: from 0; all proteins of a genus are in one fold.
    shape, training, device
        As for :func:`fit`.
    on_epoch
        Told of every epoch; they are counted on from one network to the next.

    Returns
    -------
    logits
        ``(N, 1 + K)``: those of each fold by a network that was trained on the other folds.
    """
    logits = np.zeros((len(fold), 1 + data.present.shape[1]), dtype=np.float32)
    for number in range(int(fold.max(initial=-1)) + 1):
        before = number * training.epochs

        def count(epoch: int, loss: float, before: int = before) -> None:
            if on_epoch is not None:
                on_epoch(before + epoch, loss)

        network = fit(data[fold != number], shape, training, device, count)
        own = fold == number
        logits[own] = logits_of(network, data[own])
    return logits


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


def calibrate(
    network: CandidateTransformer,
    logits: NDArray[np.float32],
    data: Simulated,
    originals: NDArray[np.integer[Any]],
) -> None:
    """Make the first name's probability tell how often it is right; changes the network.

    Parameters
    ----------
    network
        Trained, not calibrated.
    logits
        ``(N, 1 + K)``: what it, or networks trained as it was, say of proteins of genera that
        they have not learnt from.
    data
        These proteins, as a new species has them.
    originals
        ``(C,)``: class index of the gene that each symbol is a copy of; its own where it is none.
    """
    best, members = named(logits, data.classes, originals)
    right = data.of_gene[np.arange(len(best)), best]
    # Genera count alike: most proteins are of a few mammals.
    _, genus, size = np.unique(data.genera, return_inverse=True, return_counts=True)
    weights = 1 / np.maximum(size[genus], A_GENOME)
    lowest = (np.inf, 1.0, 0.0)
    for temperature in TEMPERATURES:
        odds = np.exp((logits - logits.max(1, keepdims=True)).astype(np.float64) / temperature)
        first, others = (odds[:, 1:] * members).sum(1), odds[:, 1:].sum(1)
        for doubt in DOUBTS:
            probability = first / (others + odds[:, 0] * np.exp(doubt))
            p = np.where(right, probability, 1 - probability).clip(1e-6)
            loss = float(-np.average(np.log(p), weights=weights))
            lowest = min(lowest, (loss, float(temperature), float(doubt)))
    network.temperature.fill_(lowest[1])
    network.doubt.fill_(lowest[2])


def named(
    logits: NDArray[np.float32],
    classes: NDArray[np.int32],
    originals: NDArray[np.integer[Any]],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Give the candidate that names each protein.

    Parameters
    ----------
    logits, classes, originals
        As for :func:`calibrate`.

    Returns
    -------
    best
        ``(N,)``: its number.
    members
        ``(N, K)``: candidates whose probability it has, itself and copies of the gene.
    """
    odds = np.exp((logits - logits.max(1, keepdims=True)).astype(np.float64))[:, 1:]
    takers = given_to(classes, odds, originals)
    merged = np.zeros(odds.shape)
    np.add.at(merged, (np.arange(len(odds))[:, None], takers), odds)
    best: NDArray[np.int64] = merged.argmax(1)
    return best, (takers == best[:, None]) & (classes >= 0)


def probability_of(logits: NDArray[np.float32], members: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Sum the probabilities of some candidates of each protein, ``(N,)``."""
    odds = np.exp((logits - logits.max(1, keepdims=True)).astype(np.float64))
    total: NDArray[np.float64] = (odds[:, 1:] * members).sum(1) / odds.sum(1)
    return total
