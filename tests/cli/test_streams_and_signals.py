"""``gst_assign`` as a careful Unix program: streams, links, signals, foreign environments."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "bin" / "gst_assign"
FISH = Path(str(files("gst_core"))) / "assets" / "sample" / "danio_rerio.fa"


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two proteins in a folder of their own, which is the working folder."""
    fasta = tmp_path / "two.fa"
    records = FISH.read_text().split(">")[1:3]
    fasta.write_text("".join(f">{record}" for record in records))
    return fasta


def sh(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which GA is the program."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = os.environ | {"PATH": path, "GA": f"{PROGRAM} --quiet"} | environment
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=variables, capture_output=True, text=True
    )


def test_standard_output_that_is_a_file_is_written_where_it_stands(two: Path) -> None:
    """By `-` and by name: the device stays, and so does what the shell wrote before."""
    before = Path("/dev/stdout").lstat()
    for name in ("-", "/dev/stdout", "/dev/fd/1"):
        done = sh(
            two.parent,
            f"(echo before; $GA --sequences_fasta two.fa --output {name}; echo after) > f",
        )
        assert done.stderr == ""
        lines = (two.parent / "f").read_text().splitlines()
        assert (lines[0], lines[-1], len(lines)) == ("before", "after", 5)
    assert os.path.samestat(before, Path("/dev/stdout").lstat())


@pytest.mark.parametrize(
    ("arguments", "said", "status"),
    [
        ("--output - >&-", "standard output: is closed", 1),
        ("--sequences_fasta - --output x <&-", "standard input: is closed", 1),
        ("--output - > /dev/full", "standard output: cannot write: No space left", 1),
        ("--output /dev/full", "/dev/full: cannot write: No space left", 1),
        ('--sequences_fasta ""', "the path is empty", 2),
        ('--output ""', "the path is empty", 2),
        ("--threshold nan", "'nan' is not a number from 0 to 1", 2),
        ("--report two.fa", "two.fa: the result would overwrite an input", 1),
        ("--report soft.fa", "soft.fa: the result would overwrite an input", 1),
        ("--output hard.fa", "hard.fa: the result would overwrite an input", 1),
        ("--output - >> two.fa", "standard output: the result would overwrite an input", 1),
        ("--output x --report x", "x: is there twice among the outputs", 1),
        ("--report /nonexistent/r.html", "/nonexistent/r.html: cannot write: No such file", 1),
        ("--outcomes two_symbols.csv", "two_symbols.csv: is there twice", 1),
    ],
)
def test_what_cannot_go_well_is_told_before_any_work(
    two: Path, arguments: str, said: str, status: int
) -> None:
    (two.parent / "soft.fa").symlink_to("two.fa")
    (two.parent / "hard.fa").hardlink_to(two)
    there, text = set(two.parent.iterdir()), two.read_text()
    source = "" if "--sequences_fasta" in arguments else "--sequences_fasta two.fa"
    done = sh(two.parent, f"$GA {source} {arguments}")
    assert (done.returncode, done.stdout) == (status, "")
    *_, line = done.stderr.splitlines()
    assert said in line
    assert status == 2 or done.stderr.count("\n") == 1
    assert two.read_text() == text
    assert set(two.parent.iterdir()) == there


def test_a_manifest_is_an_input_too(two: Path) -> None:
    manifest = two.parent / "m.csv"
    manifest.write_text("id,fasta\nx,two.fa\n")
    for option in ("--output", "--report", "--outcomes"):
        done = sh(two.parent, f"$GA --manifest m.csv {option} m.csv")
        assert done.returncode == 1
        assert "m.csv: the result would overwrite an input" in done.stderr
    assert manifest.read_text() == "id,fasta\nx,two.fa\n"


def test_links_and_modes_are_respected(two: Path) -> None:
    folder = two.parent
    (folder / "d").mkdir()
    real = folder / "d" / "real.tsv"
    real.touch(0o640)
    (folder / "link.tsv").symlink_to(real)
    assert sh(folder, "$GA --sequences_fasta two.fa --output link.tsv").returncode == 0
    assert (folder / "link.tsv").is_symlink()
    assert real.read_text().count("\n") == 3
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sh(folder, "umask 027; $GA --sequences_fasta two.fa --output new.tsv").returncode == 0
    assert stat.S_IMODE((folder / "new.tsv").stat().st_mode) == 0o640


