"""The arms of a run: which rows each trains on, with which seed, for how many steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from suffice.common.draws import Draws
from suffice.data.pool import Pool
from suffice.proof.arms import DRAWN
from suffice.runs.controls import FORWARD_SHARE, compute_matched, length_matched
from suffice.runs.recipe import Recipe
from suffice.runs.tokens import Lengths, within
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import NONE, Constraints
from suffice.selectors.ground import Ground
from suffice.selectors.openings import Openings, first_open
from suffice.selectors.protocol import SelectionRequest

# Seeds of further trainings on one draw lie this far apart, so that they meet no other draw's.
SEED_STRIDE = 10_000

Curve = Mapping[str, Mapping[int, Sequence[int]]]


@dataclass(frozen=True)
class ArmRun:
    """One training run of an arm.

    Attributes:
        arm: The arm's name, such as ``random-1000``.
        kind: The kind of arm as the recipe names it; ``method`` for another scorer's choice on the curve.
        index: The number of the run within the arm.
        draw: The number of the draw; 0 where nothing is drawn.
        seed: The training seed.
        rows: Pool indices to train on; empty for the base.
        steps: Optimiser steps; 0 for the base.
        batch: Rows of an optimiser step, no more than the arm has.
        pool_rows: Rows the arm stands for (``full`` may see only a part of them in its steps).
        curve: Whether the arm stands on the budget curve alone and plays no part in the verdict.
    """

    arm: str
    kind: str
    index: int
    draw: int
    seed: int
    rows: tuple[int, ...]
    steps: int
    batch: int
    pool_rows: int
    curve: bool = False

    @property
    def method(self) -> str:
        """The way of choosing, without the budget."""
        return self.arm if self.kind in ("base", "full") else self.arm.rpartition("-")[0]


def plan_arms(
    recipe: Recipe,
    pool: Pool,
    selected: Sequence[int],
    lengths: Scores | None,
    *,
    constraints: Constraints = NONE,
    tokens: Lengths | None = None,
    curve: Curve | None = None,
    passes: float = FORWARD_SHARE,
) -> list[ArmRun]:
    """Returns the runs of all arms, the base first and those of the budget curve last.

    Args:
        recipe: The recipe.
        pool: The pool.
        selected: Pool indices of the selection.
        lengths: Lengths of the answers, where the arm ``longest`` or ``length-matched`` is wanted.
        constraints: What every arm but ``full`` must hold to, so that what is compared is the choice within them.
        tokens: How many tokens of each row are trained on, where the budget is one of tokens.
        curve: Pool indices of the curve's selections, by ``selected``, ``longest`` or scorer, and by budget.
        passes: What choosing took, in passes of training over the pool, for the arm ``compute-matched``.
    """
    plan = _Plan(recipe, pool, selected, lengths, passes, constraints, tokens)
    runs = [run for kind in recipe.design.arms for run in plan.runs(kind)]
    known = {run.arm for run in runs}
    budgets = sorted({*recipe.design.budgets, len(selected)}) if curve else []
    sizes = [("random", size, None) for size in budgets]
    choices = [(method, size, rows) for method, by in (curve or {}).items() for size, rows in by.items()]
    for method, size, rows in [*sizes, *choices]:
        if f"{method}-{size}" not in known:
            runs += plan.curve_runs(method, size, rows)
    return runs


@dataclass(frozen=True)
class _Plan:
    """What the arms of one recipe are made of."""

    recipe: Recipe
    pool: Pool
    selected: Sequence[int]
    lengths: Scores | None
    passes: float
    constraints: Constraints
    tokens: Lengths | None

    def runs(self, kind: str) -> Iterator[ArmRun]:
        """Yields the runs of an arm of the verdict."""
        budget, batch = len(self.selected), self.recipe.training.batch_size
        size, matched = budget, None
        if kind == "compute-matched":
            most, steps = Ground(self.pool, self.constraints).most, self.recipe.steps(budget, budget)
            size, matched = compute_matched(
                budget, steps, batch, len(self.pool), passes=self.passes, most=most
            )
        for index, (draw, seed) in enumerate(_seeds(self.recipe, kind)):
            rows = self._rows(kind, size, draw)
            steps = matched or (self.recipe.steps(len(rows), budget) if rows else 0)
            yield self._run(kind, size, rows, steps, index, draw, seed)

    def curve_runs(self, method: str, size: int, rows: Sequence[int] | None) -> Iterator[ArmRun]:
        """Yields the runs of an arm that stands on the curve alone; random rows are drawn."""
        steps = self.recipe.steps(size, len(self.selected))
        for index, (draw, seed) in enumerate(_seeds(self.recipe, method)):
            own = self._rows(method, size, draw) if rows is None else rows
            yield self._run(method, size, own, steps, index, draw, seed, curve=True)

    def _rows(self, kind: str, size: int, draw: int) -> Sequence[int]:
        if kind == "base":
            return ()
        if kind == "full":
            return range(len(self.pool))
        if kind == "selected":
            return self.selected
        draws, rows = Draws(self.recipe.seed, f"{kind} arm", draw), len(self.pool)
        if kind in ("random", "compute-matched"):
            few = self.constraints == NONE and self.tokens is None
            return self._first(draws.sample(range(rows), size if few else rows), size)
        assert self.lengths is not None, f"the arm '{kind}' needs the lengths"
        if kind == "length-matched":
            openings = Openings(self._request(size), np.ones(rows, dtype=bool))
            return length_matched(self.lengths.values, self.selected, draws, openings)
        order = np.argsort(-self.lengths.values, kind="stable")  # ties in pool order
        return self._first(order.tolist(), size)

    def _first(self, order: Sequence[int], size: int) -> list[int]:
        """Returns the first rows in an order within the constraints, as many as rows or tokens allow."""
        if self.tokens is None:
            return first_open(order, self._request(size))
        ground = Ground(self.pool, self.constraints)
        return within(
            lambda rows: first_open(order, self._request(rows)),
            int,
            self.tokens,
            self._limit(size),
            (max(1, ground.fewest), ground.most),
        )

    def _limit(self, size: int) -> int:
        """Returns the tokens of an arm of as many rows as a size, where the budget is one of tokens."""
        return round((self.recipe.selection.budget_tokens or 0) * size / len(self.selected))

    def _request(self, size: int) -> SelectionRequest:
        """Returns a request for rows within the constraints; scores play no part."""
        blank = Scores(self.pool.ids, np.zeros(len(self.pool), np.float32))
        return SelectionRequest(self.pool, blank, size, constraints=self.constraints)

    def _run(
        self,
        method: str,
        size: int,
        rows: Sequence[int],
        steps: int,
        index: int,
        draw: int,
        seed: int,
        *,
        curve: bool = False,
    ) -> ArmRun:
        kinds = (*DRAWN, "base", "longest", "selected", "full")
        kind = method if method in kinds else "method"
        name = method if method in ("base", "full") else f"{method}-{self._budget(size)}"
        seen = _seen(rows, steps * self.recipe.training.batch_size, self.recipe.seed, index)
        batch = min(self.recipe.training.batch_size, max(1, len(rows)))
        return ArmRun(name, kind, index, draw, seed, seen, steps, batch, len(rows), curve)

    def _budget(self, size: int) -> str:
        """Returns a budget as the name of an arm tells it: ``1000`` rows, or ``50000t`` tokens."""
        return str(size) if self.tokens is None else f"{self._limit(size)}t"


def _seeds(recipe: Recipe, method: str) -> list[tuple[int, int]]:
    """Returns draw and training seed of each run of an arm."""
    design = recipe.design
    if method == "base":
        return [(0, recipe.seed)]
    if method in DRAWN:
        return [
            (draw, recipe.seed + draw + more * SEED_STRIDE)
            for draw in range(design.draws)
            for more in range(design.draw_seeds)
        ]
    return [(0, recipe.seed + index) for index in range(design.seeds)]


def _seen(rows: Sequence[int], most: int, seed: int, index: int) -> tuple[int, ...]:
    """Returns the rows that a run will see: a random part where its steps do not reach them all."""
    if most >= len(rows):
        return tuple(rows)
    return tuple(Draws(seed, "rows seen", index).sample(rows, most))
