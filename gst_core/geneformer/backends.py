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
from gst_core.geneformer.hidden_states import HiddenStates
from gst_core.geneformer.onnx_format import Dictionary
from gst_core.processors import available_threads

Device = Literal["auto", "cpu", "cuda", "mps"]
Layer = Literal[-1, 0]
Tokens = NDArray[Any]

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
    bf16
        Whether it computes matrix products in bfloat16.
    dictionary
        What its tokens are of, where it says so.
    """

    config: NetworkConfig
    device: str
    bf16: bool
    dictionary: Dictionary | None

    def states(self, cells: Sequence[Tokens], layer: Layer, *, first: bool = False) -> HiddenStates:
        """Encode cells, each of one token or more.

        Parameters
        ----------
        cells
            ``(L,)`` tokens of each.
        layer
            Which layer's hidden states: the last one's, 0, or those of the one before, -1.
        first
            Only those of each cell's first token.
        """
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
    bf16
        Compute matrix products in bfloat16, sums and norms in 32 bits.

    Raises
    ------
    GstError
        If the checkpoint cannot be read, or there is no such device.
    """

    def __init__(
        self,
        folder: Path,
        device: Device = "auto",
        threads: int | None = None,
        *,
        bf16: bool = False,
    ) -> None:
        import torch

        from gst_core.geneformer.weights import load_encoder

        self.device = _torch_device(device)
        self.dictionary: Dictionary | None = None  # a checkpoint does not say
        if self.device == "cpu":
            torch.set_num_threads(threads or available_threads())
        self.encoder = load_encoder(folder).to(self.device)
        self.config = self.encoder.config
        self.bf16 = bf16

    def states(self, cells: Sequence[Tokens], layer: Layer, *, first: bool = False) -> HiddenStates:
        """Encode cells; of first tokens alone, the last layer is computed for them alone."""
        import torch

        from gst_core.geneformer.layout import Layout, Places

        lengths = [len(cell) for cell in cells]
        layout = Layout.of(lengths, self.device)
        tokens = torch.from_numpy(np.concatenate(cells).astype(np.int64)).to(self.device)
        places, depth = Places.first(layout) if first else None, self.config.layers + layer
        with (
            torch.inference_mode(),
            torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.bf16),
        ):
            hidden = self.encoder(tokens, layout, depth=depth, places=places).float()
        return HiddenStates(hidden, [1] * len(cells) if first else lengths)


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
        self.bf16 = False
        self._session, self.device = open_session(
            path, device, threads or available_threads(), check=lambda _: None
        )

    def states(self, cells: Sequence[Tokens], layer: Layer, *, first: bool = False) -> HiddenStates:
        """Encode cells; those of one length in one run."""
        from gst_core.geneformer.onnx_format import OUTPUTS

        found: list[NDArray[np.float32]] = []
        start = 0
        while start < len(cells):
            stop = start
            while stop < len(cells) and len(cells[stop]) == len(cells[start]):
                stop += 1
            ids = np.stack([cell.astype(np.int64) for cell in cells[start:stop]])
            hidden = self._session.run([OUTPUTS[layer]], {"input_ids": ids})[0]
            found.append((hidden[:, :1] if first else hidden).reshape(-1, self.config.width))
            start = stop
        lengths = [1 if first else len(cell) for cell in cells]
        return HiddenStates(np.concatenate(found), lengths)


def open_encoder(
    checkpoint: Path,
    device: Device = "auto",
    threads: int | None = None,
    *,
    bf16: bool = False,
) -> TorchEncoder | OnnxEncoder:
    """Open a checkpoint folder, or a file of ``geneformer export``.

    Parameters
    ----------
    checkpoint
        The folder or file.
    device, threads, bf16
        As for :class:`TorchEncoder`.

    Raises
    ------
    GstError
        If there is neither, or it cannot be run.
    """
    if checkpoint.is_dir():
        return TorchEncoder(checkpoint, device, threads, bf16=bf16)
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
    if bf16:
        raise GstError(
            "an .onnx file computes in 32 bits",
            where="--bf16",
            hint="give the folder of the model, or leave --bf16 away",
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
            hint="give the counts, of which it reads the first ranks, or tokenize again with the "
            "network's --model_version",
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
