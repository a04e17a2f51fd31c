"""The HTML report: one self-contained page, nothing loaded from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from gst_core import __version__
from gst_core.files import atomic_write
from gst_core.results.completeness import PART
from gst_core.results.curation import MAX_LISTED
from gst_core.results.curve import Frame
from gst_core.results.report import GenomeLine, Report
from gst_core.results.summary import BANDS, THRESHOLDS, Summary

#: Genomes in the page's table; beyond, the ones with the lowest confident share.
MAX_GENOMES: Final = 500
#: Genomes drawn as lines of their own; beyond, quantiles tell of them.
MAX_LINES: Final = 30
#: Core genes without a protein, and with parts alone, that are listed.
MAX_MISSING: Final = 400
#: Most frequent symbols shown.
TOP_SYMBOLS: Final = 12
#: Thresholds whose value stands beside the curve; 0.95 has no room.
LABELLED: Final = (0.5, 0.7, 0.9, 0.99)

#: Shares at which the picture may begin; the highest below all that is drawn is taken.
_BASES: Final = (0.9, 0.75, 0.5, 0.0)
#: The last threshold, in hundredths, that the picture must have room for.
_SHOWN: Final = 99
_PICTURE = Frame(720, 400, left=52, right=52, top=24, bottom=52)
_SPARKLINE = Frame(120, 30, left=1, right=1, top=2, bottom=2)


def write_html(report: Report, path: str | Path) -> None:
    """Render a report.

    The page's size is bounded whatever the number of genomes: up to
    `MAX_GENOMES` rows; the page says so where it leaves any out.

    Parameters
    ----------
    report
        With any number of genomes.
    path
        The page to write; a genome that failed has a row as well.

    Raises
    ------
    GstError
        If the file cannot be written.
    """
    # only here: naming proteins must not wait for a template engine
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gst_core.results"),
        autoescape=True,  # names of genomes, proteins and symbols come from users
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=_count, percent=_percent)
    template = environment.get_template("report.html.jinja")
    style = files("gst_core.results").joinpath("templates", "report.css")
    with atomic_write(path) as file:
        for part in template.generate(**_page(report), style=style.read_text("utf-8")):
            file.write(part)


def _page(report: Report) -> dict[str, Any]:
    """Everything the template shows, ready to print."""
    total = report.total
    several = len(report.genomes) + len(report.failures) != 1
    shown = report.genomes
    if len(shown) > MAX_GENOMES:
        shown = sorted(shown, key=_confident_share)[:MAX_GENOMES]
    known = total.known_at(0)
    return {
        "title": report.title,
        "program_version": __version__,
        "model": report.model,
        "genome": None if several or report.failures else report.genomes[0].genome,
        "genomes": len(report.genomes),
        "failed": len(report.failures),
        "total": total,
        "known": known,
        "confident": report.confident,
        "failures": report.failures[:MAX_GENOMES],
        "failures_left_out": max(0, len(report.failures) - MAX_GENOMES),
        "speed": report.timed_sequences / report.seconds if report.seconds else None,
        "seconds": report.seconds,
        "picture": _picture(report),
        "thresholds": [_threshold_row(total, threshold) for threshold in THRESHOLDS],
        "rows": [_genome_row(line) for line in shown] if several else [],
        "rows_left_out": len(report.genomes) - len(shown),
        "columns": THRESHOLDS,
        "sparkline": _SPARKLINE,
        "bands": _bands(total),
        "top_symbols": total.symbols.most_common(TOP_SYMBOLS),
        "warnings": report.warnings,
        "warnings_left_out": report.warnings_left_out,
        **_curation(report),
    }


def _curation(report: Report) -> dict[str, Any]:
    """Give what a page of one genome has beyond."""
    if report.curation is None or len(report.genomes) != 1:
        return {"entries": ""}
    twice = report.curation.claimed_twice(report.confident)
    close = report.curation.close_calls(report.confident)
    odd = report.curation.odd_ones(report.confident)
    core = report.completeness
    script = files("gst_core.results").joinpath("templates", "finder.js")
    return {
        "entries": report.curation.to_json(),
        "entries_left_out": report.curation.left_out,
        "twice": twice[:MAX_LISTED],
        "twice_total": len(twice),
        "close": close[:MAX_LISTED],
        "close_total": len(close),
        "alignments": report.curation.alignments,
        "odd": odd[:MAX_LISTED],
        "odd_total": len(odd),
        "core": core,
        "missing_shown": MAX_MISSING,
        "part": PART,
        "script": script.read_text("utf-8"),
    }


def _confident_share(line: GenomeLine) -> float:
    return line.confident_named / max(line.sequences, 1)


def _threshold_row(total: Summary, threshold: float) -> dict[str, Any]:
    known, correct = total.known_at(threshold), total.correct_at(threshold)
    return {
        "threshold": threshold,
        "named": total.named_at(threshold),
        "share": total.named_at(threshold) / max(total.sequences, 1),
        "known": known,
        "correct": correct,
        "precision": correct / known if known else None,
        "recall": correct / max(total.known_at(0), 1),
    }


def _genome_row(line: GenomeLine) -> dict[str, Any]:
    return {
        "genome": line.genome,
        "sequences": line.sequences,
        "shares": [line.share_at(threshold) for threshold in THRESHOLDS],
        "line": _SPARKLINE.line(line.shares),
        "area": _SPARKLINE.area(line.shares),
        "right": line.confident_correct / line.known_total if line.known_total else None,
        "speed": line.sequences / line.seconds if line.seconds else None,
    }


def _bands(total: Summary) -> list[dict[str, Any]]:
    bands = []
    upper: float | None = None
    for band in BANDS:
        label = f"{band:g} and more" if upper is None else f"{band:g} to {upper:g}"
        bands.append({"label": label, "rows": total.examples[band]})
        upper = band
    return [band for band in bands if band["rows"]]


def _picture(report: Report) -> dict[str, Any]:
    """Everything the picture draws, in its own coordinates."""
    total = report.total
    shares = total.shares()
    frame = replace(_PICTURE, base=_base(report))
    picture: dict[str, Any] = {
        "frame": frame,
        "line": frame.line(shares),
        "area": frame.area(shares),
        "points": [
            {
                "threshold": threshold,
                "share": total.named_at(threshold) / max(total.sequences, 1),
                "labelled": threshold in LABELLED,
            }
            for threshold in THRESHOLDS
        ],
        "lines": [],
        "bands": [],
        "right": None,
        "right_points": [],
    }
    if 1 < len(report.genomes) <= MAX_LINES:
        picture["lines"] = [
            {"path": frame.line(line.shares), "name": line.genome.scientific_name or line.genome.id}
            for line in report.genomes
        ]
    elif len(report.genomes) > MAX_LINES:
        low, lower, upper, high = report.quantiles(0.05, 0.25, 0.75, 0.95)
        picture["bands"] = [frame.band(low, high), frame.band(lower, upper)]
    if known := total.known_at(0):
        right = [total.correct_at(step / 100) / known for step in range(101)]
        picture["right"] = frame.line(right)
        # these labels stand below their curve, where near zero the axis has its own
        picture["right_points"] = [
            {"threshold": t, "share": right[round(t * 100)]}
            for t in LABELLED
            if right[round(t * 100)] >= 0.06
        ]
    return picture


def _base(report: Report) -> float:
    """Share at the picture's lower edge: the curves fill it, but for their fall at the very end."""
    if report.total.known_at(0) or not report.genomes:
        return _BASES[-1]
    drawn = report.genomes if len(report.genomes) <= MAX_LINES else []
    lowest = min([report.total.shares()[_SHOWN], *(line.shares[_SHOWN] for line in drawn)])
    return next(base for base in _BASES if base <= lowest)


def _count(number: float) -> str:
    """``12,345``."""
    return f"{number:,.0f}"


def _percent(share: float) -> str:
    """``93.1%``; never 100% or 0% for what is not quite that."""
    text = f"{100 * share:.1f}%"
    if text == "100.0%":
        return "100%" if share >= 1 else ">99.9%"
    if text == "0.0%":
        return "<0.1%" if share > 0 else "0%"
    return text
