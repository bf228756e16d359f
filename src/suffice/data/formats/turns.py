"""Plain lists of turns: the row is the list, or has it in a field of a plain name."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation
from suffice.data.formats.fields import SYSTEM, system_turn
from suffice.data.tools import read_tools
from suffice.data.turns import looks_like_turns, read_messages

_NAMES = ("conversation", "dialogue", "dialog", "chat", "turns", "trajectory", "data")


class Turns:
    """``[{"role": "user", "content": "…"}, …]``, or the same under ``conversation``, ``dialogue`` and the like."""

    fields = (*_NAMES, *SYSTEM, "tools")
    reason = "turns in a plain list"
    examples = (
        [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hello."}],
        ["Hello?", "Hello."],
        {"dialogue": [{"from": "human", "value": "Hello?"}, {"from": "gpt", "value": "Hello."}]},
    )

    def detect(self, row: Any) -> bool:
        """Tells whether the row is a list of turns, or has a field that is one."""
        return self._find(row) is not None

    def convert(self, row: Any) -> Conversation:
        """Returns the row as a conversation.

        Raises:
            RowError: A turn is not what it should be.
        """
        name, turns = self._find(row) or ("row", row)
        if not isinstance(row, dict):
            return Conversation(read_messages(turns, name))
        return Conversation(system_turn(row) + read_messages(turns, name), read_tools(row.get("tools")))

    def _find(self, row: Any) -> tuple[str, Any] | None:
        """Returns the list and what errors call it. Texts in a field may be questions only, so they do not count."""
        if isinstance(row, list):
            return ("row", row) if looks_like_turns(row) else None
        if not isinstance(row, dict):
            return None
        for name in _NAMES:
            turns = row.get(name)
            if isinstance(turns, list) and looks_like_turns(turns) and isinstance(turns[0], dict):
                return name, turns
        return None
