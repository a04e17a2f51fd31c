"""Statistics of perturbations: the reference's tables, and what they say of planted effects."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ranksums

from gst_core.cli.geneformer.statistics import statistics
from gst_core.errors import GstError
from gst_core.geneformer import perturbation_statistics as stats

#: Where the reference took the component with the higher mean for that with impact.
WRONG = {("V1", "all_over")}


def golden_shifts(folder: Path) -> pd.DataFrame:
    """Read the reference's raw results in the columns of ``geneformer perturb``."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for file in folder.glob("*raw.json"):
        cell = file.name.split("embs_")[1].split("batch")[0]
        values = json.loads(file.read_text())
        parts = {f"shift_to_{s}": values[s] for s in "AB"} if "A" in values else {"cosine": values}
        for column, part in parts.items():
            for name, own in part.items():
                found.setdefault((cell, name.split("|")[0]), {})[column] = own[0]
    rows = [{"cell": int(cell), "token": token} | own for (cell, token), own in found.items()]
    return pd.DataFrame(rows).assign(symbol="s", ensembl_id="e")


@pytest.mark.parametrize("what", ["all_del", "all_over", "goal_del"])
@pytest.mark.parametrize("version", ["V1", "V2"])
def test_the_reference_s_tables(geneformer_data, version, what):
    folder = geneformer_data / "golden" / "g" / f"isp_{version}_{what}"
    theirs = pd.read_csv(folder / "stats.csv", index_col=0, dtype={"Gene": str})
    shifts = golden_shifts(folder)
    ours = stats.toward_goal(shifts, "B") if what == "goal_del" else stats.mixture(shifts)
    assert list(ours.columns) == list(theirs.columns)
    ours = ours.set_index("Gene").loc[theirs["Gene"]].reset_index()
    same = list(theirs.columns[3:])
    if (version, what) in WRONG:
        there, here = (t["Impact_component"].to_numpy() == 1 for t in (theirs, ours))
        means = ours["Test_avg_shift"].to_numpy()
        # It left out what lies between the lower mean and the border of the two.
        assert there[here].mean() < 0.6
        assert here[there].all()
        assert means[there].max() < means[here & ~there].min()
        same = ["Test_avg_shift", "N_Detections"]
    np.testing.assert_allclose(ours[same], theirs[same], atol=1e-6)


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.25, 0.5, 1.0, -2.0])),
        min_size=2,
        max_size=60,
    )
)
def test_one_sorting_gives_the_p_values_of_ranksums(pairs):
    codes = np.unique([code for code, _ in pairs], return_inverse=True)[1]
    values = np.array([value for _, value in pairs])
    expected = [ranksums(values, values[codes == code]).pvalue for code in range(codes.max() + 1)]
    np.testing.assert_allclose(stats.against_all(values, codes), expected, atol=1e-12)


def planted(strong: str = "7", by: float = 0.1, cells: int = 40, column: str = "cosine"):
    """40 genes in 40 cells, one of which moves cells."""
    random = np.random.default_rng(0)
    rows = [
        {"cell": cell, "token": str(gene), "symbol": f"G{gene}", "ensembl_id": f"ENSG{gene}"}
        for gene in range(4, 44)
        for cell in range(cells)
    ]
    table = pd.DataFrame(rows)
    table["cosine"] = 0.99 - np.abs(random.normal(0, 1e-3, len(table)))
    for state in ("ill", "well", "other"):
        table[f"shift_to_{state}"] = random.normal(0, 0.01, len(table))
    table.loc[table["token"] == strong, column] += by
    return table


def test_what_moves_cells_to_the_goal_is_found_alone():
    table = stats.toward_goal(planted(column="shift_to_well"), "well", ["other"])
    assert table["Gene_name"][0] == "G7"
    assert table["Sig"].sum() == 1
    assert "Shift_to_alt_end_other" in table
    assert table["Alt_end_FDR_other"].min() > 0.05
    listed = stats.toward_goal(planted().query("token == '7'"), "well")
    assert "Sig" not in listed
    assert len(listed) == 1


def test_what_moves_these_cells_and_not_others_is_found_alone():
    table = stats.against_null(planted(by=-0.1), planted("none").query("token != '5'"))
    assert table.loc[table["Sig"] == 1, "Gene_name"].tolist() == ["G7"]
    lacking = table.set_index("Gene_name").loc["G5"]
    assert lacking["Test_vs_null_pval"] == 1
    assert lacking["N_Detections_null"] == 0


@pytest.mark.parametrize("by", [-0.1, 0.005])
def test_the_component_with_impact_is_the_one_of_the_lower_cosines(by):
    shifts = planted(by=by)
    table = stats.mixture(shifts).set_index("Gene_name")
    means = shifts.groupby("symbol")["cosine"].mean()
    assert means[table.index[table["Impact_component"] == 1]].max() < (
        means[table.index[table["Impact_component"] == 0]].min()
    )
    assert table["Impact_component"]["G7"] == (by < 0)


