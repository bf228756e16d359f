"""Exchanges: what the user asks and what the assistant answers, for methods that score those and not whole rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from suffice.data.example import Example, Message
from suffice.data.twins.exact import said_in

Turns = Literal["per_token", "sum"]
TURNS: tuple[Turns, ...] = ("per_token", "sum")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A turn of the user, and all that the assistant says until the next one.

    Attributes:
        asked: What the user says.
        answered: What the assistant says, a line each turn; its calls as JSON. What tools reply is left out.
        before: All that was said before, each turn with its role; empty in the first exchange of a row without
            a system turn.
    """

    asked: str
    answered: str
    before: str


def exchanges(row: Example) -> list[Exchange]:
    """Returns the exchanges of a row in which the assistant says something, in order."""
    starts = [i for i, message in enumerate(row.messages) if message["role"] == "user"]
    found = []
    for start, end in pairwise([*starts, len(row.messages)]):
        answers = [message for message in row.messages[start:end] if message["role"] == "assistant"]
        answered = said_in(answers)
        if answered.strip():
            found.append(
                Exchange(row.messages[start]["content"], answered, _transcript(row.messages[:start]))
            )
    return found


def _transcript(messages: Sequence[Message]) -> str:
    return "\n\n".join(f"{message['role']}: {said_in([message])}" for message in messages)


def of_row(values: Sequence[float], lengths: Sequence[int], turns: Turns) -> float:
    """Returns the score of a row from those of its exchanges.

    Args:
        values: One for each exchange, NaN where it has none.
        lengths: How long each answer is.
        turns: ``sum`` adds the values up, so that more turns score more; ``per_token`` gives every token of
            the assistant the value of its exchange and takes the mean over tokens.

    Returns:
        The score; NaN where there is no exchange, or one of them has no value.
    """
    if turns == "sum":
        return sum(values) if values else float("nan")
    total = sum(lengths)
    return sum(v * n for v, n in zip(values, lengths, strict=True)) / total if total else float("nan")
