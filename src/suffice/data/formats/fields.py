"""What formats of a few text fields share."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation
from suffice.data.example import Message
from suffice.data.turns import text_field

SYSTEM = ("system", "system_prompt")
INPUT = ("input", "context")


def holds(row: Any, *names: str) -> bool:
    """Tells whether a row is an object with all of some fields."""
    return isinstance(row, dict) and all(name in row for name in names)


def first_of(row: Any, *names: str) -> str | None:
    """Returns the first of some names that a row has a value for, or is there at all; `None` where it has none."""
    if not isinstance(row, dict):
        return None
    there = [name for name in names if name in row]
    return next((name for name in there if row[name] is not None), there[0] if there else None)


def system_turn(row: dict[str, Any]) -> list[Message]:
    """Returns the row's ``system`` text as a turn, or nothing where it has none."""
    system = text_field(row, *SYSTEM)
    return [{"role": "system", "content": system}] if system.strip() else []


def with_input(row: dict[str, Any], *names: str) -> str:
    """Returns the instruction (the first of ``names`` that the row has) and, below it, the ``input`` (Dolly: ``context``)."""
    parts = (text_field(row, *names), text_field(row, *INPUT))
    return "\n\n".join(part for part in parts if part.strip())


def one_exchange(row: dict[str, Any], asked: str, answered: str) -> Conversation:
    """Returns a question and its answer, after the row's system text, as a conversation."""
    return Conversation(
        [
            *system_turn(row),
            {"role": "user", "content": asked},
            {"role": "assistant", "content": answered},
        ]
    )
