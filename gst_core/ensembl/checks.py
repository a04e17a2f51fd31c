"""The datachecks of Ensembl's group ``xref_gene_symbol_transformer``, and foreign keys.

Names, descriptions and severities are those of Ensembl's datachecks. Of that
group the comparisons with an earlier release's database are left to Ensembl's
own program, as are the datachecks of GO terms and transcript names, which
nothing here writes.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, distinct, func, not_, or_, select

from gst_core.ensembl import schema
from gst_core.ensembl.check_facts import ACCESSION_PREFIXES, FOREIGN_KEYS, UNIPROT_PROTEINS
from gst_core.ensembl.datacheck import Datacheck, Scope, Test
from gst_core.ensembl.genes import species_regions

_xref, _source, _link = schema.xref, schema.external_db, schema.object_xref
_gene, _transcript = schema.gene, schema.transcript


def _xrefs_of_source(*columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(*columns)
        .select_from(_xref)
        .join(_source, _source.c.external_db_id == _xref.c.external_db_id)
    )


def _links_of_source(*columns: ColumnElement[Any]) -> Select[Any]:
    return _xrefs_of_source(*columns).join(_link, _link.c.xref_id == _xref.c.xref_id)


def _displayed(features: Table, scope: Scope, *columns: ColumnElement[Any]) -> Select[Any]:
    """Join genes or transcripts of the species with what they display."""
    return (
        select(features.c.stable_id, *columns)
        .join(_xref, _xref.c.xref_id == features.c.display_xref_id)
        .join(_source, _source.c.external_db_id == _xref.c.external_db_id)
        .where(features.c.seq_region_id.in_(species_regions(scope.species_id)))
    )


def _unprintable(column: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(*(column.contains(character) for character in "\n\r\t"))


def _xref_types(scope: Scope) -> list[Test]:
    kinds = func.count(distinct(_link.c.ensembl_object_type))
    several = _links_of_source(_source.c.db_name).group_by(_source.c.db_name).having(kinds > 1)
    go = _links_of_source(_link.c.object_xref_id).where(
        _source.c.db_name == "GO", _link.c.ensembl_object_type != "Transcript"
    )
    return [
        Test(
            "No xrefs are associated with multiple object types",
            several,
            "Xrefs are associated with multiple object types",
        ),
        Test("GO xrefs are only associated with transcripts", go),
    ]


def _hgnc_numeric(scope: Scope) -> list[Test]:
    query = _links_of_source(_link.c.object_xref_id, _xref.c.dbprimary_acc).where(
        _source.c.db_name == "HGNC", _xref.c.dbprimary_acc == _xref.c.display_label
    )
    return [Test("HGNC xrefs do not have the accession as the display_label", query)]


def _hgnc_types(scope: Scope) -> list[Test]:
    return [
        Test(
            f"All {source} xrefs assigned to {kind}s",
            _links_of_source(_link.c.object_xref_id, _xref.c.dbprimary_acc).where(
                _source.c.db_name == source, _link.c.ensembl_object_type != kind
            ),
        )
        for source, kind in (("HGNC", "Gene"), ("HGNC_trans_name", "Transcript"))
    ]


def _duplicate_xref(scope: Scope) -> list[Test]:
    key = (_xref.c.external_db_id, _xref.c.info_type, _xref.c.info_text)
    query = (
        select(func.count().label("copies"), _xref.c.dbprimary_acc)
        .group_by(_xref.c.dbprimary_acc, *key)
        .having(func.count() > 1)
    )
    return [
        Test(
            "Xrefs are unique",
            query,
            "Xrefs have been added twice with different descriptions or versions",
        )
    ]


def _xref_prefixes(scope: Scope) -> list[Test]:
    tests = []
    for source, prefixes in ACCESSION_PREFIXES.items():
        right = or_(*(_xref.c.dbprimary_acc.startswith(p, autoescape=True) for p in prefixes))
        pattern = "|".join(f"^{prefix}" for prefix in prefixes)
        tests.append(
            Test(
                f"All dbprimary accessions for xref {source} are prefixed with the correct "
                f"pattern: {pattern}",
                _xrefs_of_source(_xref.c.dbprimary_acc).where(
                    _source.c.db_name == source, not_(right)
                ),
            )
        )
    return tests


def _xref_format(scope: Scope) -> list[Test]:
    accession, label = _xref.c.dbprimary_acc, _xref.c.display_label
    both = select(accession, label)
    return [
        Test(
            "No xrefs have HTML markup in the display_label",
            select(label).where(label.like("%<%>%</%>%")),
            "HTML markup",
        ),
        Test(
            "dbprimary_acc has no empty string values", both.where(accession == ""), "Empty value"
        ),
        Test("display_label has no empty string values", both.where(label == ""), "Empty value"),
        Test(
            "No xrefs display_labels have newlines, tabs or carriage returns",
            both.where(_unprintable(label)),
            "Non-printing character",
        ),
        Test(
            "No xrefs descriptions have newlines, tabs or carriage returns",
            both.where(_unprintable(_xref.c.description)),
            "Non-printing character",
        ),
        Test(
            'No "ECO:" blocks from Uniprot in descriptions',
            both.where(_xref.c.description.like("%{ECO:%}%")),
            '"ECO:" blocks',
        ),
    ]


def _display_xref_format(scope: Scope) -> list[Test]:
    label = _xref.c.display_label
    query = _displayed(_gene, scope, label).where(
        _source.c.db_name == "EntrezGene", label.regexp_match("^[0-9]+$")
    )
    return [Test("EntrezGene gene names are not numeric", query)]


def _display_xref_exists(scope: Scope) -> list[Test]:
    return [
        Test(
            f"{table.name}s have names set via display_xref_id",
            select(table.c.stable_id).where(
                table.c.seq_region_id.in_(species_regions(scope.species_id)),
                table.c.display_xref_id.is_not(None),
            ),
            wants_rows=True,
        )
        for table in (_gene, _transcript)
    ]


def _only_vertebrates(scope: Scope) -> str | None:
    if scope.division == "EnsemblVertebrates":
        return None
    return "Display xrefs are not typically expected for non-vertebrates"


def _gene_descriptions(scope: Scope) -> list[Test]:
    description = _gene.c.description
    genes = select(_gene.c.gene_id, _gene.c.stable_id).where(
        _gene.c.seq_region_id.in_(species_regions(scope.species_id))
    )
    # REPLACE minds the case in every collation, which LIKE does not.
    misspelt = func.length(func.replace(description, "Uniprot", "")) != func.length(description)
    return [
        Test(
            "Gene descriptions do not contain newlines or tabs",
            genes.where(_unprintable(description)),
            "Non-printing character",
        ),
        Test(
            'Gene descriptions have correct capitalisation of "UniProt"',
            genes.add_columns(description).where(misspelt),
            'Incorrect "UniProt" format',
        ),
    ]


def _stable_id_display_xref(scope: Scope) -> list[Test]:
    return [
        Test(
            f"No {table.name} found with stable_id set as display_xrefs",
            _displayed(table, scope).where(_xref.c.display_label == table.c.stable_id),
            f"{table.name} found with stable_id set as display_xrefs",
        )
        for table in (_gene, _transcript)
    ]


def _uniprot_display_xref(scope: Scope) -> list[Test]:
    return [
        Test(
            "No Genes display_xref are attached to Uniprot/*, instead of UniProtKB Gene Name "
            "(Uniprot_gn)",
            _displayed(_gene, scope).where(_source.c.db_name.in_(UNIPROT_PROTEINS)),
            "Gene Stable ID",
        )
    ]


def _unreviewed_xrefs(scope: Scope) -> list[Test]:
    query = _xrefs_of_source(_xref.c.xref_id).where(
        _source.c.db_name.like("UniProt%"), _xref.c.dbprimary_acc == "Unreviewed"
    )
    return [Test("Uniprot xrefs do not have Unreviewed as their primary DB accession", query)]


def _object_xref_null(scope: Scope) -> list[Test]:
    query = select(_link.c.object_xref_id).where(_link.c.analysis_id.is_(None))
    return [Test("All xref annotations linked to an analysis", query)]


def _foreign_keys(scope: Scope) -> list[Test]:
    tests = []
    for name, column, target_name, target_column, kind in FOREIGN_KEYS:
        table, target = schema.TABLES[name], schema.TABLES[target_name]
        referring, referred = table.c[column], target.c[target_column]
        broken = and_(referring.is_not(None), referred.is_(None))
        if kind is not None:
            broken = and_(broken, table.c.ensembl_object_type == kind)
        query = select(referring).select_from(table).outerjoin(target, referred == referring)
        tests.append(
            Test(
                f"All {name}.{column} rows linked to {target_name}.{target_column} rows",
                query.where(broken),
                "Broken referential integrity",
            )
        )
    return tests


DATACHECKS: tuple[Datacheck, ...] = (
    Datacheck("XrefTypes", "Xrefs are only attached to one feature type.", _xref_types),
    Datacheck(
        "HGNCNumeric", "HGNC xrefs do not have the accession as the display_label", _hgnc_numeric
    ),
    Datacheck("HGNCTypes", "HGNC xrefs are attached to the appropriate object", _hgnc_types),
    Datacheck(
        "DuplicateXref",
        "Xrefs have been added twice with different descriptions or versions",
        _duplicate_xref,
        "advisory",
    ),
    Datacheck(
        "XrefPrefixes",
        "Check that xrefs have the correct prefix for their dbprimary_acc",
        _xref_prefixes,
    ),
    Datacheck(
        "XrefFormat",
        "Xref accessions, labels, and descriptions are validly formatted",
        _xref_format,
    ),
    Datacheck("DisplayXrefFormat", "Gene names are correctly formatted", _display_xref_format),
    Datacheck(
        "DisplayXrefExists",
        "At least one gene name exists",
        _display_xref_exists,
        "advisory",
        _only_vertebrates,
    ),
    Datacheck("GeneDescriptions", "Gene descriptions are correctly formatted", _gene_descriptions),
    Datacheck(
        "StableIdDisplayXref",
        "Genes/Transcript display_xref does not have display_label set as stable_id",
        _stable_id_display_xref,
    ),
    Datacheck(
        "UniProtDisplayXref",
        "Gene display xrefs are only attached to UniProtKB Gene Names (Uniprot_gn)",
        _uniprot_display_xref,
    ),
    Datacheck(
        "UnreviewedXrefs",
        "Uniprot xrefs do not have Unreviewed as their primary DB accession",
        _unreviewed_xrefs,
    ),
    Datacheck(
        "ObjectXrefNull",
        "Object_xrefs should be linked to an analysis",
        _object_xref_null,
        "advisory",
    ),
    Datacheck("ForeignKeys", "Foreign key relationships are not violated", _foreign_keys),
)
