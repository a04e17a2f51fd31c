"""What is in a checkpoint of the original, checked, as plain numpy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.legacy.archive import TorchArchive
from gst_core.legacy.pickle_machine import StandIn, Tensor, exceed_storages
from gst_core.vocabulary import Symbol, Vocabulary

#: Clades of a checkpoint; the original has ten.
_MAX_CLADES = 1000

#: Numbers that the network holds of one protein at a time; with the production configuration
#: 142,000. Attention takes time by the square of the sequence length besides.
_MAX_ACTIVATIONS = 8_000_000
_MAX_LENGTH = {"transformer": 20_000, "mlp": 200_000}

#: The padding letter of the original's alphabet.
PADDING = " "


@dataclass(frozen=True, slots=True)
class LegacyShape:
    """Hyper-parameters that fix the network of an original checkpoint.

    Attributes
    ----------
    architecture
        ``transformer`` (attention beside one linear layer) or ``mlp`` (one
        hidden layer; the published production model).
    sequence_length
        Positions read of each protein (L); shorter ones are padded to it.
    num_letters, num_clades, num_symbols
        Sizes of the alphabet, of the clade vector and of the output.
    padding_side
        ``right`` or ``left``.
    uses_clade
        Whether the clade reaches the network; if not its clade vector is zeros.
    hidden
        Width of the linear path (``transformer``) or of the hidden layer (``mlp``).
    embedding_dimension, num_heads, depth, feedforward
        Shape of the attention blocks; zero for ``mlp``. Each head is as wide as
        the whole embedding.
    activation
        ``gelu`` (exact) or ``relu``, of the feed-forward layers.
    """

    architecture: Literal["transformer", "mlp"]
    sequence_length: int
    num_letters: int
    num_clades: int
    num_symbols: int
    padding_side: Literal["right", "left"]
    uses_clade: bool
    hidden: int
    embedding_dimension: int = 0
    num_heads: int = 0
    depth: int = 0
    feedforward: int = 0
    activation: Literal["gelu", "relu"] = "relu"

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Every key of the state_dict with its shape."""
        one_hot = self.sequence_length * self.num_letters
        if self.architecture == "mlp":
            return {
                "input_layer.weight": (self.hidden, one_hot + self.num_clades),
                "input_layer.bias": (self.hidden,),
                "output_layer.weight": (self.num_symbols, self.hidden),
                "output_layer.bias": (self.num_symbols,),
            }
        e, heads = self.embedding_dimension, self.num_heads * self.embedding_dimension
        features = self.hidden + self.sequence_length + self.num_clades
        shapes: dict[str, tuple[int, ...]] = {
            "mlp.layers.0.weight": (self.hidden, one_hot),
            "mlp.layers.0.bias": (self.hidden,),
            "sequence_transformer.position_embedding": (1, self.sequence_length, e),
            "sequence_transformer.token_embedding.weight": (self.num_letters, e),
            "sequence_transformer.final_layer.weight": (self.sequence_length, e),
            "sequence_transformer.final_layer.bias": (self.sequence_length,),
            "integration_layer.weight": (self.num_symbols, features),
            "integration_layer.bias": (self.num_symbols,),
        }
        for block in range(self.depth):
            prefix = f"sequence_transformer.transformer_blocks.{block}."
            shapes |= {
                f"{prefix}attention.to_keys.weight": (heads, e),
                f"{prefix}attention.to_queries.weight": (heads, e),
                f"{prefix}attention.to_values.weight": (heads, e),
                f"{prefix}attention.unify_heads.weight": (e, heads),
                f"{prefix}attention.unify_heads.bias": (e,),
                f"{prefix}layer_normalization_1.weight": (e,),
                f"{prefix}layer_normalization_1.bias": (e,),
                f"{prefix}layer_normalization_2.weight": (e,),
                f"{prefix}layer_normalization_2.bias": (e,),
                f"{prefix}feed_forward.0.weight": (self.feedforward, e),
                f"{prefix}feed_forward.0.bias": (self.feedforward,),
                f"{prefix}feed_forward.2.weight": (e, self.feedforward),
                f"{prefix}feed_forward.2.bias": (e,),
            }
        return shapes


