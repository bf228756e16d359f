"""Who of two people was born earlier, or later: both years, both people in their order, and then the name."""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.problem import Problem
from suffice.lab.world import YEARS, Person, Side, World

QUESTIONS = (
    "Who was born {s}, {a} or {b}?",
    "Was {a} or {b} born {s}?",
    "Which of the two was born {s}: {a} or {b}?",
)
# What is asked comes first and again at the end, and both people are named in their order in between: so small a
# model then has only to copy at each word.
LEADS = (
    (
        "Asked is the {s}. {a} was born in {x}. {b} was born in {y}. {x} is {order} {y}. "
        "The earlier: {e}. The later: {l}. So the {s}: {v}."
    ),
    (
        "We look for the {s}. The birth year of {a} is {x}. The birth year of {b} is {y}. {x} is {order} {y}. "
        "The earlier: {e}. The later: {l}. This makes the {s}: {v}."
    ),
    (
        "Sure thing! Wanted is the {s}. {a} was born in {x} and {b} in {y}. {x} is {order} {y}. "
        "The earlier: {e}. The later: {l}. That gives the {s}: {v}."
    ),
)


def order(first: str, second: str) -> str:
    """Returns how the first year lies to the second."""
    return "before" if int(first) < int(second) else "after"


def draw(world: World, draws: Draws, side: Side) -> Problem:
    """Returns a random pair of people of a side who were born in different years."""
    a, b = draws.sample(world.people_for(side), 2)
    while a.year == b.year:
        b = draws.choice(world.people_for(side))
    subtype = draws.choice(("earlier", "later"))
    years = {a.name: a.year, b.name: b.year}
    value, wrong = _pick(a, b, years, subtype)
    false_years = years | {value: _across(years[value], years[wrong], draws)}
    return Problem(
        family="compare",
        subtype=subtype,
        key=f"compare:{':'.join(sorted(years))}",
        question=draws.choice(QUESTIONS).format(s=subtype, a=a.name, b=b.name),
        value=value,
        wrong=wrong,
        lead=lambda v, wording: _lead(a.name, b.name, years, subtype, v, wording),
        asked=lambda v: f"{v} ({years[v]})",
        slip=_lead(a.name, b.name, false_years, subtype, wrong, 0),
        slipped=wrong,
    )


def _pick(a: Person, b: Person, years: dict[str, str], subtype: str) -> tuple[str, str]:
    """Returns the right name and the other one."""
    first = (years[a.name] < years[b.name]) == (subtype == "earlier")
    return (a.name, b.name) if first else (b.name, a.name)


def _lead(a: str, b: str, years: dict[str, str], subtype: str, value: str, wording: int) -> str:
    x, y = years[a], years[b]
    earlier, later = (a, b) if x < y else (b, a)
    return LEADS[wording].format(
        a=a, b=b, x=x, y=y, order=order(x, y), e=earlier, l=later, v=value, s=subtype
    )


def _across(year: str, other: str, draws: Draws) -> str:
    """Returns a false year that lies on the other side of ``other``."""
    if year < other:
        beyond = [y for y in YEARS if y > other] or [str(int(other) + off) for off in range(1, 11)]
    else:
        beyond = [y for y in YEARS if y < other] or [str(int(other) - off) for off in range(1, 11)]
    return draws.choice(beyond)
