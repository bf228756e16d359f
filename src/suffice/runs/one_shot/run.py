"""A run on one example: the template picked, the example chosen, every arm trained and judged, the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suffice.common.files import digest, read_json, write_json
from suffice.common.progress import Reporter
from suffice.rewards.protocol import Reward
from suffice.runs.one_shot.arms import Plan
from suffice.runs.one_shot.choosing import Chosen, choose
from suffice.runs.one_shot.jobs import ArmJob, ArmRun, key_fields, run_arm
from suffice.runs.one_shot.recipe import OneShotRecipe
from suffice.runs.one_shot.verdict import verdict
from suffice.runs.rewarded.choosing import candidates_of
from suffice.runs.rewarded.judged import make_reward
from suffice.runs.rewarded.measured import measure
from suffice.runs.rewarded.task import Task, run_tasks
from suffice.training.rollouts import Step


def run_one_shot(out: Path, recipe: OneShotRecipe, reporter: Reporter) -> dict[str, Any]:
    """Does a run on one example; see `run_tasks`."""
    return run_tasks(OneShot, out, recipe, reporter)


@dataclass(frozen=True)
class OneShot(Task[OneShotRecipe]):
    """One task of such a run."""

    def work(self, reward: Reward) -> dict[str, Any]:
        """Does the task's work, keeping what an earlier attempt finished; returns its verdict."""
        template = self._template()
        chosen = self._choice(reward, template)
        jobs = [self._job(run) for run in Plan(self.recipe, self.examples, chosen, template).runs()]
        self._train(jobs)
        settings = self.recipe.evaluation
        measured = measure([(job.run, job.folder) for job in jobs], settings.samples)
        found = verdict(measured, self.recipe.design)
        about = {"template": template, "choice": chosen.as_json(self.examples), "time": _shares(jobs)}
        write_json(self.folder / "verdict.json", about | found)
        return about | found

    def _choice(self, reward: Reward, template: str) -> Chosen:
        settings = self.recipe.choice
        candidates = candidates_of(settings, len(self.examples), self.recipe.seed)
        replies = self._tries(candidates, template)
        form = make_reward("format", self.recipe.reward.format)
        chosen = choose(settings, candidates, replies, self.examples, reward, form)
        self._tell_choice(chosen)
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
