"""Answers on disk, by the hash of what was asked, so that nothing is paid for twice and a killed run continues."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from suffice.common.errors import UserError
from suffice.models.endpoint.wire import Answer


class Cache:
    """A file of answers. What was asked is not in it, nor is a key of an endpoint.

    Made by `open_cache`; to be used by one thread.
    """

    def __init__(self, path: Path, base: sqlite3.Connection) -> None:
        self._path, self._base = path, base

    def __contains__(self, key: str) -> bool:
        return self._row(key) is not None

    def get(self, key: str) -> Answer | None:
        """Returns the answer to the request of a key; `None` where there is none.

        Raises:
            UserError: The file is damaged.
        """
        row = self._row(key)
        try:
            return None if row is None else Answer(**json.loads(row[0]))
        except (TypeError, ValueError) as error:
            raise _damaged(self._path, error) from error

    def put(self, answers: Iterable[tuple[str, Answer]]) -> None:
        """Keeps answers, each with its key; they are on disk when this returns."""
        with self._base:
            self._base.executemany(
                "INSERT OR REPLACE INTO answers VALUES (?, ?)",
                ((key, json.dumps(answer.as_json())) for key, answer in answers),
            )

    def _row(self, key: str) -> tuple[str] | None:
        try:
            found: tuple[str] | None = self._base.execute(
                "SELECT answer FROM answers WHERE key = ?", (key,)
            ).fetchone()
        except sqlite3.DatabaseError as error:
            raise _damaged(self._path, error) from error
        return found


@contextmanager
def open_cache(path: Path) -> Iterator[Cache]:
    """Opens a file of answers, which is made where it is missing.

    Raises:
        UserError: It is no such file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    base = sqlite3.connect(path)
    try:
        try:
            base.execute(
                "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT) WITHOUT ROWID"
            )
        except sqlite3.DatabaseError as error:
            raise _damaged(path, error) from error
        yield Cache(path, base)
    finally:
        base.close()


def _damaged(path: Path, error: Exception) -> UserError:
    return UserError(
        f"{path} holds no answers that can be read: {error}", "remove it; they will be asked for again"
    )
