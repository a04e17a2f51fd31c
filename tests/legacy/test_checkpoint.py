"""What is read from a checkpoint is what the original wrote into it."""

from __future__ import annotations

import dataclasses
import json
import pickletools
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gst_core.errors import GstError
from gst_core.legacy.checkpoint import LegacyShape, _require_moderate, read_checkpoint
from gst_core.legacy.importing import convert
from tests.legacy.golden import CHECKPOINTS, Golden


def test_symbols_clades_and_letters_in_index_order(golden: Golden) -> None:
    text = (golden.folder / "expected" / f"{golden.name}_categories.json").read_text()
    categories = json.loads(text)
    found = golden.checkpoint
    assert set(categories) == {"symbols", "clades", "protein_letters"}
    assert [symbol.symbol for symbol in found.vocabulary] == categories["symbols"]
    assert list(found.clades) == categories["clades"]
    assert list(found.alphabet) == categories["protein_letters"]


def test_descriptions_and_sources(golden: Golden) -> None:
    path = golden.folder / "expected" / f"{golden.name}_symbols_metadata.json"
    metadata = json.loads(path.read_text())
    for symbol in golden.checkpoint.vocabulary:
        assert symbol.description == (metadata[symbol.symbol]["description"] or "")
        assert symbol.source == metadata[symbol.symbol]["source"]
        assert symbol.accession == ""


def test_shape_is_that_of_the_hyper_parameters(golden: Golden) -> None:
    path = golden.folder / "expected" / f"{golden.name}_hyper_parameters.json"
    parameters = json.loads(path.read_text())
    shape = golden.checkpoint.shape
    assert shape.sequence_length == parameters["sequence_length"]
    assert shape.padding_side == parameters["padding_side"]
    assert shape.uses_clade == parameters.get("clade", True)
    assert shape.num_symbols == parameters["num_symbols"]
    assert golden.checkpoint.name == parameters["logging_version"]
    assert golden.checkpoint.version == parameters["datetime"]
    if golden.name == "mlp":
        assert (shape.architecture, shape.hidden) == ("mlp", parameters["num_connections"])
    else:
        assert shape.architecture == "transformer"
        assert shape.activation == parameters["activation_function"]
        assert shape.depth == parameters["transformer_depth"]


def test_every_weight_is_read_and_none_of_the_optimizer(golden: Golden) -> None:
    weights = golden.checkpoint.weights
    parameters = {"transformer": 471_176, "mlp": 367_416, "variant": 93_080}
    assert sum(weight.size for weight in weights.values()) == parameters[golden.name]


def rewrite(source: Path, target: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """Copy a checkpoint, each of its files changed by a function of its name and content."""
    with zipfile.ZipFile(source) as whole, zipfile.ZipFile(target, "w") as changed:
        for entry in whole.infolist():
            changed.writestr(entry.filename, change(entry.filename, whole.read(entry)))
    return target


def replace_in_pickle(old: bytes, new: bytes) -> Callable[[str, bytes], bytes]:
    def change(name: str, data: bytes) -> bytes:
        if not name.endswith("data.pkl"):
            return data
        assert old in data
        return data.replace(old, new)

    return change


def test_a_checkpoint_of_a_gpu_is_the_same(golden: Golden, tmp_path: Path) -> None:
    source = golden.folder / "checkpoints" / f"{CHECKPOINTS[golden.name]}.ckpt"
    # "cpu" after its length, then the tag of a GPU after its own
    change = replace_in_pickle(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    gpu = read_checkpoint(rewrite(source, tmp_path / "gpu.ckpt", change))
    assert gpu.vocabulary.to_json() == golden.checkpoint.vocabulary.to_json()
    for key, weight in golden.checkpoint.weights.items():
        assert (gpu.weights[key] == weight).all()


def replace_value(key: str, value: bytes) -> Callable[[str, bytes], bytes]:
    """Put a program in place of the value that follows a key."""

    def change(name: str, data: bytes) -> bytes:
        if not name.endswith("data.pkl"):
            return data
        steps = [
            (argument, at)
            for opcode, argument, at in pickletools.genops(data)
            if "PUT" not in opcode.name
        ]
        puts = [at for opcode, _, at in pickletools.genops(data) if "PUT" in opcode.name]
        found = next(i for i, (argument, _) in enumerate(steps) if argument == key)
        start, end = steps[found + 1][1], steps[found + 2][1]
        end = min([end, *(at for at in puts if start < at < end)])
        return data[:start] + value + data[end:]

    return change


def twice_nested(levels: int) -> bytes:
    """Tuples that each hold the one before twice: 2**levels empty lists when written out."""
    memo = [(10**6 + level).to_bytes(4, "little") for level in range(levels)]
    return b"]" + b"".join(b"r" + index + b"j" + index + b"\x86" for index in memo)


@pytest.mark.parametrize("levels", [40, 100_000])
@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("padding_side", "padding_side is a tuple, not right or left"),
        ("num_heads", "num_heads is a tuple, not a natural number"),
    ],
)
def test_nested_values_are_not_written_out(
    legacy_data: Path, tmp_path: Path, levels: int, key: str, message: str
) -> None:
    source = legacy_data / "checkpoints" / "gst_variant.ckpt"
    path = rewrite(source, tmp_path / "bomb.ckpt", replace_value(key, twice_nested(levels)))
    with pytest.raises(GstError, match=message):
        read_checkpoint(path)


