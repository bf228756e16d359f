"""Choosing by several scores: what the steps of a pipeline do.

A filter keeps rows by one score. A weighing gives each row the weighted mean of its places in the order of each score,
from 0 (the lowest) to 1, equal scores sharing theirs, among the rows that came so far and have all of the scores. Shares and
counts are of those rows too. A row without a score goes. The selector chooses from what is left, by the last score made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from suffice.common.errors import UserError
from suffice.runs.folder import RunFolder
from suffice.runs.steps import Filter, Keep, Pipeline, Select, read_keep, words_of
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import Constraints
from suffice.selectors.protocol import ranking


@dataclass(frozen=True)
class Passed:
    """What a step did.

    Attributes:
        words: The step.
        values: The score that it made; NaN for rows that did not come so far, or have none [rows].
        kept: Which rows stay [rows].
    """

    words: str
    values: NDArray[np.float32]
    kept: NDArray[np.bool_]

    @property
    def cut(self) -> float:
        """The least score that stays, or the largest where low ones do; NaN where no row stays."""
        stay = self.values[self.kept]
        return float("nan") if not len(stay) else float(stay.max() if self._low else stay.min())

    @property
    def _low(self) -> bool:
        return "keep bottom" in self.words or "keep at most" in self.words


@dataclass(frozen=True)
class Combined:
    """Several scores as one.

    Attributes:
        scores: The last score made, with vectors and affinities of the scorer that has them.
        kept: Which rows may be chosen [rows].
        trail: What each step did.
    """

    scores: Scores
    kept: NDArray[np.bool_]
    trail: list[Passed] = field(default_factory=list)

    @property
    def alone(self) -> Scores:
        """The last score made without vectors and affinities, which lie beside the scores of their own scorer."""
        return replace(self.scores, affinity=None, queries=[], vectors=None)

    def within(self, constraints: Constraints, budget: int) -> Constraints:
        """Returns constraints that leave out the rows which the steps left out.

        Raises:
            UserError: Fewer rows are left than the budget.
        """
        left = int(self.kept.sum())
        if left < budget:
            raise UserError(
                f"the steps of the pipeline leave {left:,} rows, fewer than the budget of {budget:,}",
                f"keep more rows, or give --budget {left} or less",
            )
        return replace(constraints, left_out=~self.kept)


def read_combined(pipeline: Pipeline, folder: RunFolder) -> Combined:
    """Returns what the steps make of the scores that lie in a folder.

    Raises:
        UserError: Some are missing.
    """
    return combine(pipeline, {name: Scores.read(folder.scores_by(name)) for name in pipeline.scorers})


def combine(pipeline: Pipeline, scores: Mapping[str, Scores]) -> Combined:
    """Returns what the steps make of the scores of each scorer.

    Args:
        pipeline: The steps.
        scores: The scores of a pool by each of `Pipeline.scorers`.
    """
    first = scores[pipeline.scorers[0]]
    kept, values, trail = np.ones(len(first.ids), dtype=bool), first.values, list[Passed]()
    unit: int | float | str = first.notes.get("unit", "")
    for step in pipeline.steps:
        if isinstance(step, Select):
            break
        if isinstance(step, Filter):
            values = np.where(kept, scores[step.filter].values, np.nan).astype(np.float32)
            unit = scores[step.filter].notes.get("unit", "")
        else:
            values, unit = weighted({name: scores[name].values for name in step.weigh}, step.weigh, kept), ""
        kept = ~np.isnan(values) if step.keep is None else stays(read_keep(step.keep), values)
        trail.append(Passed(words_of(step), values, kept))
    if trail:
        values = np.where(kept, values, np.nan).astype(np.float32)
    elif pipeline.by:
        values = scores[pipeline.by].values
    named = [scores[pipeline.by]] if pipeline.by else list(scores.values())
    vectors = next((one.vectors for one in named if one.vectors is not None), None)
    aimed = next((one for one in named if one.affinity is not None), None)
    notes: dict[str, int | float | str] = {"kept": int(kept.sum()), **({"unit": unit} if unit else {})}
    if passed := [int(one.notes["tokens"]) for one in scores.values() if "tokens" in one.notes]:
        notes["tokens"] = sum(passed)
    return Combined(
        Scores(
            first.ids,
            values,
            None if aimed is None else aimed.affinity,
            [] if aimed is None else aimed.queries,
            notes,
            vectors,
        ),
        kept,
        trail,
    )


def stays(keep: Keep, values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Returns which rows stay, of equals the first in the pool; never one without a score [rows]."""
    if keep.side == "at least":
        return np.asarray(values >= keep.amount)
    if keep.side == "at most":
        return np.asarray(values <= keep.amount)
    order = ranking(values if keep.side == "top" else -values)
    count = math.ceil(len(order) * keep.amount / 100) if keep.percent else int(keep.amount)
    found = np.zeros(len(values), dtype=bool)
    found[order[:count]] = True
    return found


def weighted(
    scores: Mapping[str, NDArray[np.float32]], weights: Mapping[str, float], among: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Returns the weighted mean of places by several scores, from 0 to 1; NaN where one is missing [rows].

    Args:
        scores: The scores of each scorer [rows].
        weights: The weight of each; one below 0 turns the order round.
        among: The rows that are compared [rows].
    """
    able = among & np.logical_and.reduce([~np.isnan(values) for values in scores.values()])
    total, rows = np.full(len(among), np.nan, np.float32), int(able.sum())
    if rows:
        places = {name: (rankdata(values[able]) - 1) / max(1, rows - 1) for name, values in scores.items()}
        turned = (w * places[n] if w > 0 else -w * (1 - places[n]) for n, w in weights.items())
        total[able] = sum(turned) / sum(abs(w) for w in weights.values())
    return total
