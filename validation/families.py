"""How often a family of claims holds a wrong one, and what picking the yardstick does; part of ``coverage.py``.

Families are those of `suffice.proof.compare.family`: five arms against one reference, methods of three runs (graded, runs
dominate) or models (right or wrong). Yardsticks are those of a verdict and of a budget curve. Every true difference
stands at the edge of the null of the claim that is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from scipy import special
from tables import misses, percent, table

from suffice.common.draws import Draws
from suffice.proof.arms import PERCENT, ArmScores, Kind
from suffice.proof.compare.family import Question, compare
from suffice.proof.curve import budget_curve, curve_yardstick
from suffice.proof.verdict import prove

Array = NDArray[np.float64]

ALPHA = 0.05
ARMS = 5
ITEMS = 100
RUNS = 3
NAMES = [str(item) for item in range(ITEMS)]
MARGIN = 20.0  # points, wide beside the intervals
OTHERS: tuple[Kind, ...] = ("random", "longest", "length-matched", "compute-matched")


@dataclass(frozen=True)
class Cell:
    """One setting.

    Attributes:
        name: What is counted, in words.
        wrong: Tells for a study's generator whether the wrong claim was made.
        level: The rate it may reach; None where nothing is promised.
    """

    name: str
    wrong: Callable[[np.random.Generator], bool]
    level: float | None


def scores(differences: Array, rng: np.random.Generator, *, binary: bool = False) -> list[Array]:
    """Returns the scores of arms, ``[runs, items]`` each, in percent, whose expected means are 50 and ``differences`` more.

    Graded: three runs; SDs 10 (items, shared), 1 (items of each arm), 3 (runs) and 1 (item x run). Right or wrong: one
    run; half of the variance of a normal propensity is shared.
    """
    count = len(differences)
    shared, own = rng.normal(size=(1, 1, ITEMS)), rng.normal(size=(count, 1, ITEMS))
    if binary:
        right = 0.5**0.5 * (shared + own) < special.ndtri(0.5 + differences / 100)[:, None, None]
        return list(100.0 * right)
    run, rest = rng.normal(size=(count, RUNS, 1)), rng.normal(size=(count, RUNS, ITEMS))
    found = 50 + differences[:, None, None] + 10 * shared + own + 3 * run + rest
    return list(np.clip(found, 0, 100))


def family(
    verdicts: set[str], true: Array, margin: float, *, binary: bool, nulls: int = ARMS
) -> Callable[[np.random.Generator], bool]:
    """Returns whether one of the first ``nulls`` arms of a family gets one of ``verdicts``."""

    def wrong(rng: np.random.Generator) -> bool:
        arms = scores(np.concatenate([[0.0], true]), rng, binary=binary)
        named = {f"arm {place}": arm for place, arm in enumerate(arms)}
        found = compare([Question(named, NAMES, bounds=PERCENT)], margin=margin, alpha=ALPHA)
        return any(one.verdict in verdicts for one in found[:nulls])

    return wrong


def families(kind: str) -> list[Cell]:
    """Returns the cells of families of ``methods`` or ``models``."""
    binary = kind == "models"
    level, above = np.zeros(ARMS), np.array([0, 0, 40, 40, 40.0])
    better = {"superior", "inferior"}
    enough = {"superior", "equivalent", "non-inferior"}
    return [
        Cell(f"{kind}: a difference, all five level", family(better, level, 0, binary=binary), ALPHA),
        Cell(
            f"{kind}: a difference of the two level, three far above",
            family(better, above, 0, binary=binary, nulls=2),
            ALPHA,
        ),
        Cell(
            f"{kind}: enough, all five at -margin",
            family(enough, level - MARGIN, MARGIN, binary=binary),
            ALPHA,
        ),
        Cell(
            f"{kind}: superior beside a margin, all five level",
            family({"superior"}, level, MARGIN, binary=binary),
            ALPHA,
        ),
        # At +margin an arm is called superior, so equivalence is called wrongly below.
        Cell(
            f"{kind}: equivalent, all five at -margin",
            family({"equivalent"}, level - MARGIN, MARGIN, binary=binary),
            ALPHA,
        ),
    ]


def verdict(outcome: str, kinds: tuple[Kind, ...]) -> Callable[[np.random.Generator], bool]:
    """Returns whether a selection truly one margin below every arm of ``kinds`` gets ``outcome``."""

    def wrong(rng: np.random.Generator) -> bool:
        margin = MARGIN / 2
        base, chosen, *others = scores(np.array([-25, -margin, *[0.0] * len(kinds)]), rng)
        arms = [ArmScores("base", "base", base[:1]), ArmScores("selected", "selected", chosen)]
        arms += [ArmScores(kind, kind, arm) for kind, arm in zip(kinds, others, strict=True)]
        found = prove(arms, clusters=NAMES, families=["one"] * ITEMS, margin=margin, alpha=ALPHA)
        return found.outcome == outcome

    return wrong


def curve(shown: bool) -> Callable[[np.random.Generator], bool]:
    """Returns whether a budget one margin below eleven equal arms, the best as yardstick, is shown, or refuted."""

    def wrong(rng: np.random.Generator) -> bool:
        margin = MARGIN / 2
        found = scores(np.array([-margin, *[0.0] * 11]), rng)
        arms = [ArmScores(f"arm {place}", "random", arm) for place, arm in enumerate(found)]
        best = curve_yardstick(arms, None, None, NAMES, ALPHA)
        held = budget_curve("one", [(1, arms[0])], best, NAMES, margin=margin, alpha=ALPHA, candidates=12)
        return (held.shown if shown else held.refuted) is not None

    return wrong


YARDSTICKS = [
    Cell("`sufficient` at -margin, full as yardstick", verdict("sufficient", ("full",)), ALPHA / 2),
    Cell("`not sufficient` at -margin, full as yardstick", verdict("not sufficient", ("full",)), ALPHA / 2),
    Cell("`sufficient` at -margin, best of four as yardstick", verdict("sufficient", OTHERS), ALPHA / 2),
    Cell("`not sufficient` at -margin, best of four as yardstick", verdict("not sufficient", OTHERS), None),
    Cell("curve: shown at -margin, best of twelve as yardstick", curve(True), ALPHA / 2),
    Cell("curve: refuted at -margin, best of twelve as yardstick", curve(False), ALPHA / 2),
]
CELLS = [*families("methods"), *families("models"), *YARDSTICKS]


def rate(place: int, studies: int) -> float:
    """Returns the share of ``studies`` in which the cell at ``place`` of `CELLS` makes its wrong claim."""
    rng = np.random.default_rng(Draws(0, "families", CELLS[place].name).bits())
    with ExitStack() as stack:
        # What would settle an open claim is most of the work and no part of a claim.
        for name in ("compare.evidence.settling", "compare.evidence.fewest", "comparison.settling"):
            stack.enter_context(mock.patch(f"suffice.proof.{name}", return_value=None))
        return sum(CELLS[place].wrong(rng) for _ in range(studies)) / studies


def rates_table(rates: list[float], studies: int) -> str:
    """Writes the rate of each cell."""
    rows = []
    for cell, found in zip(CELLS, rates, strict=True):
        missed = cell.level is not None and misses(found, 0, cell.level, studies, 2)
        promised = "nothing promised" if cell.level is None else f"{100 * cell.level:g}"
        rows.append([cell.name, promised, percent(found, studies, missed)])
    return f"""## Wrong claims of families and against yardsticks, in %

{ITEMS} items, {ARMS} arms against a reference, {RUNS} runs a method, one a model; {studies:,} studies a cell.
± Monte Carlo standard error. A star: above the promised level by more than two of them.

{table(["wrong claim", "promised", "found"], rows)}"""


def met(rates: list[float], studies: int) -> bool:
    """Whether every promise is kept within four Monte Carlo standard errors."""
    return not any(
        cell.level is not None and misses(found, 0, cell.level, studies, 4)
        for cell, found in zip(CELLS, rates, strict=True)
    )
