"""Plain chats, the commonest rows of large pools, by a short way.

A line is plain where its ``messages`` are turns of user and assistant (and maybe a system turn before them) that have a
role and a text and nothing else. Such lines are parsed into turns at once, checked by a quick look, and become columns of
a batch without an object for each row between. What the quick look is not sure of is looked at as every row is, and any
other line is taken apart in full; the outcome is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Literal

import msgspec
import pyarrow as pa

from suffice.data.batches import SCHEMA
from suffice.data.cautions import LONG, TAIL, TIMES, Caution, cautions
from suffice.data.containers import RawRow
from suffice.data.containers.jsonl import parsed
from suffice.data.convert import Converter, Origin, Taken, label
from suffice.data.example import text_id
from suffice.data.terms import Terms

FORMAT = "messages"
_AFTER = {"": ("user", "system"), "system": ("user",), "user": ("assistant",), "assistant": ("user",)}
_ENDS = (".", "!", "?")


class _Turn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["system", "user", "assistant"]
    content: str


class _Row(msgspec.Struct, gc=False):
    messages: list[_Turn]
    source: str | None = None
    license: str | None = None
    licence: str | None = None
    tools: None = None
    traj: None = None
    finish_reason: Literal["stop"] | None = None


_decode = msgspec.json.Decoder(_Row).decode
_encode = msgspec.json.Encoder().encode


def has_plain_rows(origin: Origin, terms: Terms) -> bool:
    """Tells whether plain lines may be looked for: columns have their own names, and all licences are allowed."""
    return origin.usual == FORMAT and not terms.columns and terms.licenses is None


def take_lines(lines: Iterable[bytes], origin: Origin, terms: Terms) -> Taken:
    """Returns what comes of lines, as `Converter.take` does.

    Args:
        lines: The lines, the first of which is line 1; blank ones are no rows.
        origin: Where they come from; their usual format is `FORMAT`.
        terms: What is asked of them, as `has_plain_rows` wants it.
    """
    rows: list[_Row] = []
    numbers: list[int] = []
    rest: list[RawRow] = []
    for number, line in enumerate(lines, start=1):
        try:
            row = _decode(line)
        except (ValueError, RecursionError):
            row = None
        if row and _in_turn(row.messages):
            rows.append(row)
            numbers.append(number)
        elif line.strip():
            rest.append(parsed(number, line))
    found = {
        n: some for n, row in zip(numbers, rows, strict=True) if (some := _cautions(row.messages, terms))
    }
    warned = [(number, caution) for number, some in found.items() for caution in some]
    taken = Taken(_batch(rows, numbers, found, origin), [], warned, None)
    return _joined(taken, Converter(terms).taken(rest, origin)) if rest else taken


def _in_turn(turns: list[_Turn]) -> bool:
    """Tells whether turns keep all rules: their order is right, the assistant has the last word, and all say something."""
    last = ""
    for turn in turns:
        if turn.role not in _AFTER[last] or not turn.content or turn.content.isspace():
            return False
        last = turn.role
    return last == "assistant"


def _cautions(turns: list[_Turn], terms: Terms) -> tuple[Caution, ...]:
    return () if _is_clear(turns) else cautions(None, msgspec.to_builtins(turns), terms.ignored)


def _is_clear(turns: list[_Turn]) -> bool:
    """Tells whether turns surely call for no caution."""
    for turn in turns:
        text = turn.content
        if not text.isascii() or "<" in text or "[" in text:
            return False
        if len(text) >= LONG and turn.role == "assistant" and text.count(text.rstrip()[-TAIL:]) >= TIMES:
            return False
    return (len(text) < LONG or text.endswith(_ENDS)) and "`" not in text


def _batch(
    rows: list[_Row], numbers: list[int], found: dict[int, tuple[Caution, ...]], origin: Origin
) -> pa.RecordBatch:
    sources = [row.source for row in rows]
    licenses = [
        label(row.license) or label(row.licence) if row.license or row.licence else None for row in rows
    ]
    names = {name: label(name) or origin.source for name in set(sources)}
    warnings = [[str(caution.rule) for caution in found[n]] if n in found else () for n in numbers]
    columns = [
        [text_id(row.messages) for row in rows],
        [_encode(row.messages) for row in rows],
        repeat(None, len(rows)),
        [names[source] for source in sources],
        licenses,
        repeat(origin.file, len(rows)),
        numbers,
        warnings,
    ]
    arrays = [pa.array(cells, kind.type) for cells, kind in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _joined(one: Taken, other: Taken) -> Taken:
    """Returns what came of lines by both ways, in their order."""
    batch = one.batch
    if len(other.batch):
        batch = pa.concat_batches([batch, other.batch]).sort_by("line")
    found = sorted([*one.cautions, *other.cautions], key=lambda pair: pair[0])
    return Taken(batch, other.rejected, found, None)
