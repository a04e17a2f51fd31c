"""Checkpoints of the original's form, of networks that have learnt nothing.

As the original's program saved them: PyTorch's archive of protocol 2, its own classes for letters,
symbols and clades, an optimizer's state beside the weights. Hyper-parameters are those of the three
networks that the original trained for ``shared/data/legacy-gst``; symbols, proteins and weights are
made up. The probabilities are PyTorch's, by the networks in :mod:`gst_core.model.legacy`.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from gst_core.legacy.checkpoint import LegacyShape
from gst_core.model.legacy import LegacyMLP, LegacyTransformer

LETTERS = "ACDEFGHIKLMNPQRSTVWYBXZJUO* "
CLADES = (
    "amphibians", "arthropods", "aves", "humans", "insects", "lepidoptera", "mammalia",
    "marsupials", "metazoa", "non_vertebrates", "plants", "primates", "protists", "reptiles",
    "rodentia", "sharks", "teleostei", "viral",
)  # fmt: skip

#: By the original's short name, as in golden.CHECKPOINTS: the file and the hyper-parameters.
MADE: dict[str, tuple[str, dict[str, Any]]] = {
    "transformer": ("gst_transformer", {
        "num_symbols": 120, "sequence_length": 224, "padding_side": "right", "clade": True,
        "mlp_output_size": 64, "embedding_dimension": 16, "num_heads": 8, "transformer_depth": 2,
        "activation_function": "gelu", "feedforward_connections": 128,
        "logging_version": "transformer_10_min_frequency_golden", "datetime": "golden",
    }),
    "mlp": ("mlp_10_min_frequency", {
        "num_symbols": 120, "sequence_length": 200, "padding_side": "right", "num_connections": 64,
        "logging_version": "mlp_10_min_frequency_golden", "datetime": "golden",
    }),
    "variant": ("gst_variant", {
        "num_symbols": 24, "sequence_length": 96, "padding_side": "left", "clade": False,
        "mlp_output_size": 32, "embedding_dimension": 8, "num_heads": 2, "transformer_depth": 1,
        "activation_function": "relu", "feedforward_connections": 64,
        "logging_version": "variant_24_num_symbols_golden", "datetime": "golden",
    }),
}  # fmt: skip


class CategoryMapper:
    """The original's class of this name: labels by number and numbers by label."""

    def __init__(self, categories: Sequence[str]) -> None:
        self.categories = list(categories)
        self.num_categories = len(categories)
        self.label_to_index_dict = {label: i for i, label in enumerate(categories)}
        self.index_to_label_dict = dict(enumerate(categories))


class ProteinSequenceMapper:
    """The original's class of this name."""

    def __init__(self) -> None:
        self.protein_letters = list(LETTERS)
        self.protein_letter_to_index = {letter: i for i, letter in enumerate(LETTERS)}
        self.index_to_protein_letter = dict(enumerate(LETTERS))
        self.num_protein_letters = len(LETTERS)


class ConciseReprDict(dict[str, Any]):
    """The original's class of this name, which shows its length alone."""


def write_folder(folder: Path) -> None:
    """Write checkpoints, what is expected of them, and proteins, as the shared folder has them."""
    for name in ("checkpoints", "expected", "inputs"):
        (folder / name).mkdir(parents=True)
    proteins = _proteins(200)
    (folder / "inputs" / "proteins_200.fa").write_text(
        "".join(f">ENSP{number:011}.1\n{protein}\n" for number, protein in enumerate(proteins))
    )
    for seed, (name, (file, parameters)) in enumerate(MADE.items()):
        symbols = [f"SYM{number}" for number in range(parameters["num_symbols"])]
        metadata = {
            symbol: {"description": f"symbol {symbol}" if symbol[-1] != "7" else None,
                     "source": "HGNC Symbol"}
            for symbol in symbols
        }  # fmt: skip
        network = _network(parameters, seed)
        _save(folder / "checkpoints" / f"{file}.ckpt", network, parameters, symbols, metadata)
        expected = folder / "expected" / name
        labels = {"symbols": symbols, "clades": CLADES, "protein_letters": list(LETTERS)}
        for part, content in (
            ("categories", labels), ("symbols_metadata", metadata), ("hyper_parameters", parameters)
        ):  # fmt: skip
            Path(f"{expected}_{part}.json").write_text(json.dumps(content))
        codes = torch.tensor([_encode(protein, parameters) for protein in proteins])
        probabilities = {}
        for clade in ("humans", "teleostei"):
            vector = torch.zeros(len(codes), len(CLADES))
            vector[:, CLADES.index(clade)] = 1
            with torch.inference_mode():
                probabilities[f"probabilities_{clade}"] = network(codes, vector).exp().numpy()
        np.savez(f"{expected}_probabilities.npz", **probabilities)
        np.savez(f"{expected}_first5.npz", label_encoded_sequence=codes[:5].numpy())


