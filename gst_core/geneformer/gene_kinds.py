"""What genes are named by, told from the look of their names."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

HUMAN_IDS: Final = "human Ensembl ids"
OTHER_IDS: Final = "Ensembl ids of another species"
#: As ENSG00000141510_TP53 and GRCh38_ENSG00000141510.
JOINED_IDS: Final = "human Ensembl ids joined with other text"
#: As Cell Ranger writes genes of a reference of several genomes: GRCh38_TP53, hg19___TP53.
PREFIXED: Final = "names with the genome before them"
ENTREZ_IDS: Final = "Entrez ids"
#: Row numbers, which stand where a file has no names.
NUMBERS: Final = "row numbers"
#: What genes named as Actb are taken for, where most are.
RODENT_SYMBOLS: Final = "rodent symbols"
SYMBOLS: Final = "symbols"

_HUMAN: Final = re.compile(r"ENSG\d{11}(\.\d+)?(_PAR_Y)?", re.IGNORECASE)
_JOINED: Final = re.compile(r"(^|[^A-Z0-9])ENSG\d{11}([^0-9]|$)", re.IGNORECASE)
_ENSEMBL: Final = re.compile(r"ENS([A-Z]{3,4})?G\d{11}(\.\d+)?", re.IGNORECASE)
_PREFIXED: Final = re.compile(r"(GRC[a-z]+\d+|hg\d\d|mm\d\d?)_+\S+", re.IGNORECASE)
#: With the decimals that a table program adds.
_ENTREZ: Final = re.compile(r"\d+(\.0+)?")
_TITLE: Final = re.compile(r"[A-Z][a-z0-9]+[a-z][A-Za-z0-9-]*")
_MONTH: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec"
#: What spreadsheets make of MARCH1, SEPT2 and DEC1 in several languages' default formats.
_DATE: Final = re.compile(
    rf"\d{{1,2}}-({_MONTH})|({_MONTH})-\d{{1,2}}|(19|20)\d\d-\d\d-\d\d( 00:00:00)?",
    re.IGNORECASE,
)
#: Of the symbols in this case, a file is taken for a rodent's.
_RODENT: Final = 0.5


def kinds_of_names(names: NDArray[np.str_]) -> dict[str, int]:
    """Count names by what they look like; symbols are a rodent's where most are in its case."""
    kinds = dict.fromkeys(
        (
            HUMAN_IDS,
            OTHER_IDS,
            JOINED_IDS,
            PREFIXED,
            ENTREZ_IDS,
            NUMBERS,
            RODENT_SYMBOLS,
            SYMBOLS,
        ),
        0,
    )
    if len(names) > 1 and _are_row_numbers(names):
        return kinds | {NUMBERS: len(names)}
    titled = sum(bool(_TITLE.fullmatch(name)) for name in names)
    symbols = RODENT_SYMBOLS if titled > _RODENT * len(names) else SYMBOLS
    for name in names:
        if _HUMAN.fullmatch(name):
            kinds[HUMAN_IDS] += 1
        elif _ENSEMBL.fullmatch(name):
            kinds[OTHER_IDS] += 1
        elif _JOINED.search(name):
            kinds[JOINED_IDS] += 1
        elif _PREFIXED.fullmatch(name):
            kinds[PREFIXED] += 1
        elif _ENTREZ.fullmatch(name):
            kinds[ENTREZ_IDS] += 1
        else:
            kinds[symbols] += 1
    return kinds


def _are_row_numbers(names: NDArray[np.str_]) -> bool:
    return all(name == str(number) for number, name in enumerate(names))


def dates(names: NDArray[np.str_]) -> list[str]:
    """Find the names that a spreadsheet turned into dates."""
    return [str(name) for name in names if _DATE.fullmatch(name)]


def advice_for(kind: str, few: bool = False) -> str:
    """Say what to do where no name of a kind, or but a `few`, leads to a gene."""
    extract = "adata.var_names.str.extract"
    particular = {
        OTHER_IDS: "use geneformer bridge for a species that is not human",
        JOINED_IDS: "leave the ids alone: adata.var['ensembl_id'] = "
        f"{extract}(r'(ENSG\\d{{11}})', expand=False).values",
        PREFIXED: "take the genome off the names of the human genes: adata.var['ensembl_id'] = "
        f"{extract}(r'^(?:GRCh\\d+|hg\\d+)_+(.+)', expand=False).values",
        NUMBERS: "the file does not say which gene a row is: put human Ensembl ids or symbols "
        "into var['ensembl_id']",
    }
    if few:
        otherwise = "is this human, and are these the right names? (--gene_column)"
    else:
        otherwise = "put human Ensembl ids or symbols into var['ensembl_id']"
    return particular.get(kind, otherwise)
