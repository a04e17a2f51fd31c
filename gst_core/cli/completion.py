"""``gst completion``."""

from __future__ import annotations

import importlib
from typing import Final

import click
from click.shell_completion import get_completion_class

_PROGRAMS: Final = {
    "gst_assign": ("gst_core.cli.assign", "assign"),
    "gst": ("gst_core.cli.main", "gst"),
    "geneformer": ("gst_core.cli.geneformer.main", "geneformer"),
}


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes a shell complete the commands and options of all programs.

    The programs have to be on the PATH. bash needs to be 4.4 or later.
    """
    found = get_completion_class(shell)
    assert found is not None
    for program, (module, attribute) in _PROGRAMS.items():
        command = getattr(importlib.import_module(module), attribute)
        variable = f"_{program.upper()}_COMPLETE"
        click.echo(found(command, {}, program, variable).source().strip())
