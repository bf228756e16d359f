"""Logs of verl: the files ``<step>.jsonl`` that it writes to ``trainer.rollout_data_dir``.

A line is a rollout: ``input`` (the prompt as the chat template renders it, without special tokens), ``output``, ``score``,
``step``, since 2025 ``gts``, and what the reward function tells beside the score, such as ``acc`` (`_dump_generations` of
`verl/trainer/ppo/ray_trainer.py`).
"""

from __future__ import annotations

import re
from pathlib import Path

from suffice.common.errors import UserError, unknown_name
from suffice.scorers.histories.protocol import History
from suffice.scorers.histories.rollouts import Rollouts, by_number, first_line, lines

_NAME = re.compile(r"(\d{1,12})\.jsonl")
_FIELDS = ("input", "output", "score", "step")


class Verl:
    """A file ``<step>.jsonl`` or the folder of such files."""

    def detect(self, path: Path) -> bool:
        """Tells whether there is such a file whose first line has the fields of a rollout."""
        files = _files(path)
        return bool(files) and set(first_line(files[0])) >= set(_FIELDS)

    def read(self, path: Path, reward: str) -> History:
        """Returns the accuracies by rendered prompt: the mean of ``acc`` where the first line has it, else of ``score``.

        Args:
            path: The file or folder.
            reward: Another field.

        Raises:
            UserError: The field is not there, or no rollout can be used.
        """
        rollouts, files = Rollouts(path), _files(path)
        first = first_line(files[0])
        if reward and reward not in first:
            raise unknown_name(
                "reward", reward, [name for name in first if name not in ("input", "output", "step")]
            )
        field = reward or ("acc" if "acc" in first else "score")
        for file in files:
            for place, line in lines(file, rollouts):
                rollouts.add(place, line.get("input"), line.get("step"), line.get(field))
        return rollouts.history("verl")


def _files(path: Path) -> list[Path]:
    try:
        return by_number([path] if path.is_file() else path.iterdir(), _NAME)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "check the path") from error
