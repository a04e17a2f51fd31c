"""Processes that share a run, as torch's own launcher starts them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch import distributed as dist

from gst_core.errors import GstError
from gst_core.processors import available_threads


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes that share a run, as ``torchrun`` started them.

    Attributes
    ----------
    rank, world
        Which of them this is, and how many there are.
    """

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    def sum(self, tensors: Sequence[Tensor]) -> None:
        """Sum tensors over all processes, in place, as one message."""
        if self.world == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    def take_first(self, tensors: Iterable[Tensor]) -> None:
        """Give tensors the values that they have in the first process, in place."""
        if self.world == 1:
            return
        for tensor in tensors:
            dist.broadcast(tensor, 0)

    def agree(self, answer: bool, device: str) -> bool:
        """Give all processes the answer of the first."""
        said = torch.tensor([float(answer)], device=device)
        self.take_first([said])
        return bool(said.item())

    def wait(self) -> None:
        """Wait until all processes have come so far.

        At the end of a run as well: meanwhile torch's threads let go of what was summed last. They
        need Python's lock for it, and abort a process that is ending already.
        """
        if self.world > 1:
            dist.barrier()


#: The only process of a run.
ALONE: Final = Workers()


def open_workers(device: str, threads: int | None = None) -> tuple[str, Workers]:
    """Join the other processes, where ``torchrun`` started several, and choose a device.

    Parameters
    ----------
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``. Each process of a machine takes a GPU of its own.
    threads
        On the CPU; by default all that the process may use, divided among the processes.

    Returns
    -------
    device, workers
        As torch calls it; and which of the processes this is.

    Raises
    ------
    GstError
        If there is no such device.
    """
    if device == "auto":
        mps = torch.backends.mps.is_available()
        device = "cuda" if torch.cuda.is_available() else "mps" if mps else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise GstError("there is no CUDA device here", where="--device cuda")
    if device == "mps" and not torch.backends.mps.is_available():
        raise GstError("there is no MPS device here", where="--device mps")
    world = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if device == "cpu":
        torch.set_num_threads(threads or max(1, available_threads() // local))
    if device == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    if world == 1:
        return device, ALONE
    dist.init_process_group("nccl" if device == "cuda" else "gloo")
    return device, Workers(dist.get_rank(), dist.get_world_size())


def close_workers(workers: Workers) -> None:
    """Leave the group, if there was one."""
    if workers.world > 1:
        dist.destroy_process_group()
