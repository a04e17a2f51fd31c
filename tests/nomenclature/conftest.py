"""Made-up genes: families of proteins, and the tables that name them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gst_core.sequences import ALPHABET, encode
from gst_core.taxonomy import resolve
from gst_core.training.proteins import LabelledProtein

Make = Callable[..., LabelledProtein]

HGNC = """\
hgnc_id\tsymbol\tname\tlocus_group\tstatus\tprev_symbol\talias_symbol\tuniprot_ids
HGNC:1\tEIF3B\teukaryotic factor 3B\tprotein-coding gene\tApproved\tEIF3S9\t"PRT1|EIF3-ETA"\tP55884
HGNC:2\tMT-ND4\tNADH dehydrogenase 4\tprotein-coding gene\tApproved\tMTND4\tND4\tP03905
HGNC:3\tMYC\tMYC proto-oncogene\tprotein-coding gene\tApproved\t\tc-Myc\tP01106
HGNC:4\tYES1\tYES proto-oncogene 1\tprotein-coding gene\tApproved\t\tYES\tP07947
HGNC:5\tTP53\ttumor protein p53\tprotein-coding gene\tApproved\t\t\tP04637
HGNC:6\tHBB\thaemoglobin beta\tprotein-coding gene\tApproved\t\t\tP68871
HGNC:7\tCIMAP2\tmicrotubule protein 2\tprotein-coding gene\tApproved\tLEXM\tC1orf177\tQ3ZCV2
HGNC:8\tCOX8BP\tCOX8B pseudogene\tpseudogene\tApproved\tCOX8B\t\tQ00008
HGNC:9\tPATCHED\tpatched\tprotein-coding gene\tApproved\t\t\t
HGNC:10\tCCDC6\tcoiled coil 6\tprotein-coding gene\tApproved\t\tPTC1\t
HGNC:11\tTWIN1\ttwin 1\tprotein-coding gene\tApproved\tTWIN\t\tP00001
HGNC:12\tTWIN2\ttwin 2\tprotein-coding gene\tApproved\tTWIN\t\tP00002
HGNC:13\tGONE\twithdrawn\tprotein-coding gene\tEntry Withdrawn\tBEFORE\t\t
"""
HOMOLOGY = """\
DB Class Key\tCommon Organism Name\tNCBI Taxon ID\tSymbol\tMouse MGI ID\tHGNC ID
1\tmouse, laboratory\t10090\tTrp53\tMGI:98834\t
1\thuman\t9606\tP53-OLD\t\tHGNC:5
2\tmouse, laboratory\t10090\tHbb-b1\tMGI:96021\t
2\thuman\t9606\tHBB\t\tHGNC:6
3\tmouse, laboratory\t10090\tHbb-b2\tMGI:96022\t
3\thuman\t9606\tHBB\t\tHGNC:6
"""
ALLIANCE = (
    "MGI Accession ID\tMarker Symbol\tMarker Name\tHGNC ID\n"
    "MGI:98834\tTrp53\ttransformation related protein 53\tHGNC:5\t\n"
    "MGI:1\tKap\tkidney androgen regulated protein\tnull\t\n"
)
ZFIN = """\
ZDB-GENE-1\tmyca\tMYC proto-oncogene a\tMYC\tname\tAA
ZDB-GENE-1\tmyca\tMYC proto-oncogene a\tMYC\tname\tNT
ZDB-GENE-2\tmycb\tMYC proto-oncogene b\tMYC\tname\tAA
"""


@pytest.fixture(scope="session")
def table_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of all three committees."""
    folder = tmp_path_factory.mktemp("tables")
    texts = {"hgnc": HGNC, "homology": HOMOLOGY, "alliance": ALLIANCE, "zfin": ZFIN}
    files = {}
    for name, text in texts.items():
        files[name] = folder / f"{name}.txt"
        files[name].write_text(text)
    return files


@pytest.fixture
def make() -> Make:
    """Make a protein of a family: one in ten residues differs from the ancestor's."""
    letters = np.frombuffer(ALPHABET[:20].encode(), dtype=np.uint8)

    def make(symbol: str, species: str, family: str, accession: str = "") -> LabelledProtein:
        ancestor = np.random.default_rng([*family.encode()]).choice(letters, 200)
        rng = np.random.default_rng([*f"{symbol}{species}{accession}".encode()])
        changed = rng.random(200) < 0.1
        residues = np.where(changed, rng.choice(letters, 200), ancestor)
        taxon = resolve(species)
        return LabelledProtein(accession, encode(residues.tobytes()), symbol, taxon)

    return make
