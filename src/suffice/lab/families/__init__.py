"""The task families, one a file; `FAMILIES` gives their order in every table."""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.families import arith, chain, fact, lists
from suffice.lab.problem import Problem, reserved
from suffice.lab.world import World

FAMILIES = ("fact", "list", "arith", "chain")

_FRESH = {"list": lists.draw, "arith": arith.draw, "chain": chain.draw}


def draw_problem(world: World, family: str, draws: Draws, *, target: bool = False) -> Problem:
    """Returns a random problem of a family.

    Args:
        world: The world that facts are asked of.
        family: One of `FAMILIES`.
        draws: The stream to draw from.
        target: Whether the problem is for the target (held-out people, reserved keys) or for training text.
    """
    if family == "fact":
        return fact.draw(world, draws, world.held_out if target else world.seen)
    while True:
        problem = _FRESH[family](draws)
        if reserved(problem.key) == target:
            return problem
