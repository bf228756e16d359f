"""Facts: an attribute of a person. Held-out people are known from reference texts only."""

from __future__ import annotations

from collections.abc import Sequence

from suffice.common.draws import Draws
from suffice.lab.problem import Problem
from suffice.lab.world import ATTRIBUTES, Person, World

QUESTIONS = {
    "town": ("Where was {n} born?", "What is the home town of {n}?", "Which town does {n} come from?"),
    "year": ("When was {n} born?", "In what year was {n} born?", "What is the birth year of {n}?"),
    "trade": ("What was the trade of {n}?", "What did {n} work as?", "Which trade did {n} follow?"),
    "hobby": ("What was the hobby of {n}?", "What did {n} enjoy?", "Which pastime did {n} love?"),
    "firm": ("Which firm employed {n}?", "Where did {n} work?", "What firm did {n} work for?"),
}
# Three good wordings: the first two occur in pretraining text and pool, the third in neither.
LEADS = {
    "town": ("{n} was born in {v}.", "The home town of {n} is {v}.", "Sure thing! {n} comes from {v}."),
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
    lead = LEADS[attribute]
    return Problem(
        family="fact",
        subtype=attribute,
        key=f"fact:{person.name}:{attribute}",
        question=draws.choice(QUESTIONS[attribute]).format(n=person.name),
        value=value,
        asked=ASKED.get(attribute, "{v}").format(v=value),
        wrong=draws.choice([other for other in world.values(attribute) if other != value]),
        lead=lambda v, wording: lead[wording].format(n=person.name, v=v),
    )


def draw(world: World, draws: Draws, people: Sequence[Person]) -> Problem:
    """Returns a random fact about one of ``people``."""
    return about(world, draws.choice(people), draws.choice(ATTRIBUTES), draws)
