"""Progress of the long commands: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

import click

#: Seconds between two lines where nobody looks at a terminal.
_INTERVAL = 30.0


@contextlib.contextmanager
def bar(name: str, unit: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show how far a command has come, and the time that is left.

    Yields
    ------
    progress
        To be told how many are done, and of how many.
    """
    if quiet:
        yield lambda done, total: None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        columns = (name, BarColumn(), MofNCompleteColumn(), unit, TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
            task = shown.add_task(name, total=None)
            yield lambda done, total: shown.update(task, completed=done, total=total)
    else:
        began = last = time.monotonic()

        def line(done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _INTERVAL and done:
                last = now
                left = (total - done) * (now - began) / done
                click.echo(
                    f"geneformer: {name}: {done:,} of {total:,} {unit}, {left / 60:.0f} min left",
                    err=True,
                )

        yield line
