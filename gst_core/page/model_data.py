"""A model file in the form that the page reads: facts, arrays, and the network alone."""

from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.inference.namer import GeneNamer
from gst_core.inference.references import APPROVED, ReferenceEngine
from gst_core.references import evidence, features, gapped, index
from gst_core.references.compiled_lookup import CompiledLookUp
from gst_core.references.lookup import LONGEST, WEAK
from gst_core.references.seeds import SEEDS
from gst_core.references.store import BASE, PER_WORD, STORED, plain
from gst_core.references.substitutions import BLOSUM90
from gst_core.sequences import ALPHABET

#: Of the index: what the page works out by itself.
_MADE: Final = frozenset(
    ("codes", "starts", "seed_starts", "postings", "weights", "inverse_root", "classes")
)
_TYPES: Final = {ctypes.c_int32: "i32", ctypes.c_float: "f32", ctypes.c_double: "f64"}
#: Arrays begin at multiples of so many bytes.
_ALIGNED: Final = 8


@dataclass(frozen=True, slots=True)
class PageModel:
    """What the page reads of a model.

    Attributes
    ----------
    facts
        To be written as JSON.
    arrays
        All of them, one after the other, as `facts` describes.
    network
        An ONNX file of the network that decides.
    """

    facts: dict[str, Any]
    arrays: bytes
    network: bytes


def read_model(path: str | Path | None) -> PageModel:
    """Read a model of references for the page.

    Parameters
    ----------
    path
        The model file; the embedded one without it.

    Raises
    ------
    GstError
        If it cannot be read, is not one of references, or there is no compiled look-up, whose
        settings the page shares.
    """
    namer = GeneNamer(path, device="cpu", threads=1)
    engine = namer.engine
    if not isinstance(engine, ReferenceEngine):
        raise GstError(
            "the page needs a model of references",
            where=str(namer.path),
            hint="take one made by gst build, as the embedded one",
        )
    look_up = engine.finder.look_up
    if not isinstance(look_up, CompiledLookUp):
        raise GstError(engine.warning)
    fields, limits = look_up.layout()
    stored, network = _parts(namer.path)
    arrays = dict(stored) | {
        name: array for name, array in fields if array is not None and name not in _MADE
    }
    described, content = _laid_out(arrays)
    facts = {
        "name": engine.name,
        "version": engine.version,
        "alphabet": ALPHABET,
        "plain": plain(np.arange(len(ALPHABET), dtype=np.uint8)).tolist(),
        "plain_residues": len(BLOSUM90),
        "longest": LONGEST,
        "clades": list(engine.clades),
        "lineages": evidence.LINEAGES.tolist(),
        "approved_source": APPROVED,
        "vocabulary": json.loads(namer.metadata["gst.vocabulary"]),
        "accessions": namer.metadata["gst.accessions"].split("\n"),
        "scopes": namer.fact("scopes") or [],
        "held_out_accuracy": namer.fact("held_out_accuracy") or {},
        "training_data": namer.fact("training_data") or "",
        "packed_base": BASE,
        "packed_per_word": PER_WORD,
        "residues": int(stored["lengths"].sum()),
        "seeds": SEEDS,
        "common": index.common(len(stored["lengths"])),
        "bytes_of_number": np.dtype(index.number_type(len(stored["lengths"]))).itemsize,
        "parts": index.PARTS,
        "lengths_floor": index.SHORT,
        "candidates": evidence.CANDIDATES,
        "features": engine.feature_count,
        "close": evidence.CLOSE,
        "weak": WEAK,
        "lambda": gapped.LAMBDA,
        "kappa": gapped.KAPPA,
        "enough": features.ENOUGH,
        "untold": features.UNTOLD,
        "room": look_up.room,
        "index": [[name, "i64" if name in ("size", "wide") else "pointer"] for name, _ in fields],
        "limits": [[_TYPES[kind], value] for kind, value in limits],
        "arrays": described,
    }
    return PageModel(facts, content, network)


def _parts(path: Path) -> tuple[dict[str, NDArray[Any]], bytes]:
    """Take a model file apart: the constants that it carries, and its network."""
    import onnx
    from onnx import numpy_helper, utils

    model = onnx.load(str(path))
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    constants |= {
        node.output[0]: node.attribute[0].t
        for node in model.graph.node
        if node.op_type == "Constant"
    }
    named = {
        node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Identity"
    }
    stored = {name: numpy_helper.to_array(constants[named.get(name, name)]) for name in STORED}
    network = utils.Extractor(model).extract_model(["features", "present"], ["probabilities"])
    del network.metadata_props[:]
    return stored, network.SerializeToString()


def _laid_out(arrays: dict[str, NDArray[Any]]) -> tuple[dict[str, dict[str, Any]], bytes]:
    described, content = {}, bytearray()
    for name, array in arrays.items():
        content += bytes(-len(content) % _ALIGNED)
        described[name] = {
            "type": str(array.dtype),
            "offset": len(content),
            "length": int(array.size),
        }
        content += np.ascontiguousarray(array).tobytes()
    return described, bytes(content)
