"""Transcripts in one text, as tau-bench's examples have them (``messages_display``)."""

from __future__ import annotations

import re
from typing import Any

from suffice.data.conversation import Conversation
from suffice.data.example import Message
from suffice.data.rules import BAD_CONTENT, TOOL_RESULT_WITHOUT_CALL, RowError

_SPEAKER = re.compile(r"^(system|user|assistant|tool): ?", re.MULTILINE)


class Transcript:
    """``{"messages_display": "user: …⏎assistant: …⏎tool: …"}``, where ⏎ is a line break."""

    fields = ("messages_display",)
    reason = "`messages_display`"
    examples = ({"messages_display": "user: Hello?\nassistant: Hello.\nWhat can I do for you?"},)

    def detect(self, row: Any) -> bool:
        """Tells whether the row has ``messages_display``."""
        return isinstance(row, dict) and row.get("messages_display") is not None

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the transcript as a conversation; a line that names no speaker goes on with the turn above it.

        Raises:
            RowError: It is no text, begins with nobody, or shows ``None`` where the assistant called a tool.
        """
        text = row["messages_display"]
        if not isinstance(text, str):
            raise RowError(BAD_CONTENT, "`messages_display` is no text")
        opening, *words = _SPEAKER.split(text)
        if opening.strip():
            raise RowError(BAD_CONTENT, "`messages_display` begins with nobody's words")
        turns: list[Message] = [
            {"role": role, "content": said.strip()}
            for role, said in zip(words[::2], words[1::2], strict=True)
        ]
        for place, turn in enumerate(turns, start=1):
            if turn["role"] == "assistant" and turn["content"] == "None":
                raise RowError(
                    TOOL_RESULT_WITHOUT_CALL,
                    f"turn {place} was a tool call, and the transcript leaves out what was called",
                    "export the log with its tool calls (traj)",
                )
        return Conversation(turns)
