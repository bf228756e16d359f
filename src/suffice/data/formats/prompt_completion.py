"""TRL's prompt-completion form, as text or as turns."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation
from suffice.data.example import Message
from suffice.data.formats.fields import SYSTEM, holds, system_turn
from suffice.data.tools import read_tools
from suffice.data.turns import read_messages, text_of


class PromptCompletion:
    """``{"prompt": "…", "completion": "…"}``, where each may also be a list of turns."""

    fields = ("prompt", "completion", *SYSTEM, "tools")
    reason = "`prompt` and `completion`"
    examples = (
        {"prompt": "The capital of France is", "completion": " Paris."},
        {
            "prompt": [{"role": "user", "content": "Hello?"}],
            "completion": [{"role": "assistant", "content": "Hello."}],
        },
    )

    def detect(self, row: Any) -> bool:
        """Tells whether the row has ``prompt`` and ``completion``."""
        return holds(row, "prompt", "completion")

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the row as a conversation.

        Raises:
            RowError: A field is neither text nor a list of turns.
        """
        turns = turns_of(row["prompt"], "prompt", "user") + turns_of(
            row["completion"], "completion", "assistant"
        )
        return Conversation(system_turn(row) + turns, read_tools(row.get("tools")))


def turns_of(value: Any, name: str, role: str) -> list[Message]:
    """Returns text as one turn of a role, and a list of turns as it is.

    Raises:
        RowError: It is neither.
    """
    if isinstance(value, list) and not (value and isinstance(value[0], str)):
        return read_messages(value, name)
    return [{"role": role, "content": text_of(value, name)}]