def test_pairs_stand_beside_the_sum_of_their_singles():
    rows = []
    random = np.random.default_rng(1)
    for cell in range(30):
        a, b = 0.9 + random.normal(0, 0.01, 2)
        rows += [(cell, "4", a), (cell, "5", b), (cell, "4+5", a + b - 1 - 0.05)]
        rows += [(cell, "6", 0.99), (cell, "4+6", a + 0.99 - 1)]
    rows.append((30, "4+5", 0.1))  # a cell without its singles
    shifts = pd.DataFrame(rows, columns=["cell", "token", "cosine"])
    shifts = shifts.assign(symbol=shifts["token"], ensembl_id=shifts["token"])
    table = stats.cooperation(shifts)
    assert table["Gene"].tolist() == ["4+5", "4+6"]
    np.testing.assert_allclose(table["Combo_minus_sum_shift"], [-0.05, 0], atol=1e-12)
    assert table["N_Detections"].tolist() == [30, 30]
    assert table["Sig"].tolist() == [1, 0]
    with pytest.raises(GstError, match="no two genes"):
        stats.cooperation(planted())


@pytest.fixture
def folder(tmp_path) -> Path:
    """Return a folder as ``geneformer perturb`` leaves it."""
    return write(tmp_path / "p", planted(column="shift_to_well"))


def write(path: Path, shifts: pd.DataFrame, **changed) -> Path:
    path.mkdir()
    shifts.to_parquet(path / "shifts.parquet")
    description = {
        "key": "k",
        "perturbation": "delete",
        "quartiles": None,
        "genes": "all",
        "embedding": "cls",
        "layer": -1,
        "states": ["ill", "well", "other"],
        "state_column": "<b>disease</b>",
        "model_version": "V2",
        "cells": 40,
        "passes": 1640,
        "source": "cells.dataset",
        "checkpoint": "model",
    }
    (path / "perturbation.json").write_text(json.dumps(description | changed))
    return path


def run(*words: object):
    return CliRunner().invoke(statistics, [str(word) for word in words])


def test_from_a_folder_to_csv_picture_and_page(folder, tmp_path):
    words = (folder, "--output", tmp_path / "o.csv", "--html", tmp_path / "o.html")
    result = run(*words, "--plot", tmp_path / "o.png", "--title", "<script>")
    assert result.exit_code == 0, result.output
    assert "goal_state_shift: 40 rows, 1 with effect" in result.output
    table = pd.read_csv(tmp_path / "o.csv")
    assert table["Gene_name"][0] == "G7"
    page = (tmp_path / "o.html").read_text()
    assert "<svg" in page
    assert "<script>" not in page
    assert "<b>disease" not in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert (tmp_path / "o.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("mode", ["mixture_model", "aggregate_data"])
def test_other_modes_are_asked_for(folder, tmp_path, mode):
    words = ("--output", tmp_path / "o.csv", "--mode", mode, "--html", tmp_path / "o.html")
    result = run(folder, *words)
    assert result.exit_code == 0, result.output
    assert len(pd.read_csv(tmp_path / "o.csv")) == 40


def test_a_null_of_another_kind_is_refused(folder, tmp_path):
    null = write(tmp_path / "n", planted(), perturbation="overexpress")
    result = run(folder, "--output", tmp_path / "o.csv", "--null", null)
    assert "has perturbation overexpress" in str(result.exception)
    null = write(tmp_path / "m", planted("none"))
    result = run(folder, "--output", tmp_path / "o.csv", "--null", null)
    assert "vs_null: 40 rows" in result.output


def test_cells_are_not_compared_with_themselves(folder, tmp_path):
    result = run(
        folder, "--output", tmp_path / "o.csv", "--null", folder.parent / "." / folder.name
    )
    assert result.exit_code == 2
    assert "give the folder of other cells" in result.output
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--mode", "aggregate_gene_shifts"), "no shifts of single genes"),
        (("--mode", "cooperation"), "no two genes were perturbed together"),
        (("--plot", "x.bmp"), "no .png, .svg or .pdf"),
    ],
)
def test_what_is_not_there_is_said(folder, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert message in str(run(folder, "--output", "o.csv", *words).exception)
    assert not Path("o.csv").exists()


def test_a_run_that_is_not_done_is_said(folder, tmp_path):
    (folder / "shifts.parquet").unlink()
    assert "is not done yet" in str(run(folder, "--output", tmp_path / "o.csv").exception)
    (folder / "perturbation.json").unlink()
    message = str(run(folder, "--output", tmp_path / "o.csv").exception)
    assert "is no folder of geneformer perturb" in message


@pytest.mark.parametrize("words", [("--mode", "vs_null"), ("--mode", "other")])
def test_wrong_usage_ends_with_2(folder, tmp_path, words):
    assert run(folder, "--output", tmp_path / "o.csv", *words).exit_code == 2


def test_a_page_tells_cosines_apart_that_are_near_one(tmp_path):
    from gst_core.geneformer.perturbation_page import write_page

    table = pd.DataFrame(
        {
            "Gene": [5, 6, 7],
            "Gene_name": ["A", "B", "C"],
            "Ensembl_ID": ["ENSG1", "ENSG2", "ENSG3"],
            "Cosine_sim_mean": [0.9999887347, 0.9999987942, 0.5],
        }
    )
    done = {"states": None, "perturbation": "delete", "cells": 4, "passes": 9}
    write_page(
        tmp_path / "o.html",
        table,
        "aggregate_data",
        {**done, "source": "cells", "checkpoint": "network"},
        "deleted",
    )
    page = (tmp_path / "o.html").read_text()
    assert ">0.99998873<" in page.replace("\n", "").replace(" ", "")
    assert ">0.999998794<" in page.replace("\n", "").replace(" ", "")
    assert "e\N{MINUS SIGN}" not in page[page.index("<svg") : page.index("</svg")]
