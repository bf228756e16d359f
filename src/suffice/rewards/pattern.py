"""Rewards by regular expressions: each item's own, or one form for all items apart from what is right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from suffice.common.errors import UserError
from suffice.rewards.protocol import Place, Rollout


class Regex:
    """1 where the regular expression that is the item's reference is found in the reply, else 0."""

    paper: ClassVar[str] = ""
    place: ClassVar[Place] = "apart"  # some expressions take for ever on some texts

    def check(self, answer: str) -> None:
        """Checks that the reference is a regular expression.

        Raises:
            UserError: It is none.
        """
        _compiled(answer)

    def __call__(self, rollout: Rollout) -> float:
        """Returns 1 where the expression is found."""
        return float(re.search(rollout.answer, rollout.reply) is not None)


@dataclass(frozen=True, slots=True)
class FormatSettings:
    r"""What counts as well formed.

    Attributes:
        pattern: The regular expression of the form; by default a ``\boxed{}`` that holds something.
        where: ``anywhere`` in the reply, its ``last_line`` as a whole, or the ``whole`` reply.
    """

    pattern: str = r"\\boxed\{[^}]"
    where: Literal["anywhere", "last_line", "whole"] = "anywhere"


class Format:
    """1 where the reply is well formed, whatever its answer, else 0: the share of a gain that is form alone."""

    Settings = FormatSettings
    paper: ClassVar[str] = "Wang et al. 2025 (1-shot RLVR), format reward"
    place: ClassVar[Place] = "apart"

    def __init__(self, settings: FormatSettings | None = None) -> None:
        self.settings = settings or FormatSettings()
        _compiled(self.settings.pattern)

    def check(self, answer: str) -> None:
        """Takes any reference: it plays no part."""

    def __call__(self, rollout: Rollout) -> float:
        """Returns 1 where the reply has the form."""
        pattern, reply = self.settings.pattern, rollout.reply
        match self.settings.where:
            case "anywhere":
                return float(re.search(pattern, reply) is not None)
            case "last_line":
                return float(re.fullmatch(pattern, reply.rsplit("\n", 1)[-1]) is not None)
            case _:
                return float(re.fullmatch(pattern, reply) is not None)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UserError(f"{pattern!r:.80} is no regular expression: {error}", "mend the pattern") from error
