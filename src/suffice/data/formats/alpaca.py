"""The Alpaca form: ``instruction``, ``input`` and ``output``."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation
from suffice.data.example import Message
from suffice.data.formats.fields import INPUT, SYSTEM, holds, system_turn, with_input
from suffice.data.rules import BAD_CONTENT, RowError
from suffice.data.turns import text_field


class Alpaca:
    """``{"instruction": "…", "input": "…", "output": "…", "system": "…", "history": [["…", "…"], …]}``."""

    fields = ("instruction", *INPUT, "output", *SYSTEM, "history")
    reason = "`instruction` and `output`"
    examples = (
        {"instruction": "Sort the words.", "input": "pear, apple", "output": "apple, pear"},
        {
            "instruction": "And now backwards.",
            "output": "pear, apple",
            "history": [["Sort them.", "apple, pear"]],
        },
    )

    def detect(self, row: Any) -> bool:
        """Tells whether the row has ``instruction`` and ``output``."""
        return holds(row, "instruction", "output")

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the row as a conversation; ``input`` stands below ``instruction`` after an empty line.

        Raises:
            RowError: A field is no text, or ``history`` no list of pairs.
        """
        return Conversation(
            [
                *system_turn(row),
                *_history(row.get("history")),
                {"role": "user", "content": with_input(row, "instruction")},
                {"role": "assistant", "content": text_field(row, "output")},
            ]
        )


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
