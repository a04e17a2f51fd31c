"""`geneformer bridge`: genes of another species to human genes, and their counts."""

from __future__ import annotations

import json
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gst_core.cli.geneformer.bridge import bridge as command
from gst_core.errors import GstError
from gst_core.geneformer.bridge import Naming, build_bridge, find_genes, read_namings
from gst_core.geneformer.bridged_counts import mapping_matrix
from gst_core.geneformer.counts import open_counts
from gst_core.geneformer.orthologues import read_orthologues
from gst_core.geneformer.resources import Resources, resources_file
from gst_core.geneformer.tokenizer import Tokenizer

#: gene -> (symbol, probability), and what becomes of it
CASES = {
    "ENSXXXG00000000001": ("Gene1", 0.99, "symbol"),
    "ENSXXXG00000000002": ("GENE1", 0.80, "symbol"),
    "ENSXXXG00000000003": ("gene2-b", 0.90, "copy"),
    "ENSXXXG00000000004": ("GENE3", 0.60, "unsure"),
    "ENSXXXG00000000005": ("Mup20", 0.90, "not human"),
    "ENSXXXG00000000006": ("NOTOKEN", 0.90, "no token"),
    "ENSXXXG00000000007": (None, 0.0, "no symbol"),
}
GENES = np.array(list(CASES))
COUNTS = np.array([[1, 2, 4, 8, 16, 32, 64], [0, 1, 0, 0, 5, 0, 7]])


