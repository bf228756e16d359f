"""The statistics on evaluation logs of other tools: logs in, contrasts or a verdict out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast, get_args

import numpy as np

from suffice.common.errors import UserError, unknown_name
from suffice.evaluation.logs.align import Aligned, align, not_shared
from suffice.evaluation.logs.arms import LoggedArm, load_arms
from suffice.proof.arms import PERCENT, ArmScores, Kind
from suffice.proof.compare.contrast import Contrast
from suffice.proof.compare.family import Question, compare
from suffice.proof.verdict import Verdict, prove

ARM_KINDS = tuple(kind for kind in get_args(Kind) if kind not in ("model", "method"))


@dataclass(frozen=True)
class Filters:
    """Which of the logs' scores are compared; what is empty takes all.

    Attributes:
        task: A task.
        metric: A metric.
        filter: A filter.
    """

    task: str = ""
    metric: str = ""
    filter: str = ""


@dataclass(frozen=True)
class LogComparison:
    """What came of comparing logs.

    Attributes:
        contrasts: One for each question and each arm but the first.
        aligned: The scores and texts that were compared.
        notes: What the readers left out or chose, and what not all arms have.
    """

    contrasts: list[Contrast]
    aligned: list[Aligned]
    notes: list[str]


def compare_logs(
    specs: Sequence[str],
    columns: Mapping[str, str] | None = None,
    *,
    filters: Filters = Filters(),
    margin: float = 0.0,
    alpha: float = 0.05,
    lower_is_better: bool | None = None,
    bounds: tuple[float, float] | None = None,
    looks: Sequence[int] = (),
) -> LogComparison:
    """Compares the arms of evaluation logs with the first of them.

    Args:
        specs: ``PATH`` or ``NAME=PATH,PATH``; several paths are runs of one arm.
        columns: Which column holds what, for tables.
        filters: Which scores are compared.
        margin: Non-inferiority margin in the logs' unit; 0 for superiority.
        alpha: The chance of any false claim.
        lower_is_better: Overrides what the logs say.
        bounds: The least and the greatest score there can be.
        looks: Planned numbers of items, of which the logs hold one.

    Returns:
        The contrasts and notes.

    Raises:
        UserError: A log cannot be read, the arms have other items, or there are too few runs for a claim.
    """
    arms = load_arms(specs, columns)
    wanted = _wanted(align(arms), filters)
    questions = [_question(aligned, lower_is_better, bounds) for aligned in wanted]
    return LogComparison(compare(questions, margin=margin, alpha=alpha, looks=looks), wanted, _notes(arms))


def prove_logs(
    specs: Sequence[str],
    columns: Mapping[str, str] | None = None,
    *,
    filters: Filters = Filters(),
    margin: float = 2.0,
    alpha: float = 0.05,
) -> tuple[Verdict, list[str]]:
    """Returns the verdict on arms that were trained and evaluated elsewhere.

    All tasks together are the target, each a family of it; the arms are named after their kinds.

    Args:
        specs: ``KIND=PATH,PATH`` with the kinds ``base``, ``random``, ``longest``, ``selected`` and ``full``;
            several paths are its runs.
        columns: Which column holds what, for tables.
        filters: Which scores count; one metric and one filter must be left.
        margin: In percent points.
        alpha: One minus the level of the two-sided intervals.

    Returns:
        The verdict, and notes.

    Raises:
        UserError: As in `compare_logs`, or a kind is unknown, or scores are not shares from 0 to 1.
    """
    arms = load_arms(specs, columns)
    for arm in arms:
        if arm.name not in ARM_KINDS:
            raise unknown_name("kind of arm", arm.name, ARM_KINDS)
    tasks = _wanted(align(arms), filters)
    _check_provable(tasks)
    _check_shares(tasks)
    scores = [
        ArmScores(
            arm.name,
            cast("Kind", arm.name),
            100 * np.concatenate([aligned.arms[arm.name] for aligned in tasks], axis=1),
            PERCENT,
        )
        for arm in arms
    ]
    verdict = prove(
        scores,
        clusters=[f"{aligned.task}\x1f{name}" for aligned in tasks for name in aligned.clusters],
        families=[aligned.task for aligned in tasks for _ in aligned.items],
        margin=margin,
        alpha=alpha,
    )
    return verdict, _notes(arms)


def _wanted(found: list[Aligned], filters: Filters) -> list[Aligned]:
    """Returns what passes the filters.

    Raises:
        UserError: Nothing does.
    """
    wanted = found
    for field in ("task", "metric", "filter"):
        name = getattr(filters, field)
        if name:
            known = list(dict.fromkeys(getattr(aligned, field) for aligned in wanted))
            wanted = [aligned for aligned in wanted if getattr(aligned, field) == name]
            if not wanted:
                raise unknown_name(field, name, known)
    return wanted


def _question(aligned: Aligned, lower: bool | None, bounds: tuple[float, float] | None) -> Question:
    return Question(
        scores={name: rows[:, 0] if aligned.aggregates else rows for name, rows in aligned.arms.items()},
        items=None if aligned.aggregates else aligned.items,
        clusters=aligned.clusters,
        task=aligned.task,
        metric=aligned.metric,
        filter=aligned.filter,
        lower_is_better=aligned.lower_is_better if lower is None else lower,
        bounds=bounds,
        notes=tuple(aligned.warnings),
    )


def _check_provable(tasks: list[Aligned]) -> None:
    """Refuses what a verdict cannot be made of."""
    measures = {(aligned.metric, aligned.filter) for aligned in tasks}
    if len(measures) > 1:
        names = ", ".join(sorted({metric for metric, _ in measures}))
        raise UserError(
            f"the logs hold {len(measures)} measures ({names}), and a verdict rests on one",
            "name it with --metric and --filter",
        )
    if any(aligned.aggregates for aligned in tasks):
        raise UserError(
            "the logs hold averages of whole runs, and a verdict needs scores by item",
            "use suffice compare, which says what averages can show",
        )
    if any(aligned.lower_is_better for aligned in tasks):
        raise UserError("lower is better in the logs' metric", "name another with --metric")


def _check_shares(tasks: list[Aligned]) -> None:
    """Refuses scores that are no shares."""
    for aligned in tasks:
        for name, rows in aligned.arms.items():
            if rows.min() < 0 or rows.max() > 1:
                raise UserError(
                    f"arm '{name}' has scores from {rows.min():g} to {rows.max():g}, and a verdict is made of shares",
                    "give scores from 0 to 1, such as percents divided by 100",
                )


def _notes(arms: Sequence[LoggedArm]) -> list[str]:
    return [*(note for arm in arms for note in arm.notes), *not_shared(arms)]
