"""What worker processes do: train one run of an arm, pick its checkpoint on dev, and judge it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from suffice.common.files import atomic_path, read_json, write_json, write_jsonl
from suffice.data.target import TargetItem
from suffice.models import LanguageModel, ModelSource
from suffice.rewards.judge import Judge
from suffice.runs.critique.arms import CritiqueRun
from suffice.runs.critique.recipe import CritiqueRecipe
from suffice.runs.rewarded.base import is_done
from suffice.runs.rewarded.judged import judge_items, judge_of, outcomes_of, right_reward


@dataclass(frozen=True)
class ArmJob:
    """One run of an arm, with all that a worker needs.

    Attributes:
        run: The run.
        folder: Where its files go.
        source: How to load the base.
        recipe: The recipe.
        dev: The items that pick the checkpoint.
        items: The test items.
        key: Stands for everything the outcomes depend on.
    """

    run: CritiqueRun
    folder: Path
    source: ModelSource
    recipe: CritiqueRecipe
    dev: tuple[TargetItem, ...]
    items: tuple[TargetItem, ...]
    key: str

    @property
    def done(self) -> bool:
        """Whether the outcomes of this key are there."""
        return is_done(self.folder, self.key)


def run_arm(job: ArmJob, report: Callable[[Any], None]) -> dict[str, Any]:
    """Trains and judges one run of an arm; reports each step as it comes."""
    model = job.source.load()
    with judge_of(job.recipe, right_reward(job.recipe)) as judge:
        if job.run.rows:
            _train(job, model, judge, report)
        outcomes = outcomes_of(model, judge, job.recipe, job.items, job.run.template)
    write_jsonl(job.folder / "outcomes.jsonl", outcomes)
    told = [row["greedy"] for row in outcomes if row["greedy"] is not None]
    write_json(job.folder / "done.json", {"key": job.key, "score": fmean(told) if told else None})
    (job.folder / "best.safetensors").unlink(missing_ok=True)
    shutil.rmtree(job.folder / "checkpoints", ignore_errors=True)
    return {"arm": job.run.arm, "index": job.run.index}


def _train(job: ArmJob, model: LanguageModel, judge: Judge, report: Callable[[Any], None]) -> None:
    """Trains the model in place, up to the checkpoint that is best on dev."""
    from suffice.training.saving import save_model
    from suffice.training.sft import train_sft

    run = job.run
    best = Best(job, model, judge)

    def on_step(step: int) -> None:
        best.see(step)
        report((run.arm, step))

    settings = replace(job.recipe.training.settings(len(run.rows)), steps=run.steps)
    if not best.found:
        train_sft(model, run.rows, settings, seed=run.seed, out=job.folder, on_step=on_step)
        shutil.rmtree(job.folder / "model")
    best.load()
    if job.recipe.execution.keep_weights and run.arm == "critique":
        save_model(model, job.folder / "model")


class Best:
    """The best checkpoint on dev so far, on the disk, so that a killed training goes on with it.

    ``dev.json`` holds the score of each checkpoint; of equal ones the first is taken.

    Args:
        job: The run.
        model: What is trained.
        judge: Tells what is right.
    """

    def __init__(self, job: ArmJob, model: LanguageModel, judge: Judge) -> None:
        self._job, self._model, self._judge = job, model, judge
        self._file, self._weights = job.folder / "dev.json", job.folder / "best.safetensors"
        self._at = job.recipe.training.judged_at(job.run.steps)
        kept = read_json(self._file) if self._file.exists() else {}
        whole = kept.get("key") == job.key and self._weights.exists()
        self.scores: dict[str, float | None] = kept["scores"] if whole else {}

    @property
    def found(self) -> bool:
        """Whether all checkpoints are judged and the best of them is there."""
        return len(self.scores) == len(self._at)

    def see(self, step: int) -> None:
        """Judges the weights of a step where it is one of those that are, and keeps them where they are the best."""
        from safetensors.torch import save_model

        if step not in self._at or str(step) in self.scores:
            return
        score = self._score() if len(self._at) > 1 else None
        before = max((value for value in self.scores.values() if value is not None), default=-1.0)
        if score is None or score > before:
            with atomic_path(self._weights) as path:
                save_model(self._model.network, str(path))
        self.scores[str(step)] = score
        write_json(self._file, {"key": self._job.key, "scores": self.scores})

    def load(self) -> None:
        """Gives the model the best weights."""
        from safetensors.torch import load_model

        load_model(self._model.network, str(self._weights), device=self._model.device)

    def _score(self) -> float:
        """Returns the share of dev items whose greedy reply is right; one whose reward is missing is not."""
        network, job = self._model.network, self._job
        network.eval()
        try:
            told = judge_items(
                self._model, self._judge, job.dev, job.run.template, max_new_tokens=job.recipe.max_new_tokens
            )
        finally:
            network.train()
        return fmean(reply.value or 0.0 for [reply] in told)
