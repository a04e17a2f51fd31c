"""Speed and memory of original checkpoints at their production size, with random weights.

    python benchmarks/legacy.py [--architecture transformer|mlp] [--proteins FASTA]

Writes a checkpoint of the production shape as the original would (30,688
symbols), imports it, and names proteins in a process of its own: proteins per
second is the median of several rounds over the same proteins, peak memory that
of the whole process, session and vocabulary included. Random weights cost what
trained ones do. Needs torch, to write the checkpoint.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gst_core.clades import CLADES as ALL_CLADES  # noqa: E402
from gst_core.legacy.checkpoint import LegacyShape  # noqa: E402

#: The original's, which are the first of ours.
CLADES = list(ALL_CLADES[:18])

LETTERS = "ACDEFGHIKLMNPQRSTVWYBXZJUO* "

#: The production configurations of the original's repository.
PRODUCTION = {
    "transformer": LegacyShape(
        architecture="transformer",
        sequence_length=1107,
        num_letters=len(LETTERS),
        num_clades=len(CLADES),
        num_symbols=30_688,
        padding_side="right",
        uses_clade=True,
        hidden=64,
        embedding_dimension=16,
        num_heads=8,
        depth=2,
        feedforward=128,
        activation="gelu",
    ),
    "mlp": LegacyShape(
        architecture="mlp",
        sequence_length=841,
        num_letters=len(LETTERS),
        num_clades=len(CLADES),
        num_symbols=30_688,
        padding_side="right",
        uses_clade=True,
        hidden=64,
    ),
}


def _mapper_classes() -> types.ModuleType:
    """Make the module ``utils`` whose classes the original pickles."""
    module = types.ModuleType("utils")
    for name, base in (
        ("CategoryMapper", object),
        ("ProteinSequenceMapper", object),
        ("ConciseReprDict", dict),
    ):
        setattr(module, name, type(name, (base,), {"__module__": "utils"}))
    return module


def _category_mapper(module: types.ModuleType, labels: list[str]) -> object:
    mapper = module.CategoryMapper()
    mapper.categories = sorted(labels)
    mapper.num_categories = len(labels)
    mapper.label_to_index_dict = {label: index for index, label in enumerate(labels)}
    mapper.index_to_label_dict = dict(enumerate(labels))
    return mapper


def write_random_checkpoint(path: Path, shape: LegacyShape, seed: int = 0) -> None:
    """Write a checkpoint of a shape as the original does, with random weights.

    Parameters
    ----------
    path
        The file to write.
    shape
        Shape of the network.
    seed
        Of the random numbers.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    state = {}
    for key, size in shape.weight_shapes().items():
        spread = 1.0 if key.endswith("embedding") or len(size) < 2 else size[-1] ** -0.5
        state[key] = torch.randn(size, generator=generator) * spread
        if "normalization" in key and key.endswith("weight"):
            state[key] = torch.ones(size)
    utils = _mapper_classes()
    symbols = [f"SYM{number:05d}" for number in range(shape.num_symbols)]
    letters = utils.ProteinSequenceMapper()
    letters.protein_letters = list(LETTERS)
    letters.protein_letter_to_index = {letter: index for index, letter in enumerate(LETTERS)}
    letters.index_to_protein_letter = dict(enumerate(LETTERS))
    letters.num_protein_letters = len(LETTERS)
    parameters = {
        "sequence_length": shape.sequence_length,
        "padding_side": shape.padding_side,
        "datetime": "random",
        "logging_version": f"random_{shape.architecture}",
        "symbol_mapper": _category_mapper(utils, symbols),
        "protein_sequence_mapper": letters,
        "clade_mapper": _category_mapper(utils, CLADES),
        "symbols_metadata": utils.ConciseReprDict(
            (s, {"description": f"random symbol {s}", "source": "HGNC Symbol"}) for s in symbols
        ),
    }
    if shape.architecture == "mlp":
        parameters["num_connections"] = shape.hidden
    else:
        parameters |= {
            "clade": shape.uses_clade,
            "mlp_output_size": shape.hidden,
            "embedding_dimension": shape.embedding_dimension,
            "num_heads": shape.num_heads,
            "transformer_depth": shape.depth,
            "feedforward_connections": shape.feedforward,
            "activation_function": shape.activation,
        }
    content = {"epoch": 1, "state_dict": state, "hyper_parameters": parameters}
    shadowed = sys.modules.get("utils")
    sys.modules["utils"] = utils
    try:
        torch.save(content, path)
    finally:
        del sys.modules["utils"]
        if shadowed is not None:
            sys.modules["utils"] = shadowed


def _read_sequences(path: Path, count: int) -> list[tuple[str, str]]:
    """Every n-th protein of a FASTA file, so that `count` cover it evenly."""
    from gst_core.sequences import read_proteins

    records = [(protein.stable_id, protein.residues.decode()) for protein in read_proteins(path)]
    return records[:: max(1, len(records) // count)][:count]


def _peak_memory() -> int:
    """Peak resident bytes since exec; getrusage would count the parent's from before it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def measure(model: Path, fasta: Path, count: int, rounds: int, threads: int) -> dict[str, float]:
    """Name proteins in this process; returns the medians."""
    from gst_core import GeneNamer

    start = time.perf_counter()
    namer = GeneNamer(model, device="cpu", threads=threads)
    opened = time.perf_counter() - start
    sequences = _read_sequences(fasta, count)
    seconds, cpu = [], []
    for _ in range(rounds):
        start, start_cpu = time.perf_counter(), time.process_time()
        assert sum(1 for _ in namer.assign(sequences, clade="humans")) == len(sequences)
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    return {
        "proteins": len(sequences),
        "proteins_per_second": len(sequences) / statistics.median(seconds),
        "cpu_milliseconds_per_protein": 1000 * statistics.median(cpu) / len(sequences),
        "seconds_to_open": opened,
        "peak_memory_mb": _peak_memory() / 1e6,
    }


def main() -> None:
    """Write, import, measure in a fresh process, print JSON."""
    shared = ROOT.parent / "shared" / "data" / "proteins"
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--architecture", choices=PRODUCTION, default="transformer")
    parser.add_argument(
        "--proteins", type=Path, default=shared / "human_refseq_one_per_gene.fasta.gz"
    )
    parser.add_argument("--count", type=int)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    count = options.count or {"transformer": 200, "mlp": 5000}[options.architecture]
    if options.model:
        figures = measure(options.model, options.proteins, count, options.rounds, options.threads)
        print(json.dumps(figures))
        return
    from gst_core.legacy.importing import convert

    with tempfile.TemporaryDirectory() as folder:
        checkpoint, model = Path(folder, "random.ckpt"), Path(folder, "random.onnx")
        write_random_checkpoint(checkpoint, PRODUCTION[options.architecture])
        start = time.perf_counter()
        convert(checkpoint, model)
        imported = time.perf_counter() - start
        arguments = ["--architecture", options.architecture, "--proteins", str(options.proteins)]
        arguments += ["--count", str(count), "--rounds", str(options.rounds)]
        arguments += ["--threads", str(options.threads), "--model", str(model)]
        output = subprocess.run(
            [sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE
        ).stdout
        figures = json.loads(output) | {
            "architecture": options.architecture,
            "seconds_to_import": imported,
            "checkpoint_mb": checkpoint.stat().st_size / 1e6,
            "model_mb": model.stat().st_size / 1e6,
        }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
