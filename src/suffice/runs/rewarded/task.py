"""A run in tasks, each with its own examples and items: what runs judged by a reward do alike."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic

from suffice.common.errors import UserError
from suffice.common.files import digest, read_json, write_json, write_jsonl
from suffice.common.progress import Reporter
from suffice.data.examples import read_examples
from suffice.data.target import TargetItem, read_target
from suffice.models import ModelSource
from suffice.models.loading import model_fingerprint
from suffice.rewards.protocol import Reward
from suffice.runs.contamination import words_of
from suffice.runs.manifest import versions
from suffice.runs.rewarded.base import ReadBase, chunks_of, read_base, reading_key
from suffice.runs.rewarded.choosing import Ranked
from suffice.runs.rewarded.judged import Judged, right_reward
from suffice.runs.rewarded.settings import Recipe, RewardedRecipe, read_rewarded
from suffice.scale.local import Workers, cores


def run_tasks(
    kind: Callable[..., Task[Recipe]], out: Path, recipe: Recipe, reporter: Reporter
) -> dict[str, Any]:
    """Does a run in a folder, going on where an earlier attempt stopped.

    Args:
        kind: What makes a task.
        out: The folder, locked by the caller.
        recipe: The recipe, adopted by the folder.
        reporter: Where progress is told.

    Returns:
        The verdict of each task, as in ``verdict.json``; the manifest is written last.

    Raises:
        UserError: Whatever is wrong with examples, target, reward or model.
    """
    started = time.monotonic()
    reward = right_reward(recipe)
    examples, whole = _examples(out, recipe, reporter), read_target(recipe.target, seed=recipe.seed)
    target = whole.first(recipe.evaluation.items) if recipe.evaluation.items else whole
    tasks = []
    with Workers(recipe.execution.jobs or cores()) as workers:
        for name in recipe.tasks or [""]:
            task = kind(
                name,
                out / name if name else out,
                recipe,
                [item for item, _ in examples if name in ("", item.task)],
                [line for item, line in examples if name in ("", item.task)],
                [item for item in target.dev if name in ("", item.task)],
                [item for item in target.test if name in ("", item.task)],
                whole.items,
                workers,
                reporter,
            )
            task.check(reward)
            tasks.append(task)
        found = [{"task": task.name, **task.work(reward)} for task in tasks]
    write_json(out / "verdict.json", {"tasks": found})
    manifest = {
        "recipe": recipe.model_dump(mode="json"),
        "model": model_fingerprint(recipe.model, recipe.chat_template),
        "examples": digest([[item.messages, item.answer] for item, _ in examples]),
        "target": target.fingerprint,
        "seconds": round(time.monotonic() - started, 1),
        "created": datetime.now(UTC).date().isoformat(),
        "versions": versions(),
    }
    write_json(out / "manifest.json", manifest)
    return {"tasks": found}


def _examples(out: Path, recipe: RewardedRecipe, reporter: Reporter) -> list[tuple[TargetItem, int]]:
    """Returns the examples with their lines; rows that cannot be used go to a file with their reasons."""
    found = read_examples(recipe.examples)
    if found.rejected:
        path = out / "rejected-examples.jsonl"
        write_jsonl(path, (row.as_json() for row in found.rejected))
        reporter.say(f"examples   {len(found.items):,} usable, {len(found.rejected):,} rejected: {path}")
    return list(zip(found.items, found.lines, strict=True))


def adopt(out: Path, recipe: RewardedRecipe) -> None:
    """Takes a recipe for a folder, or checks that it is the one the folder was begun with.

    Raises:
        UserError: The folder belongs to another recipe, or holds something else.
    """
    file = out / "recipe.yaml"
    if file.exists():
        kept = read_rewarded(type(recipe), file)
        before, now = kept.model_dump(exclude=kept.free), recipe.model_dump(exclude=kept.free)
        changed = [name for name, value in now.items() if before[name] != value]
        if changed:
            raise UserError(
                f"{out} holds a run of another recipe: {', '.join(changed)} differ", "choose a new --out"
            )
    elif any(path.name != ".lock" for path in out.iterdir()):
        raise UserError(f"{out} is not empty and holds no run", "choose a new --out")
    recipe.write(file)


@dataclass(frozen=True)
class Task(ABC, Generic[Recipe]):
    """One task of a run: its own examples, items, choice, arms and verdict.

    Attributes:
        name: Its name; empty where there is but one.
        folder: Where its files go.
        recipe: The recipe.
        examples: What may be trained on.
        lines: The line of each in its file.
        dev: The items that pick the template.
        test: The items that judge.
        whole: All items of the target, of every task.
        workers: The worker processes.
        reporter: Where progress is told.
    """

    name: str
    folder: Path
    recipe: Recipe
    examples: list[TargetItem]
    lines: list[int]
    dev: list[TargetItem]
    test: list[TargetItem]
    whole: Sequence[TargetItem]
    workers: Workers
    reporter: Reporter

    def check(self, reward: Reward) -> None:
        """Checks, before anything is sampled, that the task can be run.

        Raises:
            UserError: It lacks examples or items, a reference cannot be judged by, or a test item is an example.
        """
        of = f" of the task '{self.name}'" if self.name else ""
        for what, rows in (("examples", self.examples), ("test items", self.test)):
            if not rows:
                raise UserError(f"there are no {what}{of}", "check the files and the recipe's tasks")
        if len(self.recipe.templates) > 1 and not self.dev:
            raise UserError(
                f"there are no dev items{of} to pick a template on", "add some, or give one template"
            )
        for item in [*self.examples, *self.dev, *self.test, *self.fresh]:
            reward.check(item.answer)
        known = {words_of(item) for item in self.examples}
        named = [(f"item '{item.id}' of the target", item) for item in [*self.dev, *self.test]]
        for name, item in [*named, *((f"fresh question '{item.id}'", item) for item in self.fresh)]:
            if words_of(item) in known:
                raise UserError(f"the {name} is an example too", "take it out of one of the files")

    @property
    def fresh(self) -> Sequence[TargetItem]:
        """Further problems that arms are judged on."""
        return ()

    @abstractmethod
    def work(self, reward: Reward) -> dict[str, Any]:
        """Does the task's work, keeping what an earlier attempt finished; returns its verdict."""

    def _template(self) -> str:
        """Returns the template under which the base scores best on dev; of equal ones the first."""
        templates = self.recipe.templates
        if len(templates) == 1:
            return templates[0]
        jobs = [self._reading(self.dev, template) for template in templates]
        told = self._read("template", [part for job in jobs for part in chunks_of(job)])
        count = len(chunks_of(jobs[0]))
        scores = []
        for place in range(len(templates)):
            replies = [reply for part in told[place * count : (place + 1) * count] for [reply] in part]
            values = [reply.value for reply in replies if reply.value is not None]
            scores.append(sum(values) / len(values) if values else 0.0)
        best = scores.index(max(scores))
        write_json(self.folder / "templates.json", dict(zip(templates, scores, strict=True)))
        self.reporter.say(
            f"template   {templates[best]!r}: {100 * scores[best]:.1f} % of {len(self.dev)} dev items"
        )
        return templates[best]

    def _tell_choice(self, chosen: Ranked, why: str = "") -> None:
        write_json(self.folder / "choice.json", chosen.as_json(self.examples))
        solved = f"solved in {chosen.rates[chosen.one]:.0%} of {self.recipe.choice.rollouts}"
        self.reporter.say(f"choose     {self.examples[chosen.one].id}, {why or solved}")

    def _tries(self, candidates: Sequence[int], template: str) -> list[list[Judged]]:
        """Returns the base's replies to each candidate for the one example."""
        items = [self.examples[place] for place in candidates]
        job = self._reading(items, template, self.recipe.choice.rollouts)
        return [told for part in self._read("choose", chunks_of(job)) for told in part]

    def _reading(self, items: Sequence[TargetItem], template: str, samples: int = 1) -> ReadBase:
        return ReadBase(self._source, self.recipe, tuple(items), template, samples, self.recipe.seed)

    def _read(self, name: str, jobs: Sequence[ReadBase]) -> list[list[list[Judged]]]:
        """Returns the base's replies of each job, kept from an earlier attempt where they are there."""
        key = digest([self._model_key, [reading_key(job) for job in jobs]])
        path = self.folder / f"{name}-replies.json"
        if path.exists() and (kept := read_json(path))["key"] == key:
            return [[[Judged(*reply) for reply in told] for told in part] for part in kept["replies"]]
        with self.reporter.track(self._named(name), len(jobs), "batches") as task:
            found: list[list[list[Judged]]] = self.workers.map(
                read_base, jobs, on_result=lambda *_: task.advance()
            )
        rows = [[[[r.reply, r.stopped, r.value] for r in told] for told in part] for part in found]
        write_json(path, {"key": key, "replies": rows})
        return found

    def _named(self, stage: str) -> str:
        return f"{self.name} {stage}" if self.name else stage

    @property
    def _source(self) -> ModelSource:
        execution = self.recipe.execution
        return ModelSource(self.recipe.model, execution.device, execution.dtype, self.recipe.chat_template)

    @property
    def _model_key(self) -> str:
        return model_fingerprint(self.recipe.model, self.recipe.chat_template)
