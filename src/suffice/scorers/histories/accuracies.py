"""The layout of 1-shot RLVR's ``acc_step_500.json``: one object with a list of accuracies for each problem.

``{"124": [0.0, 0.125, …], …}``, a number for each epoch in which the problem was met (Wang et al., arXiv 2504.20571;
``data/acc_step_500.json`` of its repository). The order of the keys is that of the file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from suffice.common.errors import UserError
from suffice.data.compression import Part, opened
from suffice.data.reading import shown_path
from suffice.scorers.histories.protocol import History, Unread

LIMIT = 2**29  # bytes, unpacked
_NAME = re.compile(r"\.json(\.gz|\.xz|\.zst)?$", re.IGNORECASE)


class _Pairs(list[tuple[str, Any]]):
    """An object as its pairs, so that a key which is there twice shows."""


class Accuracies:
    """A JSON file whose values are lists of accuracies."""

    def detect(self, path: Path) -> bool:
        """Tells whether the file is JSON and begins with an object."""
        if not (path.is_file() and _NAME.search(path.name)):
            return False
        try:
            return _bytes(path, 4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
        except Exception:  # whatever libraries make of files that strangers wrote
            return False

    def read(self, path: Path, reward: str) -> History:
        """Returns the accuracies of every problem whose list is whole; others are told with their reason.

        Args:
            path: The file.
            reward: Must be empty: the file names no rewards.

        Raises:
            UserError: The file is no JSON object, larger than `LIMIT`, or no problem of it can be used.
        """
        if reward:
            raise UserError(
                f"{shown_path(path)} holds accuracies, and the reward '{reward}' was asked for",
                "leave out the reward",
            )
        keys, accuracies, unread = [], [], []
        seen: set[str] = set()
        for key, value in _parsed(path):
            reason = "the key is there twice" if key in seen else _fault(value)
            if reason:
                unread.append(Unread(f"key {_short(key)}", reason))
            else:
                keys.append(key)
                accuracies.append(np.array(value, dtype=np.float64))
            seen.add(key)
        if not keys:
            told = f": {unread[0].place}, {unread[0].reason}" if unread else ""
            raise UserError(
                f"{shown_path(path)} holds no problem with accuracies{told}",
                'write it as {"KEY": [0.0, 0.125, …], …}, a number from 0 to 1 for each epoch',
            )
        return History(shown_path(path), "accuracies", keys, accuracies, "key", unread)


def _bytes(path: Path, count: int) -> bytes:
    """Returns the first bytes of a file, unpacked."""
    data = bytearray()
    with opened(Part(path), lambda _: None) as stream:
        while len(data) < count and (piece := stream.read(count - len(data))):
            data += piece
    return bytes(data)


def _parsed(path: Path) -> _Pairs:
    """Returns the pairs of the file's object."""
    try:
        data = _bytes(path, LIMIT + 1)
        if len(data) > LIMIT:
            raise UserError(
                f"{shown_path(path)} is longer than {LIMIT:,} bytes", "split it into files of fewer problems"
            )
        value = json.loads(data, object_pairs_hook=_Pairs)
    except UserError:
        raise
    except Exception as error:  # whatever libraries make of files that strangers wrote
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(
            f"{shown_path(path)} cannot be read as JSON: {reason}", "write or fetch it anew"
        ) from error
    if not isinstance(value, _Pairs):
        raise UserError(f"{shown_path(path)} is no JSON object", "write it as an object of lists")
    return value


def _fault(value: Any) -> str:
    """Returns why a value is no history; empty where it is one."""
    if not isinstance(value, list) or isinstance(value, _Pairs):
        return f"{_short(value)} is no list of accuracies"
    if not value:
        return "the list is empty"
    for place, one in enumerate(value, 1):
        if isinstance(one, bool) or not isinstance(one, int | float) or not 0 <= one <= 1:
            return f"the accuracy {_short(one)} in place {place} is no number from 0 to 1"
    return ""


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 40 else text[:39] + "…"
