"""The bundled sample is what its rule says, complete and consistent."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "gst_core/assets/sample"


def fasta_ids(path: Path) -> list[str]:
    return [line[1:].split()[0] for line in path.read_text().splitlines() if line.startswith(">")]


def test_every_protein_has_its_known_symbol() -> None:
    with (SAMPLE / "known_symbols.tsv").open(newline="") as file:
        known = {r["stable_id"]: r for r in csv.DictReader(file, delimiter="\t")}
    with (SAMPLE / "samplesheet.csv").open(newline="") as file:
        sheet = list(csv.DictReader(file))
    found = Counter[str]()
    for genome in sheet:
        for stable_id in fasta_ids(SAMPLE / genome["fasta"]):
            assert known[stable_id]["species"] == genome["scientific_name"]
            assert known[stable_id]["symbol"]
            found[stable_id] += 1
    assert found == Counter(known.keys())
    assert len(found) >= 300
    assert len(sheet) >= 6


def test_it_is_small_enough_to_ship() -> None:
    assert sum(f.stat().st_size for f in SAMPLE.iterdir()) < 250_000


def test_the_script_builds_it_to_the_byte(shared_data: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, str(ROOT / "scripts/build_sample.py"), str(shared_data), str(tmp_path)],
        check=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    )
    built = sorted(tmp_path.iterdir())
    assert len(built) == 12
    for path in built:
        assert path.read_bytes() == (SAMPLE / path.name).read_bytes(), path.name
