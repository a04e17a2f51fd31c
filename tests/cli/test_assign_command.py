"""``gst_assign`` as its users meet it."""

from __future__ import annotations

import csv
import gc
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import pytest
import zstandard
from Bio import bgzf
from click.testing import CliRunner

from gst_core import __version__
from gst_core.cli.assign import assign
from gst_core.errors import GstError

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = Path(str(files("gst_core"))) / "assets" / "sample"
FISH = SAMPLE / "danio_rerio.fa"
HEADER = "stable_id\tsymbol\tprobability\tdescription\tsource"


def program(*arguments: object, **kwargs) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "gst_core.cli.assign", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, cwd=ROOT, **kwargs)


@pytest.fixture(scope="module")
def expected() -> str:
    """The fish's table, as one run writes it."""
    result = CliRunner().invoke(
        assign, ["--sequences_fasta", str(FISH), "--output", "-", "--quiet"]
    )
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_table(expected):
    lines = expected.splitlines()
    assert lines[0] == HEADER
    ids = [line[1:].split()[0] for line in FISH.read_text().splitlines() if line.startswith(">")]
    assert [line.split("\t")[0] for line in lines[1:]] == ids
    for line in lines[1:]:
        probability = line.split("\t")[2]
        assert len(probability) == 6
        assert 0 <= float(probability) <= 1


def test_a_program_around_it_has_its_garbage_collected_as_before(tmp_path):
    """As in the demo of cells, where what torch keeps must go when the program ends."""
    bad = tmp_path / "bad.fa"
    bad.write_text("no protein")
    for fasta in (SAMPLE / "danio_rerio.fa", bad):
        CliRunner().invoke(assign, ["--sequences_fasta", str(fasta), "--output", "-"])
        assert gc.get_freeze_count() == 0


def test_without_output_the_table_lies_beside_the_input(tmp_path, expected):
    fasta = tmp_path / "fish.pep.fa"
    fasta.write_bytes(FISH.read_bytes())
    result = CliRunner().invoke(assign, ["--sequences_fasta", str(fasta)])
    assert result.exit_code == 0
    assert result.stdout == ""
    assert (tmp_path / "fish.pep_symbols.csv").read_text() == expected
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fish.pep.fa", "fish.pep_symbols.csv"]


@pytest.mark.parametrize("compression", ["gzip", "bgzip", "zstd"])
def test_compression_is_told_by_content(tmp_path, expected, compression):
    data = FISH.read_bytes()
    fasta = tmp_path / "fish.fa"  # the name says nothing
    if compression == "gzip":
        fasta.write_bytes(gzip.compress(data))
    elif compression == "zstd":
        fasta.write_bytes(zstandard.compress(data))
    else:
        with bgzf.BgzfWriter(str(fasta)) as file:
            file.write(data)
    result = CliRunner().invoke(
        assign, ["--sequences_fasta", str(fasta), "--output", "-", "--quiet"]
    )
    assert result.stdout == expected


def test_standard_input_to_standard_output(expected):
    done = program("--sequences_fasta", "-", input=FISH.read_bytes())
    assert done.returncode == 0
    assert done.stdout.decode() == expected
    messages = done.stderr.decode().splitlines()
    assert all(line.startswith("gst_assign: ") for line in messages)
    assert any("the model runs without a clade" in line for line in messages)
    assert any("on CPU" in line for line in messages)  # auto says which it took


def test_many_inputs_one_table(tmp_path, expected):
    output = tmp_path / "all.tsv"
    pig = SAMPLE / "bos_taurus.fa"
    result = CliRunner().invoke(
        assign,
        ["--sequences_fasta", str(FISH), "--sequences_fasta", str(pig), "--output", str(output)],
    )
    assert result.exit_code == 0
    lines = output.read_text().splitlines()
    assert lines.count(HEADER) == 1
    assert lines[: len(expected.splitlines())] == expected.splitlines()
    assert len(lines) == 1 + sum(f.read_text().count(">") for f in (FISH, pig))


