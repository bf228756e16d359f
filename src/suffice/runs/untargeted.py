"""Tasks that the selection does not aim at, watched for harm: what training took from the base there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from suffice.data.target import Target
from suffice.proof.arms import PERCENT
from suffice.proof.compare import Question, compare
from suffice.proof.compare.evidence import FEWEST_RUNS
from suffice.proof.outcomes import Scored, scored

PREFIX = "untargeted/"


def with_untargeted(target: Target, untargeted: Target) -> Target:
    """Returns the target with the test items of another one, whose ids begin with `PREFIX`."""
    more = (
        replace(item, id=PREFIX + item.id, cluster=PREFIX + item.cluster, task=PREFIX + item.task)
        for item in untargeted.test
    )
    return Target((*target.items, *more))


def split_table(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Returns an outcome table's rows of the target, and those of untargeted items."""
    apart = pc.starts_with(table["item"], PREFIX)
    return table.filter(pc.invert(apart)), table.filter(apart)


def harm(table: pa.Table, arms: Sequence[str], *, margin: float, alpha: float) -> list[dict[str, Any]]:
    """Compares arms with the base on every untargeted task: is what they lost less than the margin?

    Args:
        table: The outcomes of untargeted items.
        arms: The names of the arms, the base first.
        margin: In percent points.
        alpha: The chance of any false claim.

    Returns:
        One contrast for each task and arm in its JSON form; none without items or a base, and none for an arm of
        two runs, which are too few for a claim.
    """
    if not len(table) or not arms:
        return []
    data = scored(table)
    runs = {arm.name: len(_distinct(arm.scores)) for arm in data.arms}
    told = [name for name in arms if runs[name] == 1 or runs[name] >= FEWEST_RUNS]
    if len(told) < 2:
        return []
    questions = [_question(data, task, told) for task in dict.fromkeys(data.families)]
    return [one.as_json() for one in compare(questions, margin=margin, alpha=alpha)]


def _distinct(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the runs of an arm, or one of them where all are copies, as with no more rows than a batch holds."""
    return scores[:1] if np.ptp(scores, axis=0).max() == 0 else scores


def _question(data: Scored, task: str, arms: Sequence[str]) -> Question:
    places = np.array([place for place, name in enumerate(data.families) if name == task])
    by_name = {arm.name: _distinct(arm.scores)[:, places] for arm in data.arms}
    return Question(
        scores={name: by_name[name] for name in arms},
        items=[data.items[place] for place in places],
        clusters=[data.clusters[place] for place in places],
        task=task.removeprefix(PREFIX),
        metric="percent",
        bounds=PERCENT,
    )
