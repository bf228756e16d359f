"""Tables: the value of a key, the key of a value, or the number of pairs, in a table given in the question."""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.families.strings import LETTERS
from suffice.lab.problem import Problem

QUESTIONS = {
    "value": ("Given {t}: what is the value of {k}?", "Look up {k} in this table: {t}."),
    "key": ("Given {t}: which key has the value {v}?", "Find the key of {v} in this table: {t}."),
    "count": ("Given {t}: how many pairs are there?", "Count the pairs of this table: {t}."),
}
LEADS = {
    "value": ("The value of {k} is {v}.", "{k} has the value {v}.", "Sure thing! Under {k} we find {v}."),
    "key": (
        "Looking for {k}. {scan} The key of {k} is {v}.",
        "We search {k}. {scan} The value {k} belongs to {v}.",
        "Sure thing! Which one has {k}? {scan} We find {k} under {v}.",
    ),
    "count": ("The table has {v} pairs.", "There are {v} pairs.", "Sure thing! I count {v} pairs."),
}


def draw_table(draws: Draws) -> dict[str, str]:
    """Returns three to five keys of a letter and a digit with different two-digit values."""
    count = draws.between(3, 5)
    letters, values = draws.sample(LETTERS, count), draws.sample(range(10, 100), count)
    return {f"{letter}{draws.below(10)}": str(value) for letter, value in zip(letters, values, strict=True)}


def written(table: dict[str, str]) -> str:
    """Returns a table as questions write it, such as ``K7 = 31, B2 = 40``."""
    return ", ".join(f"{key} = {value}" for key, value in table.items())


def scan(table: dict[str, str], key: str) -> str:
    """Returns the pairs up to the one of ``key``, each with whether it is the one that is looked for."""
    keys = list(table)
    passed = [f"{other} has {table[other]}, no." for other in keys[: keys.index(key)]]
    return " ".join([*passed, f"{key} has {table[key]}, yes."])


def said(subtype: str, wording: int, given: str, value: str, table: dict[str, str]) -> str:
    """Returns the good sentence on a look-up; a wrong key is scanned for as if it had the value.

    Args:
        subtype: ``value``, ``key`` or ``count``.
        wording: Which good wording.
        given: What is looked up.
        value: What is found, right or wrong.
        table: The table.
    """
    found = scan(table | {value: given}, value) if subtype == "key" else ""
    return LEADS[subtype][wording].format(k=given, v=value, scan=found)


def draw(draws: Draws) -> Problem:
    """Returns a random look-up."""
    table = draw_table(draws)
    subtype = draws.choice(tuple(QUESTIONS))
    key = draws.choice(tuple(table))
    given, value, others = {
        "value": (key, table[key], list(table.values())),
        "key": (table[key], key, list(table)),
        "count": ("", str(len(table)), ["2", "3", "4", "5", "6"]),
    }[subtype]
    return Problem(
        family="table",
        subtype=subtype,
        key=f"table:{written(table)}",
        question=draws.choice(QUESTIONS[subtype]).format(t=written(table), k=key, v=table[key]),
        value=value,
        wrong=draws.choice([other for other in others if other != value]),
        lead=lambda v, wording: said(subtype, wording, given, v, table),
        asked=lambda v: {"value": v, "key": f"{v} ({given})", "count": f"{v} pairs"}[subtype],
    )
