"""The shape of a network, read from the ``config.json`` beside its weights."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from gst_core.errors import GstError

#: Activations of the feed-forward layers that :mod:`gst_core.geneformer.network` has.
ACTIVATIONS: Final = ("relu", "gelu", "silu")

#: Name in ``config.json`` -> name here, of the numbers that must be there.
_SIZES: Final = {
    "vocab_size": "vocabulary",
    "hidden_size": "width",
    "num_hidden_layers": "layers",
    "num_attention_heads": "heads",
    "intermediate_size": "feedforward",
    "max_position_embeddings": "positions",
}
#: No dimension of a real network comes near; a made-up one must not fill the memory.
_LARGEST: Final = 2**20

#: Settings that would make another network, and their only value that this code computes.
_ONLY: Final[dict[str, Any]] = {
    "model_type": "bert",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
    "quantization_config": None,
    "chunk_size_feed_forward": 0,
}
_ASSUMED: Final = {"model_type": None, **{key: _ONLY[key] for key in list(_ONLY)[1:]}}


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Hyper-parameters of a BERT encoder.

    Attributes
    ----------
    vocabulary
        Number of tokens (V).
    width
        Of the hidden states (D).
    layers, heads, feedforward
        Number of layers; attention heads in each; width of the hidden feed-forward layer.
    positions
        Longest cell, in tokens.
    token_types
        Rows of the token type embedding, of which the first alone is used.
    activation
        One of :data:`ACTIVATIONS`; ``gelu`` is the exact one.
    norm_epsilon
        Of the layer norms.
    hidden_dropout, attention_dropout
        In training.
    initializer_range
        Standard deviation of new weights.
    pad_token
        Token that fills cells up; never computed.
    """

    vocabulary: int
    width: int
    layers: int
    heads: int
    feedforward: int
    positions: int
    token_types: int = 2
    activation: str = "relu"
    norm_epsilon: float = 1e-12
    hidden_dropout: float = 0.02
    attention_dropout: float = 0.02
    initializer_range: float = 0.02
    pad_token: int = 0

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads

    @property
    def parameters(self) -> int:
        """Weights of the masked language model, the tied ones counted once."""
        d, f = self.width, self.feedforward
        embeddings = (self.vocabulary + self.positions + self.token_types) * d + 2 * d
        layer = 4 * (d * d + d) + 2 * d * f + f + d + 4 * d
        return embeddings + self.layers * layer + d * d + 3 * d + self.vocabulary

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the ``config.json`` of a checkpoint folder.

        Raises
        ------
        GstError
            If there is none, or it describes a network that is not understood.
        """
        path = folder / "config.json"
        if not path.is_file():
            raise GstError(
                "no config.json" if folder.is_dir() else "no such checkpoint folder",
                where=str(folder),
                hint="give the folder of a Geneformer model: config.json and model.safetensors",
            )
        try:
            settings = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise GstError("is not JSON", where=str(path), hint="copy it again") from error
        return cls.from_json(settings, where=str(path))

    @classmethod
    def from_json(cls, settings: Any, where: str) -> Self:
        """Check what a ``config.json`` says.

        Parameters
        ----------
        settings
            The object in it.
        where
            For errors: its path.

        Raises
        ------
        GstError
            If a setting is missing, has a wrong type, or is not understood; by its name.
        """
        if not isinstance(settings, dict):
            raise GstError("is not a JSON object", where=where)
        for name, only in _ONLY.items():
            found = settings.get(name, _ASSUMED[name])
            if found != only:
                raise GstError(
                    f"{name} {found!r:.80} is not understood, only {only!r}",
                    where=where,
                    hint="Geneformer's networks are BERT encoders with absolute positions",
                )
        sizes = {ours: _size(settings, name, where) for name, ours in _SIZES.items()}
        if sizes["width"] % sizes["heads"]:
            raise GstError(
                f"hidden_size {sizes['width']} is not a multiple of num_attention_heads "
                f"{sizes['heads']}",
                where=where,
            )
        activation = settings.get("hidden_act")
        if activation not in ACTIVATIONS:
            raise GstError(
                f"hidden_act {activation!r:.80} is not understood, only {', '.join(ACTIVATIONS)}",
                where=where,
            )
        pad = settings.get("pad_token_id", 0)
        if type(pad) is not int or not 0 <= pad < sizes["vocabulary"]:
            raise GstError(f"pad_token_id {pad!r:.80} is no token", where=where)
        return cls(
            **sizes,
            token_types=_size(settings, "type_vocab_size", where, 2),
            activation=activation,
            norm_epsilon=_fraction(settings, "layer_norm_eps", where, 1e-12),
            hidden_dropout=_fraction(settings, "hidden_dropout_prob", where, 0.1),
            attention_dropout=_fraction(settings, "attention_probs_dropout_prob", where, 0.1),
            initializer_range=_fraction(settings, "initializer_range", where, 0.02),
            pad_token=pad,
        )

    def to_json(self) -> dict[str, Any]:
        """Write as the ``config.json`` of Hugging Face's ``BertForMaskedLM``."""
        return {
            "architectures": ["BertForMaskedLM"],
            "model_type": "bert",
            **{name: getattr(self, ours) for name, ours in _SIZES.items()},
            "type_vocab_size": self.token_types,
            "hidden_act": self.activation,
            "layer_norm_eps": self.norm_epsilon,
            "hidden_dropout_prob": self.hidden_dropout,
            "attention_probs_dropout_prob": self.attention_dropout,
            "initializer_range": self.initializer_range,
            "pad_token_id": self.pad_token,
            "position_embedding_type": "absolute",
            "torch_dtype": "float32",
        }


def _size(settings: dict[str, Any], name: str, where: str, default: int | None = None) -> int:
    value = settings.get(name, default)
    if value is None:
        raise GstError(f"does not say {name}", where=where)
    if type(value) is not int or not 1 <= value <= _LARGEST:
        raise GstError(f"{name} {value!r:.80} is not a size", where=where)
    return value


def _fraction(settings: dict[str, Any], name: str, where: str, default: float) -> float:
    value = settings.get(name, default)
    if type(value) not in (int, float) or not (math.isfinite(value) and 0 <= value < 1):
        raise GstError(f"{name} {value!r:.80} is not a number from 0 to 1", where=where)
    return float(value)
