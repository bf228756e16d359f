"""The lab's target: a few dev examples and many test items of every family, in the asked form."""

from __future__ import annotations

from typing import Any

from suffice.common.draws import Draws
from suffice.lab.families import FAMILIES, draw_problem
from suffice.lab.problem import Problem
from suffice.lab.world import World

DEV = 10
TEST = 300


def target_rows(world: World, test: int = TEST, dev: int = DEV) -> list[dict[str, Any]]:
    """Returns the rows of the target file: ``dev`` and then ``test`` items of each family.

    Every item is another problem (its key is the item's cluster), so dev and test never meet, and dev and
    test ask for different people. A smaller target is a part of a larger one.
    """
    rows = []
    for family in FAMILIES:
        draws = Draws(world.seed, "target", family)
        taken: set[str] = set()
        dev_people: set[str] = set()
        for split, count in (("dev", dev), ("test", test)):
            number = 0
            while number < count:
                problem = draw_problem(world, family, draws, target=True)
                person = problem.key.rsplit(":", 1)[0] if family == "fact" else problem.key
                if problem.key in taken or (split == "test" and person in dev_people):
                    continue
                taken.add(problem.key)
                if split == "dev":
                    dev_people.add(person)
                number += 1
                rows.append(_row(problem, split, number))
    return rows


def _row(problem: Problem, split: str, number: int) -> dict[str, Any]:
    return {
        "id": f"{problem.family}-{split}-{number}",
        "task": problem.family,
        "split": split,
        "prompt": problem.question,
        "answer": problem.good(0),
        "cluster": problem.key,
    }
