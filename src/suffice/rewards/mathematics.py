"""Equality of mathematical answers, by math-verify (Apache-2.0), which needs no network."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any, ClassVar

from suffice.common.errors import UserError
from suffice.rewards.protocol import Place, Rollout


class Math:
    r"""1 where the last answer of the reply (in the last box, where there is one) equals the reference, else 0.

    math-verify ends slow expressions by a signal, which works in the main thread alone and cannot break into a long
    computation of big numbers. So its own time limits are off, and this reward is worked out in a process apart
    that is ended when it takes too long.
    """

    paper: ClassVar[str] = "math-verify"
    place: ClassVar[Place] = "apart"

    def prepare(self) -> None:
        """Imports math-verify."""
        _parse("1")

    def check(self, answer: str) -> None:
        """Checks that the reference can be read.

        Raises:
            UserError: math-verify is not installed or reads no answer in the reference.
        """
        try:
            found = _parse(_boxed(answer))
        except ImportError as error:
            raise UserError(
                f"the reward 'math' needs math-verify: {error}", "pip install 'suffice[rlvr]'"
            ) from error
        if not found:
            raise UserError(
                f"the reward 'math' reads no answer in the reference {answer!r:.80}",
                "mend the row or name another reward",
            )

    def __call__(self, rollout: Rollout) -> float:
        """Returns 1 where both are equal."""
        from math_verify import verify

        found = _parse(_from_last_box(rollout.reply))
        return float(verify(_parse(_boxed(rollout.answer)), found, timeout_seconds=None))

    def found(self, reply: str) -> str | None:
        """Returns what the last box of a reply holds, as a reference would have it; `None` where there is no box."""
        start = reply.rfind("\\boxed{")
        if start < 0:
            return None
        depth, begin = 0, start + len("\\boxed")
        for place in range(begin, len(reply)):
            depth += (reply[place] == "{") - (reply[place] == "}")
            if depth == 0:
                return reply[begin + 1 : place].strip() or None
        return None


@lru_cache(maxsize=256)
def _parse(text: str) -> list[Any]:
    import math_verify

    logging.getLogger("math_verify").setLevel(
        logging.CRITICAL
    )  # it warns of the limits that are off on purpose
    found: list[Any] = math_verify.parse(text, parsing_timeout=None)
    return found


def _from_last_box(reply: str) -> str:
    r"""Returns the reply from its last ``\boxed`` on, as MATH is judged; math-verify would make one set of all boxes."""
    return reply[max(0, reply.rfind("\\boxed")) :]


def _boxed(answer: str) -> str:
    r"""Returns a bare answer as ``\boxed{answer}``, the form in which it is read as a whole."""
    return answer if "\\boxed" in answer else f"\\boxed{{{answer}}}"