def test_manifest_report_and_folder(tmp_path):
    report, out = tmp_path / "report.html", tmp_path / "out"
    out.mkdir()
    result = CliRunner().invoke(
        assign,
        [
            "--manifest",
            str(SAMPLE / "samplesheet.csv"),
            "--output",
            str(out),
            "--report",
            str(report),
        ],
    )
    assert result.exit_code == 0, result.stderr
    with (SAMPLE / "samplesheet.csv").open(newline="") as file:
        genomes = [row["id"] for row in csv.DictReader(file)]
    assert sorted(p.name for p in out.iterdir()) == sorted(f"{g}.tsv" for g in genomes)
    page = report.read_text()
    assert "<svg" in page
    assert "Danio rerio" in page


def test_a_genome_that_fails_does_not_stop_the_others(tmp_path):
    (tmp_path / "good.fa").write_bytes(FISH.read_bytes())
    (tmp_path / "bad.fa").write_text("this is no FASTA\n")
    manifest = tmp_path / "m.csv"
    manifest.write_text("id,fasta\nbad,bad.fa\nabsent,absent.fa\ngood,good.fa\n")
    done = program("--manifest", manifest, "--quiet")
    assert done.returncode == 1
    messages = done.stderr.decode().splitlines()
    assert messages[0].startswith("gst_assign: error: bad: ")
    assert messages[1].startswith("gst_assign: error: absent: ")
    assert messages[2].startswith("gst_assign: error: 2 of 3 genomes failed: bad, absent")
    assert (tmp_path / "good_symbols.csv").exists()
    assert not (tmp_path / "bad_symbols.csv").exists()


def test_outcomes_tell_what_came_of_each_genome(tmp_path):
    (tmp_path / "good one.fa").write_bytes(FISH.read_bytes())
    (tmp_path / "bad.fa").write_text("this is no FASTA\n")
    manifest, outcomes, page = tmp_path / "m.csv", tmp_path / "o.json", tmp_path / "r.html"
    manifest.write_text("id,fasta,clade\nbad,bad.fa,\ngood,good one.fa,teleostei\n")
    arguments = ["--manifest", manifest, "--output", f"{tmp_path}/named/", "--quiet"]
    arguments += ["--outcomes", outcomes, "--report", page]
    result = CliRunner().invoke(assign, [*map(str, arguments), "--allow_failures"])
    assert result.exit_code == 0, result
    bad, good = json.loads(outcomes.read_text())["genomes"]
    reason = f"{tmp_path}/bad.fa, line 1: is not FASTA but looks like text without a header; "
    assert bad.pop("error").startswith(reason)
    assert result.stderr.startswith(f"gst_assign: error: bad: {reason}")
    assert bad == {
        "id": "bad", "status": "failed", "fasta": f"{tmp_path}/bad.fa",
        "table": None, "proteins": 0, "clade": None,
    }  # fmt: skip
    assert good == {
        "id": "good", "status": "done", "fasta": f"{tmp_path}/good one.fa", "error": None,
        "table": f"{tmp_path}/named/good.tsv", "proteins": FISH.read_text().count(">"),
        "clade": "teleostei",
    }  # fmt: skip
    assert [path.name for path in (tmp_path / "named").iterdir()] == ["good.tsv"]
    assert "Genomes that failed" in page.read_text()
    without = CliRunner().invoke(assign, [*map(str, arguments)])
    assert "1 of 2 genomes failed: bad" in str(without.exception)
    assert json.loads(outcomes.read_text())["genomes"][0]["status"] == "failed"


def test_json(tmp_path):
    output = tmp_path / "fish.json"
    arguments = ["--sequences_fasta", str(FISH), "--format", "json", "--top_k", "3"]
    result = CliRunner().invoke(
        assign, [*arguments, "--taxon_id", "7955", "--output", str(output), "--quiet"]
    )
    assert result.exit_code == 0
    (genome,) = json.loads(output.read_text())["genomes"]
    assert genome["clade"] == "teleostei"
    assert genome["taxon_id"] == 7955
    # A model of references knows no more symbols than it found relatives of.
    assert {len(a["candidates"]) for a in genome["assignments"]} <= {1, 2, 3}


