"""What a curator sees of one genome: counted right, and nothing that a name could break."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gst_core.assignment import Assignment, Evidence
from gst_core.results import Genome
from gst_core.results.completeness import Completeness
from gst_core.results.curation import Curation, Entry
from gst_core.results.html import write_html
from gst_core.results.report import Report
from gst_core.results.summary import Summary
from gst_core.sequences import Protein
from gst_core.vocabulary import Symbol
from tests.browser import chromium, needs_chromium

WHOLE = Evidence("P1", 0.9, 1.0, 1.0)
PART = Evidence("P1", 0.9, 1.0, 0.4)
MORE = Evidence("P1", 0.9, 0.5, 1.0)


def named(
    id: str,
    *candidates: tuple[str, float],
    gene: str = "",
    evidence: Evidence | None = WHOLE,
) -> Assignment:
    return Assignment(id, tuple((Symbol(s), p) for s, p in candidates), 100, evidence, gene)


def kept(*assignments: Assignment) -> Curation:
    curation = Curation()
    assert list(curation.passing(assignments)) == list(assignments)
    return curation


def page(tmp_path: Path, curation: Curation, completeness: Completeness | None = None) -> str:
    report = Report()
    summary = Summary()
    for entry in curation.entries:
        summary.add(entry.stable_id, entry.symbol, entry.probability)
    report.add(Genome("g"), summary)
    report.curation, report.completeness = curation, completeness
    write_html(report, tmp_path / "page.html")
    return (tmp_path / "page.html").read_text("utf-8")


def test_genes_not_proteins_claim_a_symbol():
    curation = kept(
        named("p1", ("TP53", 0.99), gene="g1"),
        named("p2", ("TP53", 0.95), gene="g1"),
        named("p3", ("Actb", 0.91), gene="g2"),
        named("p4", ("ACTB", 0.97), gene="g3"),
        named("p5", ("ACTB", 0.8), gene="g4"),
    )
    assert [(s, [e.stable_id for e in own]) for s, own in curation.claimed_twice(0.9)] == [
        ("Actb", ["p4", "p3"])
    ]


def test_close_calls_lie_between_a_hint_and_a_name():
    curation = kept(
        named("p1", ("A", 0.9)), named("p2", ("B", 0.5), ("C", 0.4)), named("p3", ("D", 0.49))
    )
    assert curation.close_calls(0.9) == [curation.entries[1]]
    assert curation.entries[1].others == (("C", 0.4),)


def test_lengths_that_do_not_fit_are_told_of_named_proteins():
    curation = kept(
        named("part", ("A", 0.95), evidence=PART),
        named("more", ("B", 0.95), evidence=MORE),
        named("unsure", ("C", 0.4), evidence=PART),
        named("whole", ("D", 0.95)),
    )
    assert {e.stable_id: e.odd for e in curation.odd_ones(0.9)} == {
        "part": "40% of the reference",
        "more": "50% of the protein beyond the reference",
    }


def test_alignments_are_drawn_of_close_calls_alone(tmp_path):
    curation = Curation()
    close = named("close", ("A", 0.6), ("B", 0.3), ("C", 0.001))
    sure = named("sure", ("A", 0.99))
    for assignment in (close, sure):
        curation.observe(Protein(assignment.stable_id, b"MKV", 1, 1), assignment)
    list(curation.passing([close, sure]))
    curation.draw(0.9, lambda residues, symbol: f"{residues.decode()} & {symbol}")
    assert curation.alignments == {"close": ["MKV & A", "MKV & B"]}
    assert "<pre>MKV &amp; A</pre>" in page(tmp_path, curation)


def test_a_table_gives_what_it_has(tmp_path):
    table = tmp_path / "t.tsv"
    table.write_text(
        "stable_id\tsymbol\tprobability\tdescription\tsymbol_2\tprobability_2\treference\tidentity"
        "\tquery_coverage\treference_coverage\n"
        "p1\tA\t0.95\ta gene\tB\t0.03\tP1\t0.8\t0.95\t0.3\n"
    )
    assert Curation.of_table(table).entries == [
        Entry(*("p1", "p1", "A", 0.95, "a gene", (("B", 0.03),), "P1", 0.8, "30% of the reference"))
    ]


CORE = {"a": "A", "a-copy": "A", "b": "B", "c1": "C1", "c2": "C2"}


def counted(*assignments: Assignment) -> tuple[int, int, list[str], list[str]]:
    core = Completeness(CORE, 0.9)
    assert list(core.passing(assignments)) == list(assignments)
    assert core.total == 4
    return core.complete, core.duplicated, core.fragmented, core.missing


def test_core_genes_are_complete_duplicated_fragmented_or_missing():
    assert counted() == (0, 0, [], ["A", "B", "C1", "C2"])
    assert counted(named("1", ("A", 0.89)), named("2", ("X", 0.99))) == (
        *(0, 0, []),
        ["A", "B", "C1", "C2"],
    )
    isoforms = named("1", ("A", 0.95), gene="g"), named("2", ("A", 0.95), gene="g")
    assert counted(*isoforms) == (1, 0, [], ["B", "C1", "C2"])
    assert counted(named("1", ("A", 0.95)), named("2", ("A-copy", 0.95))) == (
        *(1, 1, []),
        ["B", "C1", "C2"],
    )
    part = named("1", ("A", 0.95), evidence=PART)
    assert counted(part) == (0, 0, ["A"], ["B", "C1", "C2"])
    for order in ((part, named("2", ("A", 0.95))), (named("2", ("A", 0.95)), part)):
        assert counted(*order) == (1, 0, [], ["B", "C1", "C2"])


def test_genes_of_one_sequence_are_there_together():
    twins = Evidence("P1", 1.0, 1.0, 1.0, ("C2",))
    assert counted(named("1", ("C1", 0.5), ("C2", 0.49), evidence=twins))[3] == ["A", "B"]
    rivals = named("1", ("C1", 0.5), ("C2", 0.49))
    assert counted(rivals)[3] == ["A", "B", "C1", "C2"]


def test_the_page_tells_how_complete_a_genome_is(tmp_path):
    core = Completeness(CORE, 0.9)
    curation = kept(*core.passing([named("1", ("A", 0.95)), named("2", ("B", 0.95))]))
    text = " ".join(page(tmp_path, curation, core).split())
    assert "Of 4 genes" in text
    assert "<dd>50.0%<small>2, of these 0 duplicated</small></dd>" in text
    assert '<p class="list">C1 C2</p>' in text


@given(st.lists(st.text(), min_size=1, max_size=6))
def test_no_text_leaves_the_script(texts):
    curation = Curation(
        [Entry(t, t, t, 0.5, t, ((t, 0.2),), t, 0.5) for t in [*texts, "</script><!--\u2028"]]
    )
    written = curation.to_json()
    assert "<" not in written
    assert "\u2028" not in written
    assert [row[0] for row in json.loads(written)] == [e.stable_id for e in curation.entries]


@needs_chromium
def test_a_browser_finds_and_sorts(tmp_path):
    curation = kept(
        *(named(f"p{n:03}", (f"GENE{n}", 0.9 + n / 10_000)) for n in range(120)),
        named("</script><b>", ("TP53", 0.5), ("EVIL<i>", 0.1)),
    )
    text = page(tmp_path, curation)
    test = """<script>
    const click = (words) => [...document.querySelectorAll("#found thead button")]
      .find((b) => b.textContent === words).click();
    const ids = () => [...document.querySelectorAll("#found tbody tr")]
      .map((row) => row.cells[0].textContent);
    const told = [ids().length, document.getElementById("count").textContent];
    click("Probability");
    told.push(ids()[0]);
    const find = document.getElementById("find");
    find.value = "tp53"; find.dispatchEvent(new Event("input"));
    told.push(ids().join(), document.querySelectorAll("#found i, #found b").length);
    document.title = JSON.stringify(told);
    </script></body>"""
    (tmp_path / "page.html").write_text(text.replace("</body>", test))
    dom = chromium(tmp_path / "page.html", tmp_path, "--dump-dom")
    title = dom[dom.index("<title>") + 7 : dom.index("</title>")]
    told = json.loads(title.replace("&lt;", "<").replace("&gt;", ">"))
    assert told == [50, "121 of 121", "p119", "</script><b>", 0]


@needs_chromium
def test_ids_stand_on_one_line_beside_long_descriptions(tmp_path):
    words = "solute carrier family, a transporter of nucleotide sugars and amino acids " * 2
    symbol = Symbol("SLC35A1", words)
    shown = Evidence("NP_001350935.1", 0.9, 1.0, 1.0)
    long = "an_id_of_a_program_that_names_its_genes_by_all_that_it_knows_of_them" * 3
    curation = kept(
        Assignment("ENSSSCP00000012345.3", ((symbol, 0.9),), 100, shown),
        Assignment(long, ((symbol, 0.9),), 100, shown),
    )
    test = """<script>
    const lines = (cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size;
    };
    const cells = [...document.querySelectorAll("#found tbody td.id")].map(lines);
    const width = document.documentElement.scrollWidth <= innerWidth;
    document.title = JSON.stringify([...cells, width]);
    </script></body>"""
    text = page(tmp_path, curation)
    (tmp_path / "page.html").write_text(text.replace("</body>", test))
    dom = chromium(tmp_path / "page.html", tmp_path, "--window-size=1200,900", "--dump-dom")
    title = dom[dom.index("<title>") + 7 : dom.index("</title>")]
    short, reference, broken, _, fits = json.loads(title)
    assert (short, reference, fits) == (1, 1, True)
    assert broken > 3
