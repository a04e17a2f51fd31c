"""What the throughput benchmark does with its measurements."""

import sys

import pytest

from benchmarks.protocol.measure import Cost
from benchmarks.throughput import (
    Timing,
    as_markdown,
    seconds_to_end,
    seconds_to_first_row,
    write_proteins,
)
from gst_core.errors import GstError
from gst_core.sequences import read_proteins


def test_medians_and_ratios():
    costs = [Cost(s, s + 1, m) for s, m in ((3, 9), (1, 7), (2, 8))]
    ours = Timing.of("gst_assign", "new genera", 100, costs)
    assert (ours.seconds, ours.fastest, ours.slowest, ours.peak_mib) == (2, 1, 3, 8)
    assert ours.rate == 50
    other = Timing.of("DIAMOND", "new genera", 100, [Cost(20, 36, 100)])
    stranger = Timing.of("gst_assign", "strangers", 100, [Cost(4, 5, 8)])
    text = as_markdown([ours, other, stranger], {"gst_assign --version": 0.1234})
    for row in (
        "gst_assign | new genera | 100 | 3 | 2.00 (1.00 to 3.00) | 50 | 3.0 | 8 | 1.0 | 1.0",
        "DIAMOND | new genera | 100 | 1 | 20.00 (20.00 to 20.00) | 5 | 36.0 | 100 | 10.0 | 12.0",
        "gst_assign | strangers | 100 | 1 | 4.00 (4.00 to 4.00) | 25 | 5.0 | 8 | 1.0 | 1.0",
    ):
        assert f"| {row} |" in text
    assert "| gst_assign --version | 0.123 |" in text


def test_first_row_comes_before_the_end():
    code = "import time; print('header\\nrow', flush=True); time.sleep(60)"
    assert seconds_to_first_row([sys.executable, "-c", code]) < 30
    assert seconds_to_end([sys.executable, "-c", "pass"]) > 0
    with pytest.raises(GstError, match="before its first row"):
        seconds_to_first_row([sys.executable, "-c", "print('header')"])


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data" / "proteins"
    folder.mkdir(parents=True)
    (folder / "swissprot_eukaryota.fasta.zst").write_text(
        ">sp|P1|A_HUMAN OX=9606 GN=A\nMKVLAA\n"
        ">sp|P2|A_DANRE OX=7955 GN=a\nMKVLAC\n"
        ">sp|P3|B_BOVIN OX=9913 GN=B\nMKVLAD\n"
        ">sp|P4|A_DROME OX=7227 GN=A\nMKVLAF\n"
        ">sp|P5|A_ARATH OX=3702 GN=A\nMKVLAG\n"
        ">sp|P6|A_YEAST OX=559292 GN=A\nMKVLAH\n"
        ">sp|P7|A_DICDI OX=44689 GN=A\nMKVLAI\n"
    )
    (folder / "human_refseq_one_per_gene.fasta.gz").write_text(
        ">NP_1 [Homo sapiens] gene_symbol:B OX=9606\nMKVLAE\n"
    )
    return tmp_path / "data"


def test_queries_are_held_out_and_repeated_under_new_ids(data, tmp_path):
    write_proteins(tmp_path, data, [1, 2], 4, 5)
    assert [p.residues for p in read_proteins(tmp_path / "training.fasta")] == [
        b"MKVLAA",
        b"MKVLAE",
    ]
    asked = [p.residues for p in read_proteins(tmp_path / "new_2.fasta")]
    assert sorted(asked) == [b"MKVLAC", b"MKVLAD"]
    assert [p.residues for p in read_proteins(tmp_path / "new_1.fasta")] == asked[:1]
    strange = [p.residues for p in read_proteins(tmp_path / "strangers.fasta")]
    assert strange == [b"MKVLAF", b"MKVLAG", b"MKVLAH", b"MKVLAI"]
    again = list(read_proteins(tmp_path / "repeated.fasta"))
    assert [p.residues for p in again] == [*asked, *asked, asked[0]]
    assert len({p.stable_id for p in again}) == 5
    with pytest.raises(GstError, match="3 proteins asked for, 2 there"):
        write_proteins(tmp_path, data, [2, 3], 4, 5)
    with pytest.raises(GstError, match="8 strangers asked for, 4 there"):
        write_proteins(tmp_path, data, [2], 8, 5)
