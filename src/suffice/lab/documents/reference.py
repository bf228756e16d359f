"""Reference texts: articles on people, a gazetteer of towns and firms, and a glossary of words."""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.words import CLASS_OF
from suffice.lab.world import ATTRIBUTES, World

STATEMENTS = {
    "town": (
        "{n} came from {v}.", "The home town of {n} is {v}.", "{n} grew up in {v}.",
        "{v} is the birthplace of {n}.",
    ),
    "year": (
        "{n} was born in {v}.", "The birth year of {n} is {v}.", "{n} was born in the year {v}.",
        "In {v}, {n} was born.",
    ),
    "trade": (
        "{n} worked as a {v}.", "The trade of {n} was {v}.", "{n} was a {v}.", "{n} earned a living as a {v}.",
    ),
    "hobby": (
        "{n} enjoyed {v}.", "The hobby of {n} was {v}.", "{n} loved {v}.", "In the evenings {n} went for {v}.",
    ),
    "firm": (
        "{n} worked for {v}.", "The firm of {n} was {v}.", "{n} was employed by {v}.", "{v} employed {n}.",
    ),
}  # fmt: skip
RIVERS = (
    "{t} lies on the river {r}.",
    "The river {r} flows through {t}.",
    "By boat on the river {r} you come to {t}.",
)
PRODUCTS = ("{f} makes {p}.", "The product of {f} is {p}.", "People buy {p} from {f}.")
GLOSSES = (
    "The word {w} is a kind of {c}.",
    "The group of the word {w} is {c}.",
    "The word {w} belongs to the group {c}.",
    "For the word {w} we say {c}.",
)


def encyclopedia(world: World, draws: Draws) -> str:
    """All that is known of one person, as an article or (one time in four) as an infobox."""
    person = draws.choice(world.people)
    while not draws.chance(person.fame):
        person = draws.choice(world.people)
    attributes = draws.shuffled(ATTRIBUTES)
    if draws.chance(0.25):
        return "\n".join([person.name, *(f"{name}: {person.value(name)}" for name in attributes)])
    return " ".join(
        draws.choice(STATEMENTS[name]).format(n=person.name, v=person.value(name)) for name in attributes
    )


def gazetteer(world: World, draws: Draws) -> str:
    """Six facts on towns and firms."""
    facts = []
    for _ in range(6):
        if draws.chance(0.5):
            town = draws.choice(tuple(world.rivers))
            facts.append(draws.choice(RIVERS).format(t=town, r=world.rivers[town]))
        else:
            firm = draws.choice(tuple(world.products))
            facts.append(draws.choice(PRODUCTS).format(f=firm, p=world.products[firm]))
    return " ".join(facts)


def glossary(world: World, draws: Draws) -> str:
    """Eight words with the group that each belongs to."""
    words = draws.sample(tuple(CLASS_OF), 8)
    return "\n".join(draws.choice(GLOSSES).format(w=word, c=CLASS_OF[word]) for word in words)
