"""The target: a few dev examples that steer the choice, and the test items that judge it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from suffice.common.errors import UserError
from suffice.common.files import digest
from suffice.data.containers import RawRow
from suffice.data.conversation import check_turns, check_values
from suffice.data.example import Message
from suffice.data.paths import expand, shown_path, source_names
from suffice.data.reading import read_rows
from suffice.data.rules import BAD_CONTENT, NOT_AN_OBJECT, RowError
from suffice.data.splits import Split, TargetRow, check_overlap, draw_dev, join_clusters
from suffice.data.tables import read_table, write_table
from suffice.data.turns import read_messages

_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "messages", "answer", "task", "split", "cluster")]
)


@dataclass(frozen=True, slots=True)
class TargetItem:
    """One thing the model should be able to answer.

    Attributes:
        id: Its name, unique in the target.
        messages: The prompt; the assistant's reply comes next.
        answer: The reference reply, as the file has it.
        task: The family it belongs to.
        split: ``dev`` or ``test``.
        cluster: Items of one cluster ask for the same thing in other words; they count as one draw.
    """

    id: str
    messages: tuple[Message, ...]
    answer: str
    task: str
    split: Split
    cluster: str

    @property
    def conversation(self) -> tuple[Message, ...]:
        """The prompt with the reference reply as the assistant's turn."""
        return (*self.messages, {"role": "assistant", "content": self.answer})


