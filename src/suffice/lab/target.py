"""The lab's target: a few dev examples and many test items of every family, in the asked form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from suffice.common.draws import Draws
from suffice.lab.families import FAMILIES, draw_problem
from suffice.lab.problem import Problem
from suffice.lab.world import Side, World

DEV = 10
TEST = 300


def target_rows(
    world: World, test: int = TEST, dev: int = DEV, families: Sequence[str] = FAMILIES
) -> list[dict[str, Any]]:
    """Returns the rows of the target file: ``dev`` and then ``test`` items of each family.

    Every item is another problem, and dev and test share no key, no person and no word with a class. A
    smaller target is a part of a larger one.

    Raises:
        ValueError: More than `TEST` test items are asked for; there are not many more two-hop questions.
    """
    if test > TEST:
        raise ValueError(f"{test} test items of each family are more than the {TEST} there are")
    counts: dict[Side, int] = {"dev": dev, "test": test}
    rows = []
    for family in families:
        draws = {side: Draws(world.seed, "target", family, side) for side in counts}
        taken: set[str] = set()
        for side, count in counts.items():
            number = 0
            while number < count:
                problem = draw_problem(world, family, draws[side], side)
                if problem.key not in taken:
                    taken.add(problem.key)
                    number += 1
                    rows.append(_row(problem, side, number))
    return rows


def _row(problem: Problem, split: str, number: int) -> dict[str, Any]:
    return {
        "id": f"{problem.family}-{split}-{number}",
        "task": problem.family,
        "split": split,
        "prompt": problem.question,
        "answer": problem.good(0),
        "cluster": problem.cluster or problem.key,
    }
