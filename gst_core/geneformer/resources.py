"""Geneformer's vocabulary: genes, tokens, medians, and the names that lead to them.

One file a model version, made by ``geneformer setup`` from the official
dictionaries (:mod:`gst_core.geneformer.official`). No pickle is read at run time.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.dictionary_file import read_arrays, write_arrays

Strings = NDArray[np.str_]

#: model version -> longest cell, special tokens included
MAX_LENGTH = {"V1": 2048, "V2": 4096}

#: Gene medians are of counts scaled to this total.
TARGET_SUM = 10_000

_SPECIAL = ("pad", "mask", "cls", "eos")

#: The version of an Ensembl id, and GENCODE's mark of a gene on both sex chromosomes.
_VERSION = re.compile(r"^(ENS[A-Z]*[GTP]\d{11})\.\d+(?:_PAR_Y)?$")


def normalised(name: str) -> str:
    """Upper-case a gene's name, without surrounding space and without an Ensembl version."""
    return _VERSION.sub(r"\1", name.strip().upper())


def is_versioned(name: str) -> bool:
    """Whether a name is an Ensembl id with a version."""
    return _VERSION.match(name.strip().upper()) is not None


def resources_folder(folder: Path | None = None) -> Path:
    """Where dictionaries lie: `folder`, else ``GENEFORMER_DATA``, else the user's data folder."""
    if folder is not None:
        return folder
    if chosen := os.environ.get("GENEFORMER_DATA"):
        return Path(chosen)
    return platformdirs.user_data_path("geneformer")


def resources_file(model_version: str, folder: Path | None = None) -> Path:
    """Return the file of a model version's dictionary."""
    return resources_folder(folder) / f"geneformer_{model_version}.dictionary"


