"""Gene nomenclature: what committees have approved, and which symbol an old label stands for."""

from gst_core.nomenclature.canonical import LabelledSequence, canonicalise
from gst_core.nomenclature.entries import settle_entries
from gst_core.nomenclature.mapping import (
    Canonical,
    Entry,
    Rule,
    read_canonical,
    relabel,
    write_canonical,
)
from gst_core.nomenclature.proposals import is_mhc_of_species
from gst_core.nomenclature.spelling import choose_spelling, normal_form
from gst_core.nomenclature.tables import (
    HgncGene,
    ModelGene,
    Tables,
    read_hgnc,
    read_mouse,
    read_tables,
    read_zebrafish,
)

__all__ = [
    "Canonical",
    "Entry",
    "HgncGene",
    "LabelledSequence",
    "ModelGene",
    "Rule",
    "Tables",
    "canonicalise",
    "choose_spelling",
    "is_mhc_of_species",
    "normal_form",
    "read_canonical",
    "read_hgnc",
    "read_mouse",
    "read_tables",
    "read_zebrafish",
    "relabel",
    "settle_entries",
    "write_canonical",
]
