"""The result table: what is written is what is read, byte for byte where the contract says so."""

from __future__ import annotations

import gzip
import io
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.assignment import Assignment, Evidence
from gst_core.errors import GstError
from gst_core.results import Genome, ModelInfo, open_results, read_table
from gst_core.vocabulary import Symbol

ROOT = Path(__file__).resolve().parents[2]
MODEL = ModelInfo("test", "1")
GENOME = Genome("sus_scrofa", "Sus scrofa", 9823, "mammalia")
TP53 = Symbol("TP53", "tumor protein p53", "HGNC Symbol", "HGNC:11998")
GH1 = Symbol("GH1", "growth hormone 1", "HGNC Symbol", "HGNC:4261")

# Whatever UTF-8 can hold, line breaks of all systems, tabs, quotes and NUL included.
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
symbols = st.builds(Symbol, any_text, any_text, any_text, any_text)


def assignment(stable_id: str, *candidates: tuple[Symbol, float]) -> Assignment:
    return Assignment(stable_id, candidates or ((Symbol(""), 0.0),), length=3)


def table(*assignments: Assignment, **options: object) -> str:
    stream = io.StringIO()
    with open_results(stream, MODEL, **options) as results:  # type: ignore[arg-type]
        results.write(GENOME, assignments)
    return stream.getvalue()


def test_the_contract_to_the_byte() -> None:
    quoted = Symbol("x", 'a "b"\tc\nd', "ZFIN")
    assert table(
        assignment("P2", (TP53, 0.99996)), assignment("P1", (quoted, 0.5)), assignment("P3")
    ) == (
        "stable_id\tsymbol\tprobability\tdescription\tsource\n"
        "P2\tTP53\t1.0000\ttumor protein p53\tHGNC Symbol\n"
        'P1\tx\t0.5000\t"a ""b""\tc\nd"\tZFIN\n'
        "P3\t\t0.0000\t\t\n"
    )


def test_further_columns_come_after_the_five() -> None:
    text = table(
        assignment("P1", (TP53, 0.75), (GH1, 0.25)), assignment("P2"), top_k=3, accession=True
    )
    assert text.splitlines() == [
        "stable_id\tsymbol\tprobability\tdescription\tsource\taccession"
        "\tsymbol_2\tprobability_2\tsymbol_3\tprobability_3",
        "P1\tTP53\t0.7500\ttumor protein p53\tHGNC Symbol\tHGNC:11998\tGH1\t0.2500\t\t",
        "P2\t\t0.0000\t\t\t\t\t\t\t",
    ]


@pytest.mark.parametrize("accession", [False, True])
def test_evidence_stands_between_accession_and_the_further_candidates(accession: bool) -> None:
    shown = Evidence("P67939", 2 / 3, 1.0, 0.0625, ("GH2", "CSH1"))
    spoken_for = replace(assignment("P1", (TP53, 0.75), (GH1, 0.25)), evidence=shown)
    text = table(spoken_for, assignment("P2"), top_k=2, accession=accession, evidence=True)
    header, first, second = ([*line.split("\t")[5:]] for line in text.splitlines())
    assert header[: -7 if accession else 0] == (["accession"] if accession else [])
    assert header[-7:] == [
        "reference",
        "identity",
        "query_coverage",
        "reference_coverage",
        "fits_equally",
        "symbol_2",
        "probability_2",
    ]
    assert first[-7:] == ["P67939", "0.667", "1.000", "0.062", "GH2,CSH1", "GH1", "0.2500"]
    assert second == [""] * len(header)


def test_evidence_that_was_not_asked_for_is_not_written() -> None:
    spoken_for = replace(assignment("P1", (TP53, 0.75)), evidence=Evidence("P67939", 1, 1, 1))
    assert table(spoken_for) == table(assignment("P1", (TP53, 0.75)))


def test_threshold_acts_on_the_number_as_written() -> None:
    rows = [assignment(f"P{p}", (TP53, p)) for p in (0.89994, 0.89995000001, 0.9, 1.0)]
    kept = table(*rows, threshold=0.9).splitlines()[1:]
    assert [line.split("\t")[0] for line in kept] == ["P0.89995000001", "P0.9", "P1.0"]


def test_one_header_for_several_genomes() -> None:
    stream = io.StringIO()
    with open_results(stream, MODEL) as results:
        results.write(GENOME, [assignment("P1", (TP53, 1.0))])
        results.write(GENOME, [assignment("P2", (TP53, 1.0))])
    assert [line[:2] for line in stream.getvalue().splitlines()] == ["st", "P1", "P2"]


