"""A reward that the user wrote: a Python function, trusted because the user named it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from suffice.common.functions import load_function
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
    return load_function(name, "the reward", "name a function as module:function (--set name=…)")
