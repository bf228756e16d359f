"""Orders on the store, their right end state, and the right way to carry them out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from suffice.common.draws import Draws
from suffice.lab.families.strings import DIGITS, LETTERS
from suffice.lab.problem import reserved
from suffice.lab.tool.skills import SKILLS
from suffice.lab.tool.store import Store, called

LOCKED_SHARE = 0.4  # of the orders that change a record
TURNS = 8  # assistant turns after which a task is given up; the longest right way has seven
RECORDS = 3
LEAST, MOST = 10, 49  # numbers of a store: no sum of two passes 99, and no subtraction falls below 0
RAISED, LOWERED = 39, 10  # the most that an order raises or stores, and that it takes away


@dataclass(frozen=True, slots=True)
class Task:
    """One order on one store.

    Attributes:
        skill: One of `SKILLS`.
        order: The order as a user writes it.
        code: The record that it is about.
        other: Another record: the second one, where the order names two.
        number: The number in the order, where it names one.
        records: The store before.
        locked: Its locked records before.
    """

    skill: str
    order: str
    code: str
    other: str
    number: int
    records: dict[str, int]
    locked: frozenset[str]

    def store(self) -> Store:
        """Returns the store as it is before the task."""
        return Store(dict(self.records), set(self.locked))

    def end_state(self) -> dict[str, int]:
        """Returns the records as they must be after the task."""
        store = Store(dict(self.records))
        for reply in self._replies():
            store.act(called(reply) or "")
        return store.records

    def closing(self, *, asked: bool = True) -> str:
        """Returns the last reply: what was done, and the answer line."""
        skill = SKILLS[self.skill]
        return f"{self._filled(skill.claim)}\nAnswer: {self._filled(skill.asked if asked else skill.plain)}"

    def answer_line(self) -> str:
        """Returns the right last line in the target's convention."""
        return self.closing().rsplit("\n", 1)[-1]

    def imagined(self, draws: Draws) -> Task:
        """Returns the order on a store with other numbers: its closing reply claims what nobody has read."""
        return replace(self, records=_numbers(list(self.records), draws))

    def solution(self, *, asked: bool = True) -> list[tuple[str, str]]:
        """Returns the right way as (role, content) turns, from the order to the closing reply."""
        store, turns = self.store(), [("user", self.order)]

        def act(reply: str) -> str:
            seen = store.act(called(reply) or "")
            turns.extend([("assistant", reply), ("tool", seen)])
            return seen

        for reply in self._replies():
            if act(reply) == "locked":
                act(f"call open {self.code}")
                act(called(reply) or "")
        return [*turns, ("assistant", self.closing(asked=asked))]

    def _replies(self) -> list[str]:
        """Returns the replies that end in a call, in order, for a store without locks."""
        return [self._filled(reply) for reply in SKILLS[self.skill].calls]

    def _filled(self, template: str) -> str:
        x, y, n = self.records[self.code], self.records[self.other], self.number
        return template.format(c=self.code, d=self.other, x=x, y=y, n=n, v=SKILLS[self.skill].value(x, y, n))


def draw_task(draws: Draws, *, target: bool = False) -> Task:
    """Returns a random order; one code in eight is reserved for the target, as other keys are.

    An order for the target changes the store, unless it only asks for numbers.
    """
    codes: list[str] = []
    while len(codes) < RECORDS:
        code = "".join(draws.choice(LETTERS) + draws.choice(DIGITS) for _ in range(2))
        if reserved(f"tool:{code}") == target and code not in codes:
            codes.append(code)
    name, records = draws.choice(tuple(SKILLS)), _numbers(codes, draws)
    skill, (code, other) = SKILLS[name], codes[:2]
    number = draws.between(1, LOWERED if name == "lower" else RAISED)
    locked = skill.changes and draws.chance(LOCKED_SHARE)
    task = Task(
        skill=name,
        order=draws.choice(skill.orders).format(c=code, d=other, n=number),
        code=code,
        other=other,
        number=number,
        records=records,
        locked=frozenset([code]) if locked else frozenset(),
    )
    if target and skill.changes and task.end_state() == records:
        return draw_task(draws, target=True)  # nothing would have to be done
    return task


def _numbers(codes: list[str], draws: Draws) -> dict[str, int]:
    return {code: draws.between(LEAST, MOST) for code in codes}
