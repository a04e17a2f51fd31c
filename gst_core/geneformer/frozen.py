"""What layers that stay as they are say of cells: computed once, and kept on disk.

Every epoch, fold and setting of a training reads the same hidden states, without dropout. Each
cell is computed by itself, so that its states are the same to the bit whichever batch asks first.
The file has no name: it goes with the process, however that ends.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from gst_core.geneformer.embedding import Cells
from gst_core.geneformer.heads import Batch
from gst_core.geneformer.layout import Layout, Places
from gst_core.geneformer.network import GeneEncoder

#: Share of the disk's free space that may be taken; what no longer fits is computed each time.
_SHARE: Final = 0.5


class Reader:
    """Makes batches of cells, with the hidden states of frozen layers where there are any.

    Parameters
    ----------
    encoder
        Its first layers stay as they are as long as this is used.
    cells
        Tokens of all cells.
    frozen
        Number of these layers.
    device
        Where the network is.
    folder
        For the file of hidden states.
    """

    def __init__(
        self,
        encoder: GeneEncoder,
        cells: Cells,
        frozen: int = 0,
        device: str = "cpu",
        folder: Path | None = None,
    ) -> None:
        self.encoder = encoder
        self.cells = cells
        self.frozen = frozen
        self.device = device
        self._offsets: dict[int, int] = {}
        self._end = 0
        if frozen:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
            self._room = int(_SHARE * shutil.disk_usage(folder or tempfile.gettempdir()).free)

    def batch(self, chosen: Sequence[int], genes: Tensor | None = None) -> Batch:
        """Lay cells one behind the other.

        Parameters
        ----------
        chosen
            Their numbers.
        genes
            ``(V,)`` bool: which tokens are asked about, all by default.
        """
        cells = [np.asarray(self.cells[cell], np.int64) for cell in chosen]
        tokens = torch.from_numpy(np.concatenate(cells)).to(self.device)
        layout = Layout.of([len(cell) for cell in cells], self.device)
        places = None if genes is None else Places.where(layout, genes[tokens])
        if not self.frozen:
            return Batch(tokens, layout, places)
        states = torch.cat(
            [self._states(cell, own) for cell, own in zip(chosen, cells, strict=True)]
        )
        return Batch(tokens, layout, places, states.to(self.device), self.frozen)

    def _states(self, cell: int, tokens: np.ndarray) -> Tensor:
        shape = (len(tokens), self.encoder.config.width)
        if cell in self._offsets:
            read = np.empty(shape, np.float32)
            os.preadv(self._file.fileno(), [read.data.cast("B")], self._offsets[cell])
            return torch.from_numpy(read)
        states = self._compute(tokens)
        data = states.numpy().data.cast("B")
        if self._end + len(data) <= self._room:
            try:
                written = os.pwrite(self._file.fileno(), data, self._end)
            except OSError:  # the disk is full: go on without
                written = 0
            if written == len(data):
                self._offsets[cell] = self._end
                self._end += written
        return states

    def _compute(self, tokens: np.ndarray) -> Tensor:
        self.encoder.eval()
        row = torch.from_numpy(tokens).to(self.device)
        with torch.no_grad():
            states = self.encoder(row, Layout.of([len(row)], self.device), depth=self.frozen)
        return states.float().cpu().contiguous()  # type: ignore[no-any-return]
