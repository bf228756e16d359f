"""The arms of a run: which rows each trains on, with which seed, for how many steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from suffice.common.draws import Draws
from suffice.runs.recipe import Recipe
from suffice.scorers.protocol import Scores


@dataclass(frozen=True)
class ArmRun:
    """One training run of an arm.

    Attributes:
        arm: The arm's name, such as ``random-1000``.
        kind: ``base``, ``random``, ``longest``, ``selected`` or ``full``.
        index: The number of the run within the arm; of ``random`` also the number of the draw.
        seed: The training seed.
        rows: Pool indices to train on; empty for the base.
        steps: Optimiser steps; 0 for the base.
        pool_rows: Rows the arm stands for (``full`` may see only a part of them in its steps).
    """

    arm: str
    kind: str
    index: int
    seed: int
    rows: tuple[int, ...]
    steps: int
    pool_rows: int


def plan_arms(
    recipe: Recipe, pool_size: int, selected: Sequence[int], lengths: Scores | None
) -> list[ArmRun]:
    """Returns the runs of all arms, the base first.

    Args:
        recipe: The recipe.
        pool_size: Rows of the pool.
        selected: Pool indices of the selection.
        lengths: Lengths of the answers, where the arm ``longest`` is wanted.
    """
    budget, runs = len(selected), []
    for kind in recipe.design.arms:
        count = {"base": 1, "random": recipe.design.draws}.get(kind, recipe.design.seeds)
        for index in range(count):
            rows = _rows(kind, index, recipe, pool_size, selected, lengths)
            steps = 0 if kind == "base" else recipe.steps(len(rows), budget)
            seen = _seen(rows, steps * recipe.training.batch_size, recipe.seed, index)
            name = kind if kind in ("base", "full") else f"{kind}-{budget}"
            runs.append(ArmRun(name, kind, index, recipe.seed + index, seen, steps, len(rows)))
    return runs


def _rows(
    kind: str, index: int, recipe: Recipe, pool_size: int, selected: Sequence[int], lengths: Scores | None
) -> Sequence[int]:
    if kind == "base":
        return ()
    if kind == "full":
        return range(pool_size)
    if kind == "selected":
        return selected
    if kind == "random":
        return Draws(recipe.seed, "random arm", index).sample(range(pool_size), len(selected))
    assert lengths is not None, "the arm 'longest' needs the lengths"
    order = np.argsort(-lengths.values, kind="stable")[: len(selected)]  # ties in pool order
    return [int(i) for i in order]


def _seen(rows: Sequence[int], most: int, seed: int, index: int) -> tuple[int, ...]:
    """Returns the rows that a run will see: a random part where its steps do not reach them all."""
    if most >= len(rows):
        return tuple(rows)
    return tuple(Draws(seed, "rows seen", index).sample(rows, most))
