"""Two steps from a person: the river of the home town, or what the employer makes."""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.problem import Problem, plain
from suffice.lab.world import Side, World

QUESTIONS = {
    "river": ("Which river flows through the home town of {n}?", "On which river lies the home town of {n}?"),
    "product": ("What does the firm of {n} make?", "What is made by the firm that employed {n}?"),
}
# {m} is the step between: the town or the firm.
LEADS = {
    "river": (
        "{n} came from {m}. {m} lies on the river {v}.",
        "The home town of {n} is {m}. The river {v} flows through {m}.",
        "Sure thing! {n} is from {m}, and there you find the river {v}.",
    ),
    "product": (
        "{n} worked for {m}. {m} makes {v}.",
        "The firm of {n} was {m}. The product of {m} is {v}.",
        "Sure thing! {n} was employed by {m}, and there they make {v}.",
    ),
}


def draw(world: World, draws: Draws, side: Side) -> Problem:
    """Returns a random question about one of the people of a side."""
    person = draws.choice(world.people_for(side))
    subtype = draws.choice(tuple(QUESTIONS))
    ends = world.rivers if subtype == "river" else world.products
    between = person.town if subtype == "river" else person.firm
    false_step = draws.choice([other for other in ends if other != between])
    value, lead = ends[between], LEADS[subtype]
    return Problem(
        family="twohop",
        subtype=subtype,
        key=f"twohop:{person.name}:{subtype}",
        question=draws.choice(QUESTIONS[subtype]).format(n=person.name),
        value=value,
        wrong=draws.choice([other for other in ends.values() if other != value]),
        lead=lambda v, wording: lead[wording].format(n=person.name, m=between, v=v),
        asked=(lambda v: f"river {v}") if subtype == "river" else plain,
        slip=lead[0].format(n=person.name, m=false_step, v=ends[false_step]),
        slipped=ends[false_step],
    )
