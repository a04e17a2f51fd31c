"""From a scientific name or a taxon id to the clade categories of Ensembl Genebuild, offline.

The table behind it is made from the NCBI taxonomy by ``scripts/build_taxonomy.py``;
``docs/taxonomy.md`` says which names and ids it holds and defines the categories.
"""

from __future__ import annotations

import difflib
import functools
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import zstandard

from gst_core.clades import CLADES, LEGACY_CLADE_OF_TAXON
from gst_core.errors import GstError

__all__ = ["CLADES", "Taxon", "Taxonomy", "load_taxonomy", "normalise", "resolve"]

ASSETS: Final = Path(__file__).parent / "assets"
NAMES_FILE: Final = "taxonomy_names.tsv.zst"
IDS_FILE: Final = "taxonomy_ids.u32.zst"


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
    """

    query: str
    taxon_id: int
    scientific_name: str
    rank: str
    clade: str | None
    legacy_clade: str | None
    genus: str | None
    exact: bool

    @property
    def note(self) -> str:
        """One sentence on how the query was understood."""
        found = f"{self.scientific_name} (taxon id {self.taxon_id}, {self.rank})"
        clade = f"clade {self.clade}" if self.clade else "no clade"
        if self.exact:
            return f"'{self.query}' is {found}: {clade}"
        return f"'{self.query}' is taken by its {self.rank}, {found}: {clade}"


def normalise(name: str) -> str:
    """Bring a name into the spelling that is looked up.

    Underscores are spaces, as in Ensembl's production names; case, quotes, the brackets
    of ``[Candida] auris`` and the subgenus of ``Xenopus (Silurana) tropicalis`` go.
    """
    text = name.translate(_SPELLING).lower()
    words = text.split()
    kept = [w for w in words if not (w.startswith("(") and w.endswith(")"))]
    return " ".join(kept or words)


_SPELLING: Final = str.maketrans({"_": " ", "[": None, "]": None, "'": None, '"': None})


class Taxonomy:
    """The table: a text line a taxon, and for each taxon id where its line starts.

    A line is ``taxon_id|clade|legacy_clade|genus|rank``, then, each after a tab, the
    scientific name and its synonyms and, after a tab more, names of species below the taxon
    that their first word would not lead to. Nothing stands for None. A name is found by
    searching the text, which takes a hundredth of a second and needs no index.

    Parameters
    ----------
    names
        The lines, ASCII.
    ids
        Little-endian unsigned 32-bit integers: element `i` is one more than the offset of
        the line of taxon id `i` or of its nearest ancestor that has one; 0 where NCBI has
        no such id.
    """

    def __init__(self, names: bytes, ids: bytes) -> None:
        self._text = names
        self._ids = ids

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
        lower = self._text.lower()  # not kept: nine megabytes, for ten milliseconds
        for length in range(len(words), 0, -1):
            whole = length == len(words)
            matches = [
                self._taxon(line, query, exact=whole and own)
                for line, own in _lines_named(lower, " ".join(words[:length]))
            ]
            if length == 1 and not whole:
                matches = [taxon for taxon in matches if taxon.rank in ("genus", "subgenus")]
            if matches:
                return _the_one(matches)
        nearest = self.nearest(query)
        raise GstError(
            f"'{query}' is not a name in the NCBI taxonomy of the built-in table",
            hint=(f"did you mean {' or '.join(nearest)}? " if nearest else "")
            + "an older name of the species, its genus, a taxon id or a clade do as well",
        )

    def nearest(self, name: str, number: int = 3) -> list[str]:
        """Names of the table that are spelled most like one that is not in it, best first.

        The first word is compared with all genera and higher taxa; what follows, with the
        names that begin with one of the best of them.
        """
        first, *rest = normalise(name).split()
        lines = (line.split("\t\t")[0] for line in self._text.decode("ascii").splitlines())
        names = [name for line in lines for name in line.split("\t")[1:]]
        heads: dict[str, str] = {}
        for head in names:
            if " " not in head and abs(len(head) - len(first)) <= _LENGTH_DIFFERENCE:
                heads[head.lower()] = head
        alike = difflib.get_close_matches(
            first, _sharing_a_pair_of_letters(first, heads), n=number, cutoff=0.6
        )
        if rest:
            prefixes = tuple(f"{head} " for head in alike)
            longer = {n.lower(): n for n in names if n.lower().startswith(prefixes)}
            best = difflib.get_close_matches(" ".join([first, *rest]), longer, n=number, cutoff=0.6)
            if best:
                return [longer[name] for name in best]
        return [heads[head] for head in alike]

    def _by_id(self, taxon_id: int, query: str) -> Taxon:
        known = 0 < taxon_id < len(self._ids) // _UINT32.size
        offset = _UINT32.unpack_from(self._ids, taxon_id * _UINT32.size)[0] if known else 0
        if not offset:
            raise GstError(
                f"taxon id {query} is not in the NCBI taxonomy of the built-in table",
                hint="it may be newer; give the scientific name, the taxon id of the genus "
                "or a clade",
            )
        taxon = self._taxon(offset - 1, query, exact=True)
        if taxon.taxon_id == taxon_id:
            return taxon
        return self._taxon(offset - 1, query, exact=False)

    def _taxon(self, line: int, query: str, *, exact: bool) -> Taxon:
        fields, name = self._text[line : self._text.index(b"\n", line)].split(b"\t")[:2]
        number, clade, legacy_clade, genus, rank = fields.decode("ascii").split("|")
        taxon_id = int(number)
        if not exact:
            # The original looks at the ancestors of what is asked for: here the line is one.
            legacy_clade = LEGACY_CLADE_OF_TAXON.get(taxon_id, legacy_clade)
        return Taxon(
            query=query,
            taxon_id=taxon_id,
            scientific_name=name.decode("ascii"),
            rank=rank,
            clade=clade or None,
            legacy_clade=legacy_clade or None,
            genus=genus or None,
            exact=exact,
        )


_UINT32: Final = struct.Struct("<I")
_LENGTH_DIFFERENCE: Final = 2


def _lines_named(lower: bytes, name: str) -> list[tuple[int, bool]]:
    """Start of each line with the name, and whether it names the taxon of the line itself.

    Where it is the scientific name of some taxa and a synonym of others, only the first.
    """
    key = b"\t" + name.encode()
    scientific, other = [], []
    at = lower.find(key)
    while at >= 0:
        if lower[at + len(key)] in b"\t\n":
            line = lower.rfind(b"\n", 0, at) + 1
            if lower.find(b"\t", line) == at:
                scientific.append((line, True))
            else:
                other.append((line, lower.find(b"\t\t", line, at) < 0))
        at = lower.find(key, at + 1)
    return scientific or other


def _the_one(taxa: list[Taxon]) -> Taxon:
    """Of taxa with one name, the first, which is the highest where one holds the other."""
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
    decompressor = zstandard.ZstdDecompressor()
    names, ids = (
        decompressor.decompress((ASSETS / file).read_bytes()) for file in (NAMES_FILE, IDS_FILE)
    )
    return Taxonomy(names, ids)


def resolve(name_or_id: str | int) -> Taxon:
    """Find a taxon in the table shipped with the package; see :meth:`Taxonomy.resolve`."""
    return load_taxonomy().resolve(name_or_id)
