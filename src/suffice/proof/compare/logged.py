"""The statistics on evaluation logs of other tools: logs in, contrasts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from suffice.common.errors import unknown_name
from suffice.evaluation.logs.align import Aligned, align, not_shared
from suffice.evaluation.logs.arms import LoggedArm, load_arms
from suffice.proof.compare.contrast import Contrast
from suffice.proof.compare.family import Question, compare
from suffice.proof.compare.spreads import averaged, log_new_draws, log_spreads, runs_of


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


ALL = Filters()


@dataclass(frozen=True)
class LogComparison:
    """What came of comparing logs.

    Attributes:
        contrasts: One for each question and each arm but the first.
        aligned: The scores and texts that were compared.
        spreads: The spread of each arm with two runs or more, for each question, in the logs' unit.
        new_draws: What one new draw would do, where the logs tell draws.
        notes: What the readers left out or chose, and what not all arms have.
    """

    contrasts: list[Contrast]
    aligned: list[Aligned]
    spreads: list[dict[str, Any]]
    new_draws: list[dict[str, Any]]
    notes: list[str]


def compare_logs(
    specs: Sequence[str],
    columns: Mapping[str, str] | None = None,
    *,
    filters: Filters = ALL,
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
    chosen = wanted(align(arms), filters)
    questions = [_question(aligned, lower_is_better, bounds) for aligned in chosen]
    return LogComparison(
        contrasts=compare(questions, margin=margin, alpha=alpha, looks=looks),
        aligned=chosen,
        spreads=[one for aligned in chosen for one in log_spreads(aligned)],
        new_draws=[
            one
            for aligned, question in zip(chosen, questions, strict=True)
            for one in log_new_draws(aligned, lower_is_better=question.lower_is_better)
        ],
        notes=notes_of(arms),
    )


def wanted(found: list[Aligned], filters: Filters) -> list[Aligned]:
    """Returns what passes the filters.

    Raises:
        UserError: Nothing does.
    """
    left = found
    for field in ("task", "metric", "filter"):
        name = getattr(filters, field)
        if name:
            known = list(dict.fromkeys(getattr(aligned, field) for aligned in left))
            left = [aligned for aligned in left if getattr(aligned, field) == name]
            if not left:
                raise unknown_name(field, name, known)
    return left


def _question(aligned: Aligned, lower: bool | None, bounds: tuple[float, float] | None) -> Question:
    scores = {name: runs_of(aligned, name) for name in aligned.arms}
    return Question(
        scores={name: rows[:, 0] if aligned.aggregates else rows for name, rows in scores.items()},
        items=None if aligned.aggregates else aligned.items,
        clusters=aligned.clusters,
        task=aligned.task,
        metric=aligned.metric,
        filter=aligned.filter,
        lower_is_better=aligned.lower_is_better if lower is None else lower,
        bounds=bounds,
        notes=(*aligned.warnings, *averaged(aligned)),
    )


def notes_of(arms: Sequence[LoggedArm]) -> list[str]:
    """Returns what the readers left out or chose, and what not all arms have."""
    return [*(note for arm in arms for note in arm.notes), *not_shared(arms)]
