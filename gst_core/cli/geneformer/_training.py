"""What the commands that train a classifier share: options, and what they say at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gst_core.cli._common import say
from gst_core.cli._paths import OutputFolder
from gst_core.cli.geneformer._options import network_options
from gst_core.cli.geneformer._progress import bar

if TYPE_CHECKING:
    from gst_core.geneformer.api import Geneformer
    from gst_core.geneformer.course import FineTuningConfig
    from gst_core.geneformer.examples import Examples
    from gst_core.geneformer.splits import Plan

SIZE = click.IntRange(min=1)
_RATE = click.FloatRange(0, min_open=True)

_OPTIONS = (
    click.option(
        "--checkpoint",
        required=True,
        type=click.Path(path_type=Path),
        help="Folder of the network to train further (config.json, model.safetensors).",
    ),
    click.option(
        "--output",
        required=True,
        type=OutputFolder(path_type=Path, file_okay=False),
        help="Folder of the classifier: started again with the same options, a run goes on.",
    ),
    click.option("--epochs", default=10, show_default=True, type=SIZE, help="At most."),
    click.option(
        "--patience",
        default=3,
        show_default=True,
        type=click.IntRange(0),
        help="Epochs without progress on held-out examples until training ends; 0: never.",
    ),
    click.option("--batch_cells", default=12, show_default=True, type=SIZE),
    click.option(
        "--learning_rate", default=5e-5, show_default=True, type=_RATE, help="Of the network."
    ),
    click.option(
        "--head_learning_rate", default=1e-3, show_default=True, type=_RATE, help="Of new weights."
    ),
    click.option("--warmup", default=0.1, show_default=True, type=click.FloatRange(0, 1)),
    click.option("--weight_decay", default=1e-3, show_default=True, type=click.FloatRange(0)),
    click.option("--dropout", default=0.1, show_default=True, type=click.FloatRange(0, 0.9)),
    click.option(
        "--freeze_layers",
        default=0,
        show_default=True,
        type=click.IntRange(0),
        help="So many of the first layers, and the embeddings, stay as they are.",
    ),
    click.option(
        "--adapter_rank",
        default=0,
        show_default=True,
        type=click.IntRange(0),
        help="Leave the network as it is, and learn low-rank matrices of this rank beside it.",
    ),
    click.option(
        "--class_weights",
        type=click.Choice(["balanced", "none"]),
        default="balanced",
        show_default=True,
        help="Whether rare classes count more.",
    ),
    click.option(
        "--search",
        "trials",
        default=0,
        show_default=True,
        type=click.IntRange(0),
        help="Try so many settings first, on the first fold's held-out examples.",
    ),
    click.option("--bf16", is_flag=True, help="Compute in bfloat16."),
    click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1)),
    click.option("--checkpoint_every", default=100, show_default=True, type=SIZE, help="Steps."),
)


def training_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of training; those in :data:`COURSE` come as ``course``."""
    command = network_options(command)
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def config_of(course: dict[str, Any]) -> FineTuningConfig:
    """Make the course of a training of a command's options."""
    from gst_core.geneformer.course import FineTuningConfig

    return FineTuningConfig(**course)


def train_and_test(
    model: Geneformer,
    examples: Examples,
    plan: Plan,
    config: FineTuningConfig,
    output: Path,
    *,
    checkpoint: Path,
    trials: int,
    quiet: bool,
    facts: dict[str, Any] | None = None,
    **given: Any,
) -> None:
    """Run :func:`gst_core.geneformer.classification.classify`, and say what came of it.

    Parameters
    ----------
    model, examples, plan, config, output
        As there.
    checkpoint
        What the network was read from.
    trials, quiet
        Of the command.
    facts, **given
        As there.
    """
    from gst_core.geneformer.classification import classify
    from gst_core.geneformer.weights import fingerprint, weight_file

    with bar("classify", "steps", quiet) as progress:
        report = classify(
            model,
            examples,
            plan,
            config,
            output,
            facts={"began_with": fingerprint(weight_file(checkpoint)), **(facts or {})},
            on_step=_stepping(progress, len(plan.folds), trials),
            trials=trials,
            **given,
        )
    if not quiet:
        _tell(report, output)


def _stepping(
    progress: Callable[[int, int], None], folds: int, trials: int
) -> Callable[[str, int, int], None]:
    """Count the steps of all trials and folds as one course."""

    def on_step(name: str, step: int, steps: int) -> None:
        before = trials + folds
        if name.startswith("trial"):
            before = int(name.removeprefix("trial"))
        elif name.startswith("fold"):
            before = trials + int(name.removeprefix("fold"))
        progress(before * steps + step, steps * (trials + folds + (folds > 1)))

    return on_step


def _tell(report: dict[str, Any], output: Path) -> None:
    """Say what came of a run."""
    for text in [*report["notes"], *report["warnings"]]:
        say(f"geneformer: {text}")
    if report["search"]:
        settings = report["settings"]
        shown = {name: settings[name] for name in report["search"][0]["settings"]}
        say(
            f"geneformer: best of {len(report['search'])} settings: "
            + ", ".join(f"{name} {value:.3g}" for name, value in shown.items())
        )
    for task in report["tasks"]:
        say(
            f"geneformer: {task['task']}: {task['tested']:,} {report['kind']} tested, by "
            f"{report['divided_by']}, {len(report['folds'])} "
            f"fold{'s' if len(report['folds']) > 1 else ''}; the most frequent class has "
            f"{task['most_frequent']:.3f}"
        )
        tell_metrics(task["methods"])
    say(f"geneformer: classifier, report, predictions and picture -> {output}")


def tell_metrics(methods: dict[str, Any]) -> None:
    """Say how methods did, a line each."""
    for method, found in methods.items():
        shown = ", ".join(
            f"{name.replace('_', ' ')} {_value(found['metrics'][name])}"
            for name in ("accuracy", "balanced_accuracy", "auc", "calibration_error")
            if name in found["metrics"]
        )
        say(f"geneformer:   {method}: {shown}")


def _value(metric: dict[str, Any]) -> str:
    if metric["deviation"] is None:
        return f"{metric['mean']:.3f}"
    return f"{metric['mean']:.3f} ± {metric['deviation']:.3f}"
