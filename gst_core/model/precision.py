"""Where computing in bfloat16 is faster than in 32 bits."""

from __future__ import annotations

import torch


def autocast(device: str) -> torch.autocast:
    """Compute in bfloat16 where the processor can, as GPUs and recent CPUs do.

    On others, a CPU without AVX-512 for one, PyTorch emulates it: products of matrices take some
    seventy times as long as in 32 bits.

    Parameters
    ----------
    device
        ``"cpu"`` or ``"cuda"``.
    """
    able = device != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.autocast(device, dtype=torch.bfloat16, enabled=able)
