"""The FASTA reader: what is in docs/input.md, row by row, and on real and random input."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from Bio import SeqIO, bgzf
from Bio.Seq import Seq
from Bio.SeqIO.FastaIO import SimpleFastaParser
from Bio.SeqRecord import SeqRecord
from hypothesis import given, settings
from hypothesis import strategies as st

from gst_core.errors import GstError
from gst_core.sequences import (
    ALPHABET,
    PADDING,
    Protein,
    ReadStatistics,
    encode,
    proteins_from,
    read_proteins,
    streams,
)
from gst_core.sequences.recognition import NucleotideGuard

ROOT = Path(__file__).resolve().parents[1]


def read(data: bytes, **options: bool) -> tuple[list[Protein], ReadStatistics]:
    statistics = ReadStatistics()
    return list(read_proteins(io.BytesIO(data), statistics=statistics, **options)), statistics


def pairs(data: bytes, **options: bool) -> list[tuple[str, str]]:
    return [(protein.stable_id, protein.residues.decode()) for protein in read(data, **options)[0]]


def error(data: bytes, **options: bool) -> str:
    with pytest.raises(GstError) as caught:
        read(data, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def bgzip(data: bytes) -> bytes:
    file = io.BytesIO()
    writer = bgzf.BgzfWriter(fileobj=file)
    for start in range(0, len(data), 1000):
        writer.write(data[start : start + 1000])
        writer.flush()
    writer._handle = io.BytesIO()  # keep what was written when the writer is closed
    return file.getvalue() + bgzf._bgzf_eof


# Letters


def test_alphabet_and_codes() -> None:
    assert encode(ALPHABET.encode()).tolist() == list(range(27))
    assert encode(b"").shape == (0,)
    assert encode(b"MK").dtype == np.uint8
    assert PADDING == len(ALPHABET) == 27


@given(st.binary(max_size=200))
def test_codes_of_any_bytes_are_letters(residues: bytes) -> None:
    codes = encode(residues)
    assert len(codes) == len(residues)
    assert "".join(ALPHABET[code] for code in codes) == "".join(
        chr(byte) if chr(byte) in ALPHABET else "X" for byte in residues
    )


def test_lower_case_white_space_and_final_stop() -> None:
    assert pairs(b">a\nmk v\t\nL*\n>b\nM*K**\n") == [("a", "MKVL"), ("b", "M*K")]
    assert read(b">b\nM*K**\n")[1].internal_stops == 1
    assert read(b">b\nM*K**\n")[1].warnings() == [
        "1 record has a stop (* or .) inside the sequence"
    ]


def test_rare_letters_are_kept_without_a_warning() -> None:
    proteins, statistics = read(b">a\nUOBZJXuobzjx\n", strict=True)
    assert proteins == [Protein("a", b"UOBZJXUOBZJX", 1, 1)]
    assert statistics.warnings() == []


def test_other_letters_become_x_with_a_counted_warning() -> None:
    proteins, statistics = read(b">a\nMK\n>b text\nM-K\n_1\n\x80-\n")
    assert proteins[1].residues == b"MXKXXXX"
    assert statistics.replaced == {"-": 2, "_": 1, "1": 1, "\x80": 1}
    assert statistics.warnings() == [
        "5 letters that no protein has ('-' 2 x, '_' 1 x, '1' 1 x, byte 0x80 1 x) were replaced "
        "by X, first at record 2 (b), line 4"
    ]


def test_strict_names_record_line_and_letter(tmp_path: Path) -> None:
    file = tmp_path / "in.fa"
    file.write_bytes(b">a\nMK\n>b\nMK\nM-K\n")
    with pytest.raises(GstError) as caught:
        list(read_proteins(file, strict=True))
    message = str(caught.value)
    assert message.startswith(f"{file}, record 2 (b), line 5: '-' is not a letter of a protein")


# Records


def test_record_and_line_numbers() -> None:
    proteins, statistics = read(b"\n;x\n>a b\nMK\n\nVL\n>c\nM\n\n")
    assert proteins == [Protein("a", b"MKVL", 1, 3), Protein("c", b"M", 2, 7)]
    assert (statistics.records, statistics.residues) == (2, 5)


@pytest.mark.parametrize("header", [b"a b c", b"a\tb", b"a \t", b"a\x0bb", b" a", b"\ta b"])
def test_the_id_ends_at_white_space(header: bytes) -> None:
    assert pairs(b">" + header + b"\nMK") == [("a", "MK")]


@pytest.mark.parametrize("header", [b"", b" ", b"\t "])
def test_a_record_without_id_is_an_error(header: bytes) -> None:
    assert error(b">x\nM\n>" + header + b"\nMK\n").startswith(
        "input, record 2, line 3: the record has no id"
    )


def test_empty_sequences_keep_their_record() -> None:
    data = b">a\n>b\nMK\n>c\n*\n>d"
    proteins, statistics = read(data)
    assert [protein.residues for protein in proteins] == [b"", b"MK", b"", b""]
    assert statistics.warnings() == ["3 records have no sequence, first at record 1 (a), line 1"]
    assert "record 1 (a), line 1: the record has no sequence" in error(data, strict=True)


def test_duplicate_ids_are_kept_and_counted() -> None:
    data = b">a\nM\n>b\nM\n>a x\nK\n>a\nK\n"
    proteins, statistics = read(data)
    assert [protein.stable_id for protein in proteins] == ["a", "b", "a", "a"]
    assert statistics.warnings() == [
        "2 records have an id that came before, first at record 3 (a), line 5"
    ]
    assert "record 3 (a), line 5: the id came before" in error(data, strict=True)


def test_many_different_ids_are_no_duplicates() -> None:
    data = b"".join(b">ENSP%011d.1\nMK\n" % number for number in range(50_000))
    _, statistics = read(data + b">ENSP00000040000.1\nM\n")
    assert (statistics.records, statistics.duplicate_ids) == (50_001, 1)


def test_ids_are_valid_printable_utf8() -> None:
    data = ">é\nM\n".encode() + b">\xe9t\xe9 \xff\nM\n>a\x01b\nM\n>ok \xff\xfe\nM\n"
    proteins, statistics = read(data)
    assert [protein.stable_id for protein in proteins] == ["é", "été", "a\ufffdb", "ok"]
    assert statistics.altered_ids == 2
    assert "2 records have an id that is not printable UTF-8" in statistics.warnings()[0]
    assert "record 2 (été), line 3: the id is not printable UTF-8" in error(data, strict=True)


def test_a_missing_line_break_before_a_header_is_an_error() -> None:
    message = error(b">a\nMK\nMK>b\nMK\n")
    assert "record 1 (a), line 3: '>' inside a sequence" in message
    assert pairs(b">a >b\nMK\n") == [("a", "MK")]


def test_comments_are_skipped() -> None:
    assert pairs(b";one\n;two\n>a\n; MK\nMK\n;MK\n") == [("a", "MK")]
    assert read(b">a\nM;K\n")[1].replaced == {";": 1}


def test_a_stop_is_written_as_gffread_writes_it() -> None:
    assert pairs(b">a\nMK.\n>b\nMK..\n", strict=True) == [("a", "MK"), ("b", "MK")]
    proteins, statistics = read(b">a\nM.K.\n")
    assert (proteins[0].residues, statistics.internal_stops) == (b"M*K", 1)
    assert not statistics.replaced
    original, statistics = read(b">a\nMK.\n", original=True)
    assert (original[0].residues, statistics.replaced) == (b"MKX", {".": 1})


def test_lines_with_a_hash_are_comments() -> None:
    data = b"# made by hand\n\n#KLM\n>a\nMK\n# KLM\nVL\n>b\n#\nM\n"
    proteins, statistics = read(data)
    assert proteins == [Protein("a", b"MKVL", 1, 4), Protein("b", b"M", 2, 8)]
    assert statistics.warnings() == ["4 lines were taken for comments (#), first line 1"]
    assert "input, line 1: a line begins with '#'" in error(data, strict=True)
    assert "line 3: a line begins with '#'" in error(b">a\nMK\n#K\n", strict=True)
    assert "holds no sequences" in error(b"# nothing\n")
    assert "looks like a table" in error(b"#!genome-build x\n1\tensembl\tgene\n")
    assert "looks like a VCF file" in error(b"##fileformat=VCFv4.2\n>a\n")


@pytest.mark.parametrize("data", [b">a\nMK\n>b\nMK\nM\0K\n", b">a\nMK\nM\n>b\0 x\nM\n"])
def test_binary_data_after_the_beginning_are_an_error(data: bytes) -> None:
    data = data.replace(b">b", b">" + b"filler\nM\n>" * 1000 + b"b")
    message = error(data)
    assert "record 1,002 (b" in message
    assert "binary data (a zero byte)" in message


def test_ids_are_no_longer_than_tables_take() -> None:
    assert len(pairs(b">" + b"a" * 32_767 + b" b\nM\n")[0][0]) == 32_767
    message = error(b">x\nM\n>" + b"a" * 32_768 + b"\nM\n")
    assert message.startswith("input, record 2, line 3: the id has 32,768 characters; ")


def test_giant_records_are_an_error_before_they_are_read() -> None:
    """Whether in one line or in many, in memory or from a pipe that never ends."""
    blocks = 0

    class Endless:
        def read(self, size: int = 0) -> bytes:
            nonlocal blocks
            blocks += 1
            return b">x\nM\n>giant of all\n" if blocks == 1 else b"MKVLSTREDW\n" * 10_000

    with pytest.raises(GstError) as caught:
        list(read_proteins(Endless()))
    assert "record 2, line 3: a record of more than 1,000,000 letters" in str(caught.value)
    assert blocks < 80
    many = b"\n".join([b"MKVLSTREDW"] * 100_001)
    assert "record 1 (a), line 1: a record of more than" in error(b">a\n" + many + b"\n>b\nM\n")
    with pytest.raises(GstError, match=r"record 1 .a.: a record of more than"):
        list(proteins_from([("a", "MKVLSTREDW" * 100_001)]))


# Lines


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends(end: bytes, last: bool) -> None:
    data = end.join([b">a x", b"MK", b"", b"VL", b">b", b"M"]) + (end if last else b"")
    assert read(data)[0] == [Protein("a", b"MKVL", 1, 1), Protein("b", b"M", 2, 5)]


def test_mixed_line_ends() -> None:
    assert pairs(b">a\rMK\r>b\nM\r\nK\r\r\n") == [("a", "MK"), ("b", "MK")]


def test_byte_order_mark() -> None:
    assert pairs(b"\xef\xbb\xbf>a\nMK\n") == [("a", "MK")]


def test_one_residue_and_titin() -> None:
    titin = b"MTTQAPTFTQPLQSVVVLEGSTATFEAHISGFPVP" * 1000
    lines = b"\n".join(titin[start : start + 60] for start in range(0, len(titin), 60))
    assert pairs(b">p\nM\n>titin\n" + lines + b"\n") == [("p", "M"), ("titin", titin.decode())]


def test_a_very_long_line() -> None:
    sequence = b"MKVLSTREDWQ" * 90_000
    (protein,) = read(b">long\n" + sequence)[0]
    assert protein.residues == sequence


# What is no protein FASTA


@pytest.mark.parametrize("data", [b"", gzip.compress(b"", mtime=0), zstd(b"")])
def test_an_empty_input_is_an_error(data: bytes) -> None:
    assert error(data).startswith("input: is empty")


def test_blank_lines_and_comments_alone() -> None:
    assert error(b"\n\n;comment\n  \n").startswith("input: holds no sequences")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"@read1\nACGT\n+\nIIII\n", "FASTQ"),
        (b"LOCUS       AB1\n", "GenBank"),
        (b"ID   1433B_HUMAN\n", "EMBL or UniProt"),
        (b"##gff-version 3\n", "GFF3"),
        (b"CLUSTAL W\n", "an alignment"),
        (b"<!DOCTYPE html>\n<p>404</p>", "HTML"),
        (b'{"error": 404}', "JSON"),
        (b"stable_id\tsymbol\nENSP1\tBRCA1\n", "a table"),
        (b"MKVLSTREDWQ\n", "text without a header"),
        (b"{\\rtf1\\ansi\n>a\\\nMK}\n", "an RTF document"),
        (b"\x7fELF\0\0", "binary"),
        (b"proteins.fa".ljust(257, b"\0") + b"ustar\x0000", "a tar archive"),
        (b">\0a\0\n\0M\0", "binary"),
        ("\ufeff>a\nMK".encode("utf-16-le"), "UTF-16"),
    ],
)
def test_what_is_not_fasta(data: bytes, kind: str) -> None:
    message = error(b"\n" + data)
    assert message.startswith("input, line 2: is not FASTA but looks like ")
    assert kind in message


@pytest.mark.parametrize(
    "magic", [b"BZh91AY", b"\xfd7zXZ\0\0", b"PK\x03\x04\x14\0", b"7z\xbc\xaf\x27"]
)
def test_other_compression_is_named(magic: bytes) -> None:
    assert "is compressed with" in error(magic + b"rest")


NUCLEOTIDES = b"ATGGCGTACGATTTCGAGCTAAACGGCTAGCATCGATCGGATCCTTAAGG" * 8


@pytest.mark.parametrize(
    "sequence",
    [
        NUCLEOTIDES,
        NUCLEOTIDES.lower(),
        NUCLEOTIDES.replace(b"T", b"U"),
        b"N" * 3_000_000 + NUCLEOTIDES,
        b"ATTAAATTCAAATGTTATAA" * 20,
    ],
)
def test_nucleotides_are_recognised(sequence: bytes) -> None:
    for data in (b">a\n" + sequence, b"".join(b">a\n" + sequence[i::7] + b"\n" for i in range(7))):
        message = error(data)
        assert "holds nucleotide sequences, not proteins" in message
        assert "translate" in message
    with pytest.raises(GstError, match="nucleotide"):
        list(proteins_from([("a", sequence.decode())]))


@pytest.mark.parametrize(
    "sequence",
    [
        b"GATTACA",
        b"GATTACA" * 28,
        b"AATAATAATAATAATPATAATAATA" * 20,
        b"DTASDAAAAAALTAANAKAAAELTAANAAAAAAATAR" * 10,
        b"GGGGACCGGTGGPGAPGPPGKDGEAGAQGPPGPAGPAGERGEQGPAGSPGFQGLPGPAGPPG" * 5,
        b"N" * 1000,
    ],
)
def test_peptides_and_plain_proteins_are_not_nucleotides(sequence: bytes) -> None:
    assert len(read(b">a\n" + sequence)[0]) == 1


# Sources and compression

PROTEINS = b"".join(b">p%d\nMKVLSTREDWQ%s\n" % (n, b"ACDEFGHIKL" * (n % 90)) for n in range(300))
KINDS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bgzip": bgzip,
    "gzip members": lambda data: gzip.compress(data[:5000]) + gzip.compress(data[5000:]),
    "gzip padded": lambda data: gzip.compress(data) + b"\0" * 512,
    "zstd": zstd,
    "zstd frames": lambda data: zstd(data[:5000]) + zstd(data[5000:]) + zstd(b""),
    "pzstd": lambda data: b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstd(data),
    "zstd stream": lambda data: zstandard.ZstdCompressor(write_content_size=False).compress(data),
}


@pytest.mark.parametrize("kind", KINDS)
def test_compression_is_known_by_content(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "proteins.fa.gz"
    file.write_bytes(KINDS[kind](PROTEINS))
    expected = read(PROTEINS)[0]
    assert list(read_proteins(file)) == expected
    assert list(read_proteins(str(file))) == expected
    with file.open("rb", buffering=0) as stream:
        assert list(read_proteins(stream)) == expected
        assert not stream.closed


@pytest.mark.parametrize("kind", ["gzip", "zstd", "zstd stream"])
def test_every_truncation_is_an_error(kind: str) -> None:
    data = KINDS[kind](PROTEINS[:400])
    for size in range(len(data)):
        message = error(data[:size])
        assert size < 6 or "truncated" in message


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_damaged_data_are_an_error(kind: str) -> None:
    data = bytearray(KINDS[kind](PROTEINS))
    if kind == "gzip":
        data[-6] ^= 1  # in the checksum
    else:
        data[20:30] = b"\xff" * 10
    assert "damaged" in error(bytes(data))
    assert "damaged" in error(gzip.compress(PROTEINS) + b"garbage")


def test_standard_input() -> None:
    program = (
        "from gst_core.sequences import read_proteins\n"
        "print(sum(len(p.residues) for p in read_proteins('-')))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        input=gzip.compress(PROTEINS),
        capture_output=True,
        cwd=ROOT,
    )
    assert int(run.stdout) == sum(len(protein.residues) for protein in read(PROTEINS)[0])


def test_sources_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.fa", tmp_path):
        with pytest.raises(GstError, match=re.escape(f"{path}: cannot read")):
            next(read_proteins(path))
    with pytest.raises(GstError, match=r"is open as text; open it as binary, open\(path, 'rb'\)"):
        next(read_proteins(io.StringIO(">a\nMK")))  # type: ignore[arg-type]


def test_the_name_in_messages() -> None:
    with pytest.raises(GstError, match=r"^genome 7: is empty"):
        next(read_proteins(io.BytesIO(b""), name="genome 7"))


# In memory


def test_proteins_in_memory() -> None:
    statistics = ReadStatistics()
    records = [("a b", "mk-v*"), SeqRecord(Seq("MK"), id="b"), ("c", "M\u00e9")]
    proteins = list(proteins_from(records, statistics=statistics))
    assert proteins == [
        Protein("a", b"MKXV", 1, 0),
        Protein("b", b"MK", 2, 0),
        Protein("c", b"MX", 3, 0),
    ]
    assert "first at record 1 (a)" in statistics.warnings()[0]
    with pytest.raises(GstError, match=r"^batch, record 1 \(a\): '-' is not a letter"):
        list(proteins_from(records, strict=True, name="batch"))
    assert list(proteins_from([])) == []


def test_proteins_in_memory_in_whatever_holds_them() -> None:
    record = SeqRecord(Seq("MKV"), id="a")
    for records in (
        record,
        {"a": "MKV"},
        {"a": record},
        [("a", b"MKV")],
        [["a", Seq("MKV"), "more"]],
        iter({"a": "MKV"}.items()),
    ):
        assert list(proteins_from(records)) == [Protein("a", b"MKV", 1, 0)]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (["MKVLA", "MKW"], r"^input, record 1: is no protein but str; give pairs"),
        ([("a", "MK"), b"MKVLA"], r"^input, record 2: is no protein but bytes"),
        ([7], "record 1: is no protein but int"),
        ([("a",)], "record 1: is no protein but tuple"),
        ([("a", 5)], r"record 1 \(a\): its sequence is 5, no text"),
        ([("a", float("nan"))], "its sequence is nan, no text"),
        ([("a", None)], "its sequence is None, no text"),
    ],
)
def test_what_holds_no_proteins_is_not_taken_for_some(records: Any, message: str) -> None:
    with pytest.raises(GstError, match=message):
        list(proteins_from(records))


# Random and real input

ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
residues = st.text(ALPHABET[:26], max_size=120)


@settings(deadline=None)
@given(
    st.lists(st.tuples(ids, residues), min_size=1, max_size=20),
    st.integers(1, 80),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(sorted(KINDS)),
    st.integers(1, 50),
)
def test_what_is_written_is_read(
    records: list[tuple[str, str]], width: int, end: str, kind: str, block: int
) -> None:
    lines = [
        line
        for stable_id, sequence in records
        for line in [f">{stable_id}"]
        + [sequence[start : start + width] for start in range(0, len(sequence), width)]
    ]
    data = KINDS[kind](end.join(lines).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "BLOCK", block)
        patch.setattr(NucleotideGuard, "LETTERS", 10**9)
        assert pairs(data) == records


@settings(deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda data: b">a\n" + data))
def test_any_bytes_give_proteins_or_our_error(data: bytes) -> None:
    try:
        proteins, statistics = read(data)
    except GstError:
        return
    assert statistics.records == len(proteins) >= 1
    assert statistics.residues == sum(len(protein.residues) for protein in proteins)
    for number, protein in enumerate(proteins, 1):
        assert protein.record == number
        assert protein.stable_id.isprintable()
        assert protein.stable_id.encode("utf-8")
        assert set(protein.residues) <= set(ALPHABET.encode())


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [b">", b"a", b"M", b"*", b"\n", b"\r", b"\r\n", b" ", b";", b"-", b"#", b"."]
        )
    ),
    st.integers(1, 5),
)
def test_blocks_do_not_show(parts: list[bytes], block: int) -> None:
    def outcome() -> object:
        try:
            proteins, statistics = read(b">a" + b"".join(parts))
        except GstError as caught:
            return str(caught)
        return proteins, statistics

    whole = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "BLOCK", block)
        assert outcome() == whole


def first_records(file: Path, number: int) -> bytes:
    """Return the first records of a zstd file, decompressed without the code under test."""
    with file.open("rb") as raw:
        text = zstandard.ZstdDecompressor().stream_reader(raw).read(100_000_000)
    starts = (found.start() for found in re.finditer(rb"^>", text, re.MULTILINE))
    return text[: next(itertools.islice(starts, number, None))]


def test_biopython_reads_the_same_from_swiss_prot(shared_data: Path) -> None:
    data = first_records(shared_data / "proteins" / "swissprot_eukaryota.fasta.zst", 30_000)
    expected = [
        (title.split(None, 1)[0], sequence)
        for title, sequence in SimpleFastaParser(io.StringIO(data.decode()))
    ]
    assert len(expected) == 30_000
    assert pairs(data) == expected
    assert read(data, strict=True)[1].warnings() == []


def test_biopython_reads_the_same_from_the_golden_input(shared_data: Path) -> None:
    file = shared_data / "legacy-gst" / "inputs" / "proteins_200.fa"
    expected = [(record.id, str(record.seq).rstrip("*")) for record in SeqIO.parse(file, "fasta")]
    assert [(p.stable_id, p.residues.decode()) for p in read_proteins(file)] == expected


def test_no_protein_of_swiss_prot_is_taken_for_nucleotides(shared_data: Path) -> None:
    data = first_records(shared_data / "proteins" / "swissprot_eukaryota.fasta.zst", 30_000)
    for protein in read(data)[0]:
        NucleotideGuard("swissprot").check(protein.residues)


PEAK = """
import io, itertools, sys
from gst_core.sequences import read_proteins

