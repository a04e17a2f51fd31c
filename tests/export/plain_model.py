"""The model of docs/model_format.md in plain Python and numpy, written from that page alone.

It shares nothing with the package: it is slow, and it is what the page says.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

ALPHABET = "ACDEFGHIKLMNPQRSTVWYBXZJUO*"
READ_AS = {"U": "C", "O": "K", "B": "D", "Z": "E", "J": "L"}
GROUPS_15 = ["LVIM", "C", "A", "G", "S", "T", "P", "FY", "W", "E", "D", "N", "Q", "KR", "H"]
GROUPS_10 = ["LVIM", "C", "A", "G", "ST", "P", "FYW", "EDNQ", "KR", "H"]
#: groups, positions, rows
BAG = [(GROUPS_15, [0, 1, 2, 3], 22751), (GROUPS_10, [0, 1, 3, 4], 10000)]
PATCH = [
    (GROUPS_15, [0], 15),
    (GROUPS_15, [0, 1], 225),
    (GROUPS_15, [0, 2], 225),
    (GROUPS_15, [0, 3], 225),
    (GROUPS_15, [0, 4], 225),
]


def group_of(letter: str, groups: list[str]) -> int | None:
    letter = READ_AS.get(letter, letter)
    return next((index for index, group in enumerate(groups) if letter in group), None)


def word_rows(residues: str, kinds: list[tuple[list[str], list[int], int]]) -> list[list[int]]:
    """Rows of the words that start at each residue."""
    found = []
    for start in range(len(residues)):
        rows, offset = [], 0
        for groups, positions, number_of_rows in kinds:
            window = [start + position for position in positions]
            if window[-1] < len(residues):
                digits = [group_of(residues[place], groups) for place in window]
                if None not in digits:
                    number = 0
                    for digit in digits:
                        number = number * len(groups) + digit
                    rows.append(offset + number % number_of_rows)
            offset += number_of_rows
        found.append(rows)
    return found


def bag_rows(residues: str) -> list[int]:
    """Rows of all words of a protein, each once."""
    return sorted({row for rows in word_rows(residues, BAG) for row in rows})


def divide(length: int, patch_length: int, max_patches: int) -> tuple[int, int]:
    """Residues a patch, and patches."""
    stride = patch_length * max(1, math.ceil(length / (patch_length * max_patches)))
    return stride, max(1, math.ceil(length / stride))


def patch_counts(residues: str, patch_length: int, max_patches: int) -> list[dict[int, int]]:
    """How often each patch has each of its words, 255 at most."""
    stride, patches = divide(len(residues), patch_length, max_patches)
    counts = [Counter[int]() for _ in range(patches)]
    for place, rows in enumerate(word_rows(residues, PATCH)):
        counts[place // stride].update(rows)
    return [{row: min(n, 255) for row, n in sorted(count.items())} for count in counts]


def unit(x: Array) -> Array:
    return x / max(float(np.linalg.norm(x)), 1e-6)


def norm(x: Array, w: dict[str, Array], name: str) -> Array:
    x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5)
    return x * w[f"{name}.weight"] + w[f"{name}.bias"]


def linear(x: Array, w: dict[str, Array], name: str) -> Array:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def softmax(x: Array, axis: int) -> Array:
    x = np.exp(x - x.max(axis, keepdims=True))
    return x / x.sum(axis, keepdims=True)


def gelu(x: Array) -> Array:
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def encode(residues: str, clade: int, config: dict[str, Any], w: dict[str, Array]) -> Array:
    """The Transformer over patches."""
    heads = config["heads"]
    stride, patches = divide(len(residues), config["patch_length"], config["max_patches"])
    counts = patch_counts(residues, config["patch_length"], config["max_patches"])
    x = np.zeros((patches, config["dimension"]))
    for patch, found in enumerate(counts):
        for row, number in found.items():
            x[patch] += number * w["encoder.table"][row] / math.sqrt(stride)
    x += w["encoder.from_start"][:patches] + w["encoder.from_end"][:patches][::-1]
    x = norm(x + w["encoder.clade.weight"][clade], w, "encoder.norm_in")
    for number in range(config["layers"]):
        name = f"encoder.layers.{number}"
        q, k, v = np.split(linear(norm(x, w, f"{name}.norm_1"), w, f"{name}.qkv"), 3, axis=1)
        size = q.shape[1] // heads
        mixed = []
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            weights = softmax(q[:, part] @ k[:, part].T / math.sqrt(size), 1)
            mixed.append(weights @ v[:, part])
        x = x + linear(np.concatenate(mixed, 1), w, f"{name}.out")
        inner = gelu(linear(norm(x, w, f"{name}.norm_2"), w, f"{name}.up"))
        x = x + linear(inner, w, f"{name}.down")
    x = norm(x, w, "encoder.norm_out")
    pooled = softmax(linear(x, w, "encoder.query"), 0).T @ x
    return linear(pooled.reshape(1, -1), w, "encoder.project")[0]


def probabilities(residues: str, clade: int, config: dict[str, Any], w: dict[str, Array]) -> Array:
    """Probability of every symbol."""
    bag = np.zeros(config["width"])
    for row in bag_rows(residues):
        bag += w["table"][row]
    x = unit(unit(bag) + encode(residues, clade, config, w) + w["clade.weight"][clade])
    cosines = np.array([unit(symbol) @ x for symbol in w["symbols"]])
    return softmax(config["scale"] * cosines, 0)
