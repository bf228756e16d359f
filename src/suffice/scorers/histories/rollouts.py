"""What readers of logs with one line a rollout share: rewards gathered into accuracies, step by step."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from suffice.common.errors import UserError, unknown_name
from suffice.data.reading import read_rows, shown_path
from suffice.scorers.histories.protocol import History, Unread


class Rollouts:
    """Rewards of rollouts, as a sum and a count for each problem and step.

    Each step in which a problem was met counts as an epoch of it, and all of its rollouts in that step as one
    accuracy, so that a problem that stands in a step several times (the copies of 1-shot RLVR) has one entry there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._steps: dict[str, dict[int, list[float]]] = {}
        self.unread: list[Unread] = []
        self.missing = 0
        self.repeated = 0

    def refuse(self, place: str, reason: str) -> None:
        """Notes a line that cannot be used."""
        self.unread.append(Unread(place, reason))

    def add(self, place: str, key: Any, step: Any, reward: Any) -> None:
        """Counts one rollout; one without a reward is missing and counted apart.

        Args:
            place: Where it stands, in words.
            key: What names the problem.
            step: The step in which it was made.
            reward: 1 for right, 0 for wrong, or between.
        """
        if not isinstance(key, str) or not key.strip():
            self.refuse(place, "there is no prompt")
        elif isinstance(step, bool) or not isinstance(step, int) or step < 0:
            self.refuse(place, f"the step {_short(step)} is no whole number")
        elif reward is None or (isinstance(reward, float) and math.isnan(reward)):
            self.missing += 1
        elif not isinstance(reward, bool | int | float) or not 0 <= reward <= 1:
            self.refuse(place, f"the reward {_short(reward)} is no number from 0 to 1")
        else:
            sums = self._steps.setdefault(key.strip(), {}).setdefault(step, [0.0, 0.0])
            sums[0] += float(reward)
            sums[1] += 1

    def history(self, form: str) -> History:
        """Returns the history of all problems, each in order of steps; problems in the order they were met.

        Raises:
            UserError: No rollout can be used.
        """
        if not self._steps:
            told = f": {self.unread[0].place}, {self.unread[0].reason}" if self.unread else ""
            if not told and self.missing:
                told = f": all {self.missing:,} rollouts lack a reward"
            raise UserError(
                f"{shown_path(self._path)} holds no rollout that can be used{told}",
                "name the reward that is 1 for right and 0 for wrong with --set reward=NAME",
            )
        accuracies = [
            np.array([total / count for _, (total, count) in sorted(steps.items())], dtype=np.float64)
            for steps in self._steps.values()
        ]
        notes = {"rollouts_without_reward": self.missing, "files_repeated": self.repeated}
        return History(
            shown_path(self._path), form, list(self._steps), accuracies, "prompt", self.unread, notes
        )


def lines(file: Path, rollouts: Rollouts) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the objects of a file with their places in words; what cannot be read is noted."""
    for row in read_rows(file):
        place = f"{file.name}, {'line' if file.suffix == '.jsonl' else 'row'} {row.line}"
        if row.error:
            rollouts.refuse(place, row.error.message)
        elif not isinstance(row.value, dict):
            rollouts.refuse(place, "it is no object")
        else:
            yield place, row.value


def first_line(file: Path) -> dict[str, Any]:
    """Returns the first object of a file, an empty one where there is none."""
    try:
        row = next(iter(read_rows(file)), None)
    except (OSError, UserError):
        return {}
    return row.value if row and not row.error and isinstance(row.value, dict) else {}


def by_number(files: Iterator[Path] | Sequence[Path], name: re.Pattern[str]) -> list[Path]:
    """Returns the files whose names match, by the number in their first group."""
    numbered = [(int(match[1]), file) for file in files if (match := name.fullmatch(file.name))]
    return [file for _, file in sorted(numbered)]


def chosen_reward(path: Path, line: Mapping[str, Any], asked: str, known: Sequence[str]) -> str:
    """Returns the field that holds the reward.

    Args:
        path: The log, for the errors.
        line: One of its lines.
        asked: The field asked for; empty to take the only one.
        known: The fields that may be rewards.

    Raises:
        UserError: The field asked for is not there, or there are several and none was asked for.
    """
    if asked:
        if asked not in line:
            raise unknown_name("reward", asked, known)
        return asked
    if len(known) == 1:
        return known[0]
    if not known:
        raise UserError(f"{shown_path(path)} holds no reward", "log one with each rollout")
    raise UserError(
        f"{shown_path(path)} holds {len(known)} rewards: {', '.join(known)}",
        f"name the one that is 1 for right and 0 for wrong, such as --set reward={known[0]}",
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
