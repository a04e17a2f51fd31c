"""`geneformer classify genes`: folds of genes, planted and permuted labels, files of labels."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from gst_core.cli.geneformer.main import geneformer
from gst_core.errors import GstError
from gst_core.geneformer.dataset import Tokens
from gst_core.geneformer.dataset_writer import DatasetWriter
from gst_core.geneformer.gene_labels import read_table
from gst_core.geneformer.resources import Resources
from gst_core.geneformer.splits import plan_genes

from .classification_cells import common

NETWORK, LOGISTIC = "fine-tuned network", "logistic regression on ranks"


@pytest.fixture(scope="module")
def files(labelled_files: Path, tiny_resources: Resources) -> Path:
    """Cells in which every third gene stands in the first half, and files with such labels."""
    generator = np.random.default_rng(0)
    first = np.arange(30) % 3 == 0
    cells = []
    for _ in range(40):
        kept = generator.random(30) < 0.8
        early, late = (
            generator.permutation(np.flatnonzero(part & kept)) for part in (first, ~first)
        )
        cells.append(np.array([2, *(early + 4), *(late + 4), 3]))
    with DatasetWriter(labelled_files / "genes.dataset") as writer:
        offsets = np.cumsum([0, *(len(cell) for cell in cells)])
        writer.write(Tokens(np.concatenate(cells).astype(np.int32), offsets))
    ids = tiny_resources.gene_ids
    (labelled_files / "first.txt").write_text("\n".join(ids[first]) + "\n")
    (labelled_files / "later.txt").write_text("\n".join(ids[~first]) + "\n")
    shuffled = generator.permutation(["u", "v"] * 15)
    lines = ["number,gene,shuffled"]
    lines += [
        f"{n},{gene},{label}" for n, (gene, label) in enumerate(zip(ids, shuffled, strict=True))
    ]
    (labelled_files / "table.csv").write_text("\n".join(lines) + "\n")
    return labelled_files


def call(files: Path, output: Path, *more: str) -> Result:
    rates = ["--learning_rate", "3e-3", "--head_learning_rate", "1e-2", "--folds", "3"]
    where = [str(files / "genes.dataset"), "--checkpoint", str(files / "network")]
    arguments = ["classify", "genes", *where, "--output", str(output), *rates, *more]
    return CliRunner().invoke(geneformer, [*arguments, *common(files)])


def lists(files: Path) -> list[str]:
    return ["--genes", f"first={files / 'first.txt'}", "--genes", f"later={files / 'later.txt'}"]


def area(folder: Path, method: str) -> float:
    report = json.loads((folder / "report.json").read_text())
    return report["tasks"][0]["methods"][method]["metrics"]["auc"]["all"]


@pytest.fixture(scope="module")
def trained(files: Path) -> Path:
    output = files / "of_genes"
    result = call(files, output, *lists(files), "--epochs", "10")
    assert result.exit_code == 0, result.output
    return output


def test_what_genes_never_seen_have_in_common_is_learnt(trained) -> None:
    assert area(trained, NETWORK) > 0.95
    assert area(trained, LOGISTIC) > 0.95
    rows = list(csv.DictReader((trained / "predictions.csv").open()))
    assert len(rows) == len({row["gene"] for row in rows}) == 30


def test_permuted_labels_of_genes_are_told_at_chance(files, tmp_path) -> None:
    more = ["--labels", str(files / "table.csv"), "--label", "shuffled", "--epochs", "4"]
    result = call(files, tmp_path / "out", *more)
    assert result.exit_code == 0, result.output
    # of 15 and 15 the area varies by 0.11 where nothing is to be told
    assert abs(area(tmp_path / "out", NETWORK) - 0.5) < 0.33
    assert abs(area(tmp_path / "out", LOGISTIC) - 0.5) < 0.33


def test_genes_of_new_cells_get_classes(trained, files, tmp_path) -> None:
    output = tmp_path / "genes.csv"
    where = [str(files / "genes.dataset"), "--model", str(trained), "--output", str(output)]
    result = CliRunner().invoke(geneformer, ["classify", "predict", *where, *common(files)])
    assert result.exit_code == 0, result.output
    table = pd.read_csv(output)
    assert len(table) == 30
    assert table.gene.str.startswith("ENSG").all()
    wanted = ["first" if n % 3 == 0 else "later" for n in range(30)]
    assert (table["first or later"] == wanted).mean() > 0.9


def test_tables_of_classes_and_tables_of_labels_are_read(tiny_resources, tmp_path) -> None:
    wide, long = tmp_path / "wide.tsv", tmp_path / "long.csv"
    wide.write_text("yes\tno\nGENE1\tGENE2\n\tGENE3\n")
    long.write_text("id,symbol,kind\n7,GENE1,True\n8,GENE2,False\n9,GENE3,\n")
    assert read_table(wide, None, tiny_resources) == {"yes": ["GENE1"], "no": ["GENE2", "GENE3"]}
    assert read_table(long, "kind", tiny_resources) == {"True": ["GENE1"], "False": ["GENE2"]}
    with pytest.raises(GstError, match="has no column 'sort'"):
        read_table(long, "sort", tiny_resources)
    with pytest.raises(GstError, match="a column of genes for each class"):
        read_table(long, None, tiny_resources)


@pytest.mark.parametrize(
    ("name", "rows"),
    [("dosage_sens_tf_labels.csv", (122, 368)), ("is_longrange_tf.csv", (46, 130))],
)
def test_the_papers_labels_are_read(geneformer_data, resources_v1, name: str, rows) -> None:
    label = "is_longrange" if "longrange" in name else None
    found = read_table(geneformer_data / "example_labels" / name, label, resources_v1)
    assert sorted(len(genes) for genes in found.values()) == list(rows)


def test_a_gene_with_two_labels_teaches_neither(files, tmp_path) -> None:
    both = (files / "later.txt").read_text() + (files / "first.txt").read_text().splitlines()[0]
    (tmp_path / "both.txt").write_text(both)
    classes = ["--genes", f"first={files / 'first.txt'}", "--genes", f"x={tmp_path / 'both.txt'}"]
    result = call(files, tmp_path / "out", *classes, "--epochs", "1")
    assert result.exit_code == 0, result.output
    assert "1 genes with two labels left out" in result.output
    assert len((tmp_path / "out" / "predictions.csv").read_text().splitlines()) == 30


def test_the_only_gene_of_a_label_teaches_it_and_stops_nothing() -> None:
    labels = np.array([0, 0, 1, 1])
    plan = plan_genes(labels, ["a", "b"], folds=2, validation=0.1, seed=0)
    assert len(plan.folds) == 2
    for split in plan.folds:
        assert sorted(labels[split.train]) == [0, 1]
        assert not len(split.validation)


def test_too_many_folds_are_refused(files, tmp_path) -> None:
    result = call(files, tmp_path / "out", *lists(files), "--folds", "11")
    assert isinstance(result.exception, GstError)
    assert "first has 10 genes" in str(result.exception)
