"""A table of perturbations as one self-contained HTML page."""

from __future__ import annotations

import math
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gst_core import __version__
from gst_core.files import atomic_write
from gst_core.geneformer.perturbation_figures import DRAWN, figure_of, svg_of

if TYPE_CHECKING:
    import pandas as pd

#: Rows that are shown from each end of the table.
_SHOWN: Final = 40
_TEXT: Final = ("Gene", "Gene_name", "Ensembl_ID", "Affected_gene_name", "Affected_Ensembl_ID")
_EXPLAINED: Final = {
    "goal_state_shift": "Above 0, cells come nearer to the goal than they were. A false discovery "
    "rate compares the shifts of one perturbation with those of all.",
    "vs_null": "Below 0, cells are moved further than the cells they are compared with.",
    "mixture_model": "1: the cell stays where it was. Two normals are fitted to the means; "
    "marked perturbations are of the one with the lower mean.",
    "aggregate_data": "1: the cell stays where it was.",
    "cooperation": "Below 0, both together move cells further than the sum of what each does.",
    "aggregate_gene_shifts": "1: the affected gene stays where it was.",
}


def write_page(
    path: Path, table: pd.DataFrame, mode: str, description: dict[str, Any], title: str
) -> None:
    """Render a table of statistics.

    Parameters
    ----------
    path
        The page; nothing in it is loaded from elsewhere.
    table
        Of :mod:`~gst_core.geneformer.perturbation_statistics`; its ends are shown.
    mode
        Which of them.
    description
        What was done, of the folder of the perturbation.
    title
        Its heading.

    Raises
    ------
    GstError
        If it cannot be written.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gst_core.geneformer"),
        autoescape=True,  # names of states and files come from users
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = files("gst_core.results") / "templates" / "report.css"
    tables = [_part("All perturbations" if len(table) <= 2 * _SHOWN else "First in order", table)]
    if len(table) > 2 * _SHOWN:
        tables[0] = _part(f"The first {_SHOWN} in order", table.head(_SHOWN))
        tables.append(_part(f"The last {_SHOWN}", table.tail(_SHOWN)))
    picture = svg_of(figure_of(table, mode)) if mode in DRAWN and len(table) > 1 else ""
    page = environment.get_template("statistics.html.jinja").render(
        title=title,
        subtitle=_subtitle(description),
        style=style.read_text(encoding="utf-8"),
        figures=_figures(table, mode, description),
        picture=picture,
        heading=DRAWN[mode][1].capitalize() if mode in DRAWN else "",
        explanation=_EXPLAINED[mode],
        tables=tables,
        text=_TEXT,
        settings=[(name.replace("_", " "), _shown(v)) for name, v in description.items() if v],
        version=__version__,
    )
    with atomic_write(path) as file:
        file.write(page)


def _subtitle(description: dict[str, Any]) -> str:
    states = description["states"]
    text = f"{description['perturbation']}, {description['cells']:,} cells"
    if states:
        text += f" of {description['state_column']} {states[0]}, towards {states[1]}"
    return f"{text}; {Path(description['source']).name}, {Path(description['checkpoint']).name}"


def _figures(
    table: pd.DataFrame, mode: str, description: dict[str, Any]
) -> list[tuple[str, str, str]]:
    found = [
        ("Perturbations" if mode != "aggregate_gene_shifts" else "Rows", f"{len(table):,}", ""),
        ("Cells", f"{description['cells']:,}", ""),
        ("Forward passes", f"{description['passes']:,}", ""),
    ]
    for name, words in (("Sig", "below a false discovery rate of 5%"), ("Impact_component", "")):
        if name in table:
            found.append(("With effect", f"{int(table[name].sum()):,}", words))
    return found


def _part(heading: str, table: pd.DataFrame) -> dict[str, Any]:
    marks = next((n for n in ("Sig", "Impact_component") if n in table), None)
    rows = []
    for _, row in table.iterrows():
        cells = [{"text": _shown(row[n]), "number": n not in _TEXT} for n in table.columns]
        rows.append({"cells": cells, "marked": marks is not None and row[marks] == 1})
    return {"heading": heading, "columns": list(table.columns), "rows": rows}


def _shown(value: Any) -> str:
    if isinstance(value, float):
        from_one = abs(1 - value)
        if 0 < from_one < 0.01:  # cosines: what counts is how far from 1 they are
            return f"{value:.{min(10, 3 - math.floor(math.log10(from_one)))}f}"
        return f"{value:.4g}"
    if isinstance(value, list | dict):
        text = str(value)
        return text if len(text) <= 300 else f"{text[:300]}..."
    return str(value)
