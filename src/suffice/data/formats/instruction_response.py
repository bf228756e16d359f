"""What is asked and what is answered, in two fields of the many names that data sets have for them."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation
from suffice.data.formats.fields import INPUT, SYSTEM, first_of, one_exchange, with_input
from suffice.data.turns import text_field

_ASKED = ("instruction", "prompt", "question", "query", "problem")
_ANSWERED = ("response", "answer", "solution", "output")


class InstructionResponse:
    """``{"instruction": "…", "input": "…", "response": "…"}``, as Dolly and GPTeacher have it, and its kin."""

    fields = (*_ASKED, *INPUT, *_ANSWERED, *SYSTEM)
    reason = (
        "an instruction (or prompt, question, query, problem) and a `response` (or answer, solution, output)"
    )
    examples = (
        {"instruction": "Name a river.", "context": "", "response": "The Danube."},
        {"query": "What is 2 + 3?", "response": "5"},
        {"system_prompt": "Be brief.", "question": "Who wrote Faust?", "response": "Goethe."},
        {"problem": "Solve x + 1 = 3.", "solution": "x = 2"},
    )

    def detect(self, row: Any) -> bool:
        """Tells whether the row has a field of either kind."""
        return first_of(row, *_ASKED) is not None and first_of(row, *_ANSWERED) is not None

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the row as a conversation; ``input`` stands below the instruction after an empty line.

        Raises:
            RowError: A field is no text.
        """
        return one_exchange(row, with_input(row, *_ASKED), text_field(row, *_ANSWERED))
