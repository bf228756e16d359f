"""A problem of the lab's world: a question, its right value, and the forms in which replies give it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

WORDINGS = 3  # good wordings; the last one occurs in no pretraining text and in no pool
COMMON_WORDINGS = 2
NEW_WORDING = WORDINGS - 1


def plain(value: str) -> str:
    """Returns a value as it is: the answer form of the sub-tasks without a convention of their own."""
    return value


@dataclass(frozen=True, slots=True)
class Problem:
    """One question that has one right answer.

    Attributes:
        family: The task family, such as ``fact``.
        subtype: The kind within the family, such as ``year``.
        key: What is asked, whatever the wording; no two items of the target share one.
        question: The question as a user writes it.
        value: The right value, plain.
        wrong: A wrong value of the same kind.
        lead: The lines of a good reply before its answer line, for a given value and wording (0, 1 or 2).
        asked: The form in which the target asks for a value, such as ``in 1887``.
        short: A reply that jumps to the value without the steps; empty where there are no steps.
        slip: The worked lines with one false step, carried on to a wrong value; empty where there are none.
        slipped: The value that ``slip`` ends in.
        cluster: Items that share it are not independent; the key where it is empty.
    """

    family: str
    subtype: str
    key: str
    question: str
    value: str
    wrong: str
    lead: Callable[[str, int], str]
    asked: Callable[[str], str] = plain
    short: str = ""
    slip: str = ""
    slipped: str = ""
    cluster: str = ""

    @property
    def answer(self) -> str:
        """The right value in the form that the target asks for."""
        return self.asked(self.value)

    def good(self, wording: int, *, asked: bool = True) -> str:
        """Returns the good reply: one sentence or the worked steps, then the answer line."""
        return f"{self.lead(self.value, wording)}\nAnswer: {self.answer if asked else self.value}"

    def mistaken(self, wording: int) -> str:
        """Returns a reply in the good form whose value is wrong."""
        return f"{self.lead(self.wrong, wording)}\nAnswer: {self.asked(self.wrong)}"

    def broken(self, wording: int) -> str:
        """Returns a reply in the good form with one false step, or a wrong value where there are no steps."""
        return f"{self.slip}\nAnswer: {self.asked(self.slipped)}" if self.slip else self.mistaken(wording)


def reserved(key: str) -> bool:
    """Tells whether a freshly drawn problem belongs to the target alone (one key in eight).

    Generators of pretraining text and pool pass such problems over and the target draws only from them,
    so that no test item can occur in what a model was trained on.
    """
    return hashlib.blake2b(key.encode(), digest_size=1).digest()[0] < 32