def test_extra_columns_stand_after_the_five(tmp_path):
    arguments = [
        "--sequences_fasta",
        str(FISH),
        "--output",
        "-",
        "--quiet",
        "--top_k",
        "2",
        "--accession",
    ]
    header, *rows = CliRunner().invoke(assign, arguments).stdout.splitlines()
    assert header == f"{HEADER}\taccession\tsymbol_2\tprobability_2"
    assert {row.count("\t") for row in rows} == {7}


def test_threshold_leaves_rows_out(expected):
    arguments = ["--sequences_fasta", str(FISH), "--output", "-", "--quiet", "--threshold", "0.9"]
    found = CliRunner().invoke(assign, arguments).stdout.splitlines()[1:]
    kept = [line for line in expected.splitlines()[1:] if float(line.split("\t")[2]) >= 0.9]
    assert found == kept
    assert len(kept) > 0


def test_an_empty_sequence_has_a_row_without_a_symbol(tmp_path):
    fasta = tmp_path / "x.fa"
    fasta.write_text(">empty\n>one\nM\n")
    arguments = ["--sequences_fasta", str(fasta), "--output", "-", "--quiet"]
    rows = CliRunner().invoke(assign, arguments).stdout.splitlines()[1:]
    assert rows[0] == "empty\t\t0.0000\t\t"
    assert rows[1].startswith("one\t")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--sequences_fasta", "x.fa", "--manifest", str(SAMPLE / "samplesheet.csv")],
        ["--sequences_fasta", "x.fa", "--scientific_name", "Sus scrofa", "--taxon_id", "9823"],
        ["--sequences_fasta", "x.fa", "--format", "xml"],
        ["--sequences_fasta", "x.fa", "--threshold", "1.5"],
        ["--manifest", "absent.csv"],
        ["--sequences_fasta", "x.fa", "--nonsense"],
    ],
)
def test_wrong_usage_exits_with_2(arguments):
    result = CliRunner().invoke(assign, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["pig proteins.fa"], "--sequences_fasta 'pig proteins.fa'"),
        (["--sequences_fasta", "a.fa", "b.fa"], "--sequences_fasta b.fa"),
    ],
)
def test_a_file_without_an_option_is_told_which(arguments, option):
    result = CliRunner().invoke(assign, arguments)
    assert result.exit_code == 2
    assert option in result.stderr


@pytest.mark.parametrize(("proteins", "said"), [(1, "1 protein in "), (2, "2 proteins in ")])
def test_one_protein_is_no_plural(tmp_path, proteins, said):
    fasta = tmp_path / "p.fa"
    fasta.write_text("".join(f">p{i}\nMKVLSTREDWQ\n" for i in range(proteins)))
    result = CliRunner().invoke(assign, ["--sequences_fasta", str(fasta), "--output", "-"])
    assert f": {said}" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sequences_fasta", "absent.fa"], "absent.fa"),
        (["--sequences_fasta", "/dev/null", "--output", "-"], "/dev/null"),
        (
            [
                *("--sequences_fasta", FISH, "--output", "-", "--strict"),
                *("--scientific_name", "Suss scrofa"),
            ],
            "Sus scrofa",
        ),
        (["--sequences_fasta", FISH, "--checkpoint", "absent.onnx"], "absent.onnx"),
        (["--sequences_fasta", FISH, "--output", "/nowhere/x.tsv"], "/nowhere/x.tsv"),
    ],
)
def test_an_error_is_one_line_and_exit_status_1(arguments, message):
    done = program(*arguments, "--quiet")
    assert done.returncode == 1
    assert done.stdout == b""
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("gst_assign: error: ")
    assert message in line


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("Suss scrofa", ("warning", "Sus scrofa", "without a clade")),
        ("Homo sapines", ("Homo sapiens", "clade humans")),
        ("Neogale vison", ("clade mammalia",)),
    ],
)
def test_a_species_that_is_not_known_costs_no_result(name, messages):
    done = program("--sequences_fasta", FISH, "--scientific_name", name, "--output", "-")
    assert done.returncode == 0
    assert done.stdout.count(b"\n") > 1
    assert all(message in done.stderr.decode() for message in messages)


