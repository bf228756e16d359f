"""The ShareGPT form: ``conversations`` with ``from`` and ``value``, as FastChat and LLaMA-Factory read it."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation
from suffice.data.formats.fields import SYSTEM, system_turn
from suffice.data.tools import read_tools
from suffice.data.turns import read_messages


class ShareGPT:
    """``{"conversations": [{"from": "human", "value": "…"}, …], "system": "…", "tools": "[…]"}``."""

    fields = ("conversations", "tools", *SYSTEM)
    reason = "`conversations`"
    examples = (
        {
            "conversations": [
                {"from": "human", "value": "How warm is it?"},
                {"from": "function_call", "value": '{"name": "look", "arguments": {"at": "Rome"}}'},
                {"from": "observation", "value": "31"},
                {"from": "gpt", "value": "31 degrees."},
            ],
            "tools": '[{"name": "look", "parameters": {"type": "object"}}]',
        },
        {"conversations": ["Hello?", "Hello."], "source": "stackexchange"},  # LIMA's own
    )

    def detect(self, row: Any) -> bool:
        """Tells whether the row has ``conversations``."""
        return isinstance(row, dict) and row.get("conversations") is not None

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the row as a conversation; a ``function_call`` turn becomes an assistant turn with the call.

        Raises:
            RowError: ``conversations`` or ``tools`` is not what it should be.
        """
        messages = system_turn(row) + read_messages(row["conversations"], "conversations")
        return Conversation(messages, read_tools(row.get("tools")))
