"""Question and answer, as GSM8K and many exams have it."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation
from suffice.data.formats.fields import SYSTEM, holds, one_exchange
from suffice.data.turns import text_field


class QuestionAnswer:
    """``{"question": "…", "answer": "…", "system": "…"}``."""

    fields = ("question", "answer", *SYSTEM)
    reason = "`question` and `answer`"
    examples = ({"question": "What is 2 + 3?", "answer": "2 + 3 = 5\n#### 5"},)

    def detect(self, row: Any) -> bool:
        """Tells whether the row has ``question`` and ``answer``."""
        return holds(row, "question", "answer")

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the row as a conversation.

        Raises:
            RowError: A field is no text.
        """
        return one_exchange(row, text_field(row, "question"), text_field(row, "answer"))
