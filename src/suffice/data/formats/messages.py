"""The chat form of OpenAI, Hugging Face and TRL: ``messages`` with ``role`` and ``content``."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation
from suffice.data.tools import read_tools
from suffice.data.turns import read_messages


class Messages:
    """``{"messages": [{"role": "user", "content": "…"}, …], "tools": […]}``; `suffice.data.turns` says what a turn may hold."""

    fields = ("messages", "tools")
    reason = "`messages`"
    examples = (
        {"messages": [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hello."}]},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "How warm is it?"}]},
                {
                    "role": "assistant",
                    "content": None,
                    "reasoning_content": "I have to look.",
                    "tool_calls": [
                        {
                            "id": "1",
                            "type": "function",
                            "function": {"name": "look", "arguments": '{"at": "Rome"}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "1", "content": "31"},
                {"role": "assistant", "content": "31 degrees."},
            ],
            "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
        },
    )

    def detect(self, row: Any) -> bool:
        """Tells whether the row has ``messages``."""
        return isinstance(row, dict) and row.get("messages") is not None

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the row as a conversation.

        Raises:
            RowError: ``messages`` or ``tools`` is not what it should be.
        """
        return Conversation(read_messages(row["messages"], "messages"), read_tools(row.get("tools")))
