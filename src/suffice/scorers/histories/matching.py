"""Which problem of a history each row of a pool is.

In this order: keys that are ids of rows; a named field of the pool's files; for whole numbers the field
``extra_info.index`` of verl's data, where the files have it, or else the row's place in its file, from 0; for prompts
what the user says before the last answer, or, with a model, the prompt as its chat template renders it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.data.reading import read_rows
from suffice.scorers.histories.protocol import History
from suffice.scorers.histories.trl import asked

if TYPE_CHECKING:
    from suffice.data.example import Example, Message
    from suffice.data.pool import Pool
    from suffice.models import ChatTokenizer, LanguageModel

VERL_INDEX = "extra_info.index"


@dataclass(frozen=True)
class Matches:
    """Which problem each row is.

    Attributes:
        problems: For each row the place of its problem in the history; -1 for none [rows].
        by: What keys and rows met by: ``id``, a field's name, ``place``, ``prompt`` or ``rendered prompt``.
    """

    problems: NDArray[np.int64]
    by: str


def match(history: History, pool: Pool, model: LanguageModel | ChatTokenizer | None, field: str) -> Matches:
    """Returns which problem of ``history`` each row of ``pool`` is.

    Args:
        history: The history.
        pool: The rows.
        model: The model whose template rendered the prompts, where one is given.
        field: The field of the pool's files that holds the keys, such as ``extra_info.index``; empty to find out.

    Raises:
        UserError: No row is a problem of the history, or the rows' keys cannot be told.
    """
    if history.named_by == "prompt":
        if field:
            raise UserError(
                f"the problems of {history.path} are named by their prompts, and the key '{field}' was asked for",
                "leave out the key",
            )
        return _by_prompt(history, pool, model)
    if not field and set(history.keys) & set(pool.ids):
        return _matches(history, pool.ids, "id")
    if not field and not all(key.isdecimal() for key in history.keys):
        raise UserError(
            f"the keys of {history.path} (first {history.keys[0]!r}) are no ids of rows and no whole numbers",
            "name the field of the pool's files that holds them with --set key=FIELD",
        )
    return _by_field(history, pool, field)


def _by_prompt(history: History, pool: Pool, model: LanguageModel | ChatTokenizer | None) -> Matches:
    known = set(history.keys)
    prompts = [_prompt(row) for row in pool]
    texts = [(asked(turns) or "").strip() for turns in prompts]
    if known.isdisjoint(texts) and model is not None:
        rendered = [_rendered(model, turns, row) for turns, row in zip(prompts, pool, strict=True)]
        return _matches(history, rendered, "rendered prompt")
    if known.isdisjoint(texts):
        raise UserError(
            f"no row of the pool asks what a problem of {history.path} asks (first {_excerpt(history.keys[0])!r})",
            "give the model of the training with --model where its chat template rendered the prompts",
        )
    return _matches(history, texts, "prompt")


def _prompt(row: Example) -> list[Message]:
    """Returns the turns before the last answer; all where there is none."""
    answers = [place for place, turn in enumerate(row.messages) if turn["role"] == "assistant"]
    return list(row.messages[: answers[-1]] if answers else row.messages)


def _rendered(model: LanguageModel | ChatTokenizer, turns: list[Message], row: Example) -> str | None:
    """Returns a prompt as verl logs it: rendered, tokenised, and decoded without special tokens."""
    try:
        ids = model.chat.encode_prompt(turns, row.tools)
    except UserError:
        return None
    return model.chat.decode(ids).strip()


def _by_field(history: History, pool: Pool, field: str) -> Matches:
    """Matches rows by a field of their files or by their places in one file."""
    found = {file: _read_keys(file, field or VERL_INDEX) for file in sorted({row.file for row in pool})}
    if field or any(key is not None for keys in found.values() for _, key in keys.values()):
        keys = [found[row.file].get(row.line, (0, None))[1] for row in pool]
        return _matches(history, keys, field or VERL_INDEX)
    if len(found) > 1:
        raise UserError(
            f"the keys of {history.path} are places in one file, and the pool is of {len(found)}: {', '.join(found)}",
            "give the one file, or name the field that holds the keys with --set key=FIELD",
        )
    places = [str(found[row.file][row.line][0]) if row.line in found[row.file] else None for row in pool]
    return _matches(history, places, "place")


def _read_keys(file: str, field: str) -> dict[int, tuple[int, str | None]]:
    """Returns for each line of a file its place among the rows, from 0, and its key."""
    path = Path(file)
    if not path.is_file():
        raise UserError(
            f"{file} is not there, and the keys of its rows cannot be read",
            "score from the folder where it is",
        )
    return {row.line: (place, _value(row.value, field)) for place, row in enumerate(read_rows(path))}


def _value(row: Any, field: str) -> str | None:
    """Returns a field of a row as text; a dot leads into an object."""
    for name in field.split("."):
        if not isinstance(row, Mapping) or name not in row:
            return None
        row = row[name]
    return str(row) if isinstance(row, str | int) and not isinstance(row, bool) else None


def _matches(history: History, keys: Iterable[str | None], by: str) -> Matches:
    places = {key: place for place, key in enumerate(history.keys)}
    given: Sequence[str | None] = list(keys)
    problems = np.array([-1 if key is None else places.get(key, -1) for key in given], dtype=np.int64)
    if not (problems >= 0).any():
        first = next((key for key in given if key is not None), None)
        told = f"the first row's is {_excerpt(first)!r}" if first else "no row has any"
        raise UserError(
            f"no row of the pool has a key of {history.path} by {by}: the history's first is "
            f"{_excerpt(history.keys[0])!r}, {told}",
            "give the pool that the training was made on",
        )
    return Matches(problems, by)


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"
