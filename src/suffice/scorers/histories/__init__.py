"""Accuracy histories that trainers wrote, read into one form, one file a format.

A format is found by entry point (``suffice.histories``). A path is in the first format, by name, that knows it.
"""

from __future__ import annotations

from pathlib import Path

from suffice.common import registry
from suffice.common.errors import UserError
from suffice.data.reading import shown_path
from suffice.scorers.histories.protocol import History, HistoryFormat, Unread

__all__ = ["History", "HistoryFormat", "Unread", "read_history"]


def read_history(path: str | Path, reward: str = "") -> History:
    """Returns the accuracy history at a path.

    Args:
        path: A file or folder.
        reward: The reward that is 1 for right and 0 for wrong, where a log has several.

    Raises:
        UserError: There is nothing at the path, no format knows it, or nothing of it can be used.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"there is no history at {shown_path(path)}", "check the path")
    names = registry.names("histories")
    for name in names:
        form: HistoryFormat = registry.load("histories", name)()
        if form.detect(path):
            return form.read(path, reward)
    raise UserError(
        f"{shown_path(path)} is in no known form of accuracy history (tried: {', '.join(names)})",
        "give a JSON object of lists of accuracies, the completions folder of TRL, or the rollout_data_dir of verl",
    )
