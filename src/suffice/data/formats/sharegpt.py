"""The ShareGPT form: ``conversations`` with ``from`` and ``value``, as FastChat and LLaMA-Factory read it."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation, read_messages
from suffice.data.formats.alpaca import system_turn
from suffice.data.rules import BAD_CONTENT, RowError
from suffice.data.tools import read_calls, read_tools

_ROLES = {
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "observation": "tool",
    "function_response": "tool",
    "tool_response": "tool",
}
_CALLS = ("function_call", "tool_call")


class ShareGPT:
    """``{"conversations": [{"from": "human", "value": "…"}, …], "system": "…", "tools": "[…]"}``."""

    def detect(self, row: dict[str, Any]) -> bool:
        """Tells whether the row has ``conversations``."""
        return row.get("conversations") is not None

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the row as a conversation; a ``function_call`` turn becomes an assistant turn with the call.

        Raises:
            RowError: ``conversations`` or ``tools`` is not what it should be.
        """
        turns = row["conversations"]
        if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
            raise RowError(
                BAD_CONTENT,
                "`conversations` is no list of turns",
                "write a list of objects with from and value",
            )
        chat = [_turn(turn, f"conversations[{place}]") for place, turn in enumerate(turns)]
        messages = system_turn(row) + read_messages(chat, "conversations")
        return Conversation(messages, read_tools(row.get("tools")))


def _turn(turn: dict[str, Any], where: str) -> dict[str, Any]:
    """Returns a turn in the chat form; one that is in the chat form already stays as it is."""
    if "from" not in turn:
        return turn
    role, value = turn["from"], turn.get("value")
    if role in _CALLS:
        return {"role": "assistant", "content": "", "tool_calls": read_calls(value, where)}
    return {"role": _ROLES.get(role, role) if isinstance(role, str) else role, "content": value}
