"""What a worker does for one run of an arm: train, evaluate, and drop the weights nobody keeps."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from suffice.common.files import digest, read_json, write_json, write_jsonl
from suffice.data.pool import Pool
from suffice.data.target import Target
from suffice.models import ModelSource
from suffice.runs.arms import ArmRun
from suffice.runs.context import Run
from suffice.runs.recipe import Recipe


@dataclass(frozen=True)
class ArmJob:
    """One run of an arm, with all that a worker process needs to do it.

    Attributes:
        run: Rows, seed and steps.
        folder: Where the run's files go.
        pool_file: The pool.
        target_file: The target.
        source: How to load the base.
        recipe: The recipe.
        train_key: Stands for everything the weights depend on.
        evaluate_key: Stands for everything the outcomes depend on; empty where only training is wanted.
        keep_weights: Whether the weights stay after the evaluation.
        extractor: What of reference and reply is compared.
        split: The items to evaluate on: ``test``, or ``dev`` where a learning rate is tried; else empty.
    """

    run: ArmRun
    folder: Path
    pool_file: Path
    target_file: Path
    source: ModelSource
    recipe: Recipe
    train_key: str
    evaluate_key: str
    keep_weights: bool
    extractor: str
    split: str

    @property
    def trained(self) -> bool:
        """Whether the weights of this key are there (the base needs none)."""
        return self.run.kind == "base" or (
            _key(self.folder / "trained.json") == self.train_key and (self.folder / "model").is_dir()
        )

    @property
    def evaluated(self) -> bool:
        """Whether the outcomes of this key are there."""
        return bool(self.evaluate_key) and _key(self.folder / "evaluated.json") == self.evaluate_key

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self.evaluated if self.evaluate_key else (self.trained or self._was_evaluated)

    @property
    def _was_evaluated(self) -> bool:
        """Whether weights of this key were trained, evaluated and dropped."""
        path = self.folder / "evaluated.json"
        return path.exists() and read_json(path).get("train_key") == self.train_key


def _key(path: Path) -> str | None:
    return read_json(path)["key"] if path.exists() else None


def run_job(job: ArmJob, report: Callable[[float], None]) -> dict[str, Any]:
    """Trains and evaluates one run of an arm, whatever of it is not done yet; returns what it took."""
    if not job.trained:
        _train(job, report)
    if job.evaluate_key and not job.evaluated:
        _evaluate(job)
    if job.evaluate_key and not job.keep_weights:
        shutil.rmtree(job.folder / "model", ignore_errors=True)
    return {"arm": job.run.arm, "index": job.run.index}


def _train(job: ArmJob, report: Callable[[float], None]) -> None:
    from suffice.training import train_sft

    pool = _pool(job.pool_file)
    examples = [pool[index] for index in job.run.rows]
    done = 0

    def on_step(step: int) -> None:
        nonlocal done
        report(step - done)
        done = step

    result = train_sft(
        job.source.load(),
        examples,
        sft_settings(job.recipe, job.run.steps),
        seed=job.run.seed,
        out=job.folder,
        on_step=on_step,
    )
    write_json(job.folder / "trained.json", {"key": job.train_key, **asdict(result)})


def sft_settings(recipe: Recipe, steps: int) -> Any:
    """Returns the trainer's settings for an arm of ``steps`` optimiser steps."""
    from suffice.training import LoRA, SFTSettings

    training = recipe.training
    return SFTSettings(
        learning_rate=training.rate(),
        steps=steps,
        batch_size=training.batch_size,
        warmup_ratio=training.warmup_ratio,
        weight_decay=training.weight_decay,
        max_length=training.max_length,
        lora=LoRA(r=training.lora_r, alpha=2 * training.lora_r) if training.lora else None,
        checkpoint_steps=training.checkpoint_steps,
    )


def _evaluate(job: ArmJob) -> None:
    from suffice.evaluation.evaluate import evaluate

    base = job.run.kind == "base"
    source = job.source if base else replace(job.source, spec=str(job.folder / "model"), chat_template=None)
    model = source.load()
    started = time.monotonic()
    target = Target.read(job.target_file)
    settings = job.recipe.target
    outcomes = evaluate(
        model,
        target.test if job.split == "test" else target.dev,
        extractor=job.extractor,
        max_new_tokens=settings.max_new_tokens,
        require_stop=settings.require_stop,
    )
    seconds = time.monotonic() - started
    write_jsonl(job.folder / "outcomes.jsonl", (asdict(outcome) for outcome in outcomes))
    score = sum(outcome.score for outcome in outcomes) / len(outcomes)
    done = {"key": job.evaluate_key, "train_key": job.train_key, "seconds": seconds, "score": score}
    write_json(job.folder / "evaluated.json", done)


@lru_cache(maxsize=1)
def _pool(path: Path) -> Pool:
    """The pool, read once in each worker."""
    return Pool.read(path)


def arm_job(
    run: Run,
    arm: ArmRun,
    folder: Path,
    *,
    rate: float | None = None,
    split: str = "test",
    keep_weights: bool = False,
) -> ArmJob:
    """Returns the job of one run of an arm.

    Args:
        run: The run at work.
        arm: Rows, seed and steps.
        folder: Where the job's files go.
        rate: The learning rate, where it is not the recipe's.
        split: The items to evaluate on, ``test`` or ``dev``; empty for training alone.
        keep_weights: Whether the weights stay after the evaluation.
    """
    recipe = run.recipe
    if rate is not None:
        recipe = recipe.model_copy(
            update={"training": recipe.training.model_copy(update={"learning_rate": rate})}
        )
    rows = [run.pool.ids[index] for index in arm.rows]
    training = recipe.training.model_dump(exclude={"tune", "rates"})
    course = [training, arm.seed, arm.steps, rows] if arm.steps else []  # the base is as it came
    trained = digest([run.model_key, recipe.execution.dtype, *course])
    judging = recipe.target.model_dump(exclude={"file", "dev", "untargeted"})
    return ArmJob(
        run=arm,
        folder=folder,
        pool_file=run.folder.pool,
        target_file=run.folder.target,
        source=run.source,
        recipe=recipe,
        train_key=trained,
        evaluate_key=digest([trained, run.judged.fingerprint, judging, split]) if split else "",
        keep_weights=keep_weights,
        extractor=run.extractor,
        split=split,
    )
