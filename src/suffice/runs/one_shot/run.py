"""A run on one example: the template picked, the example chosen, every arm trained and judged, the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from suffice.common.files import digest, read_json, write_json
from suffice.common.progress import Reporter
from suffice.data.target import TargetItem
from suffice.proof.contamination import Contamination, contamination
from suffice.rewards.protocol import Reward
from suffice.runs.contamination import Sides
from suffice.runs.one_shot.arms import Plan
from suffice.runs.one_shot.choosing import Chosen, choose
from suffice.runs.one_shot.contamination import (
    JUDGED,
    completions_of,
    on_fresh,
    sentences_of,
    sides_of_task,
)
from suffice.runs.one_shot.history import Past, read_past
from suffice.runs.one_shot.jobs import ArmJob, ArmRun, key_fields, run_arm
from suffice.runs.one_shot.presenting import write_report
from suffice.runs.one_shot.recipe import OneShotRecipe
from suffice.runs.one_shot.verdict import verdict
from suffice.runs.rewarded.base import chunks_of
from suffice.runs.rewarded.choosing import candidates_of
from suffice.runs.rewarded.judged import make_reward
from suffice.runs.rewarded.measured import Measured, measure
from suffice.runs.rewarded.task import Task, run_tasks
from suffice.training.rollouts import Step


def run_one_shot(out: Path, recipe: OneShotRecipe, reporter: Reporter) -> dict[str, Any]:
    """Does a run on one example, and writes its page last; see `run_tasks`."""
    found = run_tasks(OneShot, out, recipe, reporter)
    write_report(out)
    return found


@dataclass(frozen=True)
class OneShot(Task[OneShotRecipe]):
    """One task of such a run."""

    @cached_property
    def sides(self) -> Sides | None:
        """The questions that tell contamination, where that is asked for."""
        return sides_of_task(self.recipe, self.name, self.whole, self.test)

    @cached_property
    def past(self) -> Past | None:
        """What the recipe's history tells of the examples, where there is one; see `read_past`."""
        return read_past(self.recipe, self.examples, self.lines) if self.recipe.choice.history else None

    def check(self, reward: Reward) -> None:
        """Checks, before anything is sampled, that the task can be run; see `Task.check` and `read_past`."""
        super().check(reward)
        _ = self.past

    @property
    def fresh(self) -> Sequence[TargetItem]:
        """Fresh problems that arms are judged on too."""
        return self.sides.fresh if self.sides else ()

    def work(self, reward: Reward) -> dict[str, Any]:
        """Does the task's work, keeping what an earlier attempt finished; returns its verdict."""
        template = self._template()
        known = self._known_by_heart()
        chosen = self._choice(reward, template)
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
        with self.reporter.track(self._named("complete"), len(self.sides.named), "sets") as task:
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
        if not self.fresh:
            return None
        replies = self._read("fresh", chunks_of(self._reading(self.fresh, template)))
        found = on_fresh(self.fresh, [reply for part in replies for [reply] in part], jobs)
        return found.as_json(measured, self.recipe.design.alpha)

    def _choice(self, reward: Reward, template: str) -> Chosen:
        settings, past = self.recipe.choice, self.past
        if past:
            candidates = [past.ranked(settings.row).one]
            self.reporter.say(f"history    {past.words()}")
        else:
            candidates = candidates_of(settings, len(self.examples), self.recipe.seed)
        replies = self._tries(candidates, template)
        form = make_reward("format", self.recipe.reward.format)
        chosen = choose(settings, candidates, replies, self.examples, reward, form, past)
        self._tell_choice(chosen, past.words_of(chosen.one) if past else "")
        return chosen

    def _train(self, jobs: Sequence[ArmJob]) -> None:
        left = [job for job in jobs if not job.done]
        steps = sum(self.recipe.training.steps for job in left if job.run.questions)
        with self.reporter.track(self._named("train"), steps or 1, "steps") as task:

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
            fresh=tuple(self.fresh) if run.questions and run.arm in JUDGED else (),
        )


def _shares(jobs: Sequence[ArmJob]) -> dict[str, float]:
    """Returns the shares of the trainings' time that went into sampling, judging and updates."""
    trained = [read_json(job.folder / "train.json") for job in jobs if job.run.questions]
    total = {
        name: sum(step[f"{name}_seconds"] for run in trained for step in run["history"])
        for name in ("rollout", "reward", "update")
    }
    whole = sum(total.values()) or 1.0
    return {name: round(seconds / whole, 4) for name, seconds in total.items()}
