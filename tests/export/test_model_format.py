"""What docs/model_format.md promises, held against test vectors that other programs can use.

``python -m tests.export.test_model_format`` prints the vectors anew, from the plain model.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from gst_core.export import FORMAT, export
from gst_core.model import GeneSymbolTransformer, ModelConfig
from gst_core.vocabulary import Symbol, Vocabulary
from tests.export import plain_model

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests/data/model_format.json"

CONFIG = {
    "num_symbols": 12, "num_clades": 3, "width": 16, "dimension": 12, "layers": 2, "heads": 3,
    "feedforward": 24, "patch_length": 32, "max_patches": 4, "scale": 32.0,
}  # fmt: skip

WORDS = ["M", "MKVLA", "ACDEFGHIKLMNPQRSTVWY", "MKBZJUOXKRWHC*PWWHH", "XXXXX", "WWWWWWWW"]
PATCHES = [1, 32, 33, 128, 129, 2048, 2049, 35213]
PROTEINS = [
    ("MKVLAACDEFGHIKLMNPQRSTVWYACDEFGH", 0),
    ("M", 3),
    ("MSLLXUOBZJ*KRHWPFYNDEQ" * 2, 1),
    ("MEEPQSDPSVEPPLSQETFSDLWKLLPENNVLSPLPSQAMDDLMLSPDDIEQWFTEDPGPDEAPRMPEAAPPVAPAPAAPTPAA", 2),
    ("ACDEFGHIKLMNPQRSTVWY" * 13, 3),
]


def weights_of(shapes: dict[str, tuple[int, ...]]) -> dict[str, plain_model.Array]:
    """Weights that any language can make: sines, by the place of a tensor in the alphabet."""
    weights = {}
    for number, name in enumerate(sorted(shapes)):
        shape = shapes[name]
        wave = np.sin(np.arange(np.prod(shape)) * 1.7 + number).reshape(shape)
        centre = 1.0 if "norm" in name and name.endswith("weight") else 0.0
        weights[name] = np.float32(centre + 0.2 * wave).astype(np.float64)
    return weights


def example() -> tuple[GeneSymbolTransformer, dict[str, plain_model.Array]]:
    network = GeneSymbolTransformer(ModelConfig(**CONFIG)).eval()
    weights = weights_of({name: tuple(t.shape) for name, t in network.state_dict().items()})
    network.load_state_dict({n: torch.tensor(w).float() for n, w in weights.items()})
    return network, weights


def make_vectors() -> dict[str, Any]:
    _, weights = example()
    proteins = []
    for residues, clade in PROTEINS:
        p = plain_model.probabilities(residues, clade, CONFIG, weights)
        best = np.argsort(-p)[:3]
        proteins.append(
            {
                "residues": residues,
                "codes": [plain_model.ALPHABET.index(letter) for letter in residues],
                "clade": clade,
                "indices": best.tolist(),
                "probabilities": [round(float(p[i]), 6) for i in best],
            }
        )
    return {
        "alphabet": plain_model.ALPHABET,
        "padding": 27,
        "bag": [{"residues": r, "rows": plain_model.bag_rows(r)} for r in WORDS],
        "patch_words": [
            {
                "residues": r,
                "counts": [list(pair) for pair in plain_model.patch_counts(r, 32, 64)[0].items()],
            }
            for r in WORDS
        ],
        "patches": [
            {"length": n, "residues_a_patch": s, "patches": p}
            for n, (s, p) in ((n, plain_model.divide(n, 32, 64)) for n in PATCHES)
        ],
        "model": CONFIG,
        "tensors": {name: list(weights[name].shape) for name in sorted(weights)},
        "proteins": proteins,
    }


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    return json.loads(VECTORS.read_text())


@pytest.fixture(scope="module")
def model() -> bytes:
    network, _ = example()
    vocabulary = Vocabulary(Symbol(f"SYM{i}", "a symbol", "HGNC Symbol", "1") for i in range(12))
    clades = ("aves", "mammalia", "teleostei")
    facts = {"training_data": "none"}
    return export(network, vocabulary, clades, name="n", version="1", table_bits=32, facts=facts)


def test_the_plain_model_gives_the_vectors(vectors: dict[str, Any]) -> None:
    made = make_vectors()
    for one, two in zip(made.pop("proteins"), vectors["proteins"], strict=True):
        assert one.pop("probabilities") == pytest.approx(two["probabilities"], abs=2e-6)
        assert one == {key: value for key, value in two.items() if key != "probabilities"}
    assert made == {key: value for key, value in vectors.items() if key != "proteins"}


def test_onnx_runtime_gives_the_vectors(vectors: dict[str, Any], model: bytes) -> None:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    longest = max(len(protein["codes"]) for protein in vectors["proteins"])
    rows = [
        p["codes"] + [vectors["padding"]] * (longest - len(p["codes"])) for p in vectors["proteins"]
    ]
    feed = {
        "codes": np.array(rows, dtype=np.uint8),
        "lengths": np.array([len(p["codes"]) for p in vectors["proteins"]], dtype=np.int64),
        "clade": np.array([p["clade"] for p in vectors["proteins"]], dtype=np.int64),
        "top_k": np.array([3], dtype=np.int64),
    }
    probabilities, indices = session.run(["probabilities", "indices"], feed)
    assert indices.tolist() == [p["indices"] for p in vectors["proteins"]]
    expected = [p["probabilities"] for p in vectors["proteins"]]
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_inputs_outputs_and_metadata_are_as_documented(model: bytes) -> None:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    inputs = {i.name: (i.type, i.shape) for i in session.get_inputs()}
    assert inputs == {
        "codes": ("tensor(uint8)", ["batch", "length"]),
        "lengths": ("tensor(int64)", ["batch"]),
        "clade": ("tensor(int64)", ["batch"]),
        "top_k": ("tensor(int64)", [1]),
    }
    outputs = {o.name: (o.type, o.shape) for o in session.get_outputs()}
    assert outputs == {
        "probabilities": ("tensor(float)", ["batch", "k"]),
        "indices": ("tensor(int64)", ["batch", "k"]),
    }
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata["gst.format"] == FORMAT
    assert metadata["gst.alphabet"] == plain_model.ALPHABET
    assert json.loads(metadata["gst.clades"]) == ["aves", "mammalia", "teleostei"]
    assert json.loads(metadata["gst.training_data"]) == "none"
    assert len(json.loads(metadata["gst.vocabulary"])["symbol"]) == 12
    page = (ROOT / "docs/model_format.md").read_text()
    documented = set(re.findall(r"`(gst\.[a-z_]+)`", page))
    assert set(metadata) <= documented
    proto = onnx.load_model_from_string(model)
    onnx.checker.check_model(proto)
    assert not any(t.data_location == onnx.TensorProto.EXTERNAL for t in proto.graph.initializer)


if __name__ == "__main__":
    json.dump(make_vectors(), sys.stdout, indent=1)
    print()
