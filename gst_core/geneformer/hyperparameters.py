"""Search for the settings of a training, by optuna, on held-out examples and never on the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, Final

from gst_core.errors import GstError
from gst_core.geneformer.course import DivergedError
from gst_core.geneformer.cross_validation import Setting, train
from gst_core.geneformer.splits import Split

#: States of trials that are not to be done again.
_DONE: Final = ("COMPLETE", "PRUNED")


def search(
    setting: Setting,
    split: Split,
    trials: int,
    on_step: Callable[[str, int, int], None] = lambda name, step, steps: None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Try settings on one division, and give those that told its held-out examples best.

    What is sought: both learning rates, the number of layers that stay as they are, weight decay
    and dropout; with adapters their rank in place of layers. Trials that fall behind the median of
    the others, or whose loss is no number any more, are given up. The first trial has the settings
    as they were given.

    Parameters
    ----------
    setting
        The run; the trials' states are kept in its folder, and finished ones are not done again.
    split
        The division: its test is not looked at.
    trials
        How many.
    on_step
        Told the trial's name, the step, and of how many.

    Returns
    -------
    best, tried
        The changes to the settings; and of each trial its settings, loss and state.

    Raises
    ------
    GstError
        If the division holds no examples out, or no trial came to its end.
    """
    import optuna

    if not len(split.validation):
        raise GstError("nothing is held out to compare settings by", where="--validation 0")
    study = _study(setting)

    def objective(trial: Any) -> float:
        changes = _changes(trial, setting)
        name = f"trial{trial.number}"
        lowest = float("inf")

        def on_epoch(epoch: int, loss: float) -> None:
            nonlocal lowest
            lowest = loss
            trial.report(loss, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        own = replace(setting, config=replace(setting.config, **changes))
        try:
            train(own, split, name, on_step, on_epoch=on_epoch)
        except DivergedError as error:
            raise optuna.TrialPruned from error
        finally:
            (setting.work / f"{name}.safetensors").unlink(missing_ok=True)
        return lowest

    done = sum(trial.state.name in _DONE for trial in study.trials)
    study.optimize(objective, n_trials=max(0, trials - done))
    if not any(trial.state.name == "COMPLETE" for trial in study.trials):
        raise DivergedError(
            "no setting that was tried can be trained", hint="lower both learning rates"
        )
    tried = [
        {
            "settings": trial.params,
            "loss": trial.value if trial.value is not None else _last(trial),
            "state": trial.state.name.lower(),
        }
        for trial in study.trials
        if trial.state.name in _DONE
    ]
    return dict(study.best_params), tried


def _study(setting: Setting) -> Any:
    """Begin a search, or go on with it: trials that were interrupted are to be done again."""
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalStorage

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    setting.work.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(setting.work / "search.log"))),
        study_name=json.dumps({**setting.facts, **asdict(setting.config)}, sort_keys=True),
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
    )
    # What is drawn depends on how many were drawn before, or a search that goes on repeats itself.
    study.sampler = optuna.samplers.TPESampler(seed=setting.config.seed + len(study.trials))
    kept = [
        trial.system_attrs.get("fixed_params", trial.params)  # of one that waits these alone
        for trial in study.trials
        if trial.state.name in (*_DONE, "WAITING")
    ]
    for trial in study.trials:
        if trial.state.name == "RUNNING":
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        if trial.state.name in ("RUNNING", "FAIL") and trial.params not in kept:
            study.enqueue_trial(trial.params)
            kept.append(trial.params)
    if not study.trials:
        study.enqueue_trial(_given(setting))
    return study


def _given(setting: Setting) -> dict[str, Any]:
    """Give the settings as they are, as the first to be tried, within what is sought."""
    config = setting.config
    found: dict[str, Any] = {
        "learning_rate": min(max(config.learning_rate, 1e-6), 1e-2),
        "head_learning_rate": min(max(config.head_learning_rate, 1e-4), 1e-1),
        "weight_decay": min(max(config.weight_decay, 1e-5), 1e-1),
        "dropout": min(config.dropout, 0.5),
    }
    if config.adapter_rank:
        return {**found, "adapter_rank": config.adapter_rank}
    return {**found, "freeze_layers": config.freeze_layers}


def _changes(trial: Any, setting: Setting) -> dict[str, Any]:
    config = setting.config
    found = {
        "learning_rate": trial.suggest_float("learning_rate", 1e-6, 1e-2, log=True),
        "head_learning_rate": trial.suggest_float("head_learning_rate", 1e-4, 1e-1, log=True),
        "weight_decay": trial.suggest_float("weight_decay", 1e-5, 1e-1, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
    }
    if config.adapter_rank:
        ranks = sorted({2, 4, 8, 16, config.adapter_rank})
        return {**found, "adapter_rank": trial.suggest_categorical("adapter_rank", ranks)}
    layers = setting.encoder.config.layers
    return {**found, "freeze_layers": trial.suggest_int("freeze_layers", 0, layers)}


def _last(trial: Any) -> float | None:
    return min(trial.intermediate_values.values(), default=None)
