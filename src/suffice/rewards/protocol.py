"""What a reward is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from suffice.data.example import Message

Place = Literal["here", "apart", "threads"]
"""Where a reward is worked out: in this process, in a process that is ended when it takes too long, or in threads that
wait for programs of their own."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """One reply to judge.

    Attributes:
        prompt: What was asked.
        reply: What the model wrote.
        answer: The reference: a label, a pattern or tests, as the reward takes it.
        stopped: Whether the reply ended by itself.
        number: The place of the reply among all that a training samples, from 0.
    """

    prompt: tuple[Message, ...]
    reply: str
    answer: str
    stopped: bool = True
    number: int = 0


class Reward(Protocol):
    """What a reply is worth. A reward registers under ``suffice.rewards`` and may have a dataclass ``Settings``.

    Attributes:
        paper: Where it comes from; empty where nothing needs naming.
        place: Where it is worked out.
    """

    paper: ClassVar[str]
    place: ClassVar[Place]

    def check(self, answer: str) -> None:
        """Checks, before anything is sampled, that a reference can be judged by.

        Raises:
            UserError: It cannot.
        """

    def __call__(self, rollout: Rollout) -> float:
        """Returns what the reply is worth.

        Raises:
            Exception: It cannot be told. The reply then has no reward, which is counted and is not zero.
        """


class NotTold(Exception):  # noqa: N818  # no fault of the program
    """What a reply is worth cannot be told, for a reason that is counted: ``time``, say."""
