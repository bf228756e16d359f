"""What the report shows, as plain values: whoever has a run, or anything like one, can fill it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# The place of each kind of arm in every figure; kinds that are not listed stand before `selected`.
ORDER = ("base", "random", "longest", "other", "selected", "full")


@dataclass(frozen=True, slots=True)
class FamilyScore:
    """The score of one arm in one task family.

    Attributes:
        score: In percent.
        low: The lower end of its interval; None where it is unknown.
        high: The upper end, or None likewise.
        items: Test items of the family.
    """

    score: float
    low: float | None
    high: float | None
    items: int


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One arm.

    Attributes:
        name: Such as ``selected-1000``.
        kind: ``base``, ``random``, ``longest``, ``selected``, ``full`` or another rival's.
        rows: Rows the arm stands for.
        score: In percent, over all runs and items.
        low: The lower end of its interval; None where it is unknown.
        high: The upper end, or None likewise.
        runs: The score of each run in percent; of ``random`` a run is a draw.
        items: Test items that each run was scored on.
        families: The score in each task family.
        epochs: Passes over the rows; None where nothing was trained or it is unknown.
        steps: Optimiser steps, or None likewise.
        train_seconds: Training time of all runs, or None likewise.
        flops: Floating-point operations of training, all runs, or None likewise.
        losses: The learning curve of each run: step and mean loss per trained token.
    """

    name: str
    kind: str
    rows: int
    score: float
    low: float | None
    high: float | None
    runs: Sequence[float]
    items: int
    families: Mapping[str, FamilyScore] = field(default_factory=dict)
    epochs: float | None = None
    steps: int | None = None
    train_seconds: float | None = None
    flops: float | None = None
    losses: Sequence[Sequence[tuple[int, float]]] = ()


@dataclass(frozen=True, slots=True)
class ChosenRow:
    """A row that was chosen, with the reason in words."""

    id: str
    messages: Sequence[Mapping[str, Any]]
    source: str
    license: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything on the page. Whatever is empty is said to be missing, never drawn as nothing.

    Attributes:
        title: Names the run.
        subtitle: The model and the data, in a few words.
        created: When the run ended.
        command: The command that gives the run again.
        verdict: ``outcome``, ``yardstick``, ``selector``, ``sentence`` and ``comparisons``, as in the JSON form.
        arms: The arms, in any order.
        costs: ``choose_seconds``, ``train_seconds``, ``evaluate_seconds``, ``total_seconds``; likewise
            ``…_flops`` and ``…_bytes`` where they are known.
        chosen: Chosen rows; the first ten are shown.
        rejected: Rejected rows as in ``rejected.jsonl``; the first ten are shown.
        rules: How many rows each rule rejected.
        lengths: Histograms of answer lengths: the counts of ``pool`` and of arms by their name.
        length_edges: The edges of their bins, one more than each has counts.
        length_unit: What lengths are counted in.
        notes: What was not done, one sentence each.
        manifest: The manifest; its ``counts`` say how many rows were read, chosen, unchosen and rejected.
        level: The level of the intervals, in percent.
    """

    title: str
    subtitle: str
    created: str
    command: str
    verdict: Mapping[str, Any]
    arms: Sequence[ArmRow]
    costs: Mapping[str, float]
    chosen: Sequence[ChosenRow] = ()
    rejected: Sequence[Mapping[str, Any]] = ()
    rules: Mapping[str, int] = field(default_factory=dict)
    lengths: Mapping[str, Sequence[int]] = field(default_factory=dict)
    length_edges: Sequence[float] = ()
    length_unit: str = "words"
    notes: Sequence[str] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    level: float = 95.0

    @property
    def ordered(self) -> list[ArmRow]:
        """The arms in the order of every figure."""
        return sorted(self.arms, key=lambda arm: ORDER.index(arm.kind if arm.kind in ORDER else "other"))

    def arm(self, kind: str) -> ArmRow | None:
        """Returns the arm of a kind, or None where it was not run."""
        return next((arm for arm in self.arms if arm.kind == kind), None)

    def runs(self, kind: str) -> int:
        """Returns how often the arm of a kind was run."""
        arm = self.arm(kind)
        return len(arm.runs) if arm else 0

    @property
    def items(self) -> int:
        """The test items that every arm was scored on; the most, where arms differ."""
        return max((arm.items for arm in self.arms), default=0)
