"""From the proteins of a database to a dataset: symbols, a minimum of each, table and manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.dataset.entry import LeftOut
from gst_core.dataset.manifest import Manifest, Species, sha256
from gst_core.dataset.table import MANIFEST, TABLE, TableWriter, read_rows
from gst_core.errors import GstError
from gst_core.nomenclature import (
    Canonical,
    Tables,
    canonicalise,
    write_canonical,
)
from gst_core.sequences import encode
from gst_core.taxonomy import Taxon, resolve

#: The table of symbols that a dataset's labels were given, beside the proteins.
SYMBOLS: Final = "symbols.tsv"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Naming:
    """How labels become symbols.

    Attributes
    ----------
    tables
        What committees say; with them the symbols are found as ``gst symbols`` finds them.
    canonical
        A table of symbols that is there already, in place of that.
    """

    tables: Tables | None = None
    canonical: Canonical | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What of the proteins is kept.

    Attributes
    ----------
    min_count
        Proteins that a symbol must have.
    clades
        Those to keep; all where empty.
    """

    min_count: int = 1
    clades: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Labelled:
    """What ``gst symbols`` has to know of a protein."""

    accession: str
    symbol: str
    codes: NDArray[np.uint8]
    taxon: Taxon


def compose(
    parts: Sequence[Path],
    output: Path,
    manifest: Manifest,
    left_out: LeftOut,
    naming: Naming,
    selection: Selection,
    say: Say,
) -> Manifest:
    """Make a dataset of tables of proteins.

    Parameters
    ----------
    parts
        Tables with the proteins, in the order in which the dataset has them.
    output
        Its folder, which is there.
    manifest
        What is known of it already; the rest is filled in.
    left_out
        What has been left out already.
    naming, selection
        What becomes of labels, and what is kept.
    say
        Called with a sentence for each step.

    Raises
    ------
    GstError
        If no protein is left.
    """
    # Until the new one is whole there is none: a table and a manifest that do not belong together
    # would be worse.
    (output / MANIFEST).unlink(missing_ok=True)
    (output / SYMBOLS).unlink(missing_ok=True)
    canonical = _canonical(parts, naming, selection, output, manifest, say)
    counts = Counter(
        symbol.upper()
        for row in _kept(parts, selection, ("symbol", "clade", "species"))
        if (symbol := _symbol(row, canonical))
    )
    species: dict[str, Species] = {}
    symbols: set[str] = set()
    say("writing the table")
    with TableWriter(output / TABLE) as writer:
        for row in _kept(parts, selection, None, left_out):
            symbol = _symbol(row, canonical)
            if not symbol:
                left_out.add("placeholder in place of a symbol", row["species"])
                continue
            if counts[symbol.upper()] < selection.min_count:
                left_out.add(f"symbol of fewer than {selection.min_count} proteins", row["species"])
                continue
            row["symbol"] = symbol
            symbols.add(symbol.upper())
            own = species.setdefault(
                row["species"], Species(row["species"], row["taxon_id"], row["clade"], 0)
            )
            own.proteins += 1
            writer.add_row(row)
        if not writer.rows:
            reasons = ", ".join(f"{why}: {n:,}" for why, n in left_out.reasons.most_common(4))
            raise GstError(
                "no protein is left",
                where=str(output),
                hint=f"left out: {reasons}" if reasons else "is the input empty?",
            )
    for name, reasons_of in left_out.by_species.items():
        if name in species:
            species[name].left_out = dict(reasons_of.most_common())
        elif name:
            none = Species(name, None, "", 0, dict(reasons_of.most_common()))
            manifest.species.append(none)
    manifest.species = sorted([*species.values(), *manifest.species], key=lambda own: own.name)
    manifest.proteins, manifest.symbols = writer.rows, len(symbols)
    manifest.left_out = dict(left_out.reasons.most_common())
    table = output / TABLE
    manifest.table = {"file": TABLE, "size": table.stat().st_size, "sha256": sha256(table)}
    manifest.write(output)
    return manifest


def _canonical(
    parts: Sequence[Path],
    naming: Naming,
    selection: Selection,
    output: Path,
    manifest: Manifest,
    say: Say,
) -> Canonical | None:
    canonical = naming.canonical
    if canonical is None:
        if naming.tables is None:
            return None
        say("finding the symbols behind labels")
        canonical = canonicalise(_labelled(parts, selection), naming.tables)
        write_canonical(output / SYMBOLS, canonical)
    manifest.options["symbols_by_rule"] = {
        rule.value: labels for rule, (labels, _) in canonical.counts().items() if labels
    }
    return canonical


def _labelled(parts: Sequence[Path], selection: Selection) -> Iterator[_Labelled]:
    taxa: dict[int, Taxon] = {}
    columns = ("stable_id", "symbol", "database", "taxon_id", "clade", "species", "sequence")
    for row in _kept(parts, selection, columns):
        taxon = taxa.get(row["taxon_id"])
        if taxon is None:
            taxon = taxa[row["taxon_id"]] = resolve(row["taxon_id"])
        yield _Labelled(
            row["stable_id"] if row["database"] != "Ensembl" else "",
            row["symbol"],
            encode(row["sequence"].encode("ascii")),
            taxon,
        )


def _kept(
    parts: Sequence[Path],
    selection: Selection,
    columns: Collection[str] | None,
    left_out: LeftOut | None = None,
) -> Iterator[dict[str, Any]]:
    for part in parts:
        for row in read_rows(part, columns):
            if not selection.clades or row["clade"] in selection.clades:
                yield row
            elif left_out is not None:
                left_out.add("clade that was not asked for", row["species"])


def _symbol(row: dict[str, Any], canonical: Canonical | None) -> str:
    """Give the symbol of a row; empty where its label is a placeholder."""
    label: str = row["symbol"]
    if canonical is None:
        return label
    return "" if canonical.is_provisional(label) else canonical.symbol(label)
