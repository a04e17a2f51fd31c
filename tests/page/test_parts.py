"""What the page is made of, without a browser."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from gst_core.cli.main import gst
from gst_core.errors import GstError
from gst_core.page import parts
from gst_core.page.building import build_page
from gst_core.page.in_browser import Run, is_annotation, species
from gst_core.page.parts import PACKAGES, compile_look_up, fetch
from gst_core.references import evidence, features, gapped
from gst_core.references.gapped import Query
from gst_core.references.store import plain
from gst_core.references.substitutions import BLOSUM90
from gst_core.sequences import ALPHABET, encode

STATIC = Path(parts.__file__).with_name("static")
VOCABULARY = json.dumps(
    {"symbol": ["INS"], "description": ["insulin"], "source": ["HGNC Symbol"], "accession": ["1"]}
)


def score_of(drawn: str) -> int:
    """Score an alignment by what is drawn of it."""
    lines = drawn.split("\n")
    query, target = ("".join(line.split()[2] for line in lines[n::4]) for n in (0, 2))
    score, gap = 0, ""
    for a, b in zip(query, target, strict=True):
        side = "a" if a == "-" else "b" if b == "-" else ""
        if side:
            score -= 1 if side == gap else 10
        else:
            score += int(BLOSUM90[ALPHABET.index(a), ALPHABET.index(b)])
        gap = side
    return score


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_what_is_drawn_is_a_best_alignment(tmp_path: Path) -> None:
    chance = random.Random(3)
    pairs = []
    for length in (1, 5, 59, 60, 61, 150, 300):
        for share in (0, 0.2, 0.6):
            one = chance.choices(ALPHABET[:20], k=length)
            other = [chance.choice(ALPHABET[:20]) if chance.random() < share else r for r in one]
            del other[length // 3 : length // 3 + length // 10]
            pairs.append(("".join(one), "".join(other)))
    codes = [[plain(encode(p.encode())).tolist() for p in pair] for pair in pairs]
    asked = tmp_path / "asked.json"
    asked.write_text(json.dumps({"pairs": codes, "scores": BLOSUM90.ravel().tolist()}))
    script = f"""
      import {{ readFileSync }} from "node:fs";
      import {{ draw }} from "{(STATIC / "alignment.mjs").as_uri()}";
      const {{ pairs, scores }} = JSON.parse(readFileSync("{asked}"));
      const made = pairs.map(([a, b]) => draw(a, b, scores, {len(BLOSUM90)}, "{ALPHABET}"));
      console.log(JSON.stringify(made));
    """
    program = tmp_path / "draw.mjs"
    program.write_text(script)
    done = subprocess.run(["node", program], capture_output=True, text=True, check=True)
    for (one, other), drawn in zip(pairs, json.loads(done.stdout), strict=True):
        best = Query(plain(encode(one.encode()))).score(plain(encode(other.encode())))
        assert (score_of(drawn) if drawn else 0) == best


@pytest.mark.skipif(shutil.which("clang") is None, reason="clang is not installed")
def test_the_look_up_stands_alone() -> None:
    wasm = compile_look_up()
    assert wasm.startswith(b"\0asm")
    assert len(wasm) < 200_000


def test_without_clang_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLANG", "no-such-clang")
    with pytest.raises(GstError, match="apt install clang lld"):
        compile_look_up()


def test_an_archive_that_is_not_the_published_one_is_refused(tmp_path: Path) -> None:
    package = PACKAGES[0]
    (tmp_path / f"{package.name}-{package.version}.tgz").write_bytes(b"something else")
    with pytest.raises(GstError, match="as it was published"):
        fetch(package, tmp_path)


def test_without_npm_it_says_which_archive_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GstError, match="npm pack pyodide@"):
        fetch(PACKAGES[1], tmp_path / "none")


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("dear to somebody")
    with pytest.raises(GstError, match="something else than a page"):
        build_page(tmp_path)
    result = CliRunner().invoke(gst, ["page", "--output", str(tmp_path)])
    assert result.exit_code != 0
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_species_are_found_or_an_error_says_why() -> None:
    assert json.loads(species("Bos taurus"))["clade"] == "mammalia"
    assert json.loads(species("teleostei"))["clade"] == "teleostei"
    assert json.loads(species(""))["clade"] is None
    assert "is not a name" in json.loads(species("Hmoo sapiens"))["error"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.gff3", True), ("a.b.GTF.gz", True), ("gff3.fa", False), ("a.fa.gz", False)],
)
def test_annotations_are_told_by_name(name: str, expected: bool) -> None:
    assert is_annotation(name) is expected


def test_a_run_gives_the_table_of_gst_assign(tmp_path: Path) -> None:
    file = tmp_path / "p.fa"
    file.write_text(">a x\nMKV*\n>b\n\n")
    run = Run(str(file), "", VOCABULARY, "mammalia", "species")
    assert run.next() == [b"MKV", b""]
    named = [
        {"candidates": [[0, np.float32(0.9).item()]], "evidence": None},
        {"candidates": [], "evidence": None},
    ]
    rows = json.loads(run.add(json.dumps(named)))
    assert [row[:2] for row in rows] == [["a", "INS"], ["b", ""]]
    assert run.next() == []
    assert run.table().splitlines()[1].split("\t")[:5] == [
        *("a", "INS", "0.9000", "insulin", "HGNC Symbol")
    ]
    assert "no sequence" in json.loads(run.warnings())[0]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("coverage", [-1, 0, 3, 5000])
def test_the_page_writes_the_features_of_the_program(tmp_path: Path, coverage: int) -> None:
    rng = np.random.default_rng(coverage + 1)
    numbers = rng.integers(1, 200, (1, evidence.CANDIDATES, len(evidence.NUMBERS)))
    numbers[..., evidence.KIN] = rng.integers(-1, 2, evidence.CANDIDATES)
    queries = np.array([[90.5, 120, 640, 20_000_000, coverage]], dtype=np.float32)
    numbers[0, 1, 3] = numbers[0, 0, 3]
    numbers[0, 4:7, 3:7] = 0
    some = np.arange(evidence.CANDIDATES) < 9
    numbers[:, ~some] = 0
    classes = np.where(some, 0, -1).astype(np.int32)[None]
    found = evidence.Evidence(classes, classes, numbers.astype(np.float32), queries)
    candidates = [
        dict(zip(evidence.NUMBERS, row, strict=True)) | {"sum": row[4], "aligned": 1}
        for row in numbers[0, some].tolist()
    ]
    told = ("own", "length", "self", "searched", "coverage")
    query = dict(zip(told, queries[0].tolist(), strict=True))
    model = {
        **{"candidates": evidence.CANDIDATES, "lambda": gapped.LAMBDA, "kappa": gapped.KAPPA},
        **{"enough": features.ENOUGH, "untold": features.UNTOLD},
    }
    script = tmp_path / "write.mjs"
    script.write_text(
        f"import {{ writeFeatures }} from {json.dumps((STATIC / 'evidence.mjs').as_uri())};\n"
        f"const out = new Float32Array({evidence.CANDIDATES * features.FEATURES});\n"
        f"writeFeatures(out, 0, {features.FEATURES}, {json.dumps(candidates)}, "
        f"{json.dumps(query)}, {json.dumps(model)});\n"
        "console.log(JSON.stringify([...out]));\n"
    )
    written = subprocess.run(["node", script], capture_output=True, text=True, check=True).stdout
    read = np.array(json.loads(written)).reshape(1, evidence.CANDIDATES, features.FEATURES)
    np.testing.assert_allclose(read, features.features(found), rtol=1e-5, atol=1e-6)
