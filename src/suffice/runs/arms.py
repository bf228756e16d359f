"""The arms of a run: which rows each trains on, with which seed, for how many steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from suffice.common.draws import Draws
from suffice.runs.recipe import Recipe
from suffice.scorers.protocol import Scores

# Seeds of further trainings on one draw lie this far apart, so that they meet no other draw's.
SEED_STRIDE = 10_000

Curve = Mapping[str, Mapping[int, Sequence[int]]]


@dataclass(frozen=True)
class ArmRun:
    """One training run of an arm.

    Attributes:
        arm: The arm's name, such as ``random-1000``.
        kind: ``base``, ``random``, ``longest``, ``selected`` or ``full``; ``method`` for another scorer's choice.
        index: The number of the run within the arm.
        draw: The number of the draw; 0 where nothing is drawn.
        seed: The training seed.
        rows: Pool indices to train on; empty for the base.
        steps: Optimiser steps; 0 for the base.
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
    pool_rows: int
    curve: bool = False

    @property
    def method(self) -> str:
        """The way of choosing, without the budget."""
        return self.arm.rpartition("-")[0] or self.arm


def plan_arms(
    recipe: Recipe,
    pool_size: int,
    selected: Sequence[int],
    lengths: Scores | None,
    curve: Curve | None = None,
) -> list[ArmRun]:
    """Returns the runs of all arms, the base first and those of the budget curve last.

    Args:
        recipe: The recipe.
        pool_size: Rows of the pool.
        selected: Pool indices of the selection.
        lengths: Lengths of the answers, where the arm ``longest`` is wanted.
        curve: Pool indices of the curve's selections, by ``selected``, ``longest`` or scorer, and by budget.
    """
    budget = len(selected)
    runs = [
        run
        for kind in recipe.design.arms
        for run in _runs(recipe, kind, _choice(kind, recipe, pool_size, selected, lengths), budget, pool_size)
    ]
    return runs + list(_curve_runs(recipe, pool_size, budget, curve or {}, {run.arm for run in runs}))


def _choice(
    kind: str, recipe: Recipe, pool_size: int, selected: Sequence[int], lengths: Scores | None
) -> Sequence[int] | None:
    """Returns the rows of an arm whose runs share them; None for random, which draws anew, and for the base."""
    if kind == "full":
        return range(pool_size)
    if kind == "selected":
        return selected
    if kind == "longest":
        assert lengths is not None, "the arm 'longest' needs the lengths"
        order = np.argsort(-lengths.values, kind="stable")[: len(selected)]  # ties in pool order
        return [int(i) for i in order]
    return None


def _curve_runs(
    recipe: Recipe, pool_size: int, budget: int, curve: Curve, known: set[str]
) -> Iterator[ArmRun]:
    """Yields the runs of the curve's arms, but for those that the verdict has already."""
    choices: list[tuple[str, Sequence[int] | None, int]] = [
        ("random", None, rows) for rows in sorted({*recipe.design.budgets, budget}) if curve
    ]
    choices += [(method, rows, len(rows)) for method, by in curve.items() for rows in by.values()]
    for method, rows, size in choices:
        if f"{method}-{size}" not in known:
            yield from _runs(recipe, method, rows, budget, pool_size, size=size, curve=True)


def _runs(
    recipe: Recipe,
    method: str,
    choice: Sequence[int] | None,
    budget: int,
    pool_size: int,
    *,
    size: int | None = None,
    curve: bool = False,
) -> Iterator[ArmRun]:
    """Yields the runs of one arm."""
    size = size or (budget if choice is None else len(choice))
    kind = method if method in ("base", "random", "longest", "selected", "full") else "method"
    name = method if method in ("base", "full") else f"{method}-{size}"
    for index, (draw, seed) in enumerate(_seeds(recipe, method)):
        rows: Sequence[int] = choice or ()
        if method == "random":
            rows = Draws(recipe.seed, "random arm", draw).sample(range(pool_size), size)
        steps = 0 if method == "base" else recipe.steps(len(rows), budget)
        seen = _seen(rows, steps * recipe.training.batch_size, recipe.seed, index)
        yield ArmRun(name, kind, index, draw, seed, seen, steps, len(rows), curve)


def _seeds(recipe: Recipe, method: str) -> list[tuple[int, int]]:
    """Returns draw and training seed of each run of an arm."""
    design = recipe.design
    if method == "base":
        return [(0, recipe.seed)]
    if method == "random":
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
