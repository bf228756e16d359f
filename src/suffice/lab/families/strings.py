"""Strings: copy a made-up code, write it twice, or name its first or last sign."""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.problem import Problem

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
SIGNS = LETTERS + DIGITS

QUESTIONS = {
    "copy": ("Copy this code: {c}", "Repeat the code {c} as it is."),
    "twice": ("Write the code {c} twice.", "Give the code {c} two times."),
    "first": ("What is the first letter of the code {c}?", "With which letter does the code {c} begin?"),
    "last": ("What is the last sign of the code {c}?", "With which sign does the code {c} end?"),
}
LEADS = {
    "copy": ("The code is {v}.", "The copied code is {v}.", "Sure thing! It reads {v}."),
    "twice": ("Two times that is {v}.", "The code twice is {v}.", "Sure thing! Doubled that is {v}."),
    "first": ("The first letter is {v}.", "The code begins with {v}.", "Sure thing! It starts with {v}."),
    "last": ("The last sign is {v}.", "The code ends with {v}.", "Sure thing! It stops at {v}."),
}
ASKED = {"first": "letter {v}", "last": "sign {v}"}


def code(draws: Draws, length: int) -> str:
    """Returns a random code: a capital, then capitals and digits."""
    return draws.choice(LETTERS) + "".join(draws.choice(SIGNS) for _ in range(length - 1))


def draw(draws: Draws) -> Problem:
    """Returns a random problem on a code of four to six signs."""
    text = code(draws, draws.between(4, 6))
    subtype = draws.choice(tuple(QUESTIONS))
    value = {"copy": text, "twice": f"{text} {text}", "first": text[0], "last": text[-1]}[subtype]
    lead, form = LEADS[subtype], ASKED.get(subtype, "{v}")
    return Problem(
        family="string",
        subtype=subtype,
        key=f"string:{text}",
        question=draws.choice(QUESTIONS[subtype]).format(c=text),
        value=value,
        wrong=_wrong(subtype, text, draws),
        lead=lambda v, wording: lead[wording].format(v=v),
        asked=lambda v: form.format(v=v),
    )


def _wrong(subtype: str, text: str, draws: Draws) -> str:
    if subtype in ("first", "last"):
        own = text[0] if subtype == "first" else text[-1]
        return draws.choice([sign for sign in (LETTERS if subtype == "first" else SIGNS) if sign != own])
    place = draws.below(len(text))
    other = draws.choice([letter for letter in LETTERS if letter != text[place]])
    spoiled = f"{text[:place]}{other}{text[place + 1 :]}"
    return spoiled if subtype == "copy" else f"{spoiled} {text}"
