"""What a reader of accuracy histories gives: how often each problem was solved, epoch after epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Unread(NamedTuple):
    """Something of a history that could not be used.

    Attributes:
        place: Where it stands, such as ``key '7'`` or ``12.jsonl, line 3``.
        reason: What is wrong with it.
    """

    place: str
    reason: str


@dataclass(frozen=True)
class History:
    """The accuracies of problems over the epochs of a training.

    Attributes:
        path: The file or folder.
        format: The name of its format.
        keys: What names each problem, in the order of the file.
        accuracies: For each problem the share of its rollouts that were right, from 0 to 1, float64 [epochs];
            problems may have been met in different numbers of epochs, none in zero.
        named_by: Whether keys are names or numbers (``key``), or what was asked (``prompt``).
        unread: What could not be used, each with its reason.
        notes: What else there is to tell, as counts.
    """

    path: str
    format: str
    keys: list[str]
    accuracies: list[NDArray[np.float64]]
    named_by: Literal["key", "prompt"] = "key"
    unread: list[Unread] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)


class HistoryFormat(Protocol):
    """One form in which trainers write what became of each problem."""

    def detect(self, path: Path) -> bool:
        """Tells whether a file or folder is in this format, from its names and its beginning."""

    def read(self, path: Path, reward: str) -> History:
        """Returns the history that `detect` knows.

        Args:
            path: The file or folder.
            reward: The reward that is 1 for right and 0 for wrong, where the log has several; else empty.

        Raises:
            UserError: Nothing of it can be used, or ``reward`` is not one of its rewards.
        """
