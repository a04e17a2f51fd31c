"""Damage a model file in many ways and open each: run by the tests in a process with limits.

``python hostile.py MODEL SEED NUMBER``; whatever else than an error of GST comes out, or a
signal, is a failure. The number of each is printed before it is tried.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx

from tests.native import use_other_library

#: Bytes of memory that the process may ask for: opening the model takes a quarter of it.
_LIMIT = 3 * 2**30


def changed_bytes(rng: np.random.Generator, data: bytes) -> bytes:
    """Change, cut out or repeat some bytes, mostly where there is no array."""
    broken = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(len(broken)) if rng.random() < 0.5 else rng.integers(8000))
        match int(rng.integers(4)):
            case 0:
                broken[at % len(broken)] = int(rng.integers(256))
            case 1:
                del broken[at : at + int(rng.integers(1, 50))]
            case 2:
                broken[at:at] = broken[at : at + int(rng.integers(1, 50))]
            case _:
                del broken[max(at, 100) :]
    return bytes(broken)


def changed_parts(rng: np.random.Generator, data: bytes) -> bytes:
    """Change a part of the model: an array, its shape or type, an operator, metadata."""
    model = onnx.load_from_string(data)
    graph = model.graph
    array = graph.initializer[int(rng.integers(len(graph.initializer)))]
    if rng.random() < 0.6:
        stored = [a for a in graph.initializer if a.name in ("lengths", "packed", "classes",
                  "clades", "counts", "originals")]  # fmt: skip
        array = stored[int(rng.integers(len(stored)))]
    node = graph.node[int(rng.integers(len(graph.node)))]
    match int(rng.integers(8)):
        case 0:
            raw = bytearray(array.raw_data)
            for _ in range(3):
                raw[int(rng.integers(len(raw)))] = int(rng.integers(256))
            array.raw_data = bytes(raw)
        case 1:
            array.data_type = int(rng.integers(1, 24))
        case 2:
            array.dims.append(int(rng.integers(0, 3)))
        case 3 if array.dims:
            at = int(rng.integers(len(array.dims)))
            array.dims[at] = int(rng.choice([-1, 0, 1, 2, 7, 2**31, 2**62]))
        case 4:
            node.op_type = str(rng.choice(["Loop", "If", "Tile", "Expand", "MatMul", "Concat"]))
        case 5:
            other = graph.node[int(rng.integers(len(graph.node)))]
            node.input[0] = other.output[0]
        case 6:
            entry = model.metadata_props[int(rng.integers(len(model.metadata_props)))]
            entry.value = str(rng.choice(["", "[", "{}", "null", "[1]", "\x00", "-1"]))
        case _:
            array.raw_data = array.raw_data * 2
    return bytes(model.SerializeToString())


def main(path: str, seed: str, number: str) -> None:
    """Try so many damaged copies of a model."""
    sanitized = use_other_library()
    from gst_core import GeneNamer, GstError

    data = Path(path).read_bytes()
    rng = np.random.default_rng(int(seed))
    if not sanitized:  # sanitizers map terabytes that they do not use
        resource.setrlimit(resource.RLIMIT_AS, (_LIMIT, _LIMIT))
    refused = 0
    with tempfile.TemporaryDirectory() as folder:
        damaged = Path(folder) / "damaged.onnx"
        for at in range(int(number)):
            print(at, flush=True)
            change = changed_bytes if rng.random() < 0.5 else changed_parts
            damaged.write_bytes(change(rng, data))
            try:
                namer = GeneNamer(damaged, device="cpu", threads=1)
                for found in namer.assign([("p", "MKVLATGWWDEAHKLCN" * 6)], evidence=True):
                    str(found)
            except GstError as error:
                refused += "\n" not in str(error)
    print(f"refused {refused}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
