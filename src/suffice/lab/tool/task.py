"""Orders on the store, their right end state, and the right way to carry them out."""

from __future__ import annotations

from dataclasses import dataclass

from suffice.common.draws import Draws
from suffice.lab.families.strings import DIGITS, LETTERS
from suffice.lab.problem import reserved
from suffice.lab.tool.store import Store

SKILLS = ("get", "set", "add", "same", "del")
LOCKED_SHARE = 0.4  # of the orders that change a record
TURNS = 8  # assistant turns after which a task is given up; the longest right way has five

ORDERS = {
    "get": ("What is stored under {c}?", "Tell me the number of {c}."),
    "set": ("Store {n} under {c}.", "Put {n} into {c}."),
    "add": ("Raise {c} by {n}.", "Add {n} to {c}."),
    "same": ("Give {c} the number of {d}.", "Store under {c} what is under {d}."),
    "del": ("Delete {c}.", "Remove the record {c}."),
}
CLAIMS = {
    "get": "{c} holds {v}.",
    "set": "{c} now holds {v}.",
    "add": "{c} now holds {v}.",
    "same": "{c} now holds {v}.",
    "del": "{c} is gone.",
}
# The answer line: plain as most of the pretraining text has it, and in the target's convention.
PLAIN = {"get": "{v}", "set": "{v}", "add": "{v}", "same": "{v}", "del": "done"}
ASKED = {
    "get": "{v} under {c}",
    "set": "{c} = {v}",
    "add": "{c} up to {v}",
    "same": "{c} and {d} at {v}",
    "del": "no {c}",
}


@dataclass(frozen=True, slots=True)
class Task:
    """One order on one store.

    Attributes:
        skill: One of `SKILLS`.
        order: The order as a user writes it.
        code: The record that it is about.
        other: The second record of ``same``; else empty.
        number: The number in the order, if any.
        records: The store before.
        locked: Its locked records before.
        value: The number that the record has in the end (or that is read).
    """

    skill: str
    order: str
    code: str
    other: str
    number: int
    records: dict[str, int]
    locked: frozenset[str]
    value: int

    def store(self) -> Store:
        """Returns the store as it is before the task."""
        return Store(dict(self.records), set(self.locked))

    def end_state(self) -> dict[str, int]:
        """Returns the records as they must be after the task."""
        if self.skill == "get":
            return self.records
        after = self.records | {self.code: self.value}
        if self.skill == "del":
            del after[self.code]
        return after

    def closing(self, *, asked: bool = True, value: int | None = None) -> str:
        """Returns the last reply: what was done, and the answer line (with another value, a false claim)."""
        shown = self.value if value is None else value
        form = (ASKED if asked else PLAIN)[self.skill]
        filled = [text.format(c=self.code, d=self.other, v=shown) for text in (CLAIMS[self.skill], form)]
        return f"{filled[0]}\nAnswer: {filled[1]}"

    def answer_line(self) -> str:
        """Returns the right last line in the target's convention."""
        return self.closing().rsplit("\n", 1)[-1]

    def solution(self, *, asked: bool = True) -> list[tuple[str, str]]:
        """Returns the right way as (role, content) turns, from the order to the closing reply."""
        store, turns = self.store(), [("user", self.order)]

        def act(call: str, thought: str = "") -> str:
            seen = store.act(call)
            turns.extend([("assistant", f"{thought}{call}"), ("tool", seen)])
            return seen

        for call, thought in self._calls():
            if act(call, thought) == "locked":
                act(f"call open {self.code}")
                act(call)
        return [*turns, ("assistant", self.closing(asked=asked))]

    def _calls(self) -> list[tuple[str, str]]:
        """Returns the calls in order, each with what is thought before it."""
        put = f"call set {self.code} {self.value}"
        match self.skill:
            case "get":
                return [(f"call get {self.code}", "")]
            case "set":
                return [(put, "")]
            case "add":
                before = self.records[self.code]
                return [(f"call get {self.code}", ""), (put, f"{before} + {self.number} = {self.value}\n")]
            case "same":
                return [(f"call get {self.other}", ""), (put, "")]
            case _:
                return [(f"call del {self.code}", "")]


def draw_task(draws: Draws, *, target: bool = False) -> Task:
    """Returns a random order; one code in eight is reserved for the target, as other keys are.

    An order for the target changes the store unless it asks for a number.
    """
    codes: list[str] = []
    while len(codes) < 3:
        code = "".join(draws.choice(LETTERS) + draws.choice(DIGITS) for _ in range(2))
        if reserved(f"tool:{code}") == target and code not in codes:
            codes.append(code)
    records = {code: draws.between(10, 60) for code in codes}
    skill, code, other = draws.choice(SKILLS), codes[0], codes[1]
    number = draws.between(1, 39)
    value = {"get": records[code], "set": number, "add": records[code] + number, "same": records[other]}.get(
        skill, 0
    )
    if target and skill in ("set", "same") and value == records[code]:
        return draw_task(draws, target=True)  # nothing would have to be done
    locked = skill != "get" and draws.chance(LOCKED_SHARE)
    return Task(
        skill=skill,
        order=draws.choice(ORDERS[skill]).format(c=code, d=other, n=number),
        code=code,
        other=other if skill == "same" else "",
        number=number,
        records=records,
        locked=frozenset([code]) if locked else frozenset(),
        value=value,
    )
