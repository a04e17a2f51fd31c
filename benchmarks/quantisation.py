#!/usr/bin/env python3
"""What storing the large tables in fewer bits costs, on genera that the run held out.

    PYTHONPATH=. python benchmarks/quantisation.py runs/heldout \
        --proteins swissprot_eukaryota.fasta.zst --proteins human_refseq_one_per_gene.fasta.gz

prints, tab-separated, for 32, 16, 8 and 4 bits: size of the file, accuracy by genus,
share of proteins with the same best symbol as in 32 bits, and the difference of the best
symbol's probability, mean and largest.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnxruntime as ort

from gst_core.export import build
from gst_core.training.batches import TrainingSet, by_length
from gst_core.training.calibration import Calibration
from gst_core.training.dataset import arrange
from gst_core.training.proteins import read_labelled
from gst_core.training.run import load_network

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def probabilities(session: ort.InferenceSession, data: TrainingSet, classes: int) -> Any:
    """Probabilities of all symbols, in their order, in batches of at most 32."""
    result = np.empty((len(data), classes), dtype=np.float32)
    for rows, batch in by_length(data, 32):
        feed = {
            "codes": batch.codes.numpy(),
            "lengths": batch.lengths.numpy(),
            "clade": batch.clades.numpy(),
            "top_k": np.array([classes]),
        }
        values, indices = session.run(["probabilities", "indices"], feed)
        ordered = np.empty_like(values)
        np.put_along_axis(ordered, indices, values, axis=1)
        result[rows] = ordered
    return result


def known_proteins(
    fastas: Iterable[Path], genera: Iterable[str], classes: dict[str, int], number: int
) -> dict[str, TrainingSet]:
    """Proteins of each genus whose symbol is in the vocabulary, drawn at random."""
    proteins = read_labelled(fastas)
    found = {}
    for genus in genera:
        own = [p for p in proteins if p.taxon.genus == genus and p.key in classes]
        chosen = np.random.default_rng(0).permutation(len(own))[:number]
        found[genus] = arrange([own[i] for i in chosen], classes)
    return found


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--proteins", "fastas", multiple=True, required=True, type=_FILE)
@click.option("--proteins_per_genus", default=500, show_default=True)
@click.option("--calibration", "calibration_file", type=_FILE)
@click.option("--threads", default=1, show_default=True)
def main(
    run: Path,
    fastas: tuple[Path, ...],
    proteins_per_genus: int,
    calibration_file: Path | None,
    threads: int,
) -> None:
    """Compare the sizes of the tables of RUN on the genera that it held out."""
    temperature = Calibration.read(calibration_file).temperature if calibration_file else 1.0
    description, network = load_network(run)
    classes = {s.symbol.upper(): index for index, s in enumerate(description.vocabulary)}
    genera = description.hold_out or description.validation
    data = known_proteins(fastas, genera, classes, proteins_per_genus)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    columns = ["bits", "MB", *genera, "same_symbol", "mean_dp", "largest_dp"]
    click.echo("\t".join(columns))
    reference: dict[str, Any] = {}
    for bits in (32, 16, 8, 4):
        model = build(network, temperature, bits).SerializeToString()  # type: ignore[arg-type]
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        cells = [f"{bits}", f"{len(model) / 1e6:.1f}"]
        same, differences = [], []
        for genus, proteins in data.items():
            p = probabilities(session, proteins, len(classes))
            exact = reference.setdefault(genus, p)
            best, place = exact.argmax(1), np.arange(len(p))
            cells.append(f"{(p.argmax(1) == proteins.classes).mean():.4f}")
            same.append(p.argmax(1) == best)
            differences.append(np.abs(p[place, best] - exact[place, best]))
        difference = np.concatenate(differences)
        cells += [f"{np.concatenate(same).mean():.4f}", f"{difference.mean():.5f}"]
        click.echo("\t".join([*cells, f"{difference.max():.4f}"]))


if __name__ == "__main__":
    main()
