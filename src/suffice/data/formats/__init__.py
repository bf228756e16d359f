"""The formats of training rows, one a file, found by entry point (``suffice.formats``).

A row is in the first format, in a fixed order, that knows its fields: those that say turn by turn who speaks come before
those of two fields, and those that other packages add come last, by name. The format that most of a file's first rows
are in comes before all others there, and rows in another known format are read too, since mixed files are common.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol

from suffice.common import registry
from suffice.data.conversation import Conversation

_ORDER = (
    "messages",
    "sharegpt",
    "tau_bench",
    "transcript",
    "preference",
    "prompt_completion",
    "alpaca",
    "question_answer",
    "instruction_response",
    "turns",
)


class Format(Protocol):
    """One form in which people write training rows.

    Attributes:
        fields: The columns that it reads, for ``--columns``.
        reason: What its rows have, as the end of a sentence that begins with "rows have".
        examples: A few rows of it.
    """

    fields: tuple[str, ...]
    reason: str
    examples: tuple[Any, ...]

    def detect(self, row: Any) -> bool:
        """Tells whether a row (an object or a list) is in this format; what fields hold is not looked at closely."""

    def convert(self, row: Any) -> Conversation:
        """Returns a row that `detect` knows as a conversation.

        Raises:
            RowError: A field holds what it should not (`suffice.data.rules`).
        """


@cache
def load_formats() -> dict[str, Format]:
    """Returns all registered formats by name, in the order in which they are tried."""
    known = registry.names("formats")
    ordered = [name for name in _ORDER if name in known] + [name for name in known if name not in _ORDER]
    return {name: registry.load("formats", name)() for name in ordered}
