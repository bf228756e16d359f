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
_TRIES = 30  # draws for each fresh problem before there are taken to be no more


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


def fresh_rows(world: World, counts: dict[str, int], taken: set[str], seed: int) -> list[dict[str, Any]]:
    """Returns rows like those of the target that are in no target: other problems of its test side.

    Families about held-out people have not many more problems than the target holds: there may be fewer than asked for.

    Args:
        world: The world that is asked about.
        counts: How many of each family.
        taken: Clusters of the target's items, which are passed over.
        seed: Of the draws.
    """
    rows = []
    for family, count in counts.items():
        draws, seen, number = Draws(seed, "fresh", family), set(taken), 0
        for _ in range(_TRIES * count):
            if number == count:
                break
            problem = draw_problem(world, family, draws, "test")
            if (cluster := problem.cluster or problem.key) not in seen:
                seen.add(cluster)
                number += 1
                rows.append(_row(problem, "fresh", number) | {"split": "test"})
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