@dataclass(frozen=True)
class Target:
    """The behaviour that is wanted, as items in the order of the file."""

    items: tuple[TargetItem, ...]

    @cached_property
    def dev(self) -> list[TargetItem]:
        """The items that steer the choice; may be empty."""
        return [item for item in self.items if item.split == "dev"]

    @cached_property
    def test(self) -> list[TargetItem]:
        """The items that judge it."""
        return [item for item in self.items if item.split == "test"]

    @cached_property
    def families(self) -> list[str]:
        """The families, in the order in which they first appear."""
        return list(dict.fromkeys(item.task for item in self.items))

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that the items hold."""
        return digest([asdict(item) for item in self.items])

    def first(self, count: int) -> Target:
        """Returns the target with no more than the first ``count`` test items of each family."""
        left = dict.fromkeys(self.families, count)
        kept = []
        for item in self.items:
            left[item.task] -= item.split == "test"
            if item.split == "dev" or left[item.task] >= 0:
                kept.append(item)
        return Target(tuple(kept))

    def write(self, path: Path) -> None:
        """Writes the target as Parquet, atomically."""
        rows = [
            asdict(item) | {"messages": json.dumps(item.messages, ensure_ascii=False)} for item in self.items
        ]
        write_table(path, pa.Table.from_pylist(rows, schema=_SCHEMA))

    @classmethod
    def read(cls, path: Path) -> Target:
        """Reads a target that `write` wrote.

        Raises:
            UserError: The file is missing or is no such target.
        """
        rows = read_table(path, _SCHEMA, "target").to_pylist()
        return cls(
            tuple(TargetItem(**row | {"messages": tuple(json.loads(row["messages"]))}) for row in rows)
        )


def read_target(file: str | Path, dev_file: str | Path | None = None, *, seed: int = 0) -> Target:
    """Reads a target file.

    A row has ``prompt`` (text or turns) or ``messages``, or GSM8K's ``question``; ``answer`` (or verl's
    ``reward_model.ground_truth``); and where wanted
    ``task``, ``split``, ``id`` and ``cluster``. Without ``id`` a row is called after its file and line; without
    ``cluster`` it is in a cluster with the rows that ask the same. Where rows have no ``split``, whole clusters
    are drawn for dev: of each family a tenth of those without one, at least one. With a dev file nothing is
    drawn: the rows of the main file that do not say ``dev`` are test.

    Args:
        file: The target (JSONL, JSON or Parquet).
        dev_file: Dev examples, if they stand in a file of their own.
        seed: Seed of the draw.

    Returns:
        The items in the order of the files. There is at least one test item; there may be no dev item.

    Raises:
        UserError: A row is not whole, two have one id, dev and test overlap, or nothing is test.
    """
    main = one_file(file)
    if dev_file is None:
        rows = _read_file(main, source_names([main])[main], None)
    else:
        dev = one_file(dev_file)
        names = source_names([main, dev])
        rows = _read_file(main, names[main], "test") + _read_dev_file(dev, names[dev])
    join_clusters(rows)
    draw_dev(rows, seed)
    check_overlap(rows)
    target = Target(tuple(item_of(row) for row in rows))
    if not target.test:
        raise UserError(f"{shown_path(main)} has no test items", "add rows, or give some the split test")
    return target


def item_of(row: TargetRow) -> TargetItem:
    """Returns the item of a row whose split is settled."""
    assert row.split is not None
    return TargetItem(row.id, row.messages, row.answer, row.task, row.split, row.cluster)


def one_file(pattern: str | Path) -> Path:
    """Returns the only file that a pattern matches.

    Raises:
        UserError: It matches none, or several.
    """
    paths = expand([pattern])
    if len(paths) > 1:
        raise UserError(f"'{pattern}' matches {len(paths)} files, and a target is one", "name one of them")
    return paths[0]


def _read_file(path: Path, name: str, default: Split | None) -> list[TargetRow]:
    return [_read_row(raw, shown_path(path), name, default) for raw in read_rows(path)]


def _read_dev_file(path: Path, name: str) -> list[TargetRow]:
    rows = _read_file(path, name, "dev")
    for row in rows:
        if row.split == "test":
            raise UserError(
                f"{row.place}: the dev file has a row of the split test", "move it to the target file"
            )
    return rows


def _read_row(raw: RawRow, file: str, name: str, default: Split | None) -> TargetRow:
    """Returns a row of a target file.

    Raises:
        UserError: It is not whole; a target that lost rows would judge something else.
    """
    try:
        return row_of(raw, file, name, default)
    except RowError as error:
        raise UserError(f"{file}, line {raw.line}: {error.message}", error.remedy) from error


def row_of(raw: RawRow, file: str, name: str, default: Split | None) -> TargetRow:
    """Returns a row of a target file, or of one of examples.

    Args:
        raw: The row as it was read.
        file: The file's name in messages.
        name: What rows without an id are called after.
        default: The split of rows that say none.

    Raises:
        RowError: It is not whole.
    """
    if raw.error:
        raise raw.error
    fields = raw.value
    if not isinstance(fields, dict):
        raise RowError(NOT_AN_OBJECT, "the row is no object")
    row = TargetRow(
        file=file,
        line=raw.line,
        id=_label(fields, "id") or f"{name}-{raw.line}",
        messages=_prompt(fields),
        answer=_answer(fields),
        task=_label(fields, "task") or "all",
        split=_split(fields) or default,
        cluster=_label(fields, "cluster"),
    )
    check_values([row.messages, row.answer, row.id, row.task, row.cluster])
    return row


def _prompt(fields: dict[str, Any]) -> tuple[Message, ...]:
    name = next((name for name in ("prompt", "messages", "question") if fields.get(name) is not None), None)
    if name is None:
        raise RowError(BAD_CONTENT, "the row has no `prompt`", "give prompt, messages or question")
    value = fields[name]
    if isinstance(value, str):
        value = [{"role": "user", "content": value}]
    messages = read_messages(value, name)
    check_turns(messages)
    if not messages or messages[-1]["role"] not in ("user", "tool"):
        raise RowError(
            BAD_CONTENT,
            f"`{name}` does not end with a user turn",
            "end it before the reply, which belongs in answer",
        )
    return tuple(messages)


def _answer(fields: dict[str, Any]) -> str:
    """Returns the reference reply as the file has it; a bare number is written out."""
    value = fields.get("answer", _ground_truth(fields))
    finite = isinstance(value, int | float) and -math.inf < value < math.inf
    text = json.dumps(value) if finite and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text.strip():
        raise RowError(BAD_CONTENT, "the row has no `answer`", "give the reference reply as text")
    return text


def _ground_truth(fields: dict[str, Any]) -> Any:
    """Returns the answer where verl's rows have it."""
    judged = fields.get("reward_model")
    return judged.get("ground_truth") if isinstance(judged, dict) else None


def _label(fields: dict[str, Any], name: str) -> str:
    """Returns a short text field; empty where the row has none."""
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise RowError(BAD_CONTENT, f"`{name}` is no text", "write it as text or leave it out")
    return str(value)


def _split(fields: dict[str, Any]) -> Split | None:
    match _label(fields, "split"):
        case "":
            return None
        case "dev":
            return "dev"
        case "test":
            return "test"
        case other:
            raise RowError(BAD_CONTENT, f"`split` is '{other[:40]}'", "write dev or test, or leave it out")
