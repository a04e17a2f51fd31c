"""The report for MultiQC, as custom content.

Two files: MultiQC draws one section a file. Both are found by their ending
``_mqc.json``, with no configuration. The format is that of
https://docs.seqera.io/multiqc/custom_content.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gst_core.files import atomic_write
from gst_core.results.report import Report
from gst_core.results.summary import CONFIDENT

_ABOUT = "Gene Symbol Transformer (GST) names the genes of a genome from their proteins."


def write_multiqc(report: Report, folder: str | Path) -> list[Path]:
    """Write ``gst_curve_mqc.json`` and ``gst_statistics_mqc.json``.

    Genomes are MultiQC's samples, under their ids; where an id occurs twice
    the last one stands.

    Parameters
    ----------
    report
        With any number of genomes.
    folder
        Where to put them; made where it does not exist.

    Returns
    -------
    paths
        The two files.

    Raises
    ------
    GstError
        If a file cannot be written.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    contents = {"gst_curve_mqc.json": _curve(report), "gst_statistics_mqc.json": _stats(report)}
    for name, content in contents.items():
        with atomic_write(target / name) as file:
            json.dump(content, file, ensure_ascii=False)
            file.write("\n")
    return [target / name for name in contents]


def _curve(report: Report) -> dict[str, Any]:
    return {
        "id": "gst_curve",
        "parent_id": "gst",
        "parent_name": "GST",
        "parent_description": _ABOUT,
        "section_name": "Share of proteins named, by probability threshold",
        "description": "Share of all proteins whose best symbol has at least that probability.",
        "plot_type": "linegraph",
        "pconfig": {
            "id": "gst_curve_plot",
            "title": "GST: share of proteins named",
            "xlab": "Probability threshold",
            "ylab": "Proteins named",
            "xmin": 0,
            "xmax": 1,
            "ymin": 0,
            "ymax": 100,
            "ylab_format": "{value}%",
        },
        "data": {
            line.genome.id: {
                f"{step / 100:g}": round(100 * share, 2) for step, share in enumerate(line.shares)
            }
            for line in report.genomes
        },
    }


def _stats(report: Report) -> dict[str, Any]:
    percent = {"min": 0, "max": 100, "suffix": "%", "format": "{:,.1f}"}
    named, right = f"named_{CONFIDENT:g}", f"right_{CONFIDENT:g}"
    headers: dict[str, dict[str, Any]] = {
        "proteins": {
            "title": "Proteins",
            "description": "Proteins read",
            "format": "{:,.0f}",
            "scale": "Greys",
        },
        named: {
            "title": f"Named ≥ {CONFIDENT:g}",
            "description": f"Proteins named with a probability of {CONFIDENT:g} or more",
            "scale": "Blues",
            **percent,
        },
        "symbols": {
            "title": "Symbols",
            "description": f"Distinct symbols among the proteins named at {CONFIDENT:g} or more",
            "format": "{:,.0f}",
            "scale": "Greens",
        },
    }
    if report.total.known_at(0):
        headers[right] = {
            "title": f"Right ≥ {CONFIDENT:g}",
            "description": "Of the proteins with a known symbol, those that got it "
            f"with a probability of {CONFIDENT:g} or more",
            "scale": "Oranges",
            **percent,
        }
    data: dict[str, dict[str, float]] = {}
    for line in report.genomes:
        values = {
            "proteins": float(line.sequences),
            named: round(100 * line.share_at(CONFIDENT), 2),
            "symbols": float(line.symbols),
        }
        if line.known_total:
            values[right] = round(100 * line.correct_at(CONFIDENT) / line.known_total, 2)
        data[line.genome.id] = values
    return {
        "id": "gst_statistics",
        "plot_type": "generalstats",
        "pconfig": [{name: header} for name, header in headers.items()],
        "data": data,
    }
