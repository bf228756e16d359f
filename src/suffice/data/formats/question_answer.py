"""Question and answer, as GSM8K and many exams have it."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation, text_field
from suffice.data.formats.alpaca import system_turn


class QuestionAnswer:
    """``{"question": "…", "answer": "…", "system": "…"}``."""

    def detect(self, row: dict[str, Any]) -> bool:
        """Tells whether the row has ``question`` and ``answer``."""
        return "question" in row and "answer" in row

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the row as a conversation.

        Raises:
            RowError: A field is no text.
        """
        asked, answered = text_field(row, "question"), text_field(row, "answer")
        return Conversation(
            [
                *system_turn(row),
                {"role": "user", "content": asked},
                {"role": "assistant", "content": answered},
            ]
        )
