"""Contamination in a run on one example: does the base know the test by heart, and do the gains hold on fresh problems?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from suffice.common.errors import UserError
from suffice.common.files import digest, read_json, write_json
from suffice.common.progress import Task as Progress
from suffice.data.target import TargetItem
from suffice.evaluation import random_calculation
from suffice.evaluation.completion import Completion, Completions, complete
from suffice.models import ModelSource
from suffice.proof.intervals import Interval, independent_difference
from suffice.runs.contamination import Sides, sides_of
from suffice.runs.one_shot.jobs import ArmJob, ArmRun
from suffice.runs.one_shot.recipe import OneShotRecipe
from suffice.runs.rewarded.judged import Judged
from suffice.runs.rewarded.measured import Measured, gather, points
from suffice.scale.local import Workers

JUDGED = ("template", "format", "one")
"""The arms that are judged on fresh problems too."""

_ANY_TASK = ("all", random_calculation.NAME)


def sides_of_task(
    recipe: OneShotRecipe, task: str, target: Sequence[TargetItem], test: Sequence[TargetItem]
) -> Sides | None:
    """Returns what a task's completions are of; `None` where the recipe asks for none.

    Args:
        recipe: The recipe.
        task: The task's name; empty where there is but one.
        target: All items of the target file.
        test: The task's test items.

    Raises:
        UserError: See `sides_of`; or there are no fresh problems of the task.
    """
    wanted = recipe.contamination
    if not wanted.items or not test:
        return None
    sides = sides_of(wanted.fresh, target, test, items=wanted.items, seed=recipe.seed)
    own = [item for item in sides.fresh if task in ("", item.task) or item.task in _ANY_TASK]
    if sides.fresh and not own:
        raise UserError(
            f"{wanted.fresh} has no fresh questions of the task '{task}'",
            "add some, or rows without a task, which count for each",
        )
    return Sides(sides.test, own, sides.notes)


@dataclass(frozen=True)
class ReadQuestions:
    """Questions whose beginnings the base is to complete.

    Attributes:
        source: How to load the base.
        items: The questions.
        fraction: The share of their words that is shown.
    """

    source: ModelSource
    items: tuple[TargetItem, ...]
    fraction: float


def complete_questions(job: ReadQuestions) -> Completions:
    """Does a `ReadQuestions`; a worker can import it."""
    return complete(job.source.load(), job.items, job.fraction)


def completions_of(
    path: Path,
    model: str,
    source: ModelSource,
    sides: Sides,
    fraction: float,
    workers: Workers,
    task: Progress,
) -> dict[str, Completions]:
    """Returns what the base makes of the questions of each side, kept in a file for the next time.

    Args:
        path: The file.
        model: The base's fingerprint.
        source: How to load the base.
        sides: The questions.
        fraction: The share of their words that is shown.
        workers: The worker processes.
        task: Where sides that are done are counted.
    """
    asked = {name: [[item.id, item.messages] for item in items] for name, items in sides.named.items()}
    key = digest([model, fraction, asked])
    if path.exists() and (kept := read_json(path)).pop("key") == key:
        task.result("kept from before")
        return {
            name: Completions([Completion(**row) for row in side["rows"]], side["short"], side["long"])
            for name, side in kept.items()
        }
    jobs = [ReadQuestions(source, tuple(items), fraction) for items in sides.named.values()]
    found: list[Completions] = workers.map(complete_questions, jobs, on_result=lambda *_: task.advance())
    named = dict(zip(sides.named, found, strict=True))
    write_json(path, {"key": key} | {name: asdict(side) for name, side in named.items()})
    return named


@dataclass(frozen=True)
class OnFresh:
    """The arms on fresh problems.

    Attributes:
        measured: Their greedy scores.
        left_out: Arms that were trained before they were to be judged on fresh problems.
    """

    measured: Measured
    left_out: list[str]

    def as_json(self, test: Measured, alpha: float) -> dict[str, Any]:
        """Returns the scores, the gains over the best template beside those on test items, and what they say.

        Items are others on each side; that runs are the same makes the interval of the difference of the gains too wide,
        not too narrow.

        Args:
            test: The scores on test items.
            alpha: One minus the level of the intervals.
        """
        gains = []
        for arm in self.measured.arms:
            if arm != "template":
                fresh = self.measured.minus(arm, "template", alpha)
                known = test.minus(arm, "template", alpha)
                apart = independent_difference(known, fresh)
                gains.append(
                    {"arm": arm, "fresh": asdict(fresh), "test": asdict(known), "difference": asdict(apart)}
                )
        return {
            "items": len(self.measured.clusters),
            "dropped": self.measured.dropped,
            "scores": [
                {"arm": arm, "runs": scores.runs, **asdict(self.measured.mean(arm, alpha))}
                for arm, scores in self.measured.arms.items()
            ],
            "gains": gains,
            "left_out": self.left_out,
            "sentences": [*_gain_sentence(gains), *_left_out_sentence(self.left_out)],
        }


def on_fresh(items: Sequence[TargetItem], template: Sequence[Judged], jobs: Sequence[ArmJob]) -> OnFresh:
    """Puts the arms' scores on fresh problems together.

    Args:
        items: The fresh problems.
        template: The base's greedy replies to them under the best template.
        jobs: The runs of all arms; those of `JUDGED` that were trained left their scores in their folders.
    """
    base = next(job.run for job in jobs if job.run.arm == "template")
    found: list[tuple[ArmRun, list[float | None] | None]] = [(base, [reply.value for reply in template])]
    found += [(job.run, job.fresh_scores) for job in jobs if job.fresh]
    left_out = list(dict.fromkeys(run.arm for run, scores in found if scores is None))
    kept = [(run, scores) for run, scores in found if scores is not None and run.arm not in left_out]
    rows = [{"cluster": item.cluster} for item in items]
    values = [[None if value is None else 100 * value for value in scores] for _, scores in kept]
    return OnFresh(gather("greedy on fresh problems", [run for run, _ in kept], values, rows), left_out)


def sentences_of(told: dict[str, Any]) -> list[str]:
    """Returns what the part ``contamination`` of a verdict says."""
    return [told["sentence"], *(told["arms"]["sentences"] if told["arms"] else ())]


def _gain_sentence(gains: Sequence[dict[str, Any]]) -> list[str]:
    """Says whether the gain of one example holds on fresh problems."""
    found = {row["arm"]: row for row in gains}
    if "one" not in found:
        return []
    one, apart = Interval(**found["one"]["fresh"]), Interval(**found["one"]["difference"])
    beside = (
        f"; a reward for form alone brings {points(found['format']['fresh'])}" if "format" in found else ""
    )
    head = (
        f"Over the best template one example brings {points(found['one']['fresh'])} points on fresh problems"
    )
    if apart.above(0):
        return [f"{head}, less than on the test items: part of its gain there may be memory{beside}."]
    if one.above(0):
        return [f"{head} too: its gain does not rest on having seen the test alone{beside}."]
    return [f"{head}: whether its gain holds there is open{beside}."]


def _left_out_sentence(arms: Sequence[str]) -> list[str]:
    if not arms:
        return []
    told = f"Not judged on fresh problems, since trained before these were asked for: {', '.join(arms)}"
    return [f"{told} (without their folders in arms/ they are trained again)."]