@dataclass(frozen=True)
class Resources:
    """The dictionary of one model version.

    Attributes
    ----------
    model_version
        ``"V1"`` or ``"V2"``.
    gene_ids
        Ensembl ids of the genes that have a token, sorted; shape ``(genes,)``.
    token_ids
        Their tokens, int32, shape ``(genes,)``.
    medians
        Their medians of non-zero counts over the pretraining corpus, of cells
        scaled to 10,000 counts; float64, shape ``(genes,)``.
    symbols
        Their symbols, ``""`` where there is none; shape ``(genes,)``.
    other_ids
        Human genes without a token that a name leads to.
    names, targets
        Upper-case names (symbols, aliases, retired and current Ensembl ids) as
        sorted UTF-8 bytes, and what each stands for: positions in `gene_ids`
        followed by `other_ids`.
    pad_token, mask_token, cls_token, eos_token
        Special tokens; V1 has neither of the last two.
    sources
        File name and SHA-256 of each official file it was made from.
    """

    model_version: str
    gene_ids: Strings
    token_ids: NDArray[np.int32]
    medians: NDArray[np.float64]
    symbols: Strings
    other_ids: Strings
    names: NDArray[np.bytes_]
    targets: NDArray[np.int32]
    pad_token: int
    mask_token: int
    cls_token: int | None
    eos_token: int | None
    sources: Mapping[str, str]

    @property
    def max_length(self) -> int:
        """Tokens of a cell at most, special tokens included."""
        return MAX_LENGTH[self.model_version]

    @property
    def vocabulary_size(self) -> int:
        """Genes and special tokens: the rows of a network's embedding."""
        special = (self.pad_token, self.mask_token, self.cls_token, self.eos_token)
        largest = int(self.token_ids.max(initial=0))
        return 1 + max(largest, *(token for token in special if token is not None))

    @property
    def special_tokens(self) -> list[int]:
        """Tokens that every cell has and that are no genes: none in V1, cls and eos in V2."""
        return [token for token in (self.cls_token, self.eos_token) if token is not None]

    @property
    def digest(self) -> str:
        """SHA-256 of what tokens follow from: genes, their tokens and medians, special tokens."""
        special = [self.pad_token, self.mask_token, self.cls_token, self.eos_token]
        head = json.dumps([self.model_version, special, self.gene_ids.tolist()])
        found = hashlib.sha256(head.encode())
        found.update(self.token_ids.astype("<i4").tobytes())
        found.update(self.medians.astype("<f8").tobytes())
        return found.hexdigest()

    @classmethod
    def build(
        cls,
        model_version: str,
        tokens: Mapping[str, int],
        medians: Mapping[str, float],
        mapping: Mapping[str, str] | None = None,
        symbols: Mapping[str, str] | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> Resources:
        """Make a dictionary from plain ones, as the official files hold them.

        Parameters
        ----------
        model_version
            ``"V1"`` or ``"V2"``.
        tokens
            Ensembl ids and special tokens (``<pad>``, ``<mask>``, ``<cls>``,
            ``<eos>``) to token ids.
        medians
            Ensembl ids to medians; of every gene that has a token.
        mapping
            Any name to an Ensembl id. What is not in it stands for itself.
        symbols
            Symbols to Ensembl ids. Those that `mapping` lacks are added to it:
            V1's knows no symbols.
        sources
            What it is made from, by file name.

        Raises
        ------
        GstError
            If the dictionaries do not fit each other.
        """
        if model_version not in MAX_LENGTH:
            raise GstError(f"unknown model version {model_version}", hint="there are V1 and V2")
        special = {name: tokens.get(f"<{name}>") for name in _SPECIAL}
        for name in _SPECIAL[: 2 if model_version == "V1" else 4]:
            if special[name] is None:
                raise GstError(f"the token dictionary of {model_version} has no <{name}>")
        genes = sorted(name for name in tokens if not name.startswith("<"))
        numbers = [*(t for t in special.values() if t is not None), *(tokens[g] for g in genes)]
        if len(set(numbers)) != len(numbers) or min(numbers) < 0 or max(numbers) >= 2**15:
            raise GstError("tokens must differ from each other and lie between 0 and 32,767")
        for gene in genes:
            if not 0 < medians.get(gene, 0.0) < np.inf:
                raise GstError(f"the median dictionary has no positive median of {gene}")
        leads = {gene: gene for gene in genes}
        leads |= {normalised(name): gene for name, gene in (symbols or {}).items()}
        leads |= {normalised(name): gene for name, gene in (mapping or {}).items()}
        leads.pop("", None)
        if not all(text.isascii() for text in [*leads.values(), *(symbols or {})]):
            raise GstError("Ensembl ids and symbols of the dictionaries must be ASCII")
        others = sorted(set(leads.values()) - set(genes))
        place = {gene: position for position, gene in enumerate([*genes, *others])}
        symbol_of = {gene: symbol for symbol, gene in (symbols or {}).items()}
        keys = np.array([name.encode() for name in leads], "S")
        order = np.argsort(keys, kind="stable")
        return cls(
            model_version=model_version,
            gene_ids=np.array(genes, "U"),
            token_ids=np.array([tokens[gene] for gene in genes], np.int32),
            medians=np.array([medians[gene] for gene in genes], np.float64),
            symbols=np.array([symbol_of.get(gene, "") for gene in genes], "U"),
            other_ids=np.array(others, "U"),
            names=keys[order],
            targets=np.array([place[gene] for gene in leads.values()], np.int32)[order],
            pad_token=int(tokens["<pad>"]),
            mask_token=int(tokens["<mask>"]),
            cls_token=_optional(special["cls"] if model_version == "V2" else None),
            eos_token=_optional(special["eos"] if model_version == "V2" else None),
            sources=dict(sources or {}),
        )

    def save(self, path: Path) -> None:
        """Write the dictionary; :meth:`read` is the way back."""
        header = {
            "model_version": self.model_version,
            "special": [self.pad_token, self.mask_token, self.cls_token, self.eos_token],
            "sources": dict(self.sources),
        }
        write_arrays(path, header, {name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def read(cls, path: Path) -> Resources:
        """Read a dictionary that :meth:`save` wrote.

        Raises
        ------
        GstError
            If it is damaged or something else.
        OSError
            If it cannot be read.
        """
        header, arrays = read_arrays(path, plain=("names",))
        pad, mask, cls_, eos = header["special"]
        return cls(
            model_version=header["model_version"],
            pad_token=pad,
            mask_token=mask,
            cls_token=cls_,
            eos_token=eos,
            sources=header["sources"],
            **arrays,
        )

    @classmethod
    def load(cls, model_version: str = "V2", folder: Path | None = None) -> Resources:
        """Load the dictionary of a model version that ``geneformer setup`` wrote.

        Parameters
        ----------
        model_version
            ``"V1"`` or ``"V2"``.
        folder
            Where it lies. Without it, the folder that the environment variable
            ``GENEFORMER_DATA`` names, or the user's data folder.

        Raises
        ------
        GstError
            If it is not there, saying what to run, or damaged.
        """
        path = resources_file(model_version, folder)
        if not path.is_file():
            raise GstError(
                f"no dictionary of Geneformer {model_version} in {path.parent}",
                hint="run: geneformer setup --from DIR, where DIR has Geneformer's official "
                "files (or --download)",
            )
        return cls.read(path)

    @classmethod
    def fitting(cls, size: int, folder: Path | None = None) -> Resources:
        """Load the dictionary that has as many tokens as a network; see :meth:`load`.

        Raises
        ------
        GstError
            If none has.
        """
        missing: GstError | None = None
        for version in sorted(MAX_LENGTH, reverse=True):
            try:
                found = cls.load(version, folder)
            except GstError as error:
                missing = missing or error
                continue
            if found.vocabulary_size == size:
                return found
        if missing is not None:
            raise missing
        raise GstError(
            f"no dictionary has the network's {size:,} tokens",
            hint="name the folder of the dictionary that belongs to it with --resources, or set it "
            "up: geneformer setup --from DIR",
        )

    def require_size(self, size: int, where: str | None = None) -> None:
        """Make sure that a network has as many tokens.

        Raises
        ------
        GstError
            If it has more or fewer.
        """
        if size != self.vocabulary_size:
            raise GstError(
                f"the network knows {size:,} tokens, the dictionary of {self.model_version} "
                f"{self.vocabulary_size:,}",
                where=where,
                hint="choose the other --model_version",
            )

    def _targets_of(self, names: Sequence[str] | Strings) -> NDArray[np.int32]:
        """Positions in `gene_ids` followed by `other_ids`; -1 for names that are unknown."""
        if not len(self.names):
            return np.full(len(names), -1, np.int32)
        keys = np.array([normalised(name).encode() for name in names], "S")
        places = np.searchsorted(self.names, keys).clip(max=len(self.names) - 1)
        return np.where(self.names[places] == keys, self.targets[places], np.int32(-1))

    def index_of(self, names: Sequence[str] | Strings) -> NDArray[np.int32]:
        """Find the genes that names stand for.

        Names are upper-cased, Ensembl versions removed, and what is left is
        looked up among Ensembl ids, symbols and aliases.

        Returns
        -------
        ndarray of int32, shape (names,)
            Positions in `gene_ids`; -1 for names that lead to no gene with a token.
        """
        targets = self._targets_of(names)
        return np.where(targets < len(self.gene_ids), targets, np.int32(-1))

    def ensembl_of(self, names: Sequence[str] | Strings) -> Strings:
        """Human Ensembl ids of names, with a token or without; ``""`` for unknown names."""
        known = np.concatenate([self.gene_ids, self.other_ids, np.array([""], "U")])
        return known[self._targets_of(names)]

    def symbol_of(self, position: int) -> str:
        """Symbol of the gene at a position, or its Ensembl id where it has none."""
        return str(self.symbols[position]) or str(self.gene_ids[position])

    @functools.cached_property
    def position_of_token(self) -> NDArray[np.int32]:
        """Positions in `gene_ids` by token; -1 for special tokens. Shape ``(vocabulary_size,)``."""
        positions = np.full(self.vocabulary_size, -1, np.int32)
        positions[self.token_ids] = np.arange(len(self.token_ids), dtype=np.int32)
        return positions

    def tokens_of(self, names: Iterable[str]) -> NDArray[np.int32]:
        """Tokens of genes named by Ensembl id, symbol or alias.

        Raises
        ------
        GstError
            If a name has no token.
        """
        names = list(names)
        positions = self.index_of(names)
        unknown = [name for name, position in zip(names, positions, strict=True) if position < 0]
        if unknown:
            more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
            raise GstError(
                f"no token of Geneformer {self.model_version} for: {', '.join(unknown[:5])}{more}",
                hint="give human Ensembl ids or symbols of its vocabulary",
            )
        return self.token_ids[positions]


_ARRAYS = ("gene_ids", "token_ids", "medians", "symbols", "other_ids", "names", "targets")


def _optional(token: int | None) -> int | None:
    return None if token is None else int(token)
