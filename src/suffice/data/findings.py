"""What was found wrong in files: counts by file and rule, and the first places of each rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from suffice.data.cautions import Caution
from suffice.data.rejected import Rejected

PLACES = 3


class Place(NamedTuple):
    """Where a rule is broken.

    Attributes:
        file: The file.
        line: The line in it, from 1.
        message: What is wrong there.
        remedy: How to put it right.
    """

    file: str
    line: int
    message: str
    remedy: str


@dataclass
class Findings:
    """An account that holds no more than `PLACES` places of each rule, however many there are.

    Attributes:
        errors: Of each file, how many rows each rule rejected.
        warnings: Of each file, how many rows each caution goes to.
        places: The first places of each rule.
    """

    errors: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    warnings: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    places: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))

    def reject(self, row: Rejected) -> None:
        """Notes a row that was rejected."""
        self.errors[row.file][row.rule] += 1
        self._note(row.rule, Place(row.file, row.line, row.message, row.remedy))

    def warn(self, file: str, line: int, caution: Caution) -> None:
        """Notes what may be wrong with a row."""
        self.warnings[file][str(caution.rule)] += 1
        self._note(str(caution.rule), Place(file, line, caution.message, caution.rule.remedy))

    def counts(self) -> dict[str, int]:
        """Returns how many rows each rule was found in, by code."""
        total: Counter[str] = Counter()
        for counter in (*self.errors.values(), *self.warnings.values()):
            total += counter
        return dict(sorted(total.items()))

    def _note(self, rule: str, place: Place) -> None:
        if len(self.places[rule]) < PLACES:
            self.places[rule].append(place)