def _proteins(number: int) -> list[str]:
    rng = random.Random(8)
    return ["".join(rng.choices(LETTERS[:20], k=rng.randint(10, 400))) for _ in range(number)]


def _encode(protein: str, parameters: dict[str, Any]) -> list[int]:
    """Number the letters; the start of a protein is kept on either side."""
    length = parameters["sequence_length"]
    padded = (
        protein[:length].rjust(length)
        if parameters["padding_side"] == "left"
        else protein[:length].ljust(length)
    )
    return [LETTERS.index(letter) for letter in padded]


def _network(parameters: dict[str, Any], seed: int) -> LegacyMLP | LegacyTransformer:
    sizes = (parameters["sequence_length"], len(LETTERS), len(CLADES), parameters["num_symbols"])
    torch.manual_seed(seed)
    network: LegacyMLP | LegacyTransformer
    if "num_connections" in parameters:
        hidden = parameters["num_connections"]
        network = LegacyMLP(LegacyShape("mlp", *sizes, "right", True, hidden))
    else:
        network = LegacyTransformer(
            LegacyShape(
                "transformer", *sizes, parameters["padding_side"], parameters["clade"],
                parameters["mlp_output_size"], parameters["embedding_dimension"],
                parameters["num_heads"], parameters["transformer_depth"],
                parameters["feedforward_connections"], parameters["activation_function"],
            )
        )  # fmt: skip
    with torch.no_grad():
        # A new network's answers lie close together, and its embeddings of places are zeros.
        for name, weights in network.named_parameters():
            if "position" in name:
                weights.normal_()
            elif not name.startswith("sequence_transformer"):
                weights.mul_(6)
    return network.eval()


def _save(
    path: Path,
    network: torch.nn.Module,
    parameters: dict[str, Any],
    symbols: Sequence[str],
    metadata: dict[str, Any],
) -> None:
    made_by = ModuleType("utils")
    for kind in (CategoryMapper, ProteinSequenceMapper, ConciseReprDict):
        kind.__module__ = "utils"
        setattr(made_by, kind.__name__, kind)
    mappers = {
        "symbol_mapper": CategoryMapper(symbols),
        "protein_sequence_mapper": ProteinSequenceMapper(),
        "clade_mapper": CategoryMapper(CLADES),
        "symbols_metadata": ConciseReprDict(metadata),
    }
    state = network.state_dict()
    moments = {"step": torch.tensor(9.0), "exp_avg": torch.rand(4), "exp_avg_sq": torch.rand(4)}
    content = {
        "epoch": 1,
        "global_step": 9,
        "pytorch-lightning_version": "1.6.5",
        "state_dict": state,
        "loops": {},
        "callbacks": {"EarlyStopping": {"wait_count": 0, "best_score": torch.tensor(0.5)}},
        "optimizer_states": [{"state": {0: moments}, "param_groups": []}],
        "lr_schedulers": [],
        "hparams_name": "kwargs",
        "hyper_parameters": parameters | mappers,
    }
    sys.modules["utils"] = made_by
    try:
        # A stream has no name, and the folder in the archive is called "archive".
        with path.open("wb") as stream:
            torch.save(content, stream)
    finally:
        del sys.modules["utils"]
