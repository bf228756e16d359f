"""A reward that the user wrote: a Python function, trusted because the user named it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from suffice.common.errors import UserError
from suffice.rewards.protocol import NotTold, Place, Rollout


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """Which function.

    Attributes:
        name: ``module:function``; the module is looked for in the current folder first. It is called with the keywords
            ``reply``, ``answer`` and ``prompt`` (a list of turns) and returns a number, or ``None`` where it cannot tell.
    """

    name: str = ""


class Function:
    """What a function of the user returns. It runs as the user, in a process apart that is ended at the time limit."""

    Settings = FunctionSettings
    paper: ClassVar[str] = ""
    place: ClassVar[Place] = "apart"

    def __init__(self, settings: FunctionSettings | None = None) -> None:
        self.settings = settings or FunctionSettings()
        _load(self.settings.name)

    def prepare(self) -> None:
        """Imports the module."""
        _load(self.settings.name)

    def check(self, answer: str) -> None:
        """Takes any reference; the function judges it."""

    def __call__(self, rollout: Rollout) -> float:
        """Returns what the function returns."""
        value = _load(self.settings.name)(
            reply=rollout.reply, answer=rollout.answer, prompt=[dict(turn) for turn in rollout.prompt]
        )
        if value is None:
            raise NotTold("none")
        return float(value)


def _load(name: str) -> Callable[..., Any]:
    """Returns the function of a name.

    Raises:
        UserError: There is none.
    """
    module, _, function = name.partition(":")
    if not module or not function:
        raise UserError(
            f"the reward 'function' has the name '{name}'",
            "name a function as module:function (--set name=…)",
        )
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(module), function)
    except Exception as error:
        raise UserError(
            f"the reward '{name}' cannot be imported: {type(error).__name__}: {error}",
            "check the name and that the module can be imported from the current folder",
        ) from error
    if not callable(found):
        raise UserError(f"the reward '{name}' is no function", "name a function")
    checked: Callable[..., Any] = found
    return checked
