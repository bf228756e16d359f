"""One training row."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii
from typing import Any

import msgspec

from suffice.common.files import digest

Message = dict[str, Any]
"""One turn: ``role`` and ``content``, and where they apply ``tool_calls``, ``tool_call_id``, ``name`` and
``reasoning_content``."""

_SORTED = msgspec.json.Encoder(order="sorted")
_ESCAPED = re.compile(r"[^ -~]+")  # what the canonical form escapes and msgspec does not


def content_id(messages: Sequence[Message], tools: Sequence[dict[str, Any]] | None = None) -> str:
    """Returns the id of a row: the first 16 hex digits of the SHA-256 of its messages and tools.

    Args:
        messages: The turns.
        tools: The tools offered, as JSON schemas; none and an empty list are the same.

    Raises:
        ValueError: The row holds a number that JSON has no form for.
    """
    if not tools and only_text(messages):
        try:
            return text_id(messages)
        except UnicodeEncodeError:
            pass
    return digest([list(messages), list(tools) if tools else None])[:16]


def text_id(messages: Sequence[Any]) -> str:
    """Returns `content_id` of turns that are `only_text` and offer no tools, many times as fast.

    Args:
        messages: The turns, as dictionaries or msgspec's structs.

    Raises:
        UnicodeEncodeError: The text holds half a character, which UTF-8 has no form for.
    """
    text = _SORTED.encode([messages, None])
    if not text.isascii() or b"\x7f" in text:  # else it is the canonical form that `digest` hashes
        text = _ESCAPED.sub(lambda found: encode_basestring_ascii(found[0])[1:-1], text.decode()).encode()
    return hashlib.sha256(text).hexdigest()[:16]


def only_text(messages: Sequence[Message]) -> bool:
    """Tells whether every field of every turn is text."""
    for turn in messages:
        for value in turn.values():
            if not isinstance(value, str):
                return False
    return True


class Example(msgspec.Struct, frozen=True):
    """One training row.

    Attributes:
        id: `content_id` of the row; the k-th row of a pool with the same content ends in ``-k`` (from 2).
        messages: The turns, in order.
        tools: The tools offered, as JSON schemas; `None` where there are none.
        source: The row's own ``source``, else the name of its file.
        license: The row's own ``license``.
        file: The file the row came from.
        line: The line in it, from 1 (the row's number in JSON arrays, Parquet and Arrow).
        warnings: Rules of W that it breaks, such as ``W201 answer-cut-off``.
    """

    id: str
    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] | None
    source: str
    license: str | None
    file: str
    line: int
    warnings: tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        """What the assistant says in all its turns, joined by line breaks."""
        return "\n".join(turn["content"] for turn in self.messages if turn["role"] == "assistant")
