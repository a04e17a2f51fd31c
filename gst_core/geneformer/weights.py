"""Weights of published and own checkpoints, in and out; nothing in a file is ever run.

A checkpoint is a folder as Hugging Face writes it: ``config.json`` beside
``model.safetensors``, or the ``pytorch_model.bin`` of 2021.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.network import GeneEncoder, MaskedLanguageModel

#: Files that weights may be in, the preferred first.
WEIGHT_FILES: Final = ("model.safetensors", "pytorch_model.bin")

_ENCODER: Final = "bert."
_HEAD: Final = "cls.predictions."
#: What other heads and older versions of transformers leave in a checkpoint.
_OTHERS: Final = (
    "bert.embeddings.position_ids",
    "bert.pooler.",
    "cls.seq_relationship.",
    "classifier.",
)
#: The tied ones: present or not, they are those of the genes' vectors and of the bias.
_TIED: Final = (f"{_HEAD}decoder.weight", f"{_HEAD}decoder.bias")
_FLOATS: Final = (torch.float32, torch.float16, torch.bfloat16)


def weight_file(folder: Path) -> Path:
    """Find the file with the weights of a checkpoint folder.

    Raises
    ------
    GstError
        If there is none.
    """
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise GstError(
        f"no weights: neither {' nor '.join(WEIGHT_FILES)}",
        where=str(folder),
        hint="give the folder of a Geneformer model: config.json and model.safetensors",
    )


def fingerprint(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_encoder(folder: Path) -> GeneEncoder:
    """Load the encoder of a checkpoint, for inference, on the CPU in float32.

    Heads, of whatever kind, are left alone: a fine-tuned classifier's encoder loads too.

    Parameters
    ----------
    folder
        With ``config.json`` and weights.

    Raises
    ------
    GstError
        If the shape is not understood, or weights are missing, unexpected, of a wrong
        shape or type, or not finite.
    """
    config = NetworkConfig.load(folder)
    with torch.device("meta"):
        encoder = GeneEncoder(config)
    path = weight_file(folder)
    wanted = {f"{_ENCODER}{key}": value.shape for key, value in encoder.state_dict().items()}
    weights = _select(path, read_weights(path), wanted, (*_OTHERS, _HEAD))
    state = {key.removeprefix(_ENCODER): value for key, value in weights.items()}
    encoder.load_state_dict(state, assign=True)
    return encoder.eval().requires_grad_(False)


def load_masked_language_model(folder: Path) -> MaskedLanguageModel:
    """Load encoder and language-model head, ready to be trained further, on the CPU in float32.

    Raises
    ------
    GstError
        As :func:`load_encoder`, or if the checkpoint has no such head.
    """
    config = NetworkConfig.load(folder)
    with torch.device("meta"):
        model = MaskedLanguageModel(config)
    path = weight_file(folder)
    found = read_weights(path)
    if not any(key.startswith(_HEAD) for key in found):
        raise GstError(
            "has no language-model head",
            where=str(path),
            hint="it is an encoder or a classifier; give the pretrained model",
        )
    shapes = {key: value.shape for key, value in model.state_dict().items() if key not in _TIED}
    weights = _select(path, found, shapes, (*_OTHERS, *_TIED))
    weights[_TIED[0]] = weights[f"{_ENCODER}embeddings.word_embeddings.weight"]
    weights[_TIED[1]] = weights[f"{_HEAD}bias"]
    model.load_state_dict(weights, assign=True)
    model.tie()
    return model.requires_grad_(True)


def save_checkpoint(model: MaskedLanguageModel, folder: Path) -> None:
    """Write ``config.json`` and ``model.safetensors`` as transformers' ``BertForMaskedLM`` reads.

    Parameters
    ----------
    model
        On any device.
    folder
        Made if it is not there. The weights are written last, whole or not at all.
    """
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        key: value.detach().to("cpu", torch.float32).contiguous()
        for key, value in model.state_dict().items()
        if key not in _TIED
    }
    with atomic_write(folder / "config.json") as file:
        file.write(json.dumps(model.config.to_json(), indent=2) + "\n")
    with atomic_write(folder / "model.safetensors", "wb") as file:
        file.write(save(weights, metadata={"format": "pt"}))


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """Open a file of weights; each access reads one tensor.

    Parameters
    ----------
    path
        ``.safetensors``, or a ``.bin`` of ``torch.save``.

    Raises
    ------
    GstError
        If it is damaged or holds anything but tensors.
    """
    weights = _Safetensors(path) if path.suffix == ".safetensors" else _TorchFile(path)
    # A bare encoder, saved without the model around it.
    if any(key.startswith("embeddings.") for key in weights):
        return _Renamed(weights, {f"{_ENCODER}{key}": key for key in weights})
    return weights


class _Safetensors(Mapping[str, Tensor]):
    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        try:
            self._file: Any = safe_open(path, framework="pt")
        except (SafetensorError, ValueError) as error:
            raise GstError(
                f"is not a whole safetensors file ({error})",
                where=str(path),
                hint="it may be truncated, or a Git LFS pointer: copy it again",
            ) from error
        self._keys = tuple(self._file.keys())  # type: ignore[no-untyped-call]

    def __getitem__(self, key: str) -> Tensor:
        if key not in self._keys:
            raise KeyError(key)
        return self._file.get_tensor(key)  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


class _TorchFile(Mapping[str, Tensor]):
    def __init__(self, path: Path) -> None:
        from gst_core.legacy.archive import TorchArchive
        from gst_core.legacy.pickle_machine import Tensor as Description
        from gst_core.legacy.pickle_machine import exceed_storages

        dtypes = ("float32", "float16", "bfloat16", "int64")
        self._archive = TorchArchive(path, dtypes, maker="Geneformer")
        content = self._archive.content
        if not isinstance(content, dict) or not all(
            isinstance(key, str) and isinstance(value, Description)
            for key, value in content.items()
        ):
            raise GstError(
                "is not a state_dict: names of weights and their tensors", where=str(path)
            )
        if exceed_storages(value for key, value in content.items() if key not in _TIED):
            raise GstError(
                "has weights that share their values, other than the tied ones", where=str(path)
            )
        self._tensors: dict[str, Description] = content

    def __getitem__(self, key: str) -> Tensor:
        if self._tensors[key].storage.dtype == "int64":
            return torch.empty(self._tensors[key].shape, dtype=torch.int64, device="meta")
        return torch.tensor(self._archive.read(self._tensors[key]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)


class _Renamed(Mapping[str, Tensor]):
    def __init__(self, weights: Mapping[str, Tensor], names: Mapping[str, str]) -> None:
        self._weights, self._names = weights, names

    def __getitem__(self, key: str) -> Tensor:
        return self._weights[self._names[key]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _select(
    path: Path,
    found: Mapping[str, Tensor],
    wanted: Mapping[str, torch.Size],
    ignored: tuple[str, ...],
) -> dict[str, Tensor]:
    """Read the weights that are wanted, as float32, and check them and the names of the others."""
    missing = [key for key in wanted if key not in found]
    if missing:
        raise GstError(
            f"{len(missing)} weights are missing, as {missing[0]}",
            where=str(path),
            hint="config.json and the weights must be of one model",
        )
    unexpected = [key for key in found if key not in wanted and not key.startswith(ignored)]
    if unexpected:
        raise GstError(
            f"{len(unexpected)} weights are unexpected, as {unexpected[0]!r:.200}",
            where=str(path),
            hint="config.json and the weights must be of one model",
        )
    return {key: _checked(path, key, found[key], shape) for key, shape in wanted.items()}


def _checked(path: Path, key: str, value: Tensor, shape: torch.Size) -> Tensor:
    if value.shape != shape:
        raise GstError(
            f"the weight {key} has the shape {tuple(value.shape)}, by config.json {tuple(shape)}",
            where=str(path),
            hint="config.json and the weights must be of one model",
        )
    if value.dtype not in _FLOATS:
        raise GstError(f"the weight {key} is of type {value.dtype}, not float", where=str(path))
    value = value.float()
    if not value.isfinite().all():
        raise GstError(
            f"the weight {key} has values that are not finite",
            where=str(path),
            hint="the network was not trained to an end, or the file is damaged",
        )
    return value
