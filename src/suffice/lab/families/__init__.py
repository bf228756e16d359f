"""The task families, one a file; `FAMILIES` gives their order in every table."""

from __future__ import annotations

from collections.abc import Callable

from suffice.common.draws import Draws
from suffice.lab.families import arith, chain, classes, compare, fact, lists, strings, tables, twohop
from suffice.lab.problem import Problem, reserved
from suffice.lab.world import Side, World

# Families that ask what articles and glossary tell: what is held out are the people and the words.
_KNOWN: dict[str, Callable[[World, Draws, Side], Problem]] = {
    "fact": fact.draw,
    "twohop": twohop.draw,
    "compare": compare.draw,
    "class": classes.draw,
}
# Families whose problems are made up on the spot: what is held out are the keys.
_FRESH: dict[str, Callable[[Draws], Problem]] = {
    "list": lists.draw,
    "string": strings.draw,
    "table": tables.draw,
    "arith": arith.draw,
    "chain": chain.draw,
}
FAMILIES = (*_KNOWN, *_FRESH)
STEPWISE = ("arith", "chain")  # the families whose good replies are worked steps


def draw_problem(world: World, family: str, draws: Draws, side: Side = "train") -> Problem:
    """Returns a random problem of a family.

    Args:
        world: The world that is asked about.
        family: One of `FAMILIES`.
        draws: The stream to draw from.
        side: Whom the problem is for; no problem can be drawn for both training and target.
    """
    if family in _KNOWN:
        return _KNOWN[family](world, draws, side)
    while True:
        problem = _FRESH[family](draws)
        if reserved(problem.key) == (side != "train"):
            return problem
