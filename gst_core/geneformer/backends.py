"""One way to run an encoder, by torch or by ONNX Runtime, without padding anything.

Cells go in order of length, in batches of about as many tokens; what comes out goes back into
the order of the cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.onnx_format import Dictionary
from gst_core.processors import available_threads

Device = Literal["auto", "cpu", "cuda", "mps"]
Layer = Literal[-1, 0]
Tokens = NDArray[Any]
Vectors = NDArray[np.float32]

#: Tokens of a batch: enough for full matrix products, little enough to stay in the cache; on one
#: core cells of 1,150 tokens take a tenth less time one by one than eight at once.
BATCH_TOKENS: Final = {"cpu": 2048, "cuda": 65_536, "mps": 16_384}


class Encoder(Protocol):
    """A loaded network.

    Attributes
    ----------
    config
        Its shape.
    device
        What really runs it: ``cpu``, ``cuda`` or ``mps``.
    dictionary
        What its tokens are of, where it says so.
    """

    config: NetworkConfig
    device: str
    dictionary: Dictionary | None

    def hidden(self, cells: Sequence[Tokens], layer: Layer) -> list[Vectors]:
        """Encode cells: for each ``(L,)`` tokens ``(L, D)`` hidden states."""
        ...

    def first(self, cells: Sequence[Tokens], layer: Layer) -> Vectors:
        """Encode cells, for the hidden state of each one's first token: ``(N, D)``."""
        ...


class TorchEncoder:
    """A checkpoint folder, run by torch.

    Parameters
    ----------
    folder
        With ``config.json`` and weights.
    device
        ``auto`` takes CUDA, else MPS, where they are.
    threads
        On the CPU; all that the process may use without it.

    Raises
    ------
    GstError
        If the checkpoint cannot be read, or there is no such device.
    """

    def __init__(self, folder: Path, device: Device = "auto", threads: int | None = None) -> None:
        import torch

        from gst_core.geneformer.weights import load_encoder

        self.device = _torch_device(device)
        self.dictionary: Dictionary | None = None  # a checkpoint does not say
        if self.device == "cpu":
            torch.set_num_threads(threads or available_threads())
        self.encoder = load_encoder(folder).to(self.device)
        self.config = self.encoder.config

    def hidden(self, cells: Sequence[Tokens], layer: Layer) -> list[Vectors]:
        """Encode cells."""
        import torch

        tokens, layout = self._laid_out(cells)
        with torch.inference_mode():
            states = self.encoder(tokens, layout, depth=self.config.layers + layer)
        return np.split(states.float().cpu().numpy(), np.cumsum(layout.lengths)[:-1])

    def first(self, cells: Sequence[Tokens], layer: Layer) -> Vectors:
        """Encode cells, the last layer for their first tokens alone."""
        import torch

        from gst_core.geneformer.layout import Places

        tokens, layout = self._laid_out(cells)
        places, depth = Places.first(layout), self.config.layers + layer
        with torch.inference_mode():
            states = self.encoder(tokens, layout, depth=depth, places=places)
        return np.asarray(states.float().cpu().numpy())

    def _laid_out(self, cells: Sequence[Tokens]) -> tuple[Any, Any]:
        """Tokens of all cells in a row, and where each cell lies in it."""
        import torch

        from gst_core.geneformer.layout import Layout

        layout = Layout.of([len(cell) for cell in cells], self.device)
        tokens = torch.from_numpy(np.concatenate(cells).astype(np.int64)).to(self.device)
        return tokens, layout


class OnnxEncoder:
    """A file that ``geneformer export`` wrote, run by ONNX Runtime.

    Parameters
    ----------
    path, device, threads
        As for :class:`TorchEncoder`.

    Raises
    ------
    GstError
        If the file is of another kind, or there is no such device.
    """

    def __init__(self, path: Path, device: Device = "auto", threads: int | None = None) -> None:
        from gst_core.geneformer.onnx_format import check_file
        from gst_core.inference.session import open_session

        if device == "mps":
            raise GstError("ONNX Runtime does not run on MPS here", where="--device mps")
        self.config, self.dictionary = check_file(path)
        self._session, self.device = open_session(
            path, device, threads or available_threads(), check=lambda _: None
        )

    def hidden(self, cells: Sequence[Tokens], layer: Layer) -> list[Vectors]:
        """Encode cells; those of one length in one run."""
        from gst_core.geneformer.onnx_format import OUTPUTS

        found: list[Vectors] = []
        start = 0
        while start < len(cells):
            stop = start
            while stop < len(cells) and len(cells[stop]) == len(cells[start]):
                stop += 1
            ids = np.stack([cell.astype(np.int64) for cell in cells[start:stop]])
            found.extend(self._session.run([OUTPUTS[layer]], {"input_ids": ids})[0])
            start = stop
        return found

    def first(self, cells: Sequence[Tokens], layer: Layer) -> Vectors:
        """Encode cells, and keep their first tokens."""
        return np.stack([states[0] for states in self.hidden(cells, layer)])


def open_encoder(
    checkpoint: Path, device: Device = "auto", threads: int | None = None
) -> TorchEncoder | OnnxEncoder:
    """Open a checkpoint folder, or a file of ``geneformer export``.

    Raises
    ------
    GstError
        If there is neither, or it cannot be run.
    """
    if checkpoint.is_dir():
        return TorchEncoder(checkpoint, device, threads)
    if not checkpoint.is_file():
        raise GstError(
            "there is no such checkpoint",
            where=str(checkpoint),
            hint="give the folder of a model (config.json, model.safetensors) or an .onnx file",
        )
    if checkpoint.suffix != ".onnx":
        raise GstError(
            "is no checkpoint", where=str(checkpoint), hint="give its folder, or an .onnx file"
        )
    return OnnxEncoder(checkpoint, device, threads)


def batches(lengths: NDArray[np.int64], budget: int) -> Iterator[NDArray[np.int64]]:
    """Group cells of similar length, the longest first.

    Parameters
    ----------
    lengths
        ``(cells,)``, tokens of each.
    budget
        Tokens of a batch; a longer cell is one by itself.

    Yields
    ------
    cells
        Their numbers, by falling length.
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        stop, total = start, 0
        while stop < len(order) and (stop == start or total + int(lengths[order[stop]]) <= budget):
            total += int(lengths[order[stop]])
            stop += 1
        yield order[start:stop]
        start = stop


def check_tokens(encoder: Encoder, longest: int, largest: int, where: str) -> None:
    """Make sure that a network can read tokens.

    Parameters
    ----------
    encoder
        The network.
    longest, largest
        Tokens of the longest cell, and the largest token.
    where
        The dataset, for the message.

    Raises
    ------
    GstError
        If cells are too long, or tokens are none of the network's.
    """
    config = encoder.config
    if largest >= config.vocabulary:
        raise GstError(
            f"token {largest} is none of the network's {config.vocabulary:,}",
            where=where,
            hint="dataset and network are of different model versions: tokenize again with the "
            "other --model_version",
        )
    if longest > config.positions:
        raise GstError(
            f"a cell has {longest:,} tokens, and the network reads {config.positions:,}",
            where=where,
            hint="tokenize again with the network's --model_version",
        )


def _torch_device(device: Device) -> str:
    import torch

    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if device == "auto":
        return next(name for name, here in there.items() if here)
    if not there[device]:
        raise GstError(
            f"{device.upper()} cannot run here",
            where=f"--device {device}",
            hint="install torch for it, or use --device cpu",
        )
    return device
