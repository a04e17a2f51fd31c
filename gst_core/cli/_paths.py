"""Paths and numbers on command lines, and the check of both ends of a command before it works."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from typing import Any

import click

from gst_core.files import AnyPath, check_folder, check_outputs


class _Path(click.Path):
    """A path that is not empty; as text where it may be ``-``, which is no path."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not os.fspath(value):
            self.fail("the path is empty; is a variable not set?", param, ctx)
        return super().convert(value, param, ctx)


class InputFile(_Path):
    """A file that a command reads."""


class OutputFile(_Path):
    """A file that a command writes."""


class OutputFolder(_Path):
    """A folder that a command makes, or writes into."""


class FileOrFolder(_Path):
    """A place for one output or several: the command that takes it knows the files."""


class Probability(click.FloatRange):
    """A number from 0 to 1; ``nan`` is none."""

    def __init__(self) -> None:
        super().__init__(0, 1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number from 0 to 1.", param, ctx)
        return number


def check_paths(outputs: Iterable[AnyPath] = (), inputs: Iterable[AnyPath] = ()) -> None:
    """Check all that the running command reads and writes, before it begins.

    Parameters
    ----------
    outputs, inputs
        Further ones than the parameters of types :class:`OutputFile`, :class:`OutputFolder` and
        :class:`InputFile`: those that have defaults, or stand in a file. Outputs given twice
        count once.

    Raises
    ------
    GstError
        As :func:`gst_core.files.check_outputs` and :func:`gst_core.files.check_folder`.
    """
    context = click.get_current_context()
    declared: dict[type, list[AnyPath]] = {InputFile: [], OutputFile: [], OutputFolder: []}
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if type(parameter.type) in declared and value is not None:
            values = value if isinstance(value, tuple) else (value,)
            declared[type(parameter.type)] += values
    for folder in declared[OutputFolder]:
        check_folder(folder)
    # those of defaults first: where an option has the same file, the option is named
    check_outputs(
        [*dict.fromkeys(os.fspath(path) for path in outputs), *declared[OutputFile]],
        [*inputs, *declared[InputFile]],
    )
