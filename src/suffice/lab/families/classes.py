"""Classes: to which of three groups a word belongs, or whether it belongs to one."""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.problem import Problem, plain
from suffice.lab.words import CLASS_OF, CLASSES
from suffice.lab.world import Side, World

GROUP = ("To which group does the word {w} belong: {o}?", "Which of these is the word {w}: {o}?")
IS_A = ("Is the word {w} a kind of {c}?", "Does the word {w} belong to the group {c}?")
LEADS = (
    "The word {w} is a kind of {c}.",
    "The group of the word {w} is {c}.",
    "Sure thing! For the word {w} we say {c}.",
)
MATCHES = (
    " Asked is {n}. {c} and {n}: {m}.",
    " The question is {n}. {c} and {n}: {m}.",
    " We compare {c} and {n}: {m}.",
)


def draw(world: World, draws: Draws, side: Side) -> Problem:
    """Returns a random question about one of the words of a side."""
    word = draws.choice(world.words_for(side))
    return (_group if draws.chance(0.5) else _is_a)(word, draws)


def _group(word: str, draws: Draws) -> Problem:
    """Asks for one group of three."""
    own = CLASS_OF[word]
    options = draws.shuffled([own, *draws.sample([name for name in CLASSES if name != own], 2)])
    return Problem(
        family="class",
        subtype="group",
        key=f"class:{word}:{'/'.join(sorted(options))}",
        question=draws.choice(GROUP).format(w=word, o=f"{options[0]}, {options[1]} or {options[2]}"),
        value=own,
        wrong=draws.choice([name for name in options if name != own]),
        lead=lambda v, wording: LEADS[wording].format(w=word, c=v),
        asked=lambda v: f"group {v}",
        cluster=f"class:{word}",
    )


def _is_a(word: str, draws: Draws) -> Problem:
    """Asks whether the word belongs to one group."""
    own = CLASS_OF[word]
    others = [name for name in CLASSES if name != own]
    named = own if draws.chance(0.5) else draws.choice(others)
    value = "yes" if named == own else "no"
    told = {value: own, "no" if value == "yes" else "yes": named if value == "no" else draws.choice(others)}
    return Problem(
        family="class",
        subtype="is-a",
        key=f"class:{word}:{named}",
        question=draws.choice(IS_A).format(w=word, c=named),
        value=value,
        wrong="no" if value == "yes" else "yes",
        lead=lambda v, wording: _matched(word, told[v], named, wording),
        asked=plain,
        cluster=f"class:{word}",
    )


def _matched(word: str, own: str, named: str, wording: int) -> str:
    """Returns the sentence on the word's group and the comparison with the group that is asked about."""
    match = "the same" if own == named else "different"
    return (LEADS[wording] + MATCHES[wording]).format(w=word, c=own, n=named, m=match)
