"""``gst export``: the model file of a training run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import click

from gst_core.cli._common import read_facts, say
from gst_core.cli._paths import InputFile, OutputFile, check_paths
from gst_core.export import export as serialise
from gst_core.export.tables import TableBits
from gst_core.files import atomic_write
from gst_core.training.calibration import Calibration
from gst_core.training.run import describe, load_network

_FILE = InputFile(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=OutputFile(dir_okay=False, path_type=Path),
    help="Model file (.onnx) to write.",
)
@click.option("--name", help="Name of the model. Default: that of the folder.")
@click.option(
    "--version", "version_", default="1.0.0", show_default=True, help="Version of the model."
)
@click.option("--calibration", "calibration_file", type=_FILE, help="Result of gst calibrate.")
@click.option(
    "--temperature",
    type=click.FloatRange(0, min_open=True),
    help="Divides the logits, in place of a calibration. Default: 1.",
)
@click.option(
    "--table_bits",
    type=click.Choice(["4", "8", "16", "32"]),
    default="4",
    show_default=True,
    help="Bits of the large tables; 32 keeps every weight as it was trained.",
)
@click.option(
    "--facts",
    "facts_file",
    type=_FILE,
    help="JSON object to keep in the model: held_out_accuracy, training_data with its licences.",
)
def export(
    run: Path,
    output: Path,
    name: str | None,
    version_: str,
    calibration_file: Path | None,
    temperature: float | None,
    table_bits: str,
    facts_file: Path | None,
) -> None:
    """Write the model file of a training RUN, which gst_assign --checkpoint takes."""
    if calibration_file and temperature:
        raise click.UsageError("give either --calibration or --temperature")
    check_paths()
    description, network = load_network(run)
    facts: dict[str, Any] = {"training_data": describe(description)}
    if calibration_file:
        calibration = Calibration.read(calibration_file)
        temperature = calibration.temperature
        facts["calibration"] = calibration.facts()
    facts |= read_facts(facts_file)
    data = serialise(
        network,
        description.vocabulary,
        description.clades,
        name=name or run.resolve().name,
        version=version_,
        temperature=temperature or 1.0,
        table_bits=cast(TableBits, int(table_bits)),
        facts=facts,
    )
    with atomic_write(output, "wb") as file:
        file.write(data)
    say(f"gst export: {output}, {len(data) / 1e6:.1f} MB")
