"""Atomic writes and content hashes: a file is either whole or absent."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path``, which takes its place when the block ends without error.

    Args:
        path: The file to write. Missing folders above it are made.

    Yields:
        The path to write to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes ``text`` to ``path`` atomically, as UTF-8."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def dump_json(value: Any) -> str:
    """Returns ``value`` as one line of JSON; NaN is refused rather than written."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def write_json(path: Path, value: Any) -> None:
    """Writes ``value`` to ``path`` atomically, as indented JSON."""
    write_text(path, json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Returns the JSON value that ``path`` holds."""
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def jsonl_writer(path: Path) -> Iterator[Callable[[Any], None]]:
    """Yields a function that writes one value a line to ``path``, which is there once the block ends without error.

    A lone surrogate (which a JSON file can hold but UTF-8 cannot) is written as its escape.
    """
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:

        def write(row: Any) -> None:
            line = dump_json(row)
            try:
                line.encode("utf-8")
            except UnicodeEncodeError:
                line = json.dumps(row, allow_nan=False)
            file.write(line + "\n")

        yield write


def write_jsonl(path: Path, rows: Iterable[Any]) -> int:
    """Writes ``rows`` to ``path`` atomically, one JSON value a line, and returns how many there were.

    See `jsonl_writer`.
    """
    count = 0
    with jsonl_writer(path) as write:
        for row in rows:
            write(row)
            count += 1
    return count


def digest(value: Any) -> str:
    """Returns the SHA-256 of a JSON value in its canonical form (sorted keys, no blanks), in hexadecimal."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def digest_file(path: Path) -> str:
    """Returns the SHA-256 of the bytes of ``path``, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
