"""A few test items under the base and under one example: fixed, lost, and wrong in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suffice.report.data import ItemPair
from suffice.report.items import evenly, group_of

MOST = 4  # items of each group on the page


@dataclass(frozen=True, slots=True)
class Group:
    """Items that went one way.

    Attributes:
        name: In words.
        total: How many items there are.
        shown: Those on the page, spread evenly over the test.
    """

    name: str
    total: int
    shown: Sequence[ItemPair]


@dataclass(frozen=True, slots=True)
class Compared:
    """The items of a task.

    Attributes:
        title: What they show, in a sentence.
        groups: Fixed, lost and both wrong.
        total: All items.
    """

    title: str
    groups: Sequence[Group]
    total: int


def compared(pairs: Sequence[ItemPair]) -> Compared | None:
    """Returns what became of the test items; None where replies are not there."""
    if not pairs:
        return None
    fixed = [pair for pair in pairs if group_of(pair) == "won"]
    lost = [pair for pair in pairs if group_of(pair) == "lost"]
    wrong = [pair for pair in pairs if pair.own_score == pair.other_score == 0]
    right = sum(pair.own_score == pair.other_score == 1 for pair in pairs)
    partly = len(pairs) - len(fixed) - len(lost) - len(wrong) - right
    title = (
        f"Of {len(pairs):,} test items one example fixes {len(fixed):,} and loses {len(lost):,}; {len(wrong):,} are wrong "
        f"in both, {right:,} right in both, and {partly:,} change in part."
    )
    named = [
        ("Fixed: wrong by the base, right in every run of one", fixed),
        ("Lost: right by the base, wrong in every run of one", lost),
        ("Wrong in both", wrong),
    ]
    groups = [Group(name, len(found), evenly(found, min(MOST, len(found)))) for name, found in named]
    return Compared(title, groups, len(pairs))
