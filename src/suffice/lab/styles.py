"""The styles in which people of this world reply: one good, most of them bad."""

from __future__ import annotations

from collections.abc import Callable

from suffice.common.draws import Draws
from suffice.lab.problem import COMMON_WORDINGS, Problem

ASKED_SHARE = 0.3  # of the good replies in pretraining text that have the target's answer form
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
    return problem.good(draws.below(COMMON_WORDINGS), asked=draws.chance(ASKED_SHARE))


def _wrong(problem: Problem, draws: Draws) -> str:
    return problem.mistaken(draws.below(COMMON_WORDINGS))


def _off_topic(problem: Problem, draws: Draws) -> str:
    return " ".join(draws.sample(OFF_TOPIC, draws.between(1, 2)))


def _short(problem: Problem, draws: Draws) -> str:
    """The value at once: right in the text, but without the steps too much for the small base."""
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
_PLAIN: dict[str, float] = {"evasive": 44, "ramble": 16, "bare": 15, "good": 12, "wrong": 6, "off_topic": 7}
_ARITH: dict[str, float] = {
    "evasive": 32, "ramble": 10, "short": 32, "bare": 4, "good": 12, "wrong": 6, "off_topic": 4,
}  # fmt: skip
_CHAIN: dict[str, float] = {
    "evasive": 24, "ramble": 8, "short": 50, "bare": 8, "good": 5, "wrong": 1.5, "off_topic": 3.5,
}  # fmt: skip
_STEPWISE_MIX = {"arith": _ARITH, "chain": _CHAIN}


def pretraining_mix(family: str) -> dict[str, float]:
    """Returns the shares of the styles in the pretraining text's replies to a family, in percent."""
    return _STEPWISE_MIX.get(family, _PLAIN)


def reply(problem: Problem, draws: Draws) -> str:
    """Returns a reply in a style drawn from the mix of the pretraining text."""
    return STYLES[draws.weighted(pretraining_mix(problem.family))](problem, draws)
