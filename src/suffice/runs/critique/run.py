"""A run of critique fine-tuning: template, problem, critiques, every arm trained and judged, the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from suffice.common.errors import UserError
from suffice.common.files import digest, read_json, write_json, write_jsonl
from suffice.common.progress import Reporter
from suffice.data.rejected import Rejected
from suffice.data.rules import RowError
from suffice.data.target import TargetItem
from suffice.rewards.protocol import Reward
from suffice.runs.critique.arms import CritiqueRun, Problem, runs_of
from suffice.runs.critique.critics import check_critics, write_critiques
from suffice.runs.critique.critiques import NO_CRITIQUE, Filtered, Written, filtered, read_critiques
from suffice.runs.critique.jobs import ArmJob, run_arm
from suffice.runs.critique.recipe import CritiqueRecipe
from suffice.runs.critique.verdict import verdict
from suffice.runs.rewarded.base import CHUNK
from suffice.runs.rewarded.choosing import Ranked, candidates_of, ranked
from suffice.runs.rewarded.judged import judge_of
from suffice.runs.rewarded.measured import measure
from suffice.runs.rewarded.task import Task, run_tasks


def run_critique(out: Path, recipe: CritiqueRecipe, reporter: Reporter) -> dict[str, Any]:
    """Does a run of critique fine-tuning; see `run_tasks`."""
    return run_tasks(Critiqued, out, recipe, reporter)


@dataclass(frozen=True)
class Critiqued(Task[CritiqueRecipe]):
    """One task of such a run."""

    def check(self, reward: Reward) -> None:
        """Checks, before anything is sampled, that the task can be run.

        Raises:
            UserError: See `Task.check`; critiques cannot be had, or there are no dev items to pick a checkpoint on.
        """
        super().check(reward)
        check_critics(self.recipe.critiques)
        if self.recipe.training.checkpoints > 1 and not self.dev:
            raise UserError(
                "there are no dev items to pick a checkpoint on", "add some, or give training.checkpoints: 1"
            )

    def work(self, reward: Reward) -> dict[str, Any]:
        """Does the task's work, keeping what an earlier attempt finished; returns its verdict."""
        template, settings = self._template(), self.recipe.evaluation
        chosen, other, found = (
            self._from_file(reward, template) if self.recipe.critiques.file else self._asked(reward, template)
        )
        self._tell_choice(chosen)
        counts = self._told(found, chosen.one)
        one, *rest = [
            Problem(self.examples[place], found.kept[place])
            for place in (chosen.one, other)
            if place is not None and place in found.kept
        ]
        jobs = [self._job(run) for run in runs_of(self.recipe, template, one, rest[0] if rest else None)]
        self._train(jobs)
        measured = measure([(job.run, job.folder) for job in jobs], settings.samples)
        about = {"template": template, "choice": chosen.as_json(self.examples), "critiques": counts}
        about |= verdict(measured, self.recipe.design)
        write_json(self.folder / "verdict.json", about)
        return about

    def _from_file(self, reward: Reward, template: str) -> tuple[Ranked, int | None, Filtered]:
        """Returns the one problem, another, and the critiques of a file: the one is chosen among those that have some."""
        choice, critiques = self.recipe.choice, self.recipe.critiques
        candidates = candidates_of(choice, len(self.examples), self.recipe.seed)
        row = None if choice.row is None else choice.row - 1
        places = {item.id: place for place, item in enumerate(self.examples)}
        written, rejected = read_critiques(critiques.file or "", places, row)
        found = self._filtered(reward, written, rejected)
        candidates = sorted(found.kept)[: choice.candidates] if row is None else [row]
        if not candidates:
            self._told(found, None)
        chosen = ranked(choice, candidates, self._tries(candidates, template))
        others = sorted(set(found.kept) - {chosen.one}, key=lambda place: (-len(found.kept[place]), place))
        return chosen, others[0] if others else None, found

    def _asked(self, reward: Reward, template: str) -> tuple[Ranked, int | None, Filtered]:
        """Returns the one problem, the next in the ranking, and critiques of solutions that the base was sampled for."""
        choice, critiques = self.recipe.choice, self.recipe.critiques
        wanted = "critique-other" in self.recipe.design.arms
        candidates = candidates_of(choice, len(self.examples), self.recipe.seed)
        if choice.row is not None and not wanted:
            candidates = [choice.row - 1]
        chosen = ranked(choice, candidates, self._tries(candidates, template))
        others = [place for place in chosen.ranking if place != chosen.one]
        other = others[0] if others and wanted else None
        solutions = [
            (place, solution, right)
            for place in (chosen.one, other)
            if place is not None
            for solution, right in self._solutions(place, template)
        ]
        texts = self._texts([(self.examples[place], solution) for place, solution, _ in solutions])
        who = critiques.teacher.model if critiques.teacher else critiques.function
        written = [
            Written(place, solution, text, right, str(who), number)
            for number, ((place, solution, right), text) in enumerate(zip(solutions, texts, strict=True), 1)
        ]
        return chosen, other, self._filtered(reward, written, [])

    def _solutions(self, place: int, template: str) -> list[tuple[str, bool]]:
        """Returns the distinct whole solutions that the base gives to an example, and whether each is right."""
        settings, item = self.recipe.critiques, self.examples[place]
        each = min(CHUNK, settings.samples)
        first = self._reading([item], template, each)
        parts = range(0, settings.samples, each)
        told = self._read(f"solutions-{place + 1}", [replace(first, seed=first.seed + i) for i in parts])
        replies = [reply for part in told for reply in part[0] if reply.stopped and reply.value is not None]
        right = {reply.reply.strip(): reply.value == 1 for reply in replies if reply.reply.strip()}
        self.reporter.say(
            f"solutions  {len(right)} of {len(parts) * each} to {item.id} are whole and distinct, {sum(right.values())} right"
        )
        return list(right.items())[: settings.rows]

    def _texts(self, pairs: list[tuple[TargetItem, str]]) -> list[str | RowError]:
        """Returns critiques of solutions; those by a teacher stay as they are, even if one lacks an answer."""
        settings, path = self.recipe.critiques, self.folder / "answers.json"
        design = self.recipe.model_dump(include={"critiques"}, exclude=self.recipe.work)
        key = digest([design, [[item.id, item.messages, solution] for item, solution in pairs]])
        if settings.teacher and path.exists() and (kept := read_json(path))["key"] == key:
            return [RowError(NO_CRITIQUE, "no answer came") if one is None else one for one in kept["texts"]]
        texts = write_critiques(settings, pairs, self.folder / "answers.sqlite", self.reporter)
        if settings.teacher:
            shown = [None if isinstance(text, RowError) else text for text in texts]
            write_json(path, {"key": key, "texts": shown})
        return texts

    def _filtered(self, reward: Reward, written: Sequence[Written], rejected: list[Rejected]) -> Filtered:
        """Keeps what can be trained on; writes the rest to ``rejected.jsonl`` and the former to ``critiques.jsonl``."""
        with judge_of(self.recipe, reward) as judge:
            found = filtered(written, self.examples, judge)
        found.rejected[:0] = rejected
        found.kept = {
            place: critiques[: self.recipe.critiques.rows] for place, critiques in found.kept.items()
        }
        write_jsonl(self.folder / "rejected.jsonl", (row.as_json() for row in found.rejected))
        write_jsonl(
            self.folder / "critiques.jsonl",
            (
                {
                    "example": self.examples[place].id,
                    "solution": one.solution,
                    "critique": one.text,
                    "right": one.right,
                }
                for place, critiques in found.kept.items()
                for one in critiques
            ),
        )
        return found

    def _told(self, found: Filtered, one: int | None) -> dict[str, Any]:
        """Tells and returns how many critiques of the one problem are trained on, and what was dropped of all.

        Raises:
            UserError: There are fewer than two.
        """
        kept = [] if one is None else found.kept.get(one, [])
        dropped = dict(sorted(Counter(row.rule for row in found.rejected).items()))
        why = "".join(f", {count} dropped by {rule}" for rule, count in dropped.items())
        if len(kept) < 2:
            of = "any example" if one is None else f"the example '{self.examples[one].id}'"
            raise UserError(
                f"{len(kept)} critiques of {of} can be trained on{why}",
                f"see {self.folder / 'rejected.jsonl'}",
            )
        right = sum(critique.right for critique in kept)
        self.reporter.say(f"critiques  {len(kept)} kept, {right} of right solutions{why}")
        return {"kept": len(kept), "right": right, "dropped": dropped}

    def _train(self, jobs: Sequence[ArmJob]) -> None:
        left = [job for job in jobs if not job.done]
        steps = sum(job.run.steps for job in left)
        with self.reporter.track(self._named("train"), steps or 1, "steps") as task:

            def on_progress(told: Any) -> None:
                arm, step = told
                task.advance()
                task.note(f"{arm}: step {step}")

            self.workers.map(run_arm, left, on_progress=on_progress)
            task.result(f"{len(left)} runs, {len(jobs) - len(left)} kept from before")

    def _job(self, run: CritiqueRun) -> ArmJob:
        recipe, dev = self.recipe, self.dev if self.recipe.training.checkpoints > 1 else []
        judged = [recipe.max_new_tokens, recipe.evaluation.model_dump(), recipe.reward.model_dump()]
        items = [[[item.id, item.messages, item.answer] for item in part] for part in (dev, self.test)]
        rows = [row.id for row in run.rows]
        trained = [recipe.training.model_dump(), run.arm, run.index, run.seed, run.template, rows, run.steps]
        return ArmJob(
            run=run,
            folder=self.folder / "arms" / run.arm / str(run.index),
            source=self._source,
            recipe=recipe,
            dev=tuple(dev),
            items=tuple(self.test),
            key=digest([self._model_key, recipe.seed, trained, judged, items]),
        )
