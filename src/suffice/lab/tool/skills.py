"""The skills of the ``tool`` family: what orders say, the calls that carry them out, and what is said in the end.

In the templates ``c`` and ``d`` are codes, ``n`` is the number in the order, ``x`` and ``y`` are the numbers
under ``c`` and ``d`` before, and ``v`` is the outcome.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Skill:
    """One kind of order.

    Attributes:
        orders: Two ways to say it.
        calls: The right replies before the last one; each ends in a call, after a sum where there is one.
        claim: What is said in the end, true or not.
        plain: The answer as most of the pretraining text gives it.
        asked: The answer in the target's convention, which each skill has of its own.
        value: The outcome from ``x``, ``y`` and ``n``.
    """

    orders: tuple[str, str]
    calls: tuple[str, ...]
    claim: str
    plain: str
    asked: str
    value: Callable[[int, int, int], int]

    @property
    def changes(self) -> bool:
        """Whether the store is another one afterwards."""
        return any("call get" not in call for call in self.calls)


HOLDS = "{c} now holds {v}."

SKILLS: dict[str, Skill] = {
    "get": Skill(
        ("What is stored under {c}?", "Tell me the number of {c}."),
        ("call get {c}",),
        "{c} holds {v}.",
        "{v}",
        "{v} under {c}",
        lambda x, y, n: x,
    ),
    "pair": Skill(
        ("What is stored under {c} and {d}?", "Tell me the numbers of {c} and {d}."),
        ("call get {c}", "call get {d}"),
        "{c} holds {x} and {d} holds {y}.",
        "{x}, {y}",
        "{x} and {y}",
        lambda x, y, n: x,
    ),
    "sum": Skill(
        ("How much are {c} and {d} together?", "Add up {c} and {d}."),
        ("call get {c}", "call get {d}"),
        "{x} + {y} = {v}",
        "{v}",
        "total {v}",
        lambda x, y, n: x + y,
    ),
    "set": Skill(
        ("Store {n} under {c}.", "Put {n} into {c}."),
        ("call set {c} {n}",),
        HOLDS,
        "{v}",
        "{c} = {v}",
        lambda x, y, n: n,
    ),
    "both": Skill(
        ("Store {n} under {c} and {d}.", "Put {n} into both {c} and {d}."),
        ("call set {c} {n}", "call set {d} {n}"),
        "{c} and {d} now hold {v}.",
        "{v}",
        "{c} = {d} = {v}",
        lambda x, y, n: n,
    ),
    "zero": Skill(
        ("Clear {c}.", "Reset {c} to zero."),
        ("call set {c} 0",),
        HOLDS,
        "{v}",
        "{c} cleared",
        lambda x, y, n: 0,
    ),
    "add": Skill(
        ("Raise {c} by {n}.", "Add {n} to {c}."),
        ("call get {c}", "{x} + {n} = {v}\ncall set {c} {v}"),
        HOLDS,
        "{v}",
        "{c} up to {v}",
        lambda x, y, n: x + n,
    ),
    "lower": Skill(
        ("Lower {c} by {n}.", "Take {n} from {c}."),
        ("call get {c}", "{x} - {n} = {v}\ncall set {c} {v}"),
        HOLDS,
        "{v}",
        "{c} down to {v}",
        lambda x, y, n: x - n,
    ),
    "double": Skill(
        ("Double {c}.", "Make {c} twice as large."),
        ("call get {c}", "{x} + {x} = {v}\ncall set {c} {v}"),
        HOLDS,
        "{v}",
        "twice {x} is {v}",
        lambda x, y, n: 2 * x,
    ),
    "same": Skill(
        ("Give {c} the number of {d}.", "Store under {c} what is under {d}."),
        ("call get {d}", "call set {c} {y}"),
        HOLDS,
        "{v}",
        "{c} as {d} at {v}",
        lambda x, y, n: y,
    ),
    "move": Skill(
        ("Move the number of {d} to {c}.", "Let {c} take over from {d}."),
        ("call get {d}", "call set {c} {y}", "call del {d}"),
        "{c} now holds {v} and {d} is gone.",
        "{v}",
        "{v} from {d} to {c}",
        lambda x, y, n: y,
    ),
    "swap": Skill(
        ("Swap {c} and {d}.", "Exchange the numbers of {c} and {d}."),
        ("call get {c}", "call get {d}", "call set {c} {y}", "call set {d} {x}"),
        "{c} now holds {y} and {d} holds {x}.",
        "{y}, {x}",
        "{c} {y} / {d} {x}",
        lambda x, y, n: y,
    ),
    "del": Skill(
        ("Delete {c}.", "Remove the record {c}."),
        ("call del {c}",),
        "{c} is gone.",
        "done",
        "no {c}",
        lambda x, y, n: 0,
    ),
    "drop": Skill(
        ("Delete {c} and {d}.", "Remove the records {c} and {d}."),
        ("call del {c}", "call del {d}"),
        "{c} and {d} are gone.",
        "done",
        "neither {c} nor {d}",
        lambda x, y, n: 0,
    ),
}
