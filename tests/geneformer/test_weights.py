"""Checkpoints: what is read, and what is said of those that cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from gst_core.errors import GstError
from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.network import MaskedLanguageModel
from gst_core.geneformer.weights import load_encoder, load_masked_language_model, save_checkpoint

SMALL = NetworkConfig(vocabulary=30, width=8, layers=2, heads=2, feedforward=12, positions=10)
KEY = "bert.encoder.layer.1.output.dense.weight"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    folder = tmp_path / "model"
    save_checkpoint(MaskedLanguageModel(SMALL), folder)
    return folder


def weights(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / "model.safetensors")


def change(folder: Path, **settings: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))


def refusal(folder: Path) -> str:
    with pytest.raises(GstError) as caught:
        load_masked_language_model(folder)
    assert "model" in str(caught.value)
    return str(caught.value)


def test_what_is_saved_loads_in_transformers_and_here(checkpoint: Path) -> None:
    transformers = pytest.importorskip("transformers")
    assert NetworkConfig.load(checkpoint) == SMALL
    theirs = transformers.BertForMaskedLM.from_pretrained(checkpoint).state_dict()
    ours = load_masked_language_model(checkpoint)
    assert set(ours.state_dict()) == set(theirs)
    for key, value in ours.state_dict().items():
        torch.testing.assert_close(value, theirs[key], rtol=0, atol=0)
    assert len(list(ours.parameters())) == len(weights(checkpoint)), "tied weights are one"
    assert all(p.requires_grad for p in ours.parameters())
    assert not any(p.requires_grad for p in load_encoder(checkpoint).parameters())


def test_pytorch_files_of_2021_load_with_tied_weights_and_position_ids(checkpoint: Path) -> None:
    expected = load_masked_language_model(checkpoint).state_dict()
    stored = {
        **expected,
        "bert.embeddings.position_ids": torch.arange(10)[None],
        "bert.pooler.dense.weight": torch.zeros(8, 8),
    }
    torch.save(stored, checkpoint / "pytorch_model.bin")
    (checkpoint / "model.safetensors").unlink()
    for key, value in load_masked_language_model(checkpoint).state_dict().items():
        assert torch.equal(value, expected[key])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_half_precision_is_read_as_float32(checkpoint: Path, dtype: torch.dtype, name: str) -> None:
    halves = {key: value.to(dtype) for key, value in weights(checkpoint).items()}
    (checkpoint / "model.safetensors").unlink()
    (save_file if name.endswith("safetensors") else torch.save)(halves, checkpoint / name)
    value = load_encoder(checkpoint).state_dict()[KEY.removeprefix("bert.")]
    assert value.dtype == torch.float32
    assert torch.equal(value, halves[KEY].float())


def test_the_encoder_of_a_classifier_or_a_bare_encoder_loads(checkpoint: Path) -> None:
    full = weights(checkpoint)
    encoder = {key: value for key, value in full.items() if key.startswith("bert.")}
    for stored in (
        {**encoder, "classifier.weight": torch.zeros(3, 8), "classifier.bias": torch.zeros(3)},
        {key.removeprefix("bert."): value for key, value in encoder.items()},
    ):
        save_file(stored, checkpoint / "model.safetensors")
        assert torch.equal(load_encoder(checkpoint).state_dict()[KEY[5:]], full[KEY])
        assert "no language-model head" in refusal(checkpoint)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ({KEY: None}, f"1 weights are missing, as {KEY}"),
        ({"bert.extra.weight": torch.zeros(1)}, "unexpected, as 'bert.extra.weight'"),
        ({KEY: torch.zeros(8, 13)}, f"{KEY} has the shape (8, 13), by config.json (8, 12)"),
        ({KEY: torch.zeros(8, 12, dtype=torch.int32)}, "torch.int32, not float"),
        ({KEY: torch.full((8, 12), torch.nan)}, f"{KEY} has values that are not finite"),
    ],
)
def test_wrong_weights_are_named(
    checkpoint: Path, stored: dict[str, Tensor | None], expected: str
) -> None:
    changed = {**weights(checkpoint), **stored}
    save_file(
        {key: value for key, value in changed.items() if value is not None},
        checkpoint / "model.safetensors",
    )
    assert expected in refusal(checkpoint)


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("model_type", "gpt2", "model_type 'gpt2'"),
        ("position_embedding_type", "relative_key", "position_embedding_type 'relative_key'"),
        ("hidden_act", "gelu_new", "hidden_act 'gelu_new'"),
        ("tie_word_embeddings", False, "tie_word_embeddings False"),
        ("is_decoder", True, "is_decoder True"),
        ("num_attention_heads", 3, "hidden_size 8 is not a multiple of num_attention_heads 3"),
        ("hidden_size", None, "does not say hidden_size"),
        ("hidden_size", "8", "hidden_size '8' is not a size"),
        ("vocab_size", 10**12, "vocab_size 1000000000000 is not a size"),
        ("vocab_size", True, "vocab_size True is not a size"),
        ("layer_norm_eps", -1, "layer_norm_eps -1"),
        ("pad_token_id", 30, "pad_token_id 30"),
        ("num_hidden_layers", 1, "unexpected"),
        ("num_hidden_layers", 3, "missing"),
        ("vocab_size", 31, "(30, 8), by config.json (31, 8)"),
    ],
)
def test_a_network_that_is_not_understood_is_refused_by_name(
    checkpoint: Path, setting: str, value: Any, expected: str
) -> None:
    change(checkpoint, **{setting: value})
    assert expected in refusal(checkpoint)


def test_damaged_and_missing_files_are_one_line(checkpoint: Path) -> None:
    path = checkpoint / "model.safetensors"
    path.write_bytes(path.read_bytes()[:200])
    assert "not a whole safetensors file" in refusal(checkpoint)
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    assert "Git LFS" in refusal(checkpoint)
    path.unlink()
    assert "no weights" in refusal(checkpoint)
    (checkpoint / "config.json").write_text("{")
    assert "is not JSON" in refusal(checkpoint)
    (checkpoint / "config.json").unlink()
    assert "no config.json" in refusal(checkpoint)


def test_code_in_a_pytorch_file_is_never_run(checkpoint: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"bert.x": Evil()}, checkpoint / "pytorch_model.bin")
    (checkpoint / "model.safetensors").unlink()
    assert "nothing in it was run" in refusal(checkpoint)
    assert not (tmp_path / "ran").exists()


def test_weights_that_name_one_storage_over_and_over_are_refused(checkpoint: Path) -> None:
    same = torch.zeros(8, 12)
    torch.save({**weights(checkpoint), KEY: same, "bert.x": same}, checkpoint / "pytorch_model.bin")
    (checkpoint / "model.safetensors").unlink()
    assert "share their values" in refusal(checkpoint)
