"""From raw rows to rows of a pool: the format, the rules, and what may be wrong; each row by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from suffice.data.batches import BATCH, to_batch
from suffice.data.cautions import Caution, cautions
from suffice.data.containers import RawRow
from suffice.data.conversation import Conversation, check_answers, check_turns, check_values
from suffice.data.example import Example, content_id, only_text, text_id
from suffice.data.formats import Format, load_formats
from suffice.data.rejected import Rejected
from suffice.data.rules import BAD_CONTENT, LICENSE_NOT_ALLOWED, NOT_AN_OBJECT, UNKNOWN_FORMAT, RowError
from suffice.data.terms import PROVENANCE, Terms

HEAD = 100  # rows that tell a file's format


class Origin(NamedTuple):
    """Where rows come from.

    Attributes:
        file: What their file is called.
        source: What they are called where they do not say.
        usual: The format of most of the file's first rows.
    """

    file: str
    source: str
    usual: str | None


class Taken(NamedTuple):
    """What came of some rows that follow one another.

    Attributes:
        batch: Those that can be used; twins have the same id.
        rejected: Those that cannot.
        cautions: What may be wrong with the former, each with its line.
        broken: Where the file breaks off, in bytes; `None` where it does not.
    """

    batch: pa.RecordBatch
    rejected: list[Rejected]
    cautions: list[tuple[int, Caution]]
    broken: int | None


class Converter:
    """Turns rows into batches of a pool, by what is asked of them.

    Args:
        terms: What is asked.
    """

    def __init__(self, terms: Terms) -> None:
        terms.check_columns()
        self._terms = terms
        self._formats: dict[str, Format] = load_formats()

    def majority(self, head: list[RawRow]) -> tuple[str | None, str]:
        """Returns the format of most of a file's first rows (the earlier in order where two tie), and why."""
        found: Counter[str] = Counter()
        for raw in head:
            try:
                name = None if raw.error else self._detect(self._renamed(raw.value), None)
            except RowError:
                continue
            if name:
                found[name] += 1
        if not found:
            return None, "no row has the fields of a known format" if head else "it holds no row"
        name = max(self._formats, key=found.__getitem__)
        of = f"{found[name]} of its {'first ' if len(head) == HEAD else ''}{len(head)} rows"
        others = "".join(
            f"; {count} {'is' if count == 1 else 'are'} {other}"
            for other, count in found.most_common()
            if other != name
        )
        return name, f"{of} {'has' if found[name] == 1 else 'have'} {self._formats[name].reason}{others}"

    def take(self, rows: Iterable[RawRow], origin: Origin) -> Iterator[Taken]:
        """Yields what comes of rows, some thousand at a time."""
        rows = iter(rows)
        while some := list(islice(rows, BATCH)):
            yield self.taken(some, origin)

    def taken(self, rows: Iterable[RawRow], origin: Origin) -> Taken:
        """Returns what comes of rows."""
        examples, rejected, found, broken = [], [], [], None
        for row in rows:
            try:
                example, warned = self._example(row, origin)
            except RowError as error:
                rejected.append(Rejected.from_error(origin.file, row.line, error, row.value))
                broken = row.offset
            else:
                examples.append(example)
                found += [(row.line, caution) for caution in warned]
        return Taken(to_batch(examples), rejected, found, broken)

    def _detect(self, row: Any, usual: str | None) -> str | None:
        """Returns the format of a row: its file's usual one if that fits, else the first in order that does."""
        if usual and self._formats[usual].detect(row):
            return usual
        return next((name for name, format_ in self._formats.items() if format_.detect(row)), None)

    def _renamed(self, row: Any) -> Any:
        """Returns a row with the fields that its columns stand for, and with its provenance.

        Raises:
            RowError: It lacks a column.
        """
        columns = self._terms.columns
        if not columns or not isinstance(row, dict):
            return row
        for column in columns.values():
            if column not in row:
                raise RowError(
                    UNKNOWN_FORMAT, f"the row has no column '{column}'", "give another name by --columns"
                )
        kept = {name: row[name] for name in PROVENANCE if name in row}
        return kept | {name: row[column] for name, column in columns.items()}

    def _example(self, raw: RawRow, origin: Origin) -> tuple[Example, tuple[Caution, ...]]:
        """Returns a row as an example, and what may be wrong with it.

        Raises:
            RowError: The row breaks a rule.
        """
        if raw.error:
            raise raw.error
        terms = self._terms
        row = self._renamed(raw.value)
        name = self._detect(row, origin.usual)
        if name is None:
            raise _unknown(row)
        conversation = self._formats[name].convert(row)
        check_turns(conversation.messages, terms.ignored)
        check_answers(conversation.messages, terms.ignored)
        example = _build(conversation, row, origin, raw.line)
        if terms.licenses is not None:
            _check_license(example.license, terms.licenses)
        found = cautions(row, conversation.messages, terms.ignored)
        if found:
            example = msgspec.structs.replace(example, warnings=tuple(str(caution.rule) for caution in found))
        return example, found


def _unknown(row: Any) -> RowError:
    """Builds the error for a row that no format knows."""
    if not isinstance(row, dict):
        names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
        return RowError(NOT_AN_OBJECT, f"the row is {names.get(type(row), 'a number')}, not an object")
    fields = ", ".join(repr(str(name)[:40]) for name in list(row)[:8]) or "none"
    return RowError(UNKNOWN_FORMAT, f"no known format has the fields {fields}")


def _check_license(license_tag: str | None, allowed: frozenset[str]) -> None:
    if license_tag is None or license_tag.casefold() not in allowed:
        told = f"the row's licence is '{license_tag}'" if license_tag else "the row states no licence"
        raise RowError(LICENSE_NOT_ALLOWED, f"{told}; allowed is {', '.join(sorted(allowed))}")


def _build(conversation: Conversation, row: Any, origin: Origin, line: int) -> Example:
    """Builds an example whose every part has a form in JSON and in UTF-8.

    Raises:
        RowError: Some part has none.
    """
    messages, tools = tuple(conversation.messages), tuple(conversation.tools or ()) or None
    source, license_tag = origin.source, None
    if isinstance(row, dict):
        source = label(row.get("source")) or source
        license_tag = label(row.get("license")) or label(row.get("licence"))
    if tools or not only_text(messages):
        check_values([messages, tools, source, license_tag])
        row_id = content_id(messages, tools)
    else:
        try:
            row_id = text_id(messages)
            msgspec.json.encode((source, license_tag))
        except UnicodeEncodeError:
            check_values([messages, source, license_tag])
            raise RowError(BAD_CONTENT, "the text is no valid Unicode") from None
    return Example(row_id, messages, tools, source, license_tag, origin.file, line)


def label(value: Any) -> str | None:
    """Returns a text without blanks around it; `None` where it is no text or empty."""
    return value.strip() or None if isinstance(value, str) else None
