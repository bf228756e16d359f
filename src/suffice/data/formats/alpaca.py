"""The Alpaca form: ``instruction``, ``input`` and ``output``."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation, text_field
from suffice.data.example import Message
from suffice.data.rules import BAD_CONTENT, RowError


class Alpaca:
    """``{"instruction": "…", "input": "…", "output": "…", "system": "…", "history": [["…", "…"], …]}``."""

    def detect(self, row: dict[str, Any]) -> bool:
        """Tells whether the row has ``instruction`` and ``output``."""
        return "instruction" in row and "output" in row

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the row as a conversation; ``input`` stands below ``instruction`` after an empty line.

        Raises:
            RowError: A field is no text, or ``history`` no list of pairs.
        """
        return Conversation(
            [
                *system_turn(row),
                *_history(row.get("history")),
                {"role": "user", "content": instruction_with_input(row, "instruction")},
                {"role": "assistant", "content": text_field(row, "output")},
            ]
        )


def system_turn(row: dict[str, Any]) -> list[Message]:
    """Returns the row's ``system`` text as a turn, or nothing where it has none."""
    system = text_field(row, "system")
    return [{"role": "system", "content": system}] if system.strip() else []


def instruction_with_input(row: dict[str, Any], *names: str) -> str:
    """Returns the instruction (the first of ``names`` that the row has) and, below it, the ``input`` (Dolly: ``context``)."""
    parts = (text_field(row, *names), text_field(row, "input", "context"))
    return "\n\n".join(part for part in parts if part.strip())


def _history(pairs: Any) -> list[Message]:
    """Returns earlier rounds, each a pair of what was asked and answered."""
    if not isinstance(pairs, list | None):
        raise RowError(BAD_CONTENT, "`history` is no list of pairs")
    turns: list[Message] = []
    for place, pair in enumerate(pairs or []):
        match pair:
            case [str(asked), str(answered)]:
                turns += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
            case _:
                raise RowError(BAD_CONTENT, f"`history[{place}]` is no pair of texts")
    return turns
