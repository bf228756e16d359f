"""A run on one example: the template picked, the example chosen, every arm trained and judged, the verdict."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from suffice.common.errors import UserError
from suffice.common.files import digest, read_json, write_json
from suffice.common.progress import Reporter
from suffice.data.target import TargetItem, read_numbered_examples, read_target
from suffice.models import ModelSource
from suffice.models.loading import model_fingerprint
from suffice.proof.contamination import Contamination, contamination
from suffice.rewards.protocol import Reward
from suffice.runs.contamination import Sides, words_of
from suffice.runs.manifest import versions
from suffice.runs.one_shot.arms import Plan
from suffice.runs.one_shot.choosing import Chosen, candidates_of, choose
from suffice.runs.one_shot.contamination import (
    JUDGED,
    completions_of,
    on_fresh,
    sentences_of,
    sides_of_task,
)
from suffice.runs.one_shot.history import Past, read_past
from suffice.runs.one_shot.jobs import ArmJob, ArmRun, ReadBase, key_fields, read_base, run_arm
from suffice.runs.one_shot.judged import Judged, make_reward, right_reward
from suffice.runs.one_shot.presenting import write_report
from suffice.runs.one_shot.recipe import OneShotRecipe, read_one_shot
from suffice.runs.one_shot.verdict import Measured, measure, verdict
from suffice.scale.local import Workers, cores
from suffice.training.rollouts import Step

CHUNK = 32  # items of the base's reading in one job


def run_one_shot(out: Path, recipe: OneShotRecipe, reporter: Reporter) -> dict[str, Any]:
    """Does a run in a folder, going on where an earlier attempt stopped.

    Args:
        out: The folder, locked by the caller.
        recipe: The recipe, adopted by the folder.
        reporter: Where progress is told.

    Returns:
        The verdict of each task, as in ``verdict.json``; the manifest and the page are written last.

    Raises:
        UserError: Whatever is wrong with examples, target, reward or model.
    """
    started = time.monotonic()
    reward = right_reward(recipe)
    examples, whole = read_numbered_examples(recipe.examples), read_target(recipe.target, seed=recipe.seed)
    target = whole.first(recipe.evaluation.items) if recipe.evaluation.items else whole
    tasks = []
    with Workers(recipe.execution.jobs or cores()) as workers:
        for name in recipe.tasks or [""]:
            dev, test = (
                [item for item in items if name in ("", item.task)] for items in (target.dev, target.test)
            )
            task = Task(
                name,
                out / name if name else out,
                recipe,
                [item for item, _ in examples if name in ("", item.task)],
                [line for item, line in examples if name in ("", item.task)],
                dev,
                test,
                sides_of_task(recipe, name, whole.items, test),
                workers,
                reporter,
            )
            task.check(reward)
            tasks.append(task)
        pasts = [task.past() for task in tasks]
        found = [
            {"task": task.name, **task.work(reward, past)} for task, past in zip(tasks, pasts, strict=True)
        ]
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
    write_report(out)
    return {"tasks": found}


def adopt(out: Path, recipe: OneShotRecipe) -> None:
    """Takes a recipe for a folder, or checks that it is the one the folder was begun with.

    Raises:
        UserError: The folder belongs to another recipe, or holds something else.
    """
    file = out / "recipe.yaml"
    if file.exists():
        kept = read_one_shot(file)
        # A look at contamination changes no arm, so that it can be asked for later; what was asked for stays.
        free = {"execution"} if kept.contamination.items else {"execution", "contamination"}
        before, now = kept.model_dump(exclude=free), recipe.model_dump(exclude=free)
        changed = [name for name, value in now.items() if before[name] != value]
        if changed:
            raise UserError(
                f"{out} holds a run of another recipe: {', '.join(changed)} differ", "choose a new --out"
            )
    elif any(path.name != ".lock" for path in out.iterdir()):
        raise UserError(f"{out} is not empty and holds no run", "choose a new --out")
    recipe.write(file)


@dataclass(frozen=True)
class Task:
    """One task of a run: its own examples, items, choice, arms and verdict.

    Attributes:
        name: Its name; empty where there is but one.
        folder: Where its files go.
        recipe: The recipe.
        examples: What may be trained on.
        lines: The line of each in its file.
        dev: The items that pick the template.
        test: The items that judge.
        sides: The questions that tell contamination, where that is asked for.
        workers: The worker processes.
        reporter: Where progress is told.
    """

    name: str
    folder: Path
    recipe: OneShotRecipe
    examples: list[TargetItem]
    lines: list[int]
    dev: list[TargetItem]
    test: list[TargetItem]
    sides: Sides | None
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
        fresh = self.sides.fresh if self.sides else []
        for item in [*self.examples, *self.dev, *self.test, *fresh]:
            reward.check(item.answer)
        known = {words_of(item) for item in self.examples}
        named = [(f"item '{item.id}' of the target", item) for item in [*self.dev, *self.test]]
        for name, item in [*named, *((f"fresh question '{item.id}'", item) for item in fresh)]:
            if words_of(item) in known:
                raise UserError(f"the {name} is an example too", "take it out of one of the files")

    def past(self) -> Past | None:
        """Returns what the recipe's history tells of the examples, where there is one; see `read_past`."""
        return read_past(self.recipe, self.examples, self.lines) if self.recipe.choice.history else None

    def work(self, reward: Reward, past: Past | None) -> dict[str, Any]:
        """Does the task's work, keeping what an earlier attempt finished; returns its verdict."""
        template = self._template()
        known = self._known_by_heart()
        chosen = self._choice(reward, template, past)
        jobs = [self._job(run) for run in Plan(self.recipe, self.examples, chosen, template).runs()]
        self._train(jobs)
        settings = self.recipe.evaluation
        measured = measure([(job.run, job.folder) for job in jobs], settings.samples)
        found = verdict(measured, self.recipe.design)
        if known:
            told = known.as_json() | {"arms": self._on_fresh(template, jobs, measured[0])}
            found |= {"contamination": told, "sentences": [*found["sentences"], *sentences_of(told)]}
        about = {"template": template, "choice": chosen.as_json(self.examples), "time": _shares(jobs)}
        write_json(self.folder / "verdict.json", about | found)
        return about | found

    def _known_by_heart(self) -> Contamination | None:
        """Returns whether the base knows the test by heart, before anything is trained; `None` where nobody asks."""
        if self.sides is None:
            return None
        fraction = self.recipe.contamination.fraction
        with self.reporter.track(_named(self.name, "complete"), len(self.sides.named), "sets") as task:
            path = self.folder / "completions.json"
            written = completions_of(
                path, self._model_key, self._source, self.sides, fraction, self.workers, task
            )
        return contamination(
            written["test"],
            written.get("fresh"),
            fraction=fraction,
            alpha=self.recipe.design.alpha,
            left_out=self.sides.notes,
        )

    def _on_fresh(self, template: str, jobs: Sequence[ArmJob], measured: Measured) -> dict[str, Any] | None:
        """Returns what the arms score on fresh problems, beside their scores on test items; `None` without such."""
        if not self.sides or not self.sides.fresh:
            return None
        replies = self._read("fresh", _chunks(self._reading(self.sides.fresh, template)))
        found = on_fresh(self.sides.fresh, [reply for part in replies for [reply] in part], jobs)
        return found.as_json(measured, self.recipe.design.alpha)

    def _template(self) -> str:
        """Returns the template under which the base scores best on dev; of equal ones the first."""
        templates = self.recipe.templates
        if len(templates) == 1:
            return templates[0]
        jobs = [self._reading(self.dev, template) for template in templates]
        told = self._read("template", [part for job in jobs for part in _chunks(job)])
        count = len(_chunks(jobs[0]))
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

    def _choice(self, reward: Reward, template: str, past: Past | None) -> Chosen:
        settings = self.recipe.choice
        candidates = candidates_of(settings, len(self.examples), self.recipe.seed, past)
        job = self._reading([self.examples[i] for i in candidates], template, settings.rollouts)
        replies = [told for part in self._read("choose", _chunks(job)) for told in part]
        form = make_reward("format", self.recipe.reward.format)
        chosen = choose(settings, candidates, replies, self.examples, reward, form, past)
        write_json(self.folder / "choice.json", chosen.as_json(self.examples))
        rate = f"solved in {chosen.rates[chosen.one]:.0%} of {settings.rollouts}"
        if past:
            self.reporter.say(f"history    {past.words()}")
            deviation = past.deviations[chosen.one]
            rate = f"whose accuracy had the standard deviation {deviation:.3f} in the history"
        self.reporter.say(f"choose     {self.examples[chosen.one].id}, {rate}")
        return chosen

    def _reading(self, items: Sequence[TargetItem], template: str, samples: int = 1) -> ReadBase:
        return ReadBase(self._source, self.recipe, tuple(items), template, samples, self.recipe.seed)

    def _read(self, name: str, jobs: Sequence[ReadBase]) -> list[list[list[Judged]]]:
        """Returns the base's replies of each job, kept from an earlier attempt where they are there."""
        key = digest([self._model_key, [_reading_key(job) for job in jobs]])
        path = self.folder / f"{name}-replies.json"
        if path.exists() and (kept := read_json(path))["key"] == key:
            return [[[Judged(*reply) for reply in told] for told in part] for part in kept["replies"]]
        with self.reporter.track(_named(self.name, name), len(jobs), "batches") as task:
            found: list[list[list[Judged]]] = self.workers.map(
                read_base, jobs, on_result=lambda *_: task.advance()
            )
        rows = [[[[r.reply, r.stopped, r.value] for r in told] for told in part] for part in found]
        write_json(path, {"key": key, "replies": rows})
        return found

    def _train(self, jobs: Sequence[ArmJob]) -> None:
        left = [job for job in jobs if not job.done]
        steps = sum(self.recipe.training.steps for job in left if job.run.questions)
        with self.reporter.track(_named(self.name, "train"), steps or 1, "steps") as task:

            def on_progress(told: Any) -> None:
                arm, news = told
                if isinstance(news, Step):
                    task.advance()
                    task.note(f"{arm}: {news.words()}")
                else:
                    self.reporter.say(f"{arm}: {news}")

            self.workers.map(run_arm, left, on_progress=on_progress)
            task.result(f"{len(left)} runs, {len(jobs) - len(left)} kept from before")

    def _job(self, run: ArmRun) -> ArmJob:
        recipe = self.recipe
        judged = [recipe.max_new_tokens, recipe.evaluation.model_dump(), recipe.reward.model_dump()]
        items = digest([[item.id, item.messages, item.answer] for item in self.test])
        about = [self._model_key, recipe.training.model_dump(), recipe.seed, judged, items]
        return ArmJob(
            run=run,
            folder=self.folder / "arms" / run.arm / str(run.index),
            source=self._source,
            recipe=recipe,
            items=tuple(self.test),
            key=digest([about, key_fields(run)]),
            fresh=tuple(self.sides.fresh) if self.sides and run.questions and run.arm in JUDGED else (),
        )

    @property
    def _source(self) -> ModelSource:
        execution = self.recipe.execution
        return ModelSource(self.recipe.model, execution.device, execution.dtype, self.recipe.chat_template)

    @property
    def _model_key(self) -> str:
        return model_fingerprint(self.recipe.model, self.recipe.chat_template)


def _chunks(job: ReadBase) -> list[ReadBase]:
    """Returns a reading in parts, each with a seed of its own."""
    parts = range(0, len(job.items), CHUNK)
    return [
        ReadBase(job.source, job.recipe, job.items[i : i + CHUNK], job.template, job.samples, job.seed + i)
        for i in parts
    ]


def _reading_key(job: ReadBase) -> list[Any]:
    recipe = job.recipe
    judged = [recipe.max_new_tokens, recipe.training.temperature, recipe.reward.model_dump()]
    items = [[item.messages, item.answer] for item in job.items]
    return [judged, items, job.template, job.samples, job.seed]


def _shares(jobs: Sequence[ArmJob]) -> dict[str, float]:
    """Returns the shares of the trainings' time that went into sampling, judging and updates."""
    trained = [read_json(job.folder / "train.json") for job in jobs if job.run.questions]
    total = {
        name: sum(step[f"{name}_seconds"] for run in trained for step in run["history"])
        for name in ("rollout", "reward", "update")
    }
    whole = sum(total.values()) or 1.0
    return {name: round(seconds / whole, 4) for name, seconds in total.items()}


def _named(task: str, stage: str) -> str:
    return f"{task} {stage}" if task else stage
