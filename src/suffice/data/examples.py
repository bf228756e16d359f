"""Examples that are trained on by reward: prompts with answers to judge by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from suffice.common.errors import UserError
from suffice.common.files import digest
from suffice.data.paths import shown_path, source_names
from suffice.data.reading import read_rows
from suffice.data.rejected import Rejected
from suffice.data.rules import RowError
from suffice.data.target import TargetItem, item_of, one_file, row_of


@dataclass(frozen=True)
class Examples:
    """What a file of examples holds.

    Attributes:
        items: The examples, in the order of the file.
        lines: The line of each, from 1.
        rejected: Rows that cannot be used.
    """

    items: list[TargetItem]
    lines: list[int]
    rejected: list[Rejected]


def read_examples(file: str | Path) -> Examples:
    """Reads prompts with answers that are trained on by reward, in the form of a target's rows.

    Copies (the same prompt and answer) count once, as the first of them; the split plays no part. A row that is not whole
    is put aside with its reason.

    Args:
        file: The examples (JSONL, JSON or Parquet); verl's ``reward_model.ground_truth`` is an answer too.

    Raises:
        UserError: No row can be used.
    """
    path = one_file(file)
    name, shown = source_names([path])[path], shown_path(path)
    first: dict[str, tuple[TargetItem, int]] = {}
    rejected = []
    for raw in read_rows(path):
        try:
            row = row_of(raw, shown, name, "test")
        except RowError as error:
            rejected.append(Rejected.from_error(shown, raw.line, error, raw.value))
            continue
        first.setdefault(digest([row.messages, row.answer]), (item_of(row), row.line))
    if not first and rejected:
        one = rejected[0]
        raise UserError(f"{shown} has no usable examples; line {one.line}: {one.message}", one.remedy)
    if not first:
        raise UserError(f"{shown} has no examples", "add rows with prompt and answer")
    items, lines = zip(*first.values(), strict=True)
    return Examples(list(items), list(lines), rejected)