class LegacyWeights(Mapping[str, NDArray[np.float32]]):
    """The weights of a checkpoint, still in their file: each access reads one.

    The production network has 154 MB of them, of which 146 MB are one matrix.

    Parameters
    ----------
    archive
        Where they are.
    tensors
        Their descriptions by state_dict key.
    """

    def __init__(self, archive: TorchArchive, tensors: Mapping[str, Tensor]) -> None:
        self._archive = archive
        self._tensors = tensors

    def __getitem__(self, key: str) -> NDArray[np.float32]:
        return self._finite(key, self._archive.read(self._tensors[key]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def rows(self, key: str) -> Iterator[NDArray[np.float32]]:
        """Read a matrix a few rows at a time."""
        for block in self._archive.read_rows(self._tensors[key]):
            yield self._finite(key, block)

    def _finite(self, key: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        if not np.isfinite(values).all():
            raise GstError(
                f"the weight {key} has values that are not finite",
                where=str(self._archive.path),
                hint="the network was not trained to an end, or the checkpoint is damaged",
            )
        return values


@dataclass(frozen=True, slots=True)
class LegacyCheckpoint:
    """A checkpoint of the original: its network and what the outputs mean.

    Attributes
    ----------
    name, version
        The original's own name of the training run, and its date.
    shape
        The network's hyper-parameters.
    weights
        Float32 weights by their state_dict key, read when they are asked for.
    vocabulary
        Symbols in class order; accessions are unknown to the original.
    clades
        Clade names in the order of the clade vector.
    alphabet
        Residue letters in index order; the last is the padding.
    """

    name: str
    version: str
    shape: LegacyShape
    weights: LegacyWeights
    vocabulary: Vocabulary
    clades: tuple[str, ...]
    alphabet: str


def _labels(mapper: Any, by_index: str, what: str) -> list[str]:
    """List a mapper's labels in index order."""
    table = mapper.state.get(by_index) if isinstance(mapper, StandIn) else None
    if not isinstance(table, dict) or not table:
        raise ValueError(f"no {what}")
    labels = [table.get(index) for index in range(len(table))]
    if not all(isinstance(label, str) for label in labels):
        raise ValueError(f"{what} are not numbered from 0")
    return labels  # type: ignore[return-value]


def _alphabet(mapper: Any) -> str:
    letters = _labels(mapper, "index_to_protein_letter", "letters")
    if any(len(letter) != 1 or not letter.isascii() for letter in letters):
        raise ValueError("letters are not single characters")
    if letters[-1] != PADDING or len(set(letters)) != len(letters):
        raise ValueError("letters are not distinct, or do not end in the padding")
    return "".join(letters)


def _vocabulary(symbols: list[str], metadata: Any) -> Vocabulary:
    """Join symbols and their metadata; models of few symbols were saved without any."""
    known = metadata if isinstance(metadata, dict) else {}

    def text(symbol: str, field: str) -> str:
        entry = known.get(symbol)
        value = entry.get(field) if isinstance(entry, dict) else None
        return value if isinstance(value, str) else ""

    return Vocabulary(Symbol(s, text(s, "description"), text(s, "source")) for s in symbols)


def _shown(value: Any) -> str:
    """Show a value in a message: containers by their type alone.

    Lists that each hold the one before twice take few bytes of a pickle, and their
    whole text would take any memory.
    """
    if value is None or isinstance(value, str | int | float):
        return f"{value!r:.40}"
    return f"a {type(value).__name__}"


def _text(parameters: dict[str, Any], key: str, default: str) -> str:
    value = parameters.get(key)
    return value if isinstance(value, str) else default


def _natural(parameters: dict[str, Any], key: str) -> int:
    value = parameters.get(key)
    # Large enough for any network of the original; small enough that a product cannot overflow.
    if type(value) is not int or not 0 < value <= 10_000_000:
        raise ValueError(f"the hyper-parameter {key} is {_shown(value)}, not a natural number")
    return value


def _choice(parameters: dict[str, Any], key: str, choices: tuple[str, ...]) -> Any:
    value = parameters.get(key)
    if value not in choices:
        raise ValueError(
            f"the hyper-parameter {key} is {_shown(value)}, not {' or '.join(choices)}"
        )
    return value


def _shape(parameters: dict[str, Any], letters: int, clades: int, symbols: int) -> LegacyShape:
    sizes: dict[str, Any] = {
        "sequence_length": _natural(parameters, "sequence_length"),
        "padding_side": _choice(parameters, "padding_side", ("right", "left")),
        "num_letters": letters,
        "num_clades": clades,
        "num_symbols": symbols,
    }
    if "num_connections" in parameters:
        hidden = _natural(parameters, "num_connections")
        return LegacyShape("mlp", uses_clade=True, hidden=hidden, **sizes)
    depth = _natural(parameters, "transformer_depth")
    if depth > 100:
        raise ValueError(f"a transformer_depth of {depth}")
    return LegacyShape(
        "transformer",
        uses_clade=parameters.get("clade") is True,
        hidden=_natural(parameters, "mlp_output_size"),
        embedding_dimension=_natural(parameters, "embedding_dimension"),
        num_heads=_natural(parameters, "num_heads"),
        depth=depth,
        feedforward=_natural(parameters, "feedforward_connections"),
        activation=_choice(parameters, "activation_function", ("gelu", "relu")),
        **sizes,
    )


def _tensors(state: Any, shape: LegacyShape) -> dict[str, Tensor]:
    """Find the description of every weight that the network has, and no other."""
    expected = shape.weight_shapes()
    if not isinstance(state, dict) or not set(state) <= set(expected):
        raise ValueError("weights of another network")
    for key, size in expected.items():
        tensor = state.get(key)
        if not isinstance(tensor, Tensor) or tensor.shape != size:
            found = tensor.shape if isinstance(tensor, Tensor) else "missing"
            raise ValueError(f"the weight {key} is {found}, not {size}")
    if exceed_storages(state.values()):
        raise ValueError("weights that are parts of each other")
    return state


def _require_moderate(shape: LegacyShape, file_size: int) -> None:
    """Refuse a network that would be larger than its file, or take no end of time or memory."""
    length, widest = shape.sequence_length, max(shape.hidden // shape.sequence_length, 1)
    if shape.architecture == "transformer":
        heads = shape.num_heads * shape.embedding_dimension
        widest = max(widest, heads, shape.feedforward)
    # What the last two layers are folded into (see graph.py) is none of the file's weights.
    folded = shape.hidden + shape.embedding_dimension + shape.num_clades
    if (
        shape.num_clades > _MAX_CLADES
        or length > _MAX_LENGTH[shape.architecture]
        or length * widest > _MAX_ACTIVATIONS
        or 4 * shape.num_symbols * folded > file_size
    ):
        raise ValueError("its hyper-parameters are those of no network of the original's size")


def read_checkpoint(path: Path) -> LegacyCheckpoint:
    """Read a checkpoint of the original, of either architecture.

    The network's weights are read from the archive when they are asked for; the
    optimizer's state, two thirds of the file, never is.

    Parameters
    ----------
    path
        A Lightning ``.ckpt`` file.

    Raises
    ------
    GstError
        If it is no checkpoint of the original, is damaged, or holds what no
        checkpoint of the original holds.
    """
    archive = TorchArchive(path)
    content = archive.content
    try:
        parameters = content.get("hyper_parameters") if isinstance(content, dict) else None
        if not isinstance(parameters, dict):
            raise ValueError("no hyper-parameters")
        symbols = _labels(parameters.get("symbol_mapper"), "index_to_label_dict", "symbols")
        clades = _labels(parameters.get("clade_mapper"), "index_to_label_dict", "clades")
        alphabet = _alphabet(parameters.get("protein_sequence_mapper"))
        shape = _shape(parameters, len(alphabet), len(clades), len(symbols))
        _require_moderate(shape, path.stat().st_size)
        return LegacyCheckpoint(
            name=_text(parameters, "logging_version", path.stem),
            version=_text(parameters, "datetime", "unknown"),
            shape=shape,
            weights=LegacyWeights(archive, _tensors(content.get("state_dict"), shape)),
            vocabulary=_vocabulary(symbols, parameters.get("symbols_metadata")),
            clades=tuple(clades),
            alphabet=alphabet,
        )
    except ValueError as error:
        raise GstError(
            f"is not a checkpoint of the original Gene Symbol Transformer: {error}",
            where=str(path),
            hint="give a checkpoint that the original wrote, or a model exported to .onnx",
        ) from error
