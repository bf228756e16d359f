"""Instruction and response, as Dolly and GPTeacher have it."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation, text_field
from suffice.data.formats.alpaca import instruction_with_input, system_turn


class InstructionResponse:
    """``{"instruction": "…", "input": "…", "response": "…"}``, or ``prompt`` in place of ``instruction``."""

    def detect(self, row: dict[str, Any]) -> bool:
        """Tells whether the row has ``response`` and ``instruction`` or ``prompt``."""
        return "response" in row and ("instruction" in row or "prompt" in row)

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the row as a conversation; ``input`` stands below the instruction after an empty line.

        Raises:
            RowError: A field is no text.
        """
        asked, answered = instruction_with_input(row, "instruction", "prompt"), text_field(row, "response")
        return Conversation(
            [
                *system_turn(row),
                {"role": "user", "content": asked},
                {"role": "assistant", "content": answered},
            ]
        )
