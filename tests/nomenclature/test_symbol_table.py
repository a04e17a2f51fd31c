"""The table for curators, and the command that writes it."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gst_core.cli.symbols import symbols
from gst_core.errors import GstError
from gst_core.nomenclature import Canonical, Entry, Rule, read_canonical, write_canonical
from gst_core.sequences import ALPHABET
from tests.nomenclature.conftest import Make


def test_the_table_survives_the_file(tmp_path: Path) -> None:
    entries = [
        Entry("EIF3S9", "EIF3B", Rule.PREVIOUS, "", 3, 0.875, "P55884"),
        Entry("MYCA", "myca", Rule.COPY, "MYC", 2, 0.5),
        Entry("NOVEL", "novel", Rule.KEPT, "", 1),
    ]
    write_canonical(tmp_path / "symbols.tsv", Canonical(entries))
    read = list(read_canonical(tmp_path / "symbols.tsv"))
    assert read[:2] == entries[:2]
    assert math.isnan(read[2].likeness)
    header = (tmp_path / "symbols.tsv").read_text().splitlines()[0]
    assert header == "label\tsymbol\trule\tcopy_of\tproteins\tlikeness\tagainst"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("symbol\n", "not a table of symbols"),
        ("{header}A\tB\tguessed\t\t1\t\t\n", "guessed"),
        ("{header}A\tB\tkept\t\tmany\t\t\n", "many"),
        ("{header}A\tB\tprevious\t\t1\t\t\nB\tC\tprevious\t\t1\t\t\n", "that becomes 'C'"),
    ],
)
def test_a_table_mended_badly_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    header = "label\tsymbol\trule\tcopy_of\tproteins\tlikeness\tagainst\n"
    path = tmp_path / "symbols.tsv"
    path.write_text(text.replace("{header}", header))
    with pytest.raises(GstError, match=message) as error:
        read_canonical(path)
    assert "symbols.tsv" in str(error.value)
    with pytest.raises(GstError, match="cannot be read"):
        read_canonical(tmp_path / "absent.tsv")


def test_the_command_needs_no_torch() -> None:
    code = "import sys, gst_core.cli.symbols; sys.exit('torch' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)


def test_the_command_writes_the_table_and_counts(
    make: Make, table_files: dict[str, Path], tmp_path: Path
) -> None:
    proteins = [
        make("EIF3B", "Homo sapiens", "EIF3B", "P55884"),
        make("EIF3S9", "Bos taurus", "EIF3B", "Q00001"),
        make("MYC", "Homo sapiens", "MYC", "P01106"),
        make("myca", "Danio rerio", "MYC", "Q00002"),
        make("novel", "Gallus gallus", "novel", "Q00003"),
    ]
    fasta = tmp_path / "proteins.fasta"
    with fasta.open("w") as file:
        for p in proteins:
            residues = "".join(ALPHABET[code] for code in p.codes)
            header = f">sp|{p.accession}|X OX={p.taxon.taxon_id} GN={p.symbol}"
            file.write(f"{header}\n{residues}\n")
    output = tmp_path / "symbols.tsv"
    arguments = ["--proteins", str(fasta), "--output", str(output)]
    tables = ["--hgnc", table_files["hgnc"], "--mgi", table_files["homology"]]
    tables += ["--zfin", table_files["zfin"]]
    result = CliRunner().invoke(symbols, [*arguments, *map(str, tables)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    canonical = read_canonical(output)
    assert canonical.symbol("eif3s9") == "EIF3B"
    assert canonical.copy_of("MYCA") == "MYC"
    counts = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
    assert (counts["previous"], counts["kept"]) == (["1", "1"], ["1", "1"])
    assert "4 symbols; 80.0% of the proteins" in result.stdout
    with pytest.raises(GstError, match="no table of approved symbols"):
        CliRunner().invoke(symbols, arguments, catch_exceptions=False)
