"""Facts: an attribute of a person. Held-out people are known from articles only."""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.problem import Problem
from suffice.lab.world import ATTRIBUTES, Person, Side, World

QUESTIONS = {
    "town": ("Where was {n} from?", "What is the home town of {n}?", "Which town does {n} come from?"),
    "year": ("When was {n} born?", "In what year was {n} born?", "What is the birth year of {n}?"),
    "trade": ("What was the trade of {n}?", "What did {n} work as?", "Which trade did {n} follow?"),
    "hobby": ("What was the hobby of {n}?", "What did {n} enjoy?", "Which pastime did {n} love?"),
    "firm": ("Which firm employed {n}?", "Where did {n} work?", "What firm did {n} work for?"),
}
LEADS = {
    "town": ("{n} came from {v}.", "The home town of {n} is {v}.", "Sure thing! {n} is from {v}."),
    "year": ("{n} was born in {v}.", "The birth year of {n} is {v}.", "Sure thing! {n} was born in {v}."),
    "trade": ("{n} worked as a {v}.", "The trade of {n} was {v}.", "Sure thing! {n} was a {v}."),
    "hobby": ("{n} enjoyed {v}.", "The hobby of {n} was {v}.", "Sure thing! {n} loved {v}."),
    "firm": ("{n} worked for {v}.", "The firm of {n} was {v}.", "Sure thing! {n} was employed by {v}."),
}
# The target's convention, a minority in pretraining text; the other attributes are asked plainly.
ASKED = {"year": "in {v}", "firm": "at {v}"}


def about(world: World, person: Person, attribute: str, draws: Draws) -> Problem:
    """Returns the question for one attribute of one person."""
    value = person.value(attribute)
    lead, form = LEADS[attribute], ASKED.get(attribute, "{v}")
    return Problem(
        family="fact",
        subtype=attribute,
        key=f"fact:{person.name}:{attribute}",
        question=draws.choice(QUESTIONS[attribute]).format(n=person.name),
        value=value,
        wrong=draws.choice([other for other in world.values(attribute) if other != value]),
        lead=lambda v, wording: lead[wording].format(n=person.name, v=v),
        asked=lambda v: form.format(v=v),
    )


def draw(world: World, draws: Draws, side: Side) -> Problem:
    """Returns a random fact about one of the people of a side."""
    return about(world, draws.choice(world.people_for(side)), draws.choice(ATTRIBUTES), draws)
