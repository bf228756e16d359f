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
    """A row that was chosen, with the reason in words.

    Attributes:
        id: The row's id.
        messages: Its turns.
        source: What it says it is from.
        license: What it says it may be used under.
        reason: Why it was chosen.
        origin: The file and the line that it was read from.
    """

    id: str
    messages: Sequence[Mapping[str, Any]]
    source: str
    license: str | None
    reason: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What one method reaches with one number of rows.

    Attributes:
        method: Such as ``embedding`` or ``random``; points of one method are joined.
        kind: The kind of arm, as in `ArmRow`; it gives the colour and the shape.
        rows: The budget, above 0.
        score: In percent, over all runs and items.
        low: The lower end of its interval; None where it is unknown.
        high: The upper end, or None likewise.
        runs: The score of each run in percent; of ``random`` a run is a draw.
    """

    method: str
    kind: str
    rows: int
    score: float
    low: float | None
    high: float | None
    runs: Sequence[float] = ()

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise ValueError(f"a point of the budget curve has {self.rows} rows; the base is given apart")


@dataclass(frozen=True, slots=True)
class BudgetCurve:
    """Scores over budgets, and which budgets are refuted and shown sufficient.

    Attributes:
        points: In any order; a point of kind ``full`` stands for the whole pool.
        base: The score of the base (budget 0) in percent; None where it was not run.
        margin: In percentage points.
        yardstick_score: The score of the yardstick in percent; None where there is none.
        refuted: The largest budget refuted; None where there is none.
        shown: The smallest budget shown sufficient; None where there is none.
        sentence: What the curve shows; the title of the figure.
        yardstick: The kind of arm that the score is of.
        smooth: Rows and score along a smooth line through the points of a method, where it has one.
    """

    points: Sequence[CurvePoint]
    base: float | None
    margin: float
    yardstick_score: float | None
    refuted: int | None
    shown: int | None
    sentence: str
    yardstick: str = "full"
    smooth: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemPair:
    """One test item under two arms.

    Attributes:
        id: Of the item.
        task: Its family.
        messages: The turns of the prompt.
        answer: The reference.
        own_score: The selected arm's score from 0 to 1, the mean over its runs.
        other_score: The other arm's, likewise.
        own_reply: The reply of the selected arm's first run.
        other_reply: The other arm's, likewise.
    """

    id: str
    task: str
    messages: Sequence[Mapping[str, Any]]
    answer: str
    own_score: float
    other_score: float
    own_reply: str
    other_reply: str

    def __post_init__(self) -> None:
        for score in (self.own_score, self.other_score):
            if not -1e-9 <= score <= 1 + 1e-9:
                raise ValueError(f"item {self.id!r} has the score {score}; a score lies between 0 and 1")


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the runs of one arm lie apart, as standard deviations in percentage points.

    Attributes:
        name: Of the arm, as in `ArmRow`; the run scores are taken from there.
        kind: Of the arm.
        total_sd: Of one run; None where it is unknown.
        draw_sd: The part of the draw; None where there is no draw or it is not told apart.
        seed_sd: The part of the training seed; None where it is not told apart.
        sentence: What the spread holds, and how it was found.
    """

    name: str
    kind: str
    total_sd: float | None
    draw_sd: float | None
    seed_sd: float | None
    sentence: str


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
        curve: Scores over budgets; None where one budget was run.
        pairs: Every test item under the selected arm and another; the page shows some of those that differ.
        pairs_against: The name of the other arm.
        spreads: How far runs lie apart, one entry for each arm.
        new_draw: The probability from 0 to 1 that one new random draw would beat the selection.
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
    curve: BudgetCurve | None = None
    pairs: Sequence[ItemPair] = ()
    pairs_against: str = ""
    spreads: Sequence[Spread] = ()
    new_draw: float | None = None

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