@given(rows=st.lists(st.tuples(any_text, symbols, st.floats(0, 1)), max_size=5))
def test_round_trip_of_any_text(
    rows: list[tuple[str, Symbol, float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.tsv"
    path.write_text(
        table(*[assignment(name, (symbol, p)) for name, symbol, p in rows], accession=True),
        encoding="utf-8",
        newline="",
    )
    assert [
        (r.stable_id, r.symbol, r.probability, r.description, r.source, r.extra["accession"])
        for r in read_table(path)
    ] == [
        (name, s.symbol, round(p, 4), s.description, s.source, s.accession) for name, s, p in rows
    ]


def test_na_and_nan_are_symbols(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("stable_id\tsymbol\tprobability\nP1\tNA\t1\nP2\tnan\t0.5\nP3\t007\t0\n")
    assert [row.symbol for row in read_table(path)] == ["NA", "nan", "007"]


def test_reads_windows_line_ends_bom_other_order_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_bytes(
        "\ufeffsymbol\tstable_id\tnote\tprobability\r\n\r\nTP53\tP1\té\t.5\r\n".encode()
    )
    (row,) = read_table(path)
    assert (row.stable_id, row.symbol, row.probability, row.extra) == (
        "P1",
        "TP53",
        0.5,
        {"note": "é"},
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no column stable_id, symbol, probability"),
        (b">P1\nMKV\n", "no column"),
        (b"stable_id\tsymbol\tsymbol\tprobability\n", "occurs twice"),
        (b"stable_id\tsymbol\tprobability\nP1\tA\t1\nP2\tA\n", "line 3: 2 fields where .* 3"),
        (b"stable_id\tsymbol\tprobability\nP1\tA\tnan\n", "line 2: 'nan' is not a probability"),
        (b"stable_id\tsymbol\tprobability\nP1\tA\t1.5\n", "line 2: '1.5' is not a probability"),
        (b"stable_id\tsymbol\tprobability\nP1\tA\thigh\n", "'high' is not a probability"),
        (b'stable_id\tsymbol\tprobability\nP1\t"A\t1\nP2\tB\t1\n', "broken quoting"),
        (b"stable_id\tsymbol\tprobability\nP\xff\tA\t1\n", "not UTF-8"),
    ],
)
def test_damaged_tables_are_named_with_their_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "bad.tsv"
    path.write_bytes(content)
    with pytest.raises(GstError, match=rf"bad\.tsv.*{message}"):
        list(read_table(path))


def test_a_missing_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GstError, match=r"none\.tsv: cannot read"):
        list(read_table(tmp_path / "none.tsv"))


def test_reads_the_original_programs_tables(shared_data: Path) -> None:
    folder = shared_data / "legacy-gst"
    for path in [*folder.glob("expected/*_symbols.csv"), *folder.glob("edge/*.transformer.csv")]:
        rows = list(read_table(path))
        assert rows, path
        again = table(
            *[
                assignment(r.stable_id, (Symbol(r.symbol, r.description, r.source), r.probability))
                for r in rows
            ]
        )
        if "mlp" not in path.name:  # that version wrote all digits
            assert again.encode() == path.read_bytes(), path


def test_an_error_on_the_way_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> object:
        yield assignment("P1", (TP53, 1.0))
        raise GstError("broken input")

    target = tmp_path / "out.csv"
    with pytest.raises(GstError), open_results(target, MODEL) as results:
        results.write(GENOME, broken())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


ENDLESS = """
import itertools, sys
from gst_core.assignment import Assignment, Evidence
from gst_core.results import Genome, ModelInfo, open_results
from gst_core.vocabulary import Symbol
rows = (Assignment(f"P{i}", ((Symbol("TP53"), 1.0),), 9) for i in itertools.count())
with open_results(sys.argv[1], ModelInfo("m", "1"), format=sys.argv[2]) as results:
    results.write(Genome("g"), rows)
"""


@pytest.mark.parametrize("format", ["tsv", "json"])
def test_a_kill_leaves_nothing_under_the_final_name(tmp_path: Path, format: str) -> None:
    target = tmp_path / "out"
    target.write_text("of an earlier run")
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(target), format], cwd=ROOT)
    try:
        deadline = time.monotonic() + 30
        # killed once rows have reached the disk, not before
        while not any(f.stat().st_size > 100_000 for f in tmp_path.glob(".out.*.tmp")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert target.read_text() == "of an earlier run"


def test_standard_output_carries_the_table_alone_in_utf8() -> None:
    program = ENDLESS.replace("itertools.count()", "range(2)").replace("TP53", "é")
    result = subprocess.run(
        [sys.executable, "-c", program, "-", "tsv"],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )
    assert result.stdout.decode() == (
        "stable_id\tsymbol\tprobability\tdescription\tsource\n"
        "P0\té\t1.0000\t\t\nP1\té\t1.0000\t\t\n"
    )
    assert result.stderr == b""


@pytest.mark.parametrize("format", ["tsv", "json"])
def test_memory_is_flat_in_the_number_of_proteins(tmp_path: Path, format: str) -> None:
    def peak(rows: int) -> int:
        assignments = (assignment(f"P{n}", (TP53, 0.9), (GH1, 0.1)) for n in range(rows))
        tracemalloc.start()
        try:
            with open_results(tmp_path / "out", MODEL, format=format, top_k=2) as results:  # type: ignore[arg-type]
                results.write(GENOME, assignments)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)  # what is imported or cached once is no part of it
    assert peak(20_000) < 1.2 * peak(1_000)


def test_a_compressed_table_is_called_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "sus_scrofa.tsv.gz"
    path.write_bytes(gzip.compress(b"stable_id\tsymbol\n"))
    with pytest.raises(GstError, match="compressed with gzip; unpack it first"):
        list(read_table(path))