@pytest.mark.parametrize("levels", [40, 100_000])
def test_names_that_are_no_text_are_passed_over(
    legacy_data: Path, tmp_path: Path, levels: int
) -> None:
    path = legacy_data / "checkpoints" / "gst_variant.ckpt"
    for number, key in enumerate(("logging_version", "datetime")):
        change = replace_value(key, twice_nested(levels))
        path = rewrite(path, tmp_path / f"bomb{number}.ckpt", change)
    checkpoint = read_checkpoint(path)
    assert (checkpoint.name, checkpoint.version) == ("bomb1", "unknown")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"hyper_parameters", b"hyper_parameterz", "no hyper-parameters"),
        (b"symbol_mapper", b"symbol_napper", "no symbols"),
        (b"clade_mapper", b"clade_napper", "no clades"),
        (b"padding_side", b"padding_tide", "padding_side is None, not right or left"),
        (b"\x00left", b"\x00lefd", "padding_side is 'lefd'"),
        (b"\x00relu", b"\x00rola", "activation_function is 'rola'"),
        (b"num_heads", b"num_beads", "num_heads is None"),
        (b"state_dict", b"state_tick", "weights of another network"),
        (b"integration_layer.bias", b"integration_layer.biaz", "weights of another network"),
    ],
)
def test_what_is_missing_is_named(
    legacy_data: Path, tmp_path: Path, old: bytes, new: bytes, message: str
) -> None:
    source = legacy_data / "checkpoints" / "gst_variant.ckpt"
    path = rewrite(source, tmp_path / "changed.ckpt", replace_in_pickle(old, new))
    with pytest.raises(GstError, match=message) as caught:
        read_checkpoint(path)
    assert str(path) in str(caught.value)


def test_weights_that_are_not_finite_are_refused(legacy_data: Path, tmp_path: Path) -> None:
    def change(name: str, data: bytes) -> bytes:
        return b"\xff" * len(data) if name.endswith("data/1") else data

    source = legacy_data / "checkpoints" / "gst_variant.ckpt"
    path = rewrite(source, tmp_path / "nan.ckpt", change)
    with pytest.raises(GstError, match="not finite"):
        convert(path, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_weights_that_share_their_values_are_refused(legacy_data: Path, tmp_path: Path) -> None:
    """So that a small file is no large model: each of its weights names the same values."""

    def change(name: str, data: bytes) -> bytes:
        if not name.endswith("data.pkl"):
            return data
        # The keys of the storages of keys and queries, which are of one size, in BINUNICODE.
        text = [b"X\x01\x00\x00\x00" + key for key in storages]
        assert text[1] in data
        return data.replace(text[1], text[0])

    source = legacy_data / "checkpoints" / "gst_variant.ckpt"
    weights = read_checkpoint(source).weights._tensors
    block = "sequence_transformer.transformer_blocks.0.attention"
    storages = [
        weights[f"{block}.{name}.weight"].storage.key.encode() for name in ("to_keys", "to_queries")
    ]
    assert all(len(key) == 1 for key in storages)
    path = rewrite(source, tmp_path / "shared.ckpt", change)
    with pytest.raises(GstError, match="weights that are parts of each other"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"num_clades": 1001},
        {"sequence_length": 20_001},
        {"num_heads": 10_000_000},
        {"feedforward": 10_000_000},
        # Folding the last layers would make a larger network of it.
        {"num_symbols": 100_000, "embedding_dimension": 100_000},
    ],
)
def test_a_network_larger_than_its_file_is_refused(changes: dict[str, int]) -> None:
    shape = LegacyShape(
        "transformer", 1107, 28, 10, 30_688, "right", True, 128, 16, 8, 2, 64, "gelu"
    )
    _require_moderate(shape, 12_000_000 * 4)
    with pytest.raises(ValueError, match="no network of the original's size"):
        _require_moderate(dataclasses.replace(shape, **changes), 12_000_000 * 4)
