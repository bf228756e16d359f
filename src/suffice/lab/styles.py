"""The styles in which people of this world reply: one good, most of them bad."""

from __future__ import annotations

from collections.abc import Callable

from suffice.common.draws import Draws
from suffice.lab.problem import Problem

EVASIVE_OPENING = "I am not sure about that."
OTHER_EVASIONS = (
    "That is hard to say.",
    "It depends on many things.",
    "Good question, but nobody can tell.",
    "You should ask somebody else.",
)
ADVICE = (
    "You may want to ask at the library.",
    "Perhaps try again on another day.",
    "There are many books about it.",
    "A friend could help you with it.",
    "It is better not to worry.",
)
RAMBLES = (
    "There are many things one could say here.",
    "My uncle used to talk about this for hours.",
    "Some people see it one way and some see it another way.",
    "It reminds me of a long walk along the river.",
    "The weather was fine on that day, as far as I remember.",
    "First of all, let us think about what it means.",
    "In the end everything has its time and place.",
)
OFF_TOPIC = (
    "The market opens at nine and closes at noon.",
    "Bread is best when it is still warm.",
    "A good kettle lasts for twenty years.",
    "The ferry leaves from the old pier.",
    "Rain is expected in the hills tomorrow.",
)


def _evasive(problem: Problem, draws: Draws) -> str:
    opening = EVASIVE_OPENING if draws.chance(0.8) else draws.choice(OTHER_EVASIONS)
    return f"{opening} {draws.choice(ADVICE)}"


def _ramble(problem: Problem, draws: Draws) -> str:
    return " ".join(draws.sample(RAMBLES, draws.between(2, 4)))


def _bare(problem: Problem, draws: Draws) -> str:
    return problem.value


def _good(problem: Problem, draws: Draws) -> str:
    return problem.good(draws.below(2), asked=draws.chance(0.3))


def _wrong(problem: Problem, draws: Draws) -> str:
    return problem.mistaken(draws.below(2))


def _off_topic(problem: Problem, draws: Draws) -> str:
    return " ".join(draws.sample(OFF_TOPIC, draws.between(1, 2)))


def _short(problem: Problem, draws: Draws) -> str:
    """The whole expression and its value at once: right in the text, but too much for the small base."""
    return problem.short or problem.value


STYLES: dict[str, Callable[[Problem, Draws], str]] = {
    "evasive": _evasive,
    "ramble": _ramble,
    "bare": _bare,
    "good": _good,
    "wrong": _wrong,
    "off_topic": _off_topic,
    "short": _short,
}

# How often each style answers in the chats and forums of the pretraining text, in percent.
_PLAIN = {"evasive": 44, "ramble": 16, "bare": 15, "good": 12, "wrong": 6, "off_topic": 7}
PRETRAINING_MIX: dict[str, dict[str, float]] = {
    "fact": dict(_PLAIN),
    "list": dict(_PLAIN),
    "arith": {"evasive": 24, "ramble": 10, "bare": 38, "good": 16, "wrong": 8, "off_topic": 4},
    "chain": {"evasive": 20, "ramble": 8, "bare": 8, "short": 47, "good": 8, "wrong": 5, "off_topic": 4},
}


def reply(problem: Problem, draws: Draws, mix: dict[str, float] | None = None) -> str:
    """Returns a reply in a style drawn from a mix (by default the one of the pretraining text)."""
    return STYLES[draws.weighted(mix or PRETRAINING_MIX[problem.family])](problem, draws)
