"""The chat form of OpenAI, Hugging Face and TRL: ``messages`` with ``role`` and ``content``."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation, read_messages
from suffice.data.tools import read_tools


class Messages:
    """``{"messages": [{"role": "user", "content": "…"}, …], "tools": […]}``."""

    def detect(self, row: dict[str, Any]) -> bool:
        """Tells whether the row has ``messages``."""
        return row.get("messages") is not None

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the row as a conversation.

        Raises:
            RowError: ``messages`` or ``tools`` is not what it should be.
        """
        return Conversation(read_messages(row["messages"], "messages"), read_tools(row.get("tools")))
