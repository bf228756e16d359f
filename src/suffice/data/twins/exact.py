"""Exact twins: rows that say the same, letter case, blanks and compatibility forms aside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from suffice.data.conversation import normalise
from suffice.data.example import Example, Message


def said(example: Example) -> str:
    """Returns what is said in all turns of a row, and the calls made, a line each."""
    return said_in(example.messages)


def said_in(messages: Iterable[Message]) -> str:
    """Returns what is said in turns, and the calls made, a line each."""
    return "\n".join(_turn(message) for message in messages)


def _turn(message: Message) -> str:
    calls = message.get("tool_calls")
    words = str(message.get("content") or "")
    return f"{words}\n{json.dumps(calls, ensure_ascii=False, default=str)}" if calls else words


class ExactTwins:
    """Tells of each row whether an earlier one says the same, in the same roles; 100 bytes a row are kept."""

    def __init__(self) -> None:
        self._first: dict[bytes, int] = {}

    def first(self, row: int, example: Example) -> int:
        """Returns the first row that says what this one says; this one itself where it is the first."""
        turns = (f"{message['role']}:{normalise(_turn(message))}" for message in example.messages)
        text = "\x1f".join(turns).encode("utf-8", "surrogatepass")
        return self._first.setdefault(hashlib.blake2b(text, digest_size=16).digest(), row)
