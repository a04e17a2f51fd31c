"""From a scientific name or a taxon id to the clade categories of Ensembl Genebuild, offline.

The table behind it is made from the NCBI taxonomy by ``scripts/build_taxonomy.py``;
``docs/taxonomy.md`` says which names and ids it holds and defines the categories, and
:mod:`gst_core.taxonomy_table` how they are stored.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gst_core.clades import CLADES, LEGACY_CLADE_OF_TAXON
from gst_core.errors import GstError
from gst_core.taxonomy_table import Entry, IdTable, NameTable

__all__ = ["CLADES", "Taxon", "Taxonomy", "load_taxonomy", "normalise", "resolve"]

ASSETS: Final = Path(__file__).parent / "assets"
NAMES_FILE: Final = "taxonomy_names.blocks"
IDS_FILE: Final = "taxonomy_ids.blocks"


@dataclass(frozen=True, slots=True)
class Taxon:
    """What the table knows of a name or an id.

    Attributes
    ----------
    query
        What was asked for.
    taxon_id, scientific_name, rank
        The taxon of the NCBI taxonomy that answers: the one asked for, or the nearest
        above it that the table holds.
    clade
        One of :data:`CLADES`; None outside Eukaryota and viruses.
    legacy_clade
        The category that the original program gives; None where it fails.
    genus
        Name of the genus; None above it.
    exact
        Whether the taxon that answers is the one asked for, under any of its names.
    suggestions
        Species of the genus that may have been meant, where the genus answers for one whose
        name is not known.
    """

    query: str
    taxon_id: int
    scientific_name: str
    rank: str
    clade: str | None
    legacy_clade: str | None
    genus: str | None
    exact: bool
    suggestions: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """One sentence on how the query was understood."""
        found = f"{self.scientific_name} (taxon id {self.taxon_id}, {self.rank})"
        clade = f"clade {self.clade}" if self.clade else "no clade"
        if self.exact:
            return f"'{self.query}' is {found}: {clade}"
        meant = f" (did you mean {' or '.join(self.suggestions)}?)" if self.suggestions else ""
        return f"'{self.query}' is taken by its {self.rank}, {found}: {clade}{meant}"


def normalise(name: str) -> str:
    """Bring a name into the spelling that is looked up.

    Underscores are spaces, as in Ensembl's production names; case, quotes, the brackets
    of ``[Candida] auris`` and the subgenus of ``Xenopus (Silurana) tropicalis`` go.
    """
    text = name.translate(_SPELLING).lower()
    words = text.split()
    kept = [w for w in words if not (w.startswith("(") and w.endswith(")"))]
    return " ".join(kept or words)


_SPELLING: Final = str.maketrans(
    {"_": " ", "[": None, "]": None, "'": None, '"': None, "\N{MULTIPLICATION SIGN}": " x "}
)
_GENERA_AND_BELOW: Final = frozenset(("genus", "subgenus", "species", "subspecies"))
_EPITHET: Final = re.compile(r"[a-z-]{3,}")
_INITIAL: Final = re.compile(r"[a-z]\.")
#: Spellings that are less alike than this are not one word mistyped.
_ALIKE: Final = 0.8
_LENGTH_DIFFERENCE: Final = 2


class Taxonomy:
    """The table: names and ids of NCBI taxa.

    Parameters
    ----------
    names, ids
        The two files that :func:`gst_core.taxonomy_table.pack_names` and
        :func:`~gst_core.taxonomy_table.pack_ids` make.
    """

    def __init__(self, names: bytes, ids: bytes) -> None:
        self._names = NameTable(names)
        self._ids = IdTable(ids)

    def resolve(self, name_or_id: str | int) -> Taxon:
        """Find a taxon by scientific name, synonym or taxon id.

        A name that is not in the table is shortened word by word, so that strains and
        subspecies are found by their species and other species by their genus.

        Parameters
        ----------
        name_or_id
            ``"Sus scrofa"``, ``"sus_scrofa"``, ``"9823"``, ``9823``; case does not matter.

        Raises
        ------
        GstError
            For an unknown name, with the nearest ones; for one that two taxa of different
            clades bear; for an id that NCBI did not have when the table was built.
        """
        query = str(name_or_id).strip()
        if query.isascii() and query.isdigit():
            return self._by_id(int(query), query)
        words = normalise(query).split()
        if not words:
            raise GstError("the name of the species is empty", hint="give one, as Sus scrofa")
        for key, whole in _shortened(words):
            taxa = self._named(key, query, whole=whole)
            if " " not in key and not whole:
                taxa = [taxon for taxon in taxa if taxon.rank in ("genus", "subgenus")]
            if taxa:
                found = _the_one(taxa)
                alike = () if " " in key or whole else self._alike_in_genus(key, words[1])
                return replace(found, suggestions=alike)
        nearest = self.nearest(query)
        raise GstError(
            f"'{query}' is not a name in the NCBI taxonomy of the built-in table",
            hint=(f"did you mean {' or '.join(nearest)}? " if nearest else "")
            + "an older name of the species, its genus, a taxon id or a clade do as well",
        )

    def nearest(self, name: str, number: int = 3) -> list[str]:
        """Names of the table that are spelled most like one that is not in it, best first.

        Species of the same genus go first. Otherwise the first word is compared with all
        genera and higher taxa; what follows, with the names that begin with the best of them.
        An initial for the genus, as in ``S. scrofa``, stands for all that begin with it.
        """
        first, *rest = normalise(name).split()
        if rest and (same := self._alike_in_genus(first, rest[0], number)):
            return list(same)
        if rest and _INITIAL.fullmatch(first):
            whole = re.compile(rf"{first[0]}[a-z-]+ {re.escape(rest[0])}", re.IGNORECASE)
            return [n for n in self._names.starting(first[0]) if whole.fullmatch(n)][:number]
        lengths = max(len(first) - _LENGTH_DIFFERENCE, 1), len(first) + _LENGTH_DIFFERENCE
        heads = {head.lower(): head for head in self._names.words(*lengths)}
        alike = difflib.get_close_matches(
            first, _sharing_a_pair_of_letters(first, heads), n=number, cutoff=_ALIKE
        )
        if rest:
            longer = {n.lower(): n for head in alike for n in self._names.starting(f"{head} ")}
            best = difflib.get_close_matches(
                " ".join([first, *rest]), longer, n=number, cutoff=_ALIKE
            )
            if best:
                return [longer[name] for name in best]
        return [heads[head] for head in alike]

    def _alike_in_genus(self, genus: str, epithet: str, number: int = 3) -> tuple[str, ...]:
        """Species of a genus that are spelled like one that is not among them."""
        if not _EPITHET.fullmatch(epithet):
            return ()
        epithets: dict[str, str] = {}
        for name in self._names.starting(f"{genus} "):
            epithets.setdefault(name.split(" ")[1].lower(), " ".join(name.split(" ")[:2]))
        best = difflib.get_close_matches(epithet, epithets, n=number, cutoff=_ALIKE)
        return tuple(epithets[word] for word in best)

    def _by_id(self, taxon_id: int, query: str) -> Taxon:
        line = self._ids.line(taxon_id)
        if line is None:
            raise GstError(
                f"taxon id {query} is not in the NCBI taxonomy of the built-in table",
                hint="it may be newer; give the scientific name, the taxon id of the genus "
                "or a clade",
            )
        entry = self._names.line(line)
        return _taxon(entry, query, exact=entry.taxon_id == taxon_id)

    def _named(self, key: str, query: str, *, whole: bool) -> list[Taxon]:
        """Taxa of a name; of taxa that bear it as their scientific name, only these."""
        entries = self._names.named(key)
        scientific = [_taxon(entry, query, exact=whole) for entry in entries if not entry.kind]
        return scientific or [
            _taxon(self._meant(entry), query, exact=whole and entry.kind == "=")
            for entry in entries
        ]

    def _meant(self, entry: Entry) -> Entry:
        line = self._ids.line(entry.taxon_id)
        assert line is not None
        return self._names.line(line)


def _taxon(entry: Entry, query: str, *, exact: bool) -> Taxon:
    legacy_clade = entry.legacy_clade
    if not exact:
        # The original looks at the ancestors of what is asked for: here the line is one.
        legacy_clade = LEGACY_CLADE_OF_TAXON.get(entry.taxon_id, legacy_clade)
    return Taxon(
        query=query,
        taxon_id=entry.taxon_id,
        scientific_name=entry.name,
        rank=entry.rank,
        clade=entry.clade or None,
        legacy_clade=legacy_clade or None,
        genus=entry.genus or None,
        exact=exact,
    )


def _shortened(words: list[str]) -> Iterator[tuple[str, bool]]:
    """Give a name, then what is left of it without its last words; and whether it is whole.

    What follows a full stop is a word too, as in ``Homo_sapiens.GRCh38``.
    """
    for length in range(len(words), 0, -1):
        key = " ".join(words[:length])
        yield key, length == len(words)
        before, stop, after = words[length - 1].partition(".")
        if stop and after and len(before) > 1:
            yield " ".join([*words[: length - 1], before]), False


def _the_one(taxa: list[Taxon]) -> Taxon:
    """Of taxa with one name, the first, which is the highest where one holds the other.

    A name that genera share with one higher taxon is the latter's: Vertebrata are the
    vertebrates, and not an alga.
    """
    higher = [taxon for taxon in taxa if taxon.rank not in _GENERA_AND_BELOW]
    if len(higher) == 1:
        return higher[0]
    if len({taxon.clade for taxon in taxa}) > 1:
        each = ", ".join(f"{t.taxon_id} ({t.rank}, {t.clade or 'no clade'})" for t in taxa)
        raise GstError(
            f"'{taxa[0].query}' is the name of taxa of different clades: {each}",
            hint="give the taxon id or the clade instead",
        )
    return taxa[0]


def _sharing_a_pair_of_letters(word: str, candidates: Iterable[str]) -> list[str]:
    """Keep what a slow comparison is worth: at least a third of the letter pairs in common."""
    pairs = {word[i : i + 2] for i in range(len(word) - 1)}
    enough = max(1, len(pairs) // 3)
    return [c for c in candidates if sum(pair in c for pair in pairs) >= enough]


@functools.cache
def load_taxonomy() -> Taxonomy:
    """Read the table shipped with the package, once."""
    names, ids = ((ASSETS / file).read_bytes() for file in (NAMES_FILE, IDS_FILE))
    return Taxonomy(names, ids)


@functools.lru_cache(maxsize=65_536)
def resolve(name_or_id: str | int) -> Taxon:
    """Find a taxon in the table shipped with the package; see :meth:`Taxonomy.resolve`."""
    return load_taxonomy().resolve(name_or_id)
