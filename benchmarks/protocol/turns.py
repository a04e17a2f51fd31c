"""What the benchmarks of Geneformer share: options, a network, cells, and turns of several ways.

Each turn is a process that does nothing else. Its peak memory is the kernel's high-water mark of
its own address space; ``getrusage`` would begin with what the process that started it had. On a
GPU it is what torch had allocated there at most, and the work is done once before it is timed:
the first time loads kernels.
"""

from __future__ import annotations

import functools
import json
import multiprocessing
import re
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import numpy as np

from benchmarks.protocol.measure import use_cores
from gst_core.files import atomic_write
from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.counts import open_counts
from gst_core.geneformer.dataset import Tokens
from gst_core.geneformer.resources import Resources
from gst_core.geneformer.tokenizing import prepare

#: Published shapes: model version, layers, width, heads, feed-forward width.
SHAPES: Final = {
    "V1-10M": ("V1", 6, 256, 4, 512),
    "V2-104M": ("V2", 12, 768, 12, 3072),
    "V2-316M": ("V2", 18, 1152, 18, 4608),
}

#: A way's work: given its name and the task, all but what is timed is done, and that returned.
Prepare = Callable[[str, Any], Callable[[], Any]]

_OPTIONS: Final = (
    click.option("--counts", required=True, type=click.Path(path_type=Path, exists=True)),
    click.option("--resources", required=True, type=click.Path(path_type=Path, exists=True)),
    click.option("--shape", default="V1-10M", show_default=True, type=click.Choice(list(SHAPES))),
    click.option("--runs", default=3, show_default=True),
    click.option("--threads", default=2, show_default=True),
    click.option(
        "--clock",
        type=click.Choice(["wall", "cpu"]),
        default="wall",
        show_default=True,
        help="cpu: seconds of the processor, of one thread, on a machine that others use too.",
    ),
    click.option("--device", default="cpu", show_default=True, type=click.Choice(["cpu", "cuda"])),
    click.option("--output", type=click.Path(path_type=Path)),
)


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured, and how.

    Attributes
    ----------
    counts, resources, shape
        Of the cells, the dictionary, and the network with random weights.
    runs, threads, clock, device
        Turns of each way; what it may use; ``wall`` or ``cpu`` seconds; ``cpu`` or ``cuda``.
    """

    counts: Path
    resources: Resources
    shape: str
    runs: int
    threads: int
    clock: str
    device: str

    def network(self, folder: Path) -> NetworkConfig:
        """Write a network with random weights."""
        import torch

        from gst_core.geneformer.network import MaskedLanguageModel
        from gst_core.geneformer.weights import save_checkpoint

        torch.manual_seed(0)
        own = self.resources
        _, layers, width, heads, inner = SHAPES[self.shape]
        config = NetworkConfig(own.vocabulary_size, width, layers, heads, inner, own.max_length)
        save_checkpoint(MaskedLanguageModel(config), folder)
        return config

    def cells(self, number: int) -> Tokens:
        """Tokenise the first cells of the counts."""
        opened = prepare(open_counts(self.counts), self.resources)
        (_, rows), *_ = opened.counts.chunks(number)
        return opened.tokenizer.tokenize(rows)

    def turns(self, ways: Sequence[str], prepare: Prepare, task: Any) -> dict[str, Turns]:
        """Let the ways do a task in turns."""
        found: dict[str, list[tuple[float, int, Any]]] = {way: [] for way in ways}
        spawn = multiprocessing.get_context("spawn")
        # Unlike a Pool it says so when a process is killed for its memory.
        with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
            for _ in range(self.runs):
                for way in ways:
                    turn = pool.submit(_turn, self, prepare, way, task)
                    found[way].append(turn.result())
        return {
            way: Turns(
                statistics.median(seconds for seconds, _, _ in own),
                max(peak for _, peak, _ in own),
                own[0][2],
            )
            for way, own in found.items()
        }

    def ways(self, reference: str) -> tuple[str, ...]:
        """Name the ways: the reference's first, then ours, on a GPU in bfloat16 too."""
        return (reference, "ours", *(("ours, bf16",) if self.device == "cuda" else ()))

    def matrix_peak(self) -> float:
        """Operations a second of a large matrix product."""
        import torch

        torch.set_num_threads(self.threads)
        size = 2048 if self.device == "cpu" else 8192
        now, times, a = self.clock_of(), [], torch.rand(size, size, device=self.device)
        for _ in range(9):
            began = now()
            a @ a
            times.append(now() - began)
        return float(2 * size**3 / statistics.median(times))

    def clock_of(self) -> Callable[[], float]:
        """Seconds; of a GPU once it has done what it was told."""
        if self.device == "cuda":
            import torch

            def now() -> float:
                torch.cuda.synchronize()
                return time.perf_counter()

            return now
        return time.process_time if self.clock == "cpu" else time.perf_counter


@dataclass(frozen=True, slots=True)
class Turns:
    """What came of a way's turns: median seconds, highest peak in MiB, and the first's value."""

    seconds: float
    peak_mib: int
    value: Any


def compared(found: dict[str, Turns]) -> dict[str, dict[str, float]]:
    """Compare what came of all ways with what came of the first."""
    first, *others = found
    reference = found[first]
    return {
        "times_as_fast": {way: round(reference.seconds / found[way].seconds, 2) for way in others},
        "largest_difference": {
            way: float(np.abs(reference.value - found[way].value).max()) for way in others
        },
    }


def with_bench(command: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """Give a command the options of a :class:`Bench`, and print or write what it measures."""

    @functools.wraps(command)
    def run(
        counts: Path,
        resources: Path,
        shape: str,
        runs: int,
        threads: int,
        clock: str,
        device: str,
        output: Path | None,
        **more: Any,
    ) -> None:
        if clock == "cpu" and threads != 1:
            raise click.UsageError("--clock cpu says nothing of more than one of --threads")
        if clock == "cpu" and device != "cpu":
            raise click.UsageError("--clock cpu says nothing of a GPU")
        use_cores(threads)
        own = Resources.load(SHAPES[shape][0], resources)  # type: ignore[arg-type]
        bench = Bench(counts, own, shape, runs, threads, clock, device)
        facts = {"shape": shape, "threads": threads, "clock": clock, "device": device}
        result = {**facts, **command(bench, **more)}
        text = json.dumps(result, indent=2) + "\n"
        click.echo(text)
        if output:
            with atomic_write(output) as file:
                file.write(text)

    for option in reversed(_OPTIONS):
        option(run)
    return run


def layer_operations(config: NetworkConfig, length: int) -> int:
    """Multiplications and additions of one layer's matrix products, forward, for one cell."""
    products = 4 * config.width**2 + 2 * config.width * config.feedforward
    return 2 * length * (products + 2 * length * config.width)


def _turn(bench: Bench, prepare: Prepare, way: str, task: Any) -> tuple[float, int, Any]:
    import torch

    torch.set_num_threads(bench.threads)
    run, now = prepare(way, task), bench.clock_of()
    if bench.device == "cuda":
        run()
    start = now()
    value = run()
    return now() - start, _peak_mib(bench.device), value


def _peak_mib(device: str) -> int:
    if device == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated() // 2**20)
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) // 1024
