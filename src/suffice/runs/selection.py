"""The selection as a file: chosen rows in order, each with its reason; loads straight into TRL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from suffice.common.errors import UserError
from suffice.common.files import write_jsonl
from suffice.data.example import content_id
from suffice.data.pool import Pool
from suffice.data.reading import read_rows
from suffice.selectors.protocol import Choice


def write_selection(path: Path, pool: Pool, choices: Sequence[Choice]) -> None:
    """Writes the chosen rows, in order.

    Each line has ``id``, ``messages``, ``source``, ``license``, ``file`` and ``line`` (where the row came from),
    ``reason`` (a sentence) and ``evidence`` (an object with the same keys on every line), and ``tools`` where any
    chosen row offers some.
    """
    write_jsonl(path, _rows(pool, choices))


def _rows(pool: Pool, choices: Sequence[Choice]) -> Iterator[dict[str, Any]]:
    examples = [pool[choice.index] for choice in choices]
    with_tools = any(example.tools for example in examples)
    for example, choice in zip(examples, choices, strict=True):
        row = {
            "id": example.id,
            "messages": list(example.messages),
            "source": example.source,
            "license": example.license,
            "file": example.file,
            "line": example.line,
            "reason": choice.reason,
            "evidence": choice.evidence,
        }
        if with_tools:
            row["tools"] = list(example.tools or ())
        yield row


def read_selection(path: Path) -> list[dict[str, Any]]:
    """Returns the rows of a selection file.

    Raises:
        UserError: The file is missing, or a line is no JSON object.
    """
    return [row for _, row in _numbered(path)]


def _numbered(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the rows of a selection file, each with its line."""
    if not path.is_file():
        raise UserError(f"no selection file {path}", "check the path")
    for row in read_rows(path):
        if row.error or not isinstance(row.value, dict):
            raise UserError(f"{path}, line {row.line}: this is no JSON object", "write one row a line")
        yield row.line, row.value


def choices_from(path: Path, pool: Pool) -> list[Choice]:
    """Returns a choice made elsewhere as choices of this pool.

    Args:
        path: JSONL; each line names a row by the pool's ``id`` or holds its ``messages`` (and ``tools``).
        pool: The pool that was chosen from.

    Raises:
        UserError: A line names no row of the pool, or one that was named before, or there is no line.
    """
    place = {row_id: index for index, row_id in enumerate(pool.ids)}
    taken: dict[int, int] = {}
    for number, row in _numbered(path):
        index = place.get(str(row.get("id")))
        if index is None and isinstance(row.get("messages"), list):
            index = place.get(content_id(row["messages"], row.get("tools") or None))
        if index is None:
            raise UserError(
                f"{path}, line {number}: the row is not in the pool", "give the pool that it was chosen from"
            )
        if index in taken:
            raise UserError(
                f"{path}, line {number}: the row stands in line {taken[index]} already",
                "remove one of the two",
            )
        taken[index] = number
    if not taken:
        raise UserError(f"{path} chooses no row", "write one row a line")
    evidence = {"file": path.name}
    return [
        Choice(i, f"chosen elsewhere ({path.name}, line {n})", evidence | {"line": n})
        for i, n in taken.items()
    ]
