"""The report: everything said is counted, everything from users is escaped, size is bounded."""

from __future__ import annotations

import csv
import random
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gst_core.errors import GstError
from gst_core.results import Genome, ModelInfo
from gst_core.results.curve import Frame
from gst_core.results.html import MAX_GENOMES, write_html
from gst_core.results.report import MAX_WARNINGS, Report, write_genome_table
from gst_core.results.summary import Summary
from tests.browser import chromium, needs_chromium

ROOT = Path(__file__).resolve().parents[2]
MODEL = ModelInfo("vertebrates", "2.0", {"Danio": 0.9371}, "Swiss-Prot (CC BY 4.0)")
EVIL = "<script>alert('\"&</script>"


def summary(rows: int, *, seed: int = 1, known: bool = False, name: str = "TP53") -> Summary:
    rng = random.Random(seed)
    result = Summary()
    for number in range(rows):
        result.add(
            f"{name}P{number}",
            name,
            rng.betavariate(2, 0.4),
            description=name,
            length=100,
            known_symbol=rng.choice([name, "OTHER"]) if known else "",
        )
    return result


class Outline(HTMLParser):
    """Collects tags and text, and that every element is closed in its turn."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def render(report: Report, tmp_path: Path) -> tuple[Outline, str]:
    path = tmp_path / "report.html"
    write_html(report, path)
    page = path.read_text(encoding="utf-8")
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    return outline, page


def test_one_genome(tmp_path: Path) -> None:
    report = Report(MODEL, title="Pig")
    counted = summary(1000)
    report.add(
        Genome("sus", "Sus scrofa", 9823, "mammalia"),
        counted,
        seconds=0.5,
        warnings=["2 letters were read as X"],
    )
    outline, page = render(report, tmp_path)
    text = " ".join(" ".join(outline.text).split())
    for expected in (
        "Sus scrofa",
        "taxon 9823",
        "clade mammalia",
        "2,000 proteins/s",
        "93.7%",
        "Swiss-Prot (CC BY 4.0)",
        "2 letters were read as X",
        f"{counted.named_at(0.95):,} {100 * counted.named_at(0.95) / 1000:.1f}%",
    ):
        assert expected in text
    assert "<dt>Right</dt>" not in page


def test_the_page_loads_nothing(tmp_path: Path) -> None:
    report = Report(MODEL)
    report.add(Genome("g"), summary(10))
    outline, page = render(report, tmp_path)
    assert not {tag for tag, _ in outline.tags} & {"script", "link", "img", "iframe", "object"}
    assert not [a for _, attrs in outline.tags for a in attrs if a in {"src", "href", "onload"}]
    assert not re.search(r"https?://|url\(|@import", page)


def test_users_text_is_escaped_everywhere(tmp_path: Path) -> None:
    report = Report(ModelInfo(EVIL, EVIL, {EVIL: 0.5}, EVIL), title=EVIL)
    for genome in (Genome(EVIL, EVIL, None, EVIL), Genome(EVIL + "2", "", None, EVIL)):
        report.add(genome, summary(50, name=EVIL), warnings=[EVIL])
    outline, page = render(report, tmp_path)
    assert "<script" not in page
    assert "script" not in {tag for tag, _ in outline.tags}
    assert sum(EVIL in part for part in outline.text) > 20


def test_right_ones_are_shown_where_symbols_are_known(tmp_path: Path) -> None:
    report = Report(MODEL)
    counted = summary(500, known=True)
    report.add(Genome("a"), counted)
    outline, _ = render(report, tmp_path)
    assert any(attrs.get("class") == "right" for tag, attrs in outline.tags if tag == "path")
    precision = counted.correct_at(0.9) / counted.known_at(0.9)
    assert f"{100 * precision:.1f}%" in outline.text


def test_thousands_of_genomes_stay_readable(tmp_path: Path) -> None:
    report = Report(MODEL)
    for number in range(10_000):
        report.add(Genome(f"g{number}"), summary(3, seed=number), warnings=["odd"])
    outline, page = render(report, tmp_path)
    assert len(page) < 1_500_000
    assert sum(attrs.get("class") == "spark" for _, attrs in outline.tags) == MAX_GENOMES
    assert sum(attrs.get("class") == "genome" for _, attrs in outline.tags) == 0
    text = " ".join(outline.text)
    assert "9,500 more are left out" in text
    assert f"and {10_000 - MAX_WARNINGS:,} more, which are in the log" in text
    # those shown are the ones with the lowest confident share
    lowest = min(report.genomes, key=lambda g: g.share_at(0.9))
    assert lowest.genome.id in text.split()


@pytest.mark.parametrize("rows", [0, 1])
def test_hardly_any_protein(tmp_path: Path, rows: int) -> None:
    report = Report()
    report.add(Genome("empty"), summary(rows))
    render(report, tmp_path)


def test_genome_table_has_every_genome(tmp_path: Path) -> None:
    report = Report()
    counted = [summary(100, seed=seed, known=True) for seed in range(3)]
    for number, each in enumerate(counted):
        report.add(Genome(f"g{number}", "Sus scrofa"), each)
    path = tmp_path / "genomes.tsv"
    write_genome_table(report, path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["id"] for row in rows] == ["g0", "g1", "g2"]
    for row, each in zip(rows, counted, strict=True):
        assert float(row["named_0.95"]) == pytest.approx(each.named_at(0.95) / 100)
        assert int(row["right_0.9"]) == each.correct_at(0.9)
        assert int(row["known"]) == 100


def test_quantiles_are_by_nearest_rank() -> None:
    report = Report()
    for probability in (0.2, 0.6, 0.8):
        one = Summary()
        one.add("P", "TP53", probability)
        report.add(Genome("g"), one)
    low, middle, high = report.quantiles(0, 0.5, 1)
    at = [(curve[10], curve[50], curve[70], curve[90]) for curve in (low, middle, high)]
    assert at == [(1, 0, 0, 0), (1, 1, 0, 0), (1, 1, 1, 0)]


def test_curve_keeps_its_corners() -> None:
    frame = Frame(100, 100)
    shares = [1.0] * 51 + [0.5] * 50
    assert frame.line(shares) == "M0 0L50 0L51 50L100 50"
    assert frame.area(shares) == "M0 0L50 0L51 50L100 50L100 100L0 100Z"
    assert frame.band([0, 0], [1, 0.5]) == "M0 0L100 50L100 100L0 100Z"


def test_where_it_cannot_write_it_says_so(tmp_path: Path) -> None:
    report = Report()
    report.add(Genome("g"), summary(1))
    with pytest.raises(GstError, match="cannot write"):
        write_html(report, tmp_path / "none" / "report.html")


def test_naming_proteins_does_not_wait_for_the_template_engine() -> None:
    program = "import sys, gst_core.results.html as _; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


@needs_chromium
def test_a_browser_draws_the_picture(tmp_path: Path) -> None:
    report = Report(MODEL, title="Browser")
    counted = summary(2000)
    report.add(Genome("sus", "Sus scrofa"), counted)
    write_html(report, tmp_path / "report.html")

    def image_bytes(page: Path) -> int:
        image = tmp_path / "page.png"
        chromium(page, tmp_path, "--window-size=1000,1000", f"--screenshot={image}")
        return image.stat().st_size

    dom = chromium(tmp_path / "report.html", tmp_path, "--dump-dom")
    assert 'id="threshold-curve"' in dom
    assert f"{counted.named_at(0.9):,} at 0.9" in dom
    blank = tmp_path / "blank.html"
    blank.write_text("<!doctype html><title>blank</title>")
    # the same page, its picture's lines not drawn
    hidden = tmp_path / "hidden.html"
    hidden.write_text(
        (tmp_path / "report.html").read_text().replace("</style>", "figure svg{opacity:0}</style>")
    )
    assert image_bytes(tmp_path / "report.html") > image_bytes(hidden) + 5_000
    assert image_bytes(hidden) > 2 * image_bytes(blank)
