"""From raw rows to examples: the format, the rules, and an account of each file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

import msgspec

from suffice.common.errors import UserError, unknown_name
from suffice.data.cautions import Caution, cautions
from suffice.data.compression import Part
from suffice.data.containers import RawRow
from suffice.data.conversation import Conversation, check_answers, check_turns, check_values
from suffice.data.example import Example, content_id, only_text, text_id
from suffice.data.formats import Format, load_formats
from suffice.data.reading import read_part
from suffice.data.rejected import Rejected
from suffice.data.rules import (
    BAD_CONTENT,
    EXACT_TWIN,
    LICENSE_NOT_ALLOWED,
    NOT_AN_OBJECT,
    UNKNOWN_FORMAT,
    RowError,
    Rule,
    ignored_rules,
)

HEAD = 100  # rows that tell a file's format
_PROVENANCE = ("source", "license", "licence")


@dataclass(frozen=True)
class Terms:
    """What is asked of rows beyond that they can be read.

    Attributes:
        reject_twins: Whether all but the first of rows with the same content are rejected.
        ignored: Rules that rows may break.
        licenses: Licences that are allowed, in small letters; all, and none at all, where it is `None`.
        columns: The file's column for each field of a format, where the names differ.
    """

    reject_twins: bool = False
    ignored: frozenset[Rule] = frozenset()
    licenses: frozenset[str] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    def check_columns(self) -> None:
        """Refuses fields that no format has.

        Raises:
            UserError: Naming the first such field, with a guess.
        """
        known = {name for format_ in load_formats().values() for name in format_.fields} | {*_PROVENANCE}
        for name in self.columns:
            if name not in known:
                raise unknown_name("field", name, known)


def make_terms(
    columns: Mapping[str, str],
    ignore: Iterable[str],
    allow_license: Iterable[str] | None,
    *,
    reject_twins: bool = False,
) -> Terms:
    """Returns terms from the words of a command or a recipe.

    Args:
        columns: See `Terms`.
        ignore: Rules to ignore, as `ignored_rules` takes them.
        allow_license: Licences to allow, in any case; `None` or none at all for all.
        reject_twins: See `Terms`.

    Raises:
        UserError: A rule or a field is named that is none.
    """
    licenses = frozenset(name.casefold() for name in allow_license or ()) or None
    terms = Terms(reject_twins, ignored_rules(ignore), licenses, dict(columns))
    terms.check_columns()
    return terms


def read_columns(text: str | None) -> dict[str, str]:
    """Returns ``prompt=question,completion=answer`` as the column of each field.

    Raises:
        UserError: It has another form, or names a field twice.
    """
    columns: dict[str, str] = {}
    for pair in text.split(",") if text else []:
        name, sign, column = (word.strip() for word in pair.partition("="))
        if not (name and sign and column) or name in columns:
            raise UserError(
                f"--columns has '{pair}'", "write FIELD=COLUMN, such as prompt=question,completion=answer"
            )
        columns[name] = column
    return columns


@dataclass(frozen=True, slots=True)
class FileReading:
    """What came of one file.

    Attributes:
        path: The file.
        format: The format of most of its first rows; `None` where no format knows any of them.
        rows: How many rows were read; ``accepted`` + ``rejected``.
        accepted: How many came into the pool.
        rejected: How many did not.
        why: Why it was taken for that format.
        broken: Where it breaks off, in bytes; `None` where it is whole.
    """

    path: str
    format: str | None
    rows: int
    accepted: int
    rejected: int
    why: str = field(default="", compare=False)
    broken: int | None = field(default=None, compare=False)


class Intake:
    """Turns the rows of files into examples and keeps account of those it rejects.

    Args:
        terms: What is asked of rows.
        on_rejected: Called with each row that is rejected.
        on_caution: Called with file, line and what may be wrong with a row that is not.
    """

    def __init__(
        self,
        terms: Terms,
        on_rejected: Callable[[Rejected], None],
        on_caution: Callable[[str, int, Caution], None] | None = None,
    ) -> None:
        terms.check_columns()
        self._terms, self._on_rejected, self._on_caution = terms, on_rejected, on_caution
        self._formats: dict[str, Format] = load_formats()
        self._seen: Counter[str] = Counter()
        self.files: list[FileReading] = []

    def read(self, part: Part, source: str, on_bytes: Callable[[int], None]) -> Iterator[Example]:
        """Yields the usable rows of a file and notes what came of it.

        Args:
            part: The file.
            source: What its rows are called where they do not say.
            on_bytes: Called with the number of bytes each time some were read.
        """
        rows = read_part(part, on_bytes)
        head = list(islice(rows, HEAD))
        name, why = self._majority(head)
        file, accepted, rejected, broken = part.shown, 0, 0, None
        for row in chain(head, rows):
            try:
                example = self._example(row, file, source, name)
            except RowError as error:
                self._on_rejected(Rejected.from_error(file, row.line, error, row.value))
                rejected += 1
                broken = row.offset
            else:
                accepted += 1
                yield example
        self.files.append(FileReading(file, name, accepted + rejected, accepted, rejected, why, broken))

    def _majority(self, head: list[RawRow]) -> tuple[str | None, str]:
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
        others = "".join(f"; {count} are {other}" for other, count in found.most_common() if other != name)
        return name, f"{of} have {self._formats[name].reason}{others}"

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
        kept = {name: row[name] for name in _PROVENANCE if name in row}
        return kept | {name: row[column] for name, column in columns.items()}

    def _example(self, raw: RawRow, file: str, source: str, usual: str | None) -> Example:
        """Returns a row as an example.

        Raises:
            RowError: The row breaks a rule.
        """
        if raw.error:
            raise raw.error
        terms = self._terms
        row = self._renamed(raw.value)
        name = self._detect(row, usual)
        if name is None:
            raise _unknown(row)
        conversation = self._formats[name].convert(row)
        check_turns(conversation.messages, terms.ignored)
        check_answers(conversation.messages, terms.ignored)
        example = _build(conversation, row, source, file, raw.line)
        if terms.licenses is not None:
            _check_license(example.license, terms.licenses)
        self._seen[example.id] += 1
        twin = self._seen[example.id]
        if twin > 1:
            if terms.reject_twins:
                raise RowError(EXACT_TWIN, f"the row says what the row with the id {example.id} says")
            example = replace(example, id=f"{example.id}-{twin}")
        found = cautions(row, conversation.messages, terms.ignored)
        if found:
            example = replace(example, warnings=tuple(str(caution.rule) for caution in found))
            if self._on_caution:
                for caution in found:
                    self._on_caution(file, raw.line, caution)
        return example


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


def _build(conversation: Conversation, row: Any, source: str, file: str, line: int) -> Example:
    """Builds an example whose every part has a form in JSON and in UTF-8.

    Raises:
        RowError: Some part has none.
    """
    messages, tools = tuple(conversation.messages), tuple(conversation.tools or ()) or None
    license_tag = None
    if isinstance(row, dict):
        source = _label(row.get("source")) or source
        license_tag = _label(row.get("license")) or _label(row.get("licence"))
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
    return Example(row_id, messages, tools, source, license_tag, file, line)


def _label(value: Any) -> str | None:
    """Returns a text without blanks around it; `None` where it is no text or empty."""
    return value.strip() or None if isinstance(value, str) else None