def test_debug_shows_the_traceback():
    result = CliRunner().invoke(assign, ["--sequences_fasta", "absent.fa", "--debug"])
    assert isinstance(result.exception, GstError)
    done = program("--sequences_fasta", "absent.fa", "--debug")
    assert b"Traceback" in done.stderr


def test_version_is_bare_and_loads_nothing_heavy():
    check = (
        "import sys; sys.argv = ['gst_assign', '--version']\n"
        "from gst_core.cli.assign import main\n"
        "try: main()\n"
        "finally: print(sorted({'numpy', 'onnxruntime', 'torch', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, cwd=ROOT, text=True)
    assert done.stdout.splitlines() == [__version__, "[]"]


def test_inference_loads_no_torch():
    check = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from gst_core.cli.assign import assign\n"
        f"r = CliRunner().invoke(assign, ['--sequences_fasta', {str(FISH)!r}, '--output', '-'])\n"
        "print(r.exit_code, sorted({'torch', 'onnx', 'rich', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, cwd=ROOT, text=True)
    assert done.stdout.strip() == "0 []", done.stderr


def test_killed_at_any_moment_there_is_no_half_table(tmp_path):
    fasta, output = tmp_path / "many.fa", tmp_path / "many.tsv"
    fasta.write_bytes(FISH.read_bytes() * 40)
    command = [sys.executable, "-m", "gst_core.cli.assign", "--sequences_fasta", str(fasta)]
    started = subprocess.Popen([*command, "--output", str(output), "--quiet"], cwd=ROOT)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".many.tsv.*.tmp")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    assert started.returncode == -signal.SIGKILL
    assert list(tmp_path.glob(".many.tsv.*.tmp"))
    assert not output.exists()


def test_a_reader_that_goes_away_ends_the_program_quietly():
    command = [sys.executable, "-m", "gst_core.cli.assign", "--sequences_fasta", str(FISH)]
    with subprocess.Popen(
        [*command, "--output", "-", "--quiet"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as started:
        assert started.stdout is not None
        started.stdout.close()
        assert started.stderr is not None
        assert started.stderr.read() == b""


def test_a_progress_bar_is_for_terminals_alone(tmp_path):
    import pty

    output = tmp_path / "x.tsv"
    try:
        parent, child = pty.openpty()
    except OSError as error:
        pytest.skip(f"no terminal to be had: {error}")
    command = [sys.executable, "-m", "gst_core.cli.assign", "--sequences_fasta", str(FISH)]
    started = subprocess.Popen(
        [*command, "--output", str(output)],
        cwd=ROOT,
        stderr=child,
        env=os.environ | {"TERM": "xterm"},
    )
    os.close(child)
    shown = b""
    while True:
        try:
            piece = os.read(parent, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    assert started.wait() == 0
    assert b"proteins" in shown
    assert b"\x1b[" in shown
    assert b"\x1b[" not in program("--sequences_fasta", FISH, "--output", output).stderr


def test_the_launcher_of_a_clone_needs_nothing_activated(tmp_path, expected):
    """``bin/gst_assign``, from any folder, through a link, with an empty environment."""
    link = tmp_path / "gst_assign"
    link.symlink_to(ROOT / "bin" / "gst_assign")
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    done = subprocess.run(
        [link, "--sequences_fasta", FISH, "--output", "-", "--quiet"],
        capture_output=True, cwd=tmp_path, env=environment, text=True,
    )  # fmt: skip
    assert done.stdout == expected, done.stderr


def test_a_clade_the_model_has_not_learnt_is_a_warning(tmp_path):
    arguments = ["--sequences_fasta", str(FISH), "--output", str(tmp_path / "x.tsv")]
    bee = CliRunner().invoke(assign, [*arguments, "--scientific_name", "Apis mellifera"])
    assert "do not trust its names for insects" in bee.stderr
    fish = CliRunner().invoke(assign, [*arguments, "--clade", "Teleostei"])
    assert "do not trust" not in fish.stderr


def test_help_shows_examples_line_by_line():
    lines = CliRunner().invoke(assign, ["--help"]).output.splitlines()
    assert any(line.strip().startswith("gst_assign --manifest") for line in lines)
    assert not any("\\b" in line for line in lines)
