"""A second opinion on the lab's orders: what is asked of the store, and how it is carried out, from the text alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

CODE = r"([A-Z]\d[A-Z]\d)"
ORDERS = {
    "get": rf"What is stored under {CODE}\?|Tell me the number of {CODE}\.",
    "set": rf"Store (?P<n1>\d+) under {CODE}\.|Put (?P<n2>\d+) into {CODE}\.",
    "add": rf"Raise {CODE} by (?P<n1>\d+)\.|Add (?P<n2>\d+) to {CODE}\.",
    "same": rf"Give {CODE} the number of {CODE}\.|Store under {CODE} what is under {CODE}\.",
    "del": rf"Delete {CODE}\.|Remove the record {CODE}\.",
}
ANSWERS = {
    "get": ("{v}", "{v} under {c}"),
    "set": ("{v}", "{c} = {v}"),
    "add": ("{v}", "{c} up to {v}"),
    "same": ("{v}", "{c} and {d} at {v}"),
    "del": ("done", "no {c}"),
}


@dataclass(frozen=True)
class Order:
    """What an order asks for: the skill, its record, the record to look at (of ``same``), and its number."""

    skill: str
    code: str
    other: str
    number: int

    def value(self, records: dict[str, int]) -> int:
        """Returns the number that the record has in the end, or had (0 where it is deleted)."""
        return {
            "get": lambda: records[self.code],
            "set": lambda: self.number,
            "add": lambda: records[self.code] + self.number,
            "same": lambda: records[self.other],
            "del": lambda: 0,
        }[self.skill]()

    def after(self, records: dict[str, int]) -> dict[str, int]:
        """Returns the records as they are when the order is carried out."""
        if self.skill == "del":
            return {code: number for code, number in records.items() if code != self.code}
        return {**records, self.code: self.value(records)}

    def turns(self, records: dict[str, int], locked: bool) -> list[tuple[str, str]]:
        """Returns the calls and what they give, as (role, content), from the first call to the last result."""
        value = self.value(records)
        read = [
            ("assistant", f"call get {self.other or self.code}"),
            ("tool", str(records.get(self.other or self.code))),
        ]
        last = f"call del {self.code}" if self.skill == "del" else f"call set {self.code} {value}"
        thought = f"{value - self.number} + {self.number} = {value}\n" if self.skill == "add" else ""
        turns = read if self.skill in ("get", "add", "same") else []
        if self.skill == "get":
            return turns
        if not locked:
            return [*turns, ("assistant", thought + last), ("tool", "ok")]
        opened = [
            ("assistant", f"call open {self.code}"),
            ("tool", "ok"),
            ("assistant", last),
            ("tool", "ok"),
        ]
        return [*turns, ("assistant", thought + last), ("tool", "locked"), *opened]

    def closing(self, value: int, *, asked: bool) -> str:
        """Returns the last reply, in the target's convention or plain."""
        claim = f"{self.code} now holds {value}."
        claim = {"get": f"{self.code} holds {value}.", "del": f"{self.code} is gone."}.get(self.skill, claim)
        answer = ANSWERS[self.skill][asked].format(c=self.code, d=self.other, v=value)
        return f"{claim}\nAnswer: {answer}"


def read_order(text: str) -> Order | None:
    """Reads an order; None where it is none."""
    for skill, wordings in ORDERS.items():
        if found := re.fullmatch(wordings, text):
            parts = [part for part in found.groups() if part]
            codes = [part for part in parts if not part.isdigit()]
            numbers = [int(part) for part in parts if part.isdigit()]
            return Order(skill, codes[0], codes[1] if skill == "same" else "", sum(numbers))
    return None
