"""Sides of a dataset: to train on, to watch, and to test with."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from gst_core.dataset.clusters import cluster
from gst_core.dataset.manifest import Manifest, Species, read_manifest, sha256
from gst_core.dataset.table import MANIFEST, TABLE, TableWriter, read_rows, table_of
from gst_core.errors import GstError
from gst_core.files import make_folder

By = Literal["random", "genus", "clade", "cluster"]
TRAIN: Final = "train"
VALIDATION: Final = "validation"
TEST: Final = "test"
SIDES: Final = (TRAIN, VALIDATION, TEST)


@dataclass(frozen=True, slots=True)
class Split:
    """How a dataset is divided.

    Attributes
    ----------
    by
        What stays together: single proteins, genera, clades, or clusters of nearly identical
        sequences.
    test, validation
        Shares of the proteins, at most.
    hold_out
        Genera or clades that are tested with, whatever their share.
    seed
        Of the order in which groups are drawn.
    identity
        What is nearly identical, of clusters.
    """

    by: By
    test: float = 0.1
    validation: float = 0.0
    hold_out: tuple[str, ...] = ()
    seed: int = 1
    identity: float = 0.9


@dataclass(frozen=True, slots=True)
class Side:
    """What a side of a split holds.

    Attributes
    ----------
    name
        ``train``, ``validation`` or ``test``.
    proteins, symbols, groups
        How many it has.
    learnable
        Proteins whose symbol some protein of the training side has.
    """

    name: str
    proteins: int
    symbols: int
    groups: int
    learnable: int


def split_dataset(
    dataset: Path, output: Path, split: Split, say: Callable[[str], None] = lambda _: None
) -> list[Side]:
    """Write the sides of a dataset, each a dataset of its own, into folders named after them.

    Parameters
    ----------
    dataset
        Folder or table.
    output
        Folder of the sides.
    split
        How it is divided.
    say
        Called with a sentence for each step.

    Raises
    ------
    GstError
        If the dataset cannot be read, a group to hold out is not in it, or a side that was asked
        for stays empty.
    """
    table = table_of(dataset)
    groups = _groups(table, split, say)
    side_of = choose_sides(groups, split)
    used = [side for side in SIDES if side in set(side_of.values())]
    parent = read_manifest(dataset) if dataset.is_dir() else {}
    manifests = {side: _manifest(parent, split, side, table) for side in used}
    symbols: dict[str, Counter[str]] = {side: Counter() for side in used}
    species: dict[str, dict[str, Species]] = {side: {} for side in used}
    say("writing the sides")
    for side in SIDES:
        (output / side / MANIFEST).unlink(missing_ok=True)
        if side not in used:
            (output / side / TABLE).unlink(missing_ok=True)
    with ExitStack() as stack:
        writers: dict[str, TableWriter] = {
            side: stack.enter_context(TableWriter(make_folder(output / side) / TABLE))
            for side in used
        }
        for group, row in zip(groups, read_rows(table), strict=True):
            side = side_of[group]
            writers[side].add_row(row)
            symbols[side][row["symbol"].upper()] += 1
            name = row["species"]
            own = species[side].setdefault(name, Species(name, row["taxon_id"], row["clade"], 0))
            own.proteins += 1
    counts = Counter(side_of.values())
    sides = []
    for side in used:
        path = output / side / TABLE
        manifest = manifests[side]
        manifest.proteins, manifest.symbols = writers[side].rows, len(symbols[side])
        manifest.species = [species[side][name] for name in sorted(species[side])]
        manifest.table = {"file": TABLE, "size": path.stat().st_size, "sha256": sha256(path)}
        manifest.write(output / side)
        learnable = sum(n for symbol, n in symbols[side].items() if symbol in symbols[TRAIN])
        sides.append(Side(side, manifest.proteins, manifest.symbols, counts[side], learnable))
    return sides


def choose_sides(groups: Sequence[Hashable], split: Split) -> dict[Hashable, str]:
    """Say which side each group is on.

    Groups are drawn in an order that follows from the seed, and go to the test side as long as
    its share is not exceeded, then to the validation side, and else to the training side.

    Parameters
    ----------
    groups
        ``(N,)``: the group of each protein.
    split
        How it is divided.

    Raises
    ------
    GstError
        If a group to hold out is not there, or a side that was asked for stays empty.
    """
    sizes = Counter(groups)
    total = len(groups)
    side_of: dict[Hashable, str] = {}
    if split.hold_out:
        by_name = {str(group).casefold(): group for group in sizes}
        for name in split.hold_out:
            if name.casefold() not in by_name:
                raise GstError(f"no protein is of the {split.by} '{name}'", where="--hold_out")
            side_of[by_name[name.casefold()]] = TEST
    rooms = {
        TEST: 0 if split.hold_out else math.floor(split.test * total),
        VALIDATION: math.floor(split.validation * total),
    }
    order = list(sizes)  # by their first proteins
    # Nothing here is secret: the same seed is to give the same sides.
    random.Random(split.seed).shuffle(order)  # noqa: S311
    for group in order:
        if group in side_of:
            continue
        side = next((name for name, room in rooms.items() if sizes[group] <= room), TRAIN)
        side_of[group] = side
        if side in rooms:
            rooms[side] -= sizes[group]
    asked = {TRAIN: True, TEST: True, VALIDATION: split.validation > 0}
    for name, wanted in asked.items():
        if wanted and name not in side_of.values():
            raise GstError(
                f"nothing is left for the side '{name}': there are {len(sizes):,} groups, the "
                f"smallest of {min(sizes.values()):,} proteins of {total:,}",
                hint=f"give it a greater share with --{TEST} or --{VALIDATION}, or name groups "
                "with --hold_out"
                if name != TRAIN
                else "hold out fewer groups",
            )
    return side_of


def _groups(table: Path, split: Split, say: Callable[[str], None]) -> list[Hashable]:
    if split.by == "random":
        return list(range(sum(1 for _ in read_rows(table, ["taxon_id"]))))
    if split.by == "cluster":
        sequences: Iterable[str] = (row["sequence"] for row in read_rows(table, ["sequence"]))
        return list(cluster(sequences, split.identity, say).tolist())
    # a species whose genus the taxonomy does not know is one of its own
    rows = read_rows(table, [split.by, "species"])
    return [row[split.by] or row["species"] for row in rows]


def _manifest(parent: dict[str, Any], split: Split, side: str, table: Path) -> Manifest:
    """Say of a side what it is a part of."""
    manifest = Manifest(parent.get("database", ""), parent.get("release", ""))
    manifest.licence = parent.get("licence", {})
    manifest.options = {
        **parent.get("options", {}),
        "split": {
            "side": side,
            "of": sha256(table),
            "by": split.by,
            "test": split.test,
            "validation": split.validation,
            "hold_out": list(split.hold_out),
            "seed": split.seed,
            **({"identity": split.identity} if split.by == "cluster" else {}),
        },
    }
    manifest.notes = list(parent.get("notes", []))
    return manifest
