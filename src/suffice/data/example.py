"""One training row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from suffice.common.files import digest

Message = dict[str, Any]
"""One turn: ``role`` and ``content``, and where they apply ``tool_calls``, ``tool_call_id`` and ``name``."""


def content_id(messages: Sequence[Message], tools: Sequence[dict[str, Any]] | None = None) -> str:
    """Returns the id of a row: the first 16 hex digits of the SHA-256 of its messages and tools.

    Args:
        messages: The turns.
        tools: The tools offered, as JSON schemas; none and an empty list are the same.

    Raises:
        ValueError: The row holds a number that JSON has no form for.
    """
    return digest([list(messages), list(tools) if tools else None])[:16]


@dataclass(frozen=True, slots=True)
class Example:
    """One training row.

    Attributes:
        id: `content_id` of the row; the k-th row of a pool with the same content ends in ``-k`` (from 2).
        messages: The turns, in order.
        tools: The tools offered, as JSON schemas; `None` where there are none.
        source: The row's own ``source``, else the name of its file.
        license: The row's own ``license``.
        file: The file the row came from.
        line: The line in it, from 1 (the row's number in JSON arrays and Parquet).
    """

    id: str
    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] | None
    source: str
    license: str | None
    file: str
    line: int

    @property
    def answer(self) -> str:
        """What the assistant says in all its turns, joined by line breaks."""
        return "\n".join(turn["content"] for turn in self.messages if turn["role"] == "assistant")