@pytest.fixture
def files(tmp_path: Path, tiny_resources: Resources) -> Path:
    """Return a folder with assignments, a gene map, counts and a dictionary."""
    lines = ["stable_id\tsymbol\tprobability\tdescription\tsource"]
    pairs = []
    for gene, (symbol, probability, _) in CASES.items():
        protein = gene.replace("G0", "P0")
        pairs.append(f"{protein}\t{gene}.3")
        if symbol:
            lines.append(f"{protein}.2\t{symbol}\t{probability:.4f}\t\t")
    # A second protein of the first gene, of which less is certain.
    pairs.append("second\tENSXXXG00000000001")
    lines.append("second\tGENE9\t0.7100\t\t")
    (tmp_path / "symbols.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "map.tsv").write_text("\n".join(pairs) + "\n")
    adata = anndata.AnnData(
        sp.csr_matrix(COUNTS, dtype=np.float32),
        obs=pd.DataFrame({"kind": ["a", "b"]}, index=["c1", "c2"]),
        var=pd.DataFrame({"gene_ids": [f"{gene}.1" for gene in GENES]}, index=list("tuvwxyz")),
    )
    adata.write_h5ad(tmp_path / "counts.h5ad")
    tiny_resources.save(resources_file("V2", tmp_path))
    return tmp_path


def arguments(files: Path, *more: str) -> list[str]:
    given = {
        "--assignments": "symbols.csv",
        "--gene_map": "map.tsv",
        "--counts": "counts.h5ad",
        "--output": "human.h5ad",
        "--report": "report.json",
        "--genes": "genes.tsv",
    }
    paths = [text for option, name in given.items() for text in (option, str(files / name))]
    return [*paths, "--resources", str(files), *more]


def run(files: Path, *more: str) -> anndata.AnnData:
    result = CliRunner().invoke(command, arguments(files, *more), catch_exceptions=False)
    assert result.exit_code == 0
    return anndata.read_h5ad(files / "human.h5ad")


def test_each_gene_goes_where_it_must_and_counts_are_summed_once(files: Path) -> None:
    human = run(files)
    assert human.var["gene_symbol"].tolist() == ["Gene1", "Gene2"]
    assert human.X.toarray().tolist() == [[3, 4], [1, 0]]
    assert human.var["species_genes"].tolist() == [f"{GENES[0]};{GENES[1]}", GENES[2]]
    assert human.var["n_species_genes"].tolist() == [2, 1]
    assert human.var["lowest_probability"].tolist() == [0.8, 0.9]
    assert human.obs["kind"].tolist() == ["a", "b"]
    # the depth of the cell, not of what is left of it
    assert human.obs["n_counts"].tolist() == [127, 13]
    assert json.loads(human.uns["gst_bridge"])["threshold"] == 0.7
    table = pd.read_csv(files / "genes.tsv", sep="\t")
    assert table["outcome"].tolist() == [outcome for *_, outcome in CASES.values()]
    assert table["counts"].tolist() == COUNTS.sum(0).tolist()
    report = json.loads((files / "report.json").read_text())
    assert report["human_genes"] == 2
    assert report["human_genes_of_several"] == 1
    assert report["share_of_genes"] == pytest.approx(3 / 7, abs=1e-6)
    assert report["share_of_counts"] == pytest.approx(8 / 140, abs=1e-6)
    assert report["top_unmapped"][0] == {
        "gene": GENES[6],
        "counts": 71,
        "outcome": "no symbol",
        "symbol": "",
    }


def test_what_is_bridged_is_tokenised_as_any_other(files: Path, tiny_resources: Resources) -> None:
    run(files)
    counts = open_counts(files / "human.h5ad")
    tokens = Tokenizer(tiny_resources, counts.var["ensembl_id"].to_numpy(dtype=str)).tokenize(
        counts.rows(0, 2)
    )
    # 3 / 2 and 4 / 3 by the medians of GENE1 and GENE2
    assert [cell.tolist() for cell in (tokens[0], tokens[1])] == [[2, 5, 6, 3], [2, 5, 3]]


def test_one_to_one_orthologues_come_first_and_their_human_gene_is_taken(files: Path) -> None:
    # GENE1 has its only counterpart in the fourth gene; the third and fifth share GENE7.
    pairs = [("gene", "human"), (GENES[3], "GENE1"), (GENES[2], "GENE7"), (GENES[4], "GENE7")]
    (files / "orthologues.tsv").write_text("\n".join("\t".join(pair) for pair in pairs))
    human = run(files, "--orthologues", str(files / "orthologues.tsv"))
    assert human.var["gene_symbol"].tolist() == ["Gene1", "Gene2"]
    assert human.X.toarray().tolist() == [[8, 4], [0, 0]]
    outcomes = pd.read_csv(files / "genes.tsv", sep="\t")["outcome"].tolist()
    assert outcomes[:5] == ["taken", "taken", "copy", "orthologue", "not human"]


def test_orthologues_are_told_apart_from_the_species_whatever_the_order(
    tmp_path: Path, tiny_resources: Resources
) -> None:
    path = tmp_path / "o.csv"
    path.write_text("GENE1,a,x\nGENE2,\nALIAS0,b\nGENE0,b\nGENE5,c\nGENE6,c\n")
    found = read_orthologues(path, ["a", "b", "c"], tiny_resources)
    # ALIAS0 and GENE0 are one gene, so b has one counterpart; c has two.
    assert found.human == {"a": "ENSG00000000001", "b": "ENSG00000000000"}
    assert found.pairs == 4
    with pytest.raises(GstError, match="no column has genes of the counts"):
        read_orthologues(path, ["q"], tiny_resources)
    path.write_text("a,b\nb,c\n")
    with pytest.raises(GstError, match="no column has human genes"):
        read_orthologues(path, ["a", "b"], tiny_resources)


def test_genes_come_from_the_headers_of_the_proteins(files: Path) -> None:
    records = [f">{g.replace('G0', 'P0')}.2 pep gene:{g}.3 x\nMA\n" for g in CASES]
    (files / "proteins.fa").write_text("".join(records) + ">second pep\nMA\n")
    given = arguments(files)
    place = given.index("--gene_map")
    given[place : place + 2] = ["--proteins_fasta", str(files / "proteins.fa")]
    result = CliRunner().invoke(command, given, catch_exceptions=False)
    assert result.exit_code == 0
    assert anndata.read_h5ad(files / "human.h5ad").X.toarray().tolist() == [[3, 4], [1, 0]]


@given(st.lists(st.sampled_from([*(f"GENE{i}" for i in range(6)), "Mup20", ""]), min_size=1))
def test_no_count_is_used_twice(tiny_resources: Resources, symbols: list[str]) -> None:
    genes = np.array([f"g{i}" for i in range(len(symbols))])
    namings = {g: Naming(s, 0.9, g) for g, s in zip(genes.tolist(), symbols, strict=True) if s}
    built = build_bridge(genes, "index", namings, tiny_resources, threshold=0.5)
    matrix = mapping_matrix(built).toarray()
    assert set(matrix.sum(1)) <= {0, 1}
    assert matrix.sum() == sum(symbol.startswith("GENE") for symbol in symbols)
    assert (matrix.sum(0) > 0).all()


def test_bridging_leaves_nothing_half_written(files: Path) -> None:
    whole = (files / "counts.h5ad").read_bytes()
    log = anndata.read_h5ad(files / "counts.h5ad")
    log.X = log.X.log1p()
    log.write_h5ad(files / "counts.h5ad")
    result = CliRunner().invoke(command, arguments(files))
    assert "no raw counts" in str(result.exception)
    (files / "counts.h5ad").write_bytes(whole)
    result = CliRunner().invoke(command, [*arguments(files), "--threshold", "1"])
    assert "no gene leads to a gene with a token" in str(result.exception)
    assert not list(files.glob("*human*")) + list(files.glob(".*"))


def test_what_does_not_fit_is_said(files: Path, tmp_path: Path) -> None:
    (files / "map.tsv").write_text("other\tgene\n")
    result = CliRunner().invoke(command, arguments(files))
    assert "the gene map has none of these proteins" in str(result.exception)
    namings = read_namings(files / "symbols.csv")
    with pytest.raises(GstError, match="--gene_map"):
        find_genes(pd.DataFrame(index=list(GENES)), namings)
    with pytest.raises(GstError, match="has no column 'no'"):
        find_genes(pd.DataFrame(index=list(GENES)), namings, "no")
    both = [*arguments(files), "--proteins_fasta", str(files / "map.tsv")]
    assert CliRunner().invoke(command, both).exit_code == 2


@pytest.mark.parametrize("option", ["--output", "--report", "--genes"])
def test_no_output_takes_an_input_s_place(files: Path, option: str) -> None:
    before = {path: path.read_bytes() for path in files.iterdir()}
    result = CliRunner().invoke(command, arguments(files, option, str(files / "counts.h5ad")))
    assert isinstance(result.exception, GstError)
    assert "overwrite an input" in str(result.exception)
    assert {path: path.read_bytes() for path in files.iterdir()} == before


def test_quiet_prints_nothing(files: Path) -> None:
    result = CliRunner().invoke(command, arguments(files, "--quiet"))
    assert (result.exit_code, result.output) == (0, "")
