"""Proteins a second that the page names in Chromium, beside ``gst_assign`` on the same file.

``python -m benchmarks.page --proteins proteins.fa --scientific_name "Danio rerio"``
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from gst_core.page.building import build_page
from tests.page.conftest import Page, Server


@click.command()
@click.option("--proteins", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--scientific_name", required=True)
@click.option("--runs", default=3, show_default=True)
def main(proteins: Path, scientific_name: str, runs: int) -> None:
    """Time both, in turn."""
    number = proteins.read_text().count(">")
    with tempfile.TemporaryDirectory() as folder:
        size = build_page(Path(folder, "site"))
        server = Server(Path(folder, "site"))
        began = time.perf_counter()
        page = Page(server.url, Path(folder))
        loaded = time.perf_counter() - began
        seconds: dict[str, list[float]] = {"page": [], "gst_assign": []}
        for _ in range(runs):
            began = time.perf_counter()
            page.name(proteins, species=scientific_name)
            page.done()
            seconds["page"].append(time.perf_counter() - began)
            began = time.perf_counter()
            program = str(Path(sys.executable).with_name("gst_assign"))
            output = str(Path(folder, "table.tsv"))
            subprocess.run(
                [
                    *(program, "--sequences_fasta", str(proteins), "--output", output),
                    *("--scientific_name", scientific_name, "--top_k", "3", "--quiet"),
                ],
                check=True,
            )
            seconds["gst_assign"].append(time.perf_counter() - began)
        page.driver.quit()
        server.stop()
    median = {name: statistics.median(own) for name, own in seconds.items()}
    print(f"page: {size / 1e6:.0f} MB, ready in {loaded:.1f} s, browser included")
    for name, own in median.items():
        print(f"{name}: {number} proteins in {own:.2f} s, {number / own:,.0f}/s")
    print(f"gst_assign is {median['page'] / median['gst_assign']:.1f} times as fast")


if __name__ == "__main__":
    main()
