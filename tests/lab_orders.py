"""A second opinion on the lab's orders: what is asked of the store, and how it is carried out, from the text alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

CODE = r"([A-Z]\d[A-Z]\d)"
ORDERS = {
    "get": rf"What is stored under {CODE}\?|Tell me the number of {CODE}\.",
    "pair": rf"What is stored under {CODE} and {CODE}\?|Tell me the numbers of {CODE} and {CODE}\.",
    "sum": rf"How much are {CODE} and {CODE} together\?|Add up {CODE} and {CODE}\.",
    "set": rf"Store (\d+) under {CODE}\.|Put (\d+) into {CODE}\.",
    "both": rf"Store (\d+) under {CODE} and {CODE}\.|Put (\d+) into both {CODE} and {CODE}\.",
    "zero": rf"Clear {CODE}\.|Reset {CODE} to zero\.",
    "add": rf"Raise {CODE} by (\d+)\.|Add (\d+) to {CODE}\.",
    "lower": rf"Lower {CODE} by (\d+)\.|Take (\d+) from {CODE}\.",
    "double": rf"Double {CODE}\.|Make {CODE} twice as large\.",
    "same": rf"Give {CODE} the number of {CODE}\.|Store under {CODE} what is under {CODE}\.",
    "swap": rf"Swap {CODE} and {CODE}\.|Exchange the numbers of {CODE} and {CODE}\.",
    "del": rf"Delete {CODE}\.|Remove the record {CODE}\.",
    "drop": rf"Delete {CODE} and {CODE}\.|Remove the records {CODE} and {CODE}\.",
    # The order names the record that is emptied first, or last.
    "move": rf"Move the number of (?P<from>[A-Z]\d[A-Z]\d) to {CODE}\.|Let {CODE} take over from {CODE}\.",
}
READS = {
    "get": "c", "pair": "cd", "sum": "cd", "add": "c", "lower": "c", "double": "c", "same": "d", "swap": "cd",
    "move": "d",
}  # fmt: skip


@dataclass(frozen=True)
class Order:
    """What an order asks for: the skill, its record, its second record (empty if it names one), its number."""

    skill: str
    code: str
    other: str
    number: int

    def after(self, records: dict[str, int]) -> dict[str, int]:
        """Returns the records as they are when the order is carried out."""
        c, d, n = self.code, self.other, self.number
        x, y = records.get(c, 0), records.get(d, 0)
        put = {
            "set": {c: n}, "zero": {c: 0}, "both": {c: n, d: n}, "add": {c: x + n}, "lower": {c: x - n},
            "double": {c: 2 * x}, "same": {c: y}, "move": {c: y}, "swap": {c: y, d: x},
        }  # fmt: skip
        gone = {"move": {d}, "del": {c}, "drop": {c, d}}.get(self.skill, set())
        done = records | put.get(self.skill, {})
        return {code: number for code, number in done.items() if code not in gone}

    def turns(self, records: dict[str, int], locked: bool) -> list[tuple[str, str]]:
        """Returns the calls and what they give, as (role, content), from the first call to the last result."""
        turns = []
        for letter in READS.get(self.skill, ""):
            code = self.code if letter == "c" else self.other
            turns += [("assistant", f"call get {code}"), ("tool", str(records[code]))]
        after = self.after(records)
        for code in (self.code, self.other):
            if not code or (after.get(code) == records.get(code) and not self._sets_again(code)):
                continue
            call = f"call set {code} {after[code]}" if code in after else f"call del {code}"
            turns.append(("assistant", self._sum(records) + call))
            if locked and code == self.code:
                turns += [("tool", "locked"), ("assistant", f"call open {code}"), ("tool", "ok")]
                turns.append(("assistant", call))
            turns.append(("tool", "ok"))
        return turns

    def _sets_again(self, code: str) -> bool:
        """Whether the record is written even where it has the number already."""
        return self.skill in ("both", "swap") or (self.skill in ("set", "same", "move") and code == self.code)

    def _sum(self, records: dict[str, int]) -> str:
        """Returns the sum that is written before the call, with its line break."""
        before = records.get(self.code, 0)
        match self.skill:
            case "add":
                return f"{before} + {self.number} = {before + self.number}\n"
            case "lower":
                return f"{before} - {self.number} = {before - self.number}\n"
            case "double":
                return f"{before} + {before} = {2 * before}\n"
        return ""

    def closing(self, records: dict[str, int], *, asked: bool) -> str:
        """Returns the last reply, in the target's convention or plain."""
        c, d, x, y = self.code, self.other, records.get(self.code), records.get(self.other)
        v = self.after(records).get(c)
        claim, plain, form = {
            "get": (f"{c} holds {x}.", f"{x}", f"{x} under {c}"),
            "pair": (f"{c} holds {x} and {d} holds {y}.", f"{x}, {y}", f"{x} and {y}"),
            "sum": (
                f"{x} + {y} = {(x or 0) + (y or 0)}",
                f"{(x or 0) + (y or 0)}",
                f"total {(x or 0) + (y or 0)}",
            ),
            "set": (f"{c} now holds {v}.", f"{v}", f"{c} = {v}"),
            "both": (f"{c} and {d} now hold {v}.", f"{v}", f"{c} = {d} = {v}"),
            "zero": (f"{c} now holds {v}.", f"{v}", f"{c} cleared"),
            "add": (f"{c} now holds {v}.", f"{v}", f"{c} up to {v}"),
            "lower": (f"{c} now holds {v}.", f"{v}", f"{c} down to {v}"),
            "double": (f"{c} now holds {v}.", f"{v}", f"twice {x} is {v}"),
            "same": (f"{c} now holds {v}.", f"{v}", f"{c} as {d} at {v}"),
            "move": (f"{c} now holds {v} and {d} is gone.", f"{v}", f"{v} from {d} to {c}"),
            "swap": (f"{c} now holds {y} and {d} holds {x}.", f"{y}, {x}", f"{c} {y} / {d} {x}"),
            "del": (f"{c} is gone.", "done", f"no {c}"),
            "drop": (f"{c} and {d} are gone.", "done", f"neither {c} nor {d}"),
        }[self.skill]
        return f"{claim}\nAnswer: {form if asked else plain}"


def read_order(text: str) -> Order | None:
    """Reads an order; None where it is none."""
    for skill, wordings in ORDERS.items():
        if found := re.fullmatch(wordings, text):
            parts = [part for part in found.groups() if part]
            codes = [part for part in parts if not part.isdigit()]
            numbers = [int(part) for part in parts if part.isdigit()]
            if found.groupdict().get("from"):
                codes.reverse()
            return Order(skill, codes[0], codes[1] if len(codes) > 1 else "", sum(numbers))
    return None
