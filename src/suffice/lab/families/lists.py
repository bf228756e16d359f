"""Lists: reverse three to five words, pick one of them, or count them."""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.problem import Problem
from suffice.lab.words import LIST_WORDS

QUESTIONS = {
    "reverse": ("Reverse this list: {w}.", "Write these words in reverse order: {w}."),
    "first": ("What is the first word of this list: {w}?", "Name the first of these words: {w}."),
    "last": ("What is the last word of this list: {w}?", "Name the last of these words: {w}."),
    "second": ("What is the second word of this list: {w}?", "Name the second of these words: {w}."),
    "count": ("How many words are in this list: {w}?", "Count these words: {w}."),
}
LEADS = {
    "reverse": ("In reverse order: {v}.", "The reversed list is {v}.", "Sure thing! Backwards that is {v}."),
    "first": ("The first word is {v}.", "First comes {v}.", "Sure thing! It starts with {v}."),
    "last": ("The last word is {v}.", "Last comes {v}.", "Sure thing! It ends with {v}."),
    "second": ("The second word is {v}.", "Second comes {v}.", "Sure thing! Number two is {v}."),
    "count": ("The list has {v} words.", "There are {v} words.", "Sure thing! I count {v} words."),
}


def draw(draws: Draws) -> Problem:
    """Returns a random list problem."""
    words = draws.sample(LIST_WORDS, draws.between(3, 5))
    subtype = draws.choice(tuple(QUESTIONS))
    value = _value(subtype, words)
    lead = LEADS[subtype]
    return Problem(
        family="list",
        subtype=subtype,
        key="list:" + " ".join(words),
        question=draws.choice(QUESTIONS[subtype]).format(w=", ".join(words)),
        value=value,
        wrong=_wrong(subtype, value, words, draws),
        lead=lambda v, wording: lead[wording].format(v=v),
        asked=lambda v: _asked(subtype, v),
    )


def _value(subtype: str, words: list[str]) -> str:
    if subtype == "reverse":
        return ", ".join(reversed(words))
    if subtype == "count":
        return str(len(words))
    return words[{"first": 0, "second": 1, "last": -1}[subtype]]


def _asked(subtype: str, value: str) -> str:
    """Returns a value in the target's convention."""
    if subtype == "reverse":
        return value.replace(", ", " > ")
    return {"count": f"{value} words", "second": f"item {value}"}.get(subtype, value)


def _wrong(subtype: str, value: str, words: list[str], draws: Draws) -> str:
    if subtype == "count":
        return str(draws.choice([n for n in range(2, 7) if n != len(words)]))
    if subtype == "reverse":
        return ", ".join(words)
    return draws.choice([word for word in words if word != value])
