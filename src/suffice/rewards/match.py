"""Rewards that compare the answer found in the reply with the one found in the reference."""

from __future__ import annotations

from typing import ClassVar

from suffice.common.errors import UserError
from suffice.rewards.answers import extract
from suffice.rewards.protocol import Place, Rollout


class _Match:
    """1 where an extractor finds the same answer in reply and reference, else 0."""

    extractor: ClassVar[str]
    paper: ClassVar[str] = ""
    place: ClassVar[Place] = "here"

    def check(self, answer: str) -> None:
        """Checks that the reference holds an answer.

        Raises:
            UserError: It holds none.
        """
        if extract(self.extractor, answer) is None:
            raise UserError(
                f"the reward '{self.extractor}' finds no answer in the reference {answer!r:.80}",
                "mend the row or name another reward",
            )

    def __call__(self, rollout: Rollout) -> float:
        """Returns 1 where both hold the same answer."""
        wanted = extract(self.extractor, rollout.answer)
        return float(wanted is not None and self.found(rollout.reply) == wanted)

    def found(self, reply: str) -> str | None:
        """Returns the answer in a reply, in the form of a reference; `None` where it holds none."""
        return extract(self.extractor, reply)


class Number(_Match):
    """The number after the last ``####``, or the last one (GSM8K)."""

    extractor = "number"
    paper = "Cobbe et al. 2021 (GSM8K)"


class Exact(_Match):
    """The whole text, blanks aside."""

    extractor = "exact"


class Choice(_Match):
    """A letter from A to J."""

    extractor = "choice"


class LastLine(_Match):
    """The last line that is not blank."""

    extractor = "last_line"
