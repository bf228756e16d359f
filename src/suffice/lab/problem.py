"""A problem of the lab's world: a question, its right value, and the forms in which replies give it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One question that has one right answer.

    Attributes:
        family: The task family, such as ``fact``.
        subtype: The kind within the family, such as ``year``.
        key: What is asked, whatever the wording; problems with one key form one cluster.
        question: The question as a user writes it.
        value: The right value, plain.
        asked: The right value in the form that the target asks for, such as ``in 1887``.
        wrong: A wrong value of the same kind.
        lead: The lines of a good reply before its answer line, for a given value and wording (0, 1 or 2).
        short: A reply that jumps to the value without the steps; empty where there are no steps.
    """

    family: str
    subtype: str
    key: str
    question: str
    value: str
    asked: str
    wrong: str
    lead: Callable[[str, int], str]
    short: str = ""

    def good(self, wording: int, *, asked: bool = True) -> str:
        """Returns the good reply: one sentence or the worked steps, then the answer line."""
        return f"{self.lead(self.value, wording)}\nAnswer: {self.asked if asked else self.value}"

    def mistaken(self, wording: int) -> str:
        """Returns a reply in the good form whose value is wrong."""
        return f"{self.lead(self.wrong, wording)}\nAnswer: {self.asked.replace(self.value, self.wrong)}"


def reserved(key: str) -> bool:
    """Tells whether a freshly drawn problem belongs to the target alone (one key in eight).

    Generators of pretraining text and pool pass such problems over and the target draws only from them,
    so that no test item can occur in what a model was trained on.
    """
    return hashlib.blake2b(key.encode(), digest_size=1).digest()[0] < 32
