"""Wins and losses, item by item: where the chosen rows and another arm answer differently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from suffice.report import words
from suffice.report.data import ItemPair, ReportData

MOST = 200  # items shown
GROUPS = ("won", "lost", "partly")
_CLOSE = 1e-9  # scores are means, so a full one may be a rounding away from 1


@dataclass(frozen=True, slots=True)
class Group:
    """Items that differ in one way.

    Attributes:
        key: ``won``, ``lost`` or ``partly``.
        name: In words.
        total: How many items there are.
        shown: Those on the page, in the order of the test.
    """

    key: str
    name: str
    total: int
    shown: Sequence[ItemPair]


@dataclass(frozen=True, slots=True)
class Items:
    """What the page shows of the items.

    Attributes:
        own: The name of the selected arm.
        other: The name of the other arm, with its ``kind`` beside it.
        kind: Of the other arm.
        title: What the items show, in a sentence.
        families: For each family, and for all: items won, lost, different in part, and the same.
        groups: The items that differ.
        total: All items.
    """

    own: str
    other: str
    kind: str
    title: str
    families: Sequence[tuple[str, int, int, int, int]]
    groups: Sequence[Group]
    total: int

    @property
    def differing(self) -> int:
        """How many items differ."""
        return sum(group.total for group in self.groups)

    @property
    def shown(self) -> int:
        """How many items are on the page."""
        return sum(len(group.shown) for group in self.groups)

    @property
    def tasks(self) -> list[str]:
        """The families of the items on the page."""
        return list(dict.fromkeys(pair.task for group in self.groups for pair in group.shown))


def items(data: ReportData) -> Items | None:
    """Returns the items that differ between the selected arm and the other, or None where there are no pairs.

    At most `MOST` are shown: small groups whole, of large ones items spread evenly over the test.
    """
    if not data.pairs:
        return None
    arm = data.arm("selected")
    own = arm.name if arm else "the selected arm"
    other = data.pairs_against or "the other arm"
    kind = next((arm.kind for arm in data.arms if arm.name == data.pairs_against), "other")
    found = {key: [pair for pair in data.pairs if group_of(pair) == key] for key in GROUPS}
    names = {
        "won": f"{own} right, {other} wrong",
        "lost": f"{own} wrong, {other} right",
        "partly": "different in part",
    }
    shares = shared([len(pairs) for pairs in found.values()], MOST)
    groups = [
        Group(key, names[key], len(pairs), evenly(pairs, share))
        for (key, pairs), share in zip(found.items(), shares, strict=True)
    ]
    won, lost, partly = (len(pairs) for pairs in found.values())
    title = (
        f"{own} is right on {words.count(won, 'item')} that {other} gets wrong, and wrong on {lost:,} that it gets "
        f"right; on {partly:,} of {len(data.pairs):,} they differ in part."
    )
    return Items(own, other, kind, title, _families(data.pairs), groups, len(data.pairs))


def group_of(pair: ItemPair) -> str:
    """Returns the group of an item: ``won``, ``lost``, ``partly`` or ``same``.

    Right is a full score in every run, wrong is zero in every run.
    """
    if abs(pair.own_score - pair.other_score) <= _CLOSE:
        return "same"
    if pair.own_score >= 1 - _CLOSE and pair.other_score <= _CLOSE:
        return "won"
    if pair.other_score >= 1 - _CLOSE and pair.own_score <= _CLOSE:
        return "lost"
    return "partly"


def _families(pairs: Sequence[ItemPair]) -> list[tuple[str, int, int, int, int]]:
    counts = Counter((pair.task, group_of(pair)) for pair in pairs)
    for pair in pairs:
        counts["all", group_of(pair)] += 1
    tasks = list(dict.fromkeys(pair.task for pair in pairs))
    return [
        (task, counts[task, "won"], counts[task, "lost"], counts[task, "partly"], counts[task, "same"])
        for task in (tasks if len(tasks) < 2 else [*tasks, "all"])
    ]


def shared(sizes: Sequence[int], most: int) -> list[int]:
    """Returns how many of each group to take, ``most`` in all: small groups whole, the rest alike."""
    taken = [0] * len(sizes)
    order = sorted(range(len(sizes)), key=lambda index: sizes[index])
    for place, index in enumerate(order):
        taken[index] = min(sizes[index], (most - sum(taken)) // (len(order) - place))
    return taken


def evenly(pairs: Sequence[ItemPair], count: int) -> list[ItemPair]:
    """Returns some items, spread evenly over all, in their order."""
    return [pairs[number * len(pairs) // count] for number in range(count)]
