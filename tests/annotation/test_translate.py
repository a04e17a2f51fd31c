"""Translation by Ensembl's rules."""

from __future__ import annotations

import pytest
from Bio.Seq import Seq
from hypothesis import given
from hypothesis import strategies as st

from gst_core.annotation.translate import (
    CodingRegion,
    SeqEdit,
    apply_edits,
    coding_sequence,
    reverse_complement,
    translate,
)
from gst_core.errors import GstError

dna = st.text("ACGT", min_size=3, max_size=300)


@given(dna, st.sampled_from([1, 2, 4, 11]))
def test_unambiguous_codons_are_biopythons_after_the_first(sequence: str, table: int) -> None:
    whole = sequence[: len(sequence) // 3 * 3]
    expected = str(Seq(whole).translate(table))
    assert translate(sequence, table)[1:] == expected.removesuffix("*")[1:]


@pytest.mark.parametrize(
    ("sequence", "table", "protein"),
    [
        ("ATGAAATAA", 1, "MK"),  # the stop at the end is left out
        ("ATGTAAAAATAG", 1, "M*K"),  # one within stays
        ("ATGAAATAATAA", 1, "MK*"),  # only one is left out
        ("CTGAAA", 1, "MK"),  # a start codon starts, whatever it codes for elsewhere
        ("AAACTG", 1, "KL"),
        ("NNGAAA", 1, "XK"),  # a padded codon is no start codon
        ("ATGAAAC", 1, "MK"),  # what is over is ignored
        ("AT", 1, ""),
        ("", 1, ""),
        ("ATAAGA", 2, "M"),  # vertebrate mitochondria: ATA is M, AGA a stop
        ("ATGTGA", 2, "MW"),
        ("ATGTGA", 1, "M"),
        ("ATGRAY", 1, "MB"),
        ("ATGSAR", 1, "MZ"),
        ("ATGTAR", 1, "M"),  # both readings are stops
        ("ATGGCN", 1, "MA"),
        ("ATGMTY", 1, "MX"),
        ("ATGNNN", 1, "MX"),
        ("atgaaa", 1, "MK"),
        ("AUGAAA", 1, "MK"),
    ],
)
def test_rules(sequence: str, table: int, protein: str) -> None:
    assert translate(sequence, table) == protein


def test_edits_on_the_protein() -> None:
    edits = [SeqEdit.parse(text, "here") for text in ("2 2 U", "1 1 M", "3 3 KK")]
    assert translate("GGGTGAGGGAAA", 1, edits) == "MUKKK"


def test_an_unknown_genetic_code_is_named() -> None:
    with pytest.raises(GstError, match="genetic code 99"):
        translate("ATG", 99)


@pytest.mark.parametrize("value", ["", "x 1 A", "3", "0 1 A", "5 3 A"])
def test_what_is_no_edit_is_refused(value: str) -> None:
    with pytest.raises(GstError, match=r"ENST1: .*is not a sequence edit"):
        SeqEdit.parse(value, "ENST1")


@given(dna, st.data())
def test_an_edit_replaces_its_stretch(sequence: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(1, len(sequence)))
    end = data.draw(st.integers(start - 1, len(sequence)))
    edit = SeqEdit(start, end, "XYZ")
    edited = apply_edits(sequence, [edit])
    assert edited == sequence[: start - 1] + "XYZ" + sequence[end:]
    assert len(edited) == len(sequence) + edit.growth


def test_edits_do_not_move_each_other() -> None:
    assert apply_edits("abcdef", [SeqEdit(1, 1, ""), SeqEdit(6, 6, "FF")]) == "bcdeFF"


class TestCodingSequence:
    def test_is_cut_out_and_padded_to_the_phase(self) -> None:
        assert coding_sequence("ccATGAAAcc", CodingRegion(3, 8)) == "ATGAAA"
        assert coding_sequence("GAAA", CodingRegion(1, 4, start_phase=2)) == "NNGAAA"
        assert coding_sequence("GAAA", CodingRegion(1, 4, start_phase=-1)) == "GAAA"

    def test_edits_in_front_move_it(self) -> None:
        edited = coding_sequence("ccATGAAAcc", CodingRegion(3, 8), [SeqEdit(1, 0, "gg")])
        assert edited == "ATGAAA"
        edited = coding_sequence("ccATGAAAcc", CodingRegion(3, 8), [SeqEdit(1, 2, "")])
        assert edited == "ATGAAA"

    def test_edits_within_change_its_length(self) -> None:
        edits = [SeqEdit(5, 4, "TTT"), SeqEdit(8, 8, "")]
        assert coding_sequence("ccATGAAAcc", CodingRegion(3, 8), edits) == "ATTTTGAA"

    def test_an_insertion_behind_the_last_base_belongs_to_it(self) -> None:
        edited = coding_sequence("ccATGAAAcc", CodingRegion(3, 8), [SeqEdit(9, 8, "AA")])
        assert edited == "ATGAAAAA"

    def test_attributes_say_where_it_lies_after_edits(self) -> None:
        region = CodingRegion(3, 8, edited_start=4, edited_end=6)
        assert coding_sequence("ccATGAAAcc", region, [SeqEdit(1, 0, "g")]) == "ATG"

    def test_nothing_is_coded_without_a_start(self) -> None:
        assert coding_sequence("ATG", CodingRegion(0, 3)) == ""


@given(st.text("ACGTRYSWKMBDHVNacgtn"))
def test_the_other_strand_twice_is_the_first(sequence: str) -> None:
    assert reverse_complement(reverse_complement(sequence)) == sequence
