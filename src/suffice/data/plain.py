"""Plain chats, the commonest rows of large pools: their JSON text goes into the pool as it stands.

A line is plain where its ``messages`` are turns of user and assistant (and maybe a system turn before them) that have a
role and a text and nothing else, in ASCII and the shortest escapes, and where a look at the bytes tells that no rule is
broken and no caution called for. It is then read about twice as fast, with the same outcome; any other line is taken
apart in full.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from suffice.data.batches import PlainRow
from suffice.data.cautions import LONG, TAIL, TIMES
from suffice.data.containers import RawRow
from suffice.data.containers.jsonl import parsed
from suffice.data.convert import Origin, label
from suffice.data.terms import Terms

FORMAT = "messages"
_ODD_ESCAPE = re.compile(rb"\\[u/]")
_QUOTE = b'"'[0]
_EMPTY = b'" \\'  # after its opening quotation mark a text that is empty, or begins with a blank or an escape
_ENDS = b".!?"
_AFTER = {"": ("user", "system"), "system": ("user",), "user": ("assistant",), "assistant": ("user",)}
_BEGIN = {role: b'},{"role":"' + role.encode() + b'","content":' for role in _AFTER}
_NEXT = b',{"content":'
_END = {role: b',"role":"' + role.encode() + b'"}' + _NEXT for role in _AFTER}


class _Turn(msgspec.Struct, forbid_unknown_fields=True):
    role: str
    content: msgspec.Raw


class _Row(msgspec.Struct):
    messages: list[_Turn]
    source: Any = None
    license: Any = None
    licence: Any = None
    tools: Any = None
    finish_reason: Any = None
    traj: Any = None


_decode = msgspec.json.Decoder(_Row).decode


def has_plain_rows(origin: Origin, terms: Terms) -> bool:
    """Tells whether plain lines may be looked for: columns have their own names, and all licences are allowed."""
    return origin.usual == FORMAT and not terms.columns and terms.licenses is None


class PlainReader:
    """Parses a line, plain ones as `PlainRow`.

    Args:
        origin: Where the lines come from.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    def __call__(self, number: int, line: bytes) -> RawRow:
        """Returns a line as a row; a plain one has a `PlainRow` as its value."""
        if line.isascii() and b"\x7f" not in line and not (b"\\" in line and _ODD_ESCAPE.search(line)):
            try:
                row = _decode(line)
            except (ValueError, RecursionError):
                return parsed(number, line)
            texts = _texts(row.messages)
            if texts and row.tools is None and row.finish_reason is None and row.traj is None:
                return RawRow(number, self._row(number, row, *texts))
        return parsed(number, line)

    def _row(self, number: int, row: _Row, stored: bytes, canonical: bytes) -> PlainRow:
        source = label(row.source) or self._origin.source
        tag = label(row.license) or label(row.licence)
        row_id = hashlib.sha256(canonical).hexdigest()[:16]
        return PlainRow(row_id, stored, source, tag, self._origin.file, number)


def _texts(turns: list[_Turn]) -> tuple[bytes, bytes] | None:
    """Returns turns as JSON text, as the pool holds them and as their id is made of; `None` where they are not plain."""
    stored: list[bytes] = []
    canonical: list[bytes] = []
    last = ""
    for turn in turns:
        role, content = turn.role, bytes(turn.content)
        if role not in _AFTER[last] or content[0] != _QUOTE or content[1] in _EMPTY:
            return None
        if b"<" in content or b"[" in content:
            return None
        if role == "assistant" and not _is_sound(content):
            return None
        stored += (_BEGIN[role], content)
        canonical += (content, _END[role])
        last = role
    if last != "assistant":
        return None
    whole = b"".join(stored)
    return b"[" + whole[2:] + b"}]", b'[[{"content":' + b"".join(canonical)[: -len(_NEXT)] + b"],null]"


def _is_sound(content: bytes) -> bool:
    """Tells whether an answer is surely neither cut off nor repeats itself; escapes make it no shorter."""
    if b"`" in content:
        return False
    if len(content) - 2 < LONG:
        return True
    return content[-2] in _ENDS and content.count(content[-TAIL - 1 : -1]) < TIMES
