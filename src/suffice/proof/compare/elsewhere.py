"""Arms that were trained and evaluated elsewhere, named after their kinds: a verdict on them, or a pilot of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

import numpy as np

from suffice.common.errors import UserError, unknown_name
from suffice.evaluation.logs.align import Aligned, align
from suffice.evaluation.logs.arms import load_arms
from suffice.proof.arms import DRAWN, PERCENT, ArmScores, Kind
from suffice.proof.compare.logged import ALL, Filters, notes_of, wanted
from suffice.proof.compare.spreads import run_means
from suffice.proof.draws import by_draw, new_draw, spreads
from suffice.proof.outcomes import RunMean
from suffice.proof.verdict import Verdict, prove

ARM_KINDS = tuple(kind for kind in get_args(Kind) if kind not in ("model", "method"))


@dataclass(frozen=True)
class Elsewhere:
    """Arms from evaluation logs as a verdict or a pilot wants them; all tasks together are the target.

    Attributes:
        arms: In percent. Of an arm whose rows are drawn anew, the trainings on one draw are averaged.
        clusters: The cluster of each item.
        families: The task of each item.
        means: The mean score of each training of each arm, in percent. Where the logs do not say, each run of an arm
            that draws is its own draw, and all runs of another are on one set of rows.
        notes: What the readers left out or chose, and what not all arms have.
    """

    arms: list[ArmScores]
    clusters: list[str]
    families: list[str]
    means: dict[str, list[RunMean]]
    notes: list[str]


@dataclass(frozen=True)
class Proved:
    """A verdict with what is known of the runs behind it.

    Attributes:
        verdict: The verdict.
        spreads: The spread of every arm with two runs or more, in percent points.
        new_draw: The probability that one new random draw would beat the selection; None where nothing tells.
        notes: What the readers left out or chose.
    """

    verdict: Verdict
    spreads: list[dict[str, Any]]
    new_draw: dict[str, float] | None
    notes: list[str]


def load_elsewhere(
    specs: Sequence[str], columns: Mapping[str, str] | None = None, *, filters: Filters = ALL
) -> Elsewhere:
    """Reads arms that are named after their kinds.

    Args:
        specs: ``KIND=PATH,PATH`` with the kinds ``base``, ``random``, ``longest``, ``selected`` and ``full``;
            several paths are its runs.
        columns: Which column holds what, for tables.
        filters: Which scores count; one metric and one filter must be left.

    Returns:
        The arms.

    Raises:
        UserError: A log cannot be read, the arms have other items, a kind is unknown, or scores are not shares from
            0 to 1.
    """
    arms = load_arms(specs, columns)
    for arm in arms:
        if arm.name not in ARM_KINDS:
            raise unknown_name("kind of arm", arm.name, ARM_KINDS)
    tasks = wanted(align(arms), filters)
    _check_provable(tasks)
    _check_shares(tasks)
    draws = tasks[0].draws
    found, means = [], {}
    for arm in arms:
        kind = cast("Kind", arm.name)
        scores = 100 * np.concatenate([aligned.arms[kind] for aligned in tasks], axis=1)
        means[arm.name] = run_means(scores, draws[kind], drawn=kind in DRAWN)
        if kind in DRAWN and all(draws[kind]):
            scores = by_draw(scores, draws[kind])
        found.append(ArmScores(arm.name, kind, scores, PERCENT))
    return Elsewhere(
        arms=found,
        clusters=[f"{aligned.task}\x1f{name}" for aligned in tasks for name in aligned.clusters],
        families=[aligned.task for aligned in tasks for _ in aligned.items],
        means=means,
        notes=notes_of(arms),
    )


def prove_logs(
    specs: Sequence[str],
    columns: Mapping[str, str] | None = None,
    *,
    filters: Filters = ALL,
    margin: float = 2.0,
    alpha: float = 0.05,
) -> Proved:
    """Returns the verdict on arms that were trained and evaluated elsewhere.

    Args:
        specs: As in `load_elsewhere`.
        columns: Which column holds what, for tables.
        filters: Which scores count.
        margin: In percent points.
        alpha: One minus the level of the two-sided intervals.

    Returns:
        The verdict, the spreads of runs, and notes.

    Raises:
        UserError: As in `load_elsewhere`, or the arms allow no verdict.
    """
    data = load_elsewhere(specs, columns, filters=filters)
    verdict = prove(data.arms, clusters=data.clusters, families=data.families, margin=margin, alpha=alpha)
    return Proved(
        verdict=verdict,
        spreads=spreads(data.means),
        new_draw=new_draw(data.means.get("random", []), data.means["selected"]),
        notes=data.notes,
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