class Repeated(io.RawIOBase):
    def __init__(self, number):
        self.left = ((b">P%09d x\\n" % n) + b"MKVLSTREDWQ" * 5 + b"\\n" for n in range(number))
    def read(self, size=-1):
        return b"".join(itertools.islice(self.left, 5000))

number = int(sys.argv[1])
assert sum(1 for _ in read_proteins(Repeated(number))) == number
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_does_not_grow_with_the_input() -> None:
    def peak(number: int) -> int:
        run = subprocess.run(
            [sys.executable, "-c", PEAK, str(number)],
            capture_output=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        return int(run.stdout)

    assert peak(1_000_000) < 1.2 * peak(10_000)


def test_repetitive_zstd_is_read_in_flat_pieces() -> None:
    def compressed() -> Iterator[bytes]:
        chunk = b">a\n" + b"MKVLSTREDWQ" * 10 + b"\n"
        compressor = zstandard.ZstdCompressor(level=19).compressobj()
        for _ in range(64):
            yield compressor.compress(chunk * 8192)
        yield compressor.flush()

    pieces = streams.open_blocks(io.BytesIO(b"".join(compressed())), "input")
    with pieces as blocks:
        sizes = [len(block) for block in blocks]
    assert sum(sizes) == 64 * 8192 * 114
    assert max(sizes) < 16 << 20
