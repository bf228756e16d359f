"""TRL's prompt-completion form, as text or as turns."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation, read_messages, text_of
from suffice.data.example import Message
from suffice.data.tools import read_tools


class PromptCompletion:
    """``{"prompt": "…", "completion": "…"}``, where each may also be a list of turns."""

    def detect(self, row: dict[str, Any]) -> bool:
        """Tells whether the row has ``prompt`` and ``completion``."""
        return "prompt" in row and "completion" in row

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the row as a conversation.

        Raises:
            RowError: A field is neither text nor a list of turns.
        """
        turns = _turns(row["prompt"], "prompt", "user") + _turns(row["completion"], "completion", "assistant")
        return Conversation(turns, read_tools(row.get("tools")))


def _turns(value: Any, name: str, role: str) -> list[Message]:
    if isinstance(value, list):
        return read_messages(value, name)
    return [{"role": role, "content": text_of(value, f"`{name}`")}]
