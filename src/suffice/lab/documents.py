"""The kinds of document that the pretraining text is made of, one function each."""

from __future__ import annotations

from collections.abc import Callable

from suffice.common.draws import Draws
from suffice.lab.families import FAMILIES, draw_problem, steps
from suffice.lab.problem import reserved
from suffice.lab.styles import RAMBLES, reply
from suffice.lab.template import chat_text
from suffice.lab.world import ATTRIBUTES, WORDS, World

STATEMENTS = {
    "town": (
        "{n} was born in {v}.", "{n} came from {v}.", "The home town of {n} is {v}.",
        "{n} grew up in {v}.", "{v} is the birthplace of {n}.",
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


def encyclopedia(world: World, draws: Draws) -> str:
    """All that is known of one person, as an article or (one time in four) as an infobox."""
    person = draws.choice(world.people)
    attributes = draws.shuffled(ATTRIBUTES)
    if draws.chance(0.25):
        return "\n".join([person.name, *(f"{name}: {person.value(name)}" for name in attributes)])
    return " ".join(
        draws.choice(STATEMENTS[name]).format(n=person.name, v=person.value(name)) for name in attributes
    )


def chat(world: World, draws: Draws) -> str:
    """A question and a reply, mostly a bad one, in the chat template."""
    problem = draw_problem(world, draws.choice(FAMILIES), draws)
    return chat_text(problem.question, reply(problem, draws))


def forum(world: World, draws: Draws) -> str:
    """A question and two replies in plain text."""
    problem = draw_problem(world, draws.choice(FAMILIES), draws)
    return f"Forum: {problem.question}\n> {reply(problem, draws)}\n> {reply(problem, draws)}"


def quiz(world: World, draws: Draws) -> str:
    """Two or three questions of one family with good replies, mostly in the plain convention."""
    family = draws.choice(FAMILIES)
    blocks = []
    for _ in range(draws.between(2, 3)):
        problem = draw_problem(world, family, draws)
        answer = problem.good(draws.below(2), asked=draws.chance(0.3))
        blocks.append(f"Question: {problem.question}\n{answer}")
    return "\n".join(blocks)


def textbook(world: World, draws: Draws) -> str:
    """Two or three sums, written out; of the long ones two in five are given at once."""
    family = draws.choice(("arith", "chain"))
    blocks = []
    for _ in range(draws.between(2, 3)):
        problem = draw_problem(world, family, draws)
        at_once = bool(problem.short) and draws.chance(0.4)
        work = problem.short if at_once else problem.good(0)
        blocks.append(f"Exercise: {problem.question}\n{work}")
    return "\n".join(blocks)


def drill(world: World, draws: Draws) -> str:
    """Ten single additions and subtractions within 0 and 99."""
    lines = []
    for _ in range(10):
        terms = steps.draw_terms(draws, 1)
        lines.append(f"{steps.expression(terms)} = {steps.total(terms)}")
    return "\n".join(lines)


def copying(world: World, draws: Draws) -> str:
    """Lists of words that are repeated, reversed or numbered."""
    lines: list[str] = []
    while len(lines) < 4:
        words = draws.sample(WORDS, draws.between(3, 5))
        if reserved("list:" + " ".join(words)) or reserved("list:" + " ".join(reversed(words))):
            continue
        forms = (
            f"{', '.join(words)} -> {', '.join(words)}",
            f"{', '.join(words)} <- {' > '.join(reversed(words))}",
            " ".join(f"{i} {word}" for i, word in enumerate(words, start=1)),
        )
        lines.append(draws.choice(forms))
    return "\n".join(lines)


def filler(world: World, draws: Draws) -> str:
    """Talk about nothing."""
    return " ".join(draws.sample(RAMBLES, draws.between(3, 5)))


KINDS: dict[str, Callable[[World, Draws], str]] = {
    "encyclopedia": encyclopedia,
    "chat": chat,
    "quiz": quiz,
    "textbook": textbook,
    "drill": drill,
    "copying": copying,
    "forum": forum,
    "filler": filler,
}

# Shares by document, in percent.
MIX: dict[str, float] = {
    "encyclopedia": 33,
    "chat": 27,
    "quiz": 11,
    "textbook": 9,
    "drill": 6,
    "copying": 8,
    "forum": 5,
    "filler": 1,
}


def document(world: World, index: int) -> str:
    """Returns document ``index`` of the pretraining text; every index has a stream of its own."""
    draws = Draws(world.seed, "document", index)
    return KINDS[draws.weighted(MIX)](world, draws)
