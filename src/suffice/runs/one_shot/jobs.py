"""What worker processes do: train and judge one run of an arm."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from suffice.common.files import digest, read_json, write_json, write_jsonl
from suffice.data.target import TargetItem
from suffice.models import LanguageModel, ModelSource
from suffice.proof.arms import Kind
from suffice.rewards.judge import Judge
from suffice.runs.one_shot.recipe import SINGLES, OneShotRecipe
from suffice.runs.rewarded.base import is_done
from suffice.runs.rewarded.judged import judge_items, judge_of, make_reward, outcomes_of, right_reward
from suffice.training.rollouts import Question, Step, Watch
from suffice.training.settings import GRPOSettings, LoRA


@dataclass(frozen=True)
class ArmRun:
    """One run of an arm.

    Attributes:
        arm: Its name, such as ``one`` or ``few-4``.
        kind: The arm as the recipe names it.
        index: The number of the run within the arm.
        seed: The training seed.
        template: The prompt template of training and judging.
        questions: What is trained on; nothing for the base.
        reward: The name of the reward.
        options: Its options.
    """

    arm: str
    kind: str
    index: int
    seed: int
    template: str
    questions: tuple[Question, ...] = ()
    reward: str = ""
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def proof_kind(self) -> Kind:
        """What the arm is to the statistics."""
        if self.kind in ("base", "template"):
            return "model"
        return "random" if self.kind in SINGLES else "method"


@dataclass(frozen=True)
class ArmJob:
    """One run of an arm, with all that a worker needs.

    Attributes:
        run: The run.
        folder: Where its files go.
        source: How to load the base.
        recipe: The recipe.
        items: The test items.
        key: Stands for everything the outcomes depend on.
        fresh: Problems that the base cannot have seen, to be judged on as well.
    """

    run: ArmRun
    folder: Path
    source: ModelSource
    recipe: OneShotRecipe
    items: tuple[TargetItem, ...]
    key: str
    fresh: tuple[TargetItem, ...] = ()

    @property
    def done(self) -> bool:
        """Whether the outcomes of this key are there."""
        return is_done(self.folder, self.key)

    @property
    def fresh_key(self) -> str:
        """Stands for everything the scores on fresh problems depend on."""
        return digest([self.key, [[item.messages, item.answer] for item in self.fresh]])

    @property
    def fresh_scores(self) -> list[float | None] | None:
        """The greedy scores on fresh problems; `None` where the run was not judged on them."""
        path = self.folder / "fresh.json"
        if not path.exists() or (kept := read_json(path))["key"] != self.fresh_key:
            return None
        return [row["greedy"] for row in kept["rows"]]


def run_arm(job: ArmJob, report: Callable[[Any], None]) -> dict[str, Any]:
    """Trains and judges one run of an arm; reports each step, and warnings, as they come."""
    recipe, run = job.recipe, job.run
    model = job.source.load()
    right = right_reward(recipe)
    with judge_of(recipe, right) as judge:
        if run.reward == recipe.reward.name and dict(run.options) == recipe.reward.options:
            _train(job, model, judge, report)
        elif run.questions:
            with judge_of(recipe, make_reward(run.reward, dict(run.options))) as other:
                _train(job, model, other, report)
        outcomes = outcomes_of(model, judge, recipe, job.items, run.template)
        if job.fresh:
            write_json(
                job.folder / "fresh.json", {"key": job.fresh_key, "rows": _judge_fresh(job, model, judge)}
            )
    write_jsonl(job.folder / "outcomes.jsonl", outcomes)
    told = [row["greedy"] for row in outcomes if row["greedy"] is not None]
    write_json(job.folder / "done.json", {"key": job.key, "score": fmean(told) if told else None})
    shutil.rmtree(job.folder / "checkpoints", ignore_errors=True)
    return {"arm": run.arm, "index": run.index}


def _train(job: ArmJob, model: LanguageModel, judge: Judge, report: Callable[[Any], None]) -> None:
    from suffice.training.grpo import train_grpo

    recipe, run = job.recipe, job.run
    # That nothing is learned from no reward is no news.
    watch = Watch(lambda text: report((run.arm, text)) if run.kind != "entropy" else None)

    def on_step(step: Step) -> None:
        watch.see(step)
        report((run.arm, step))

    train_grpo(
        model,
        run.questions,
        judge,
        grpo_settings(recipe),
        seed=run.seed,
        out=job.folder,
        reward_key=f"{run.reward} {dict(run.options)}",
        save=recipe.execution.keep_weights and run.kind == "one",
        on_step=on_step,
    )
    write_json(job.folder / "missing.json", dict(judge.missing))


def _judge_fresh(job: ArmJob, model: LanguageModel, judge: Judge) -> list[dict[str, Any]]:
    """Returns for each fresh problem the greedy reply and its worth."""
    replies = judge_items(model, judge, job.fresh, job.run.template, max_new_tokens=job.recipe.max_new_tokens)
    return [
        {"item": item.id, "greedy": reply.value, "reply": reply.reply, "stopped": reply.stopped}
        for item, [reply] in zip(job.fresh, replies, strict=True)
    ]


def grpo_settings(recipe: OneShotRecipe) -> GRPOSettings:
    """Returns the trainer's settings."""
    given = recipe.training.model_dump(exclude={"lora", "lora_r"})
    lora = LoRA(r=recipe.training.lora_r, alpha=2 * recipe.training.lora_r) if recipe.training.lora else None
    return GRPOSettings(max_new_tokens=recipe.max_new_tokens, lora=lora, **given)


def key_fields(job: ArmRun) -> dict[str, Any]:
    """Returns what of a run its outcomes depend on, as a JSON value."""
    return asdict(job)
