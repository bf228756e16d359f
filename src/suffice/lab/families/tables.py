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
    "key": ("The key of {k} is {v}.", "The value {k} belongs to {v}.", "Sure thing! We find {k} under {v}."),
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
    lead = LEADS[subtype]
    return Problem(
        family="table",
        subtype=subtype,
        key=f"table:{written(table)}",
        question=draws.choice(QUESTIONS[subtype]).format(t=written(table), k=key, v=table[key]),
        value=value,
        wrong=draws.choice([other for other in others if other != value]),
        lead=lambda v, wording: lead[wording].format(k=given, v=v),
        asked=lambda v: {"value": v, "key": f"{v} ({given})", "count": f"{v} pairs"}[subtype],
    )