@pytest.mark.parametrize("copied", [False, True], ids=["venv", "any python3"])
def test_foreign_modules_are_not_imported(two: Path, tmp_path: Path, copied: bool) -> None:
    """Neither from the working folder nor from another Python's variables."""
    folder = two.parent
    for name in ("csv.py", "random.py", "other/csv.py", "other/click/__init__.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("raise SystemExit('a foreign module was imported')\n")
    command = "$GA --sequences_fasta two.fa --output -"
    environment = {"PYTHONPATH": f"{folder}/other", "PYTHONHOME": "/nonexistent"}
    if copied:  # a clone without an environment: the package beside, python3 from PATH
        (folder / "clone: 1" / "bin").mkdir(parents=True)
        for name in ("_run", "gst_assign"):
            shutil.copy(ROOT / "bin" / name, folder / "clone: 1" / "bin" / name)
        (folder / "clone: 1" / "gst_core").symlink_to(ROOT / "gst_core")
        python = folder / "path" / "python3"
        python.parent.mkdir()
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        command = f"'{folder}/clone: 1/bin/gst_assign' --quiet --sequences_fasta two.fa --output -"
        environment["PATH"] = f"{python.parent}:/usr/bin:/bin"
    done = sh(folder, command, **environment)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 3


def test_a_name_that_is_not_utf8(two: Path) -> None:
    folder = os.fsencode(two.parent)
    fasta = folder + b"/b\xf6ck.fa"
    Path(os.fsdecode(fasta)).write_bytes(two.read_bytes())
    command = "{ $GA --sequences_fasta b*.fa --report r.html --format json --outcomes o.json; }"
    done = sh(two.parent, command)
    assert (done.returncode, done.stderr) == (0, "")
    assert rb"b\xf6ck" in (two.parent / "r.html").read_bytes()
    document = os.fsdecode(folder + b"/b\xf6ck_symbols.json")
    assert r'"id":"b\\xf6ck"' in Path(document).read_text(encoding="utf-8")


def test_foreign_text_does_nothing_to_a_terminal(two: Path) -> None:
    """Of names of files, of arguments, of what files hold."""
    evil = "\x1b[31m\u202e"
    (two.parent / f"{evil}.fa").write_text("no FASTA")
    for command in (
        f"$GA --sequences_fasta '{evil}.fa'",
        f"$GA --sequences_fasta two.fa --clade '{evil}'",
        f"$GA --{evil[1:]}",
        f"$GA --sequences_fasta two.fa --output '{evil}/x'",
    ):
        done = sh(two.parent, command)
        assert done.returncode
        assert "\x1b" not in done.stderr
        assert "\u202e" not in done.stderr
        assert r"\u202e" in done.stderr


# -- signals


def started(folder: Path, before: str = "") -> subprocess.Popen[bytes]:
    """Begin with a large input and wait until results are being written."""
    fasta = folder / "many.fa"
    fasta.write_bytes(FISH.read_bytes() * 60)
    command = f"{before} exec {PROGRAM} --sequences_fasta many.fa --output many.tsv --quiet"
    process = subprocess.Popen(
        ["/bin/sh", "-c", command], cwd=folder, start_new_session=True, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while not list(folder.glob(".many.tsv.*.tmp")) and time.monotonic() < deadline:
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_behind_and_is_the_cause_of_death(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = started(tmp_path)
    os.kill(process.pid, number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == -number
    assert said == b""
    assert [path.name for path in tmp_path.iterdir()] == ["many.fa"]


def test_a_hang_up_that_is_ignored_stays_so(tmp_path: Path) -> None:
    """As nohup asks for."""
    process = started(tmp_path, "trap '' HUP;")
    os.kill(process.pid, signal.SIGHUP)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert (tmp_path / "many.tsv").exists()


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_an_interrupt_ends_the_loop_of_a_shell(tmp_path: Path) -> None:
    (tmp_path / "many.fa").write_bytes(FISH.read_bytes() * 60)
    run = f"{PROGRAM} --sequences_fasta many.fa --output many.tsv --quiet"
    loop = f"for i in 1 2 3; do echo $i >> begun; {run}; done; echo all >> begun"
    process = subprocess.Popen(["bash", "-c", loop], cwd=tmp_path, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".many.tsv.*.tmp")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) == -signal.SIGINT
    assert (tmp_path / "begun").read_text() == "1\n"
