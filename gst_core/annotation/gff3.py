"""Genes of GFF3: features that name their parents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gst_core.annotation.genes import (
    Annotation,
    Gene,
    Transcript,
    add_cds,
    mark_of,
    split_products,
)
from gst_core.annotation.lines import Feature
from gst_core.errors import GstError

_LABELS = ("Name", "gene", "gene_name", "gene_symbol")
_IDS = ("ID", "gene_id", "locus_tag")
#: Selenocysteines that stand as features of their own.
_SELENOCYSTEINE = {"stop_codon_redefined_as_selenocysteine", "Selenocysteine", "selenocysteine"}


@dataclass(slots=True)
class _Node:
    """A feature that others may belong to."""

    id: str
    lines: list[int]
    kind: str
    parents: list[str]
    attributes: dict[str, list[str]]
    has_coding: bool = False


@dataclass(slots=True)
class _Coding:
    """The CDS of one parent, as the file has them."""

    transcript: Transcript
    cds_ids: dict[int, str] = field(default_factory=dict)
    attributes: dict[str, list[str]] = field(default_factory=dict)


def genes_of_gff3(
    annotation: Annotation, features: Iterable[tuple[Feature, dict[str, list[str]]]]
) -> Iterator[Gene]:
    """Join the features of a GFF3 file to genes.

    Yields
    ------
    gene
        One for each root of the tree that has a CDS below it, pseudogenes left out.
    """
    nodes: dict[str, _Node] = {}
    codings: dict[str, _Coding] = {}
    stops: list[tuple[Feature, list[str]]] = []
    name = str(annotation.path)
    for feature, attributes in features:
        if attributes.get("Is_circular", [""])[0].lower() == "true":
            annotation.circular[feature.region] = feature.end
        if attributes.get("genome", [""])[0] == "mitochondrion":
            annotation.mitochondrial.add(feature.region)
        if feature.kind == "CDS":
            _add_cds(codings, feature, attributes, name)
        elif feature.kind in _SELENOCYSTEINE:
            stops.append((feature, attributes.get("Parent", [])))
        elif "ID" in attributes:
            _add_node(nodes, feature, attributes)
    for feature, parents in stops:
        for coding in (codings[parent] for parent in parents if parent in codings):
            first = feature.start if feature.strand == "+" else feature.end
            coding.transcript.exceptions.append((first, "U"))
    roots: dict[str, list[str]] = {}
    for parent in codings:
        roots.setdefault(_root(nodes, parent, name, annotation), []).append(parent)
    for root, parents in roots.items():
        gene = _gene(annotation, nodes, codings, root, parents)
        if gene is not None:
            yield gene
    for node in nodes.values():
        if not node.parents and node.kind.lower().endswith("gene") and not node.has_coding:
            what = "pseudogenes" if _is_pseudogene(node) else "genes without a coding sequence"
            annotation.leave_out(f"{what}, left out", f"{node.id}, line {node.lines[0]:,}")


def _add_cds(
    codings: dict[str, _Coding], feature: Feature, attributes: dict[str, list[str]], name: str
) -> None:
    own = (attributes.get("ID") or attributes.get("locus_tag") or [f"cds-line-{feature.line}"])[0]
    # Without a parent, lines of one ID are one coding sequence.
    for parent in dict.fromkeys(attributes.get("Parent") or [own]):
        coding = codings.get(parent)
        if coding is None:
            coding = codings[parent] = _Coding(Transcript(parent), attributes=attributes)
        coding.cds_ids[feature.line] = own
        add_cds(coding.transcript, feature, attributes, name)


def _add_node(nodes: dict[str, _Node], feature: Feature, attributes: dict[str, list[str]]) -> None:
    own = attributes["ID"][0]
    if own in nodes:  # a feature in several pieces
        nodes[own].lines.append(feature.line)
    else:
        parents = attributes.get("Parent", [])
        nodes[own] = _Node(own, [feature.line], feature.kind, parents, attributes)


def _root(nodes: dict[str, _Node], own: str, name: str, annotation: Annotation) -> str:
    """Climb from a parent of CDS to the feature that has none.

    Raises
    ------
    GstError
        If features are each other's parents.
    """
    passed = []
    while own in nodes and nodes[own].parents:
        if own in passed:
            raise GstError(
                f"the feature '{own}' is an ancestor of its own",
                where=f"{name}, line {nodes[own].lines[0]:,}",
                hint="mend the attribute Parent",
            )
        passed.append(own)
        parent = nodes[own].parents[0]
        if parent not in nodes:
            annotation.leave_out(
                "features whose parent is not in the file, taken for genes",
                f"{own}, line {nodes[own].lines[0]:,}",
            )
            break
        own = parent
    return own


def _is_pseudogene(node: _Node) -> bool:
    biotypes = [*node.attributes.get("biotype", []), *node.attributes.get("gene_biotype", [])]
    return (
        "pseudogen" in node.kind.lower()
        or node.attributes.get("pseudo", [""])[0].lower() == "true"
        or any("pseudogen" in biotype.lower() for biotype in biotypes)
    )


def _gene(
    annotation: Annotation,
    nodes: dict[str, _Node],
    codings: dict[str, _Coding],
    root: str,
    parents: list[str],
) -> Gene | None:
    """Make a gene of the parents of CDS that have one root."""
    transcripts = []
    for parent in parents:
        coding = codings[parent]
        if parent in nodes:
            nodes[parent].has_coding = True
            coding.transcript.mark = mark_of(nodes[parent].attributes)
        # CDS of a gene itself are products of their own, one each ID
        transcripts += split_products(coding.transcript, coding.cds_ids)
    lines = [s.line for t in transcripts for s in t.segments]
    if root in nodes:
        node = nodes[root]
        node.has_coding = True
        if _is_pseudogene(node):
            annotation.leave_out("pseudogenes, left out", f"{root}, line {node.lines[0]:,}")
            return None
        lines, attributes = node.lines, node.attributes
    else:
        attributes = codings[parents[0]].attributes
        if "Parent" in attributes:
            annotation.leave_out(
                "CDS whose parent is not in the file, taken for genes",
                f"{root}, line {lines[0]:,}",
            )
    annotation.names_genes |= "gene" in attributes
    ids = [value for key in _IDS for value in attributes.get(key, [])]
    own = (attributes.get("gene_id") or [root])[0]
    return Gene(
        own,
        tuple(sorted(lines)),
        tuple(label for key in _LABELS for label in attributes.get(key, []) if label),
        frozenset([own, root, *ids]),
        ", ".join(attributes.get("description", [])),
        transcripts,
    )
