"""Logs of TRL's GRPOTrainer: the Parquet files that ``log_completions=True`` writes to ``completions/``.

A row is a rollout: ``step``, ``prompt`` (text, or a conversation), ``completion``, a column for each reward function, and
``advantage``. Checked against trl 1.16 (`trl/trainer/grpo_trainer.py`, `log`). The trainer writes its last rollouts anew
at each log, so a file that holds the rollouts of the one before is passed over and counted.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from suffice.common.errors import UserError
from suffice.scorers.histories.protocol import History
from suffice.scorers.histories.rollouts import Rollouts, by_number, chosen_reward, first_line, lines

_NAME = re.compile(r"completions_(\d{1,12})\.parquet")
_FIELDS = ("step", "prompt", "completion", "advantage")


class TRL:
    """A file ``completions_<step>.parquet``, the folder of such files, or the output folder above it."""

    def detect(self, path: Path) -> bool:
        """Tells whether there is such a file with the columns of a log."""
        files = _files(path)
        return bool(files) and set(first_line(files[0])) >= set(_FIELDS)

    def read(self, path: Path, reward: str) -> History:
        """Returns the accuracies by prompt; the reward is the only numeric column beside the trainer's own.

        Args:
            path: The file or folder.
            reward: The column of the reward, where there are several.

        Raises:
            UserError: The reward cannot be told, or no rollout can be used.
        """
        rollouts, before, column = Rollouts(path), "", ""
        for file in _files(path):
            rows = list(lines(file, rollouts))
            if rows and not column:
                column = chosen_reward(path, rows[0][1], reward, _rewards([line for _, line in rows]))
            content = _digest([line for _, line in rows], column)
            if content == before:
                rollouts.repeated += 1
                continue
            before = content
            for place, line in rows:
                rollouts.add(place, asked(line.get("prompt")), line.get("step"), line.get(column))
        return rollouts.history("trl")


def asked(prompt: Any) -> str | None:
    """Returns what a prompt asks: its text, or what the user says in it, a line for each turn; `None` for neither."""
    if isinstance(prompt, str):
        return prompt
    if not isinstance(prompt, list | tuple):
        return None
    texts = [
        _text(turn.get("content")) for turn in prompt if isinstance(turn, dict) and turn.get("role") == "user"
    ]
    return "\n".join(texts) if texts else None


def _text(content: Any) -> str:
    """Returns what a turn says; of parts, those that are text."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return str(content or "")


def _files(path: Path) -> list[Path]:
    try:
        if path.is_file():
            return by_number([path], _NAME)
        inside = path / "completions"
        return by_number((inside if inside.is_dir() else path).iterdir(), _NAME)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "check the path") from error


def _rewards(rows: list[dict[str, Any]]) -> list[str]:
    """Returns the columns beside the trainer's own that hold numbers, or nothing."""
    names = [name for name in rows[0] if name not in _FIELDS]
    return [
        name
        for name in names
        if all(isinstance(row.get(name), float | int | None) for row in rows)
        and any(row.get(name) is not None for row in rows)
    ]


def _digest(rows: list[dict[str, Any]], column: str) -> str:
    """Returns a hash of rollouts, whatever step they stand under."""
    hashed = sha256()
    for row in rows:
        hashed.update(
            repr([row.get("prompt"), row.get("completion"), row.get(column)]).encode("utf-8", "replace")
        )
    return hashed.hexdigest()
