"""Processes that share a run, as torch's own launcher starts them."""

from __future__ import annotations

import os

import torch
from torch import distributed as dist

from gst_core.errors import GstError
from gst_core.geneformer.pretraining import Workers
from gst_core.processors import available_threads


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
        return device, Workers()
    dist.init_process_group("nccl" if device == "cuda" else "gloo")
    return device, Workers(dist.get_rank(), dist.get_world_size())


def close_workers(workers: Workers) -> None:
    """Leave the group, if there was one."""
    if workers.world > 1:
        dist.destroy_process_group()
