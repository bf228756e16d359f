"""How often the intervals hold the truth, and how often each call is wrong where it must not be made.

Run with ``python validation/coverage.py [--quick] [--studies N] [--families N] [--jobs N]``; ``make validate`` does. Every study
compares two arms on the same 100 items, with a true difference known by construction: 0, minus the margin or plus
the margin. Three, five or ten runs; runs, items or item x run noise dominate; graded or right or wrong. Targets:
coverage of the 95 % interval from 93.5 to 98.5 %, and each call at the edge of its null no more often than its level
says, by two Monte Carlo standard errors. Families of claims and picked yardsticks are in ``families.py``. Seeds are fixed. Ends with exit code 1 where a target is missed by four.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product

import families
import numpy as np
from numpy.typing import NDArray
from scipy import special, stats
from tables import misses, percent, table

from suffice.common.draws import Draws
from suffice.proof.arms import PERCENT, UNBOUNDED, ArmScores
from suffice.proof.bootstrap import resampled_arm_means
from suffice.proof.intervals import Interval, interval
from suffice.proof.variance import of_difference

Array = NDArray[np.float64]

ITEMS = 100
RUNS = (3, 5, 10)
# Wide beside the intervals, so that the tests at its edges are as sharp as their level.
MARGIN = {"graded": 25.0, "right or wrong": 20.0}
ALPHA = 0.05
COVERAGE = (0.935, 0.985)
# Studies whose arms share the bootstrap's draws.
BATCH = 50


@dataclass(frozen=True)
class Spread:
    """The variance of a score's parts.

    For graded scores in squared points. For right or wrong in parts of a normal propensity of variance 1, which is
    right where it is below a threshold.

    Attributes:
        shared: Of items, the same in both arms.
        own: Of items, of each arm's own.
        run: Of runs.
        residual: Of item x run.
    """

    shared: float
    own: float
    run: float
    residual: float


SPREADS = {
    ("graded", "runs"): Spread(400, 1, 16, 1),
    ("graded", "items"): Spread(400, 400, 0.1, 25),
    ("graded", "item x run"): Spread(400, 1, 0.1, 400),
    ("right or wrong", "runs"): Spread(0.3, 0.01, 0.1, 0.59),
    ("right or wrong", "items"): Spread(0.3, 0.5, 0.001, 0.199),
    ("right or wrong", "item x run"): Spread(0.3, 0.01, 0.001, 0.689),
}


@dataclass(frozen=True)
class Cell:
    """One setting: the kind of score, what dominates, and the runs of each arm."""

    kind: str
    dominant: str
    runs: int


@dataclass(frozen=True)
class Result:
    """Counts of one cell.

    Attributes:
        cell: The setting.
        studies: The studies at each true difference.
        covered: How many of the 95 % intervals held the truth, at all three differences together.
        calls: How many studies made each wrong call.
        rivals: How many intervals of each other method held the truth at 0.
    """

    cell: Cell
    studies: int
    covered: int
    calls: dict[str, int]
    rivals: dict[str, int]


# Each call, its true difference in margins, and the rate it may reach.
CALLS = {
    "superior at 0": (0, ALPHA / 2),
    "non-inferior at -margin": (-1, ALPHA / 2),
    "inferior at -margin": (-1, ALPHA / 2),
    "equivalent at -margin": (-1, ALPHA),
    "equivalent at +margin": (1, ALPHA),
}
HEAD = ("scores", "what dominates", "runs")
RIVALS = ("items only, t", "items x runs, percentile", "the same, stretched")


def simulate(cell: Cell, difference: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Makes the scores of two arms, ``[runs, items]`` each, whose expected means differ by ``difference``.

    Args:
        cell: The setting.
        difference: The true difference in points.
        rng: The generator.

    Returns:
        The scores of the two arms. For right or wrong the first arm is expected to be right on 60 % and
        ``difference`` more, the second on 60 %.
    """
    spread = SPREADS[cell.kind, cell.dominant]
    shape = (2, cell.runs, ITEMS)
    scores = (
        spread.shared**0.5 * rng.normal(size=(1, 1, ITEMS))
        + spread.own**0.5 * rng.normal(size=(2, 1, ITEMS))
        + spread.run**0.5 * rng.normal(size=(2, cell.runs, 1))
        + spread.residual**0.5 * rng.normal(size=shape)
    )
    means = np.array([difference, 0.0])
    if cell.kind == "graded":
        scores = scores + means[:, None, None]
    else:
        scores = 100.0 * (scores < special.ndtri(0.6 + means / 100)[:, None, None])
    return scores[0], scores[1]


def intervals(cell: Cell, pair: tuple[Array, Array]) -> tuple[Interval, Interval]:
    """Returns the 95 % and the 90 % interval of the difference, as a verdict would."""
    bounds = UNBOUNDED if cell.kind == "graded" else PERCENT
    a, b = (ArmScores(name, "method", scores, bounds) for name, scores in zip("ab", pair, strict=True))
    parts = of_difference(a, b, [str(item) for item in range(ITEMS)])
    return interval(parts, ALPHA), interval(parts, 2 * ALPHA)


def wrong_calls(difference: int, wide: Interval, narrow: Interval, margin: float) -> Iterator[str]:
    """Yields the calls that are made at a true ``difference`` (in margins) at the edge of their null."""
    if difference == 0 and wide.above(0):
        yield "superior at 0"
    if difference == -1 and wide.above(-margin):
        yield "non-inferior at -margin"
    if difference == -1 and wide.below(-margin):
        yield "inferior at -margin"
    if difference != 0 and narrow.above(-margin) and narrow.below(margin):
        yield f"equivalent at {'-' if difference < 0 else '+'}margin"


def rivals_covered(
    cell: Cell, pairs: Sequence[tuple[Array, Array]], seed: int, resamples: int
) -> dict[str, int]:
    """Counts the intervals of the other methods that hold a true difference of 0, one study a pair.

    The bootstrap's draws of items are shared by all ``pairs``.
    """
    counts = dict.fromkeys(RIVALS, 0)
    for a, b in pairs:
        low, high = stats.ttest_rel(a.mean(axis=0), b.mean(axis=0)).confidence_interval(1 - ALPHA)
        counts[RIVALS[0]] += bool(low <= 0 <= high)
    arms = [arm for pair in pairs for arm in pair]
    for name, stretched in zip(RIVALS[1:], (False, True), strict=True):
        means = resampled_arm_means(
            arms, np.arange(ITEMS), resamples=resamples, seed=seed, threads=1, stretched=stretched
        )
        low, high = np.quantile(means[:, ::2] - means[:, 1::2], [ALPHA / 2, 1 - ALPHA / 2], axis=0)
        counts[name] += int(((low <= 0) & (high >= 0)).sum())
    return counts


def study(cell: Cell, studies: int, resamples: int) -> Result:
    """Simulates ``studies`` of a cell at each true difference."""
    seed = Draws(0, "coverage", cell.kind, cell.dominant, cell.runs).bits()
    margin = MARGIN[cell.kind]
    covered, calls, rivals = 0, dict.fromkeys(CALLS, 0), dict.fromkeys(RIVALS, 0)
    for difference in (0, -1, 1):
        rng = np.random.default_rng([seed, difference + 1])
        pairs = [simulate(cell, difference * margin, rng) for _ in range(studies)]
        for pair in pairs:
            wide, narrow = intervals(cell, pair)
            covered += not (wide.above(difference * margin) or wide.below(difference * margin))
            for call in wrong_calls(difference, wide, narrow, margin):
                calls[call] += 1
        for start in range(0, studies if difference == 0 else 0, BATCH):
            for name, count in rivals_covered(
                cell, pairs[start : start + BATCH], seed + start, resamples
            ).items():
                rivals[name] += count
    return Result(cell, studies, covered, calls, rivals)


def coverage_table(results: Sequence[Result], resamples: int) -> str:
    """Writes the coverage of each cell."""
    studies = results[0].studies
    rows = []
    for result in results:
        rate = result.covered / (3 * studies)
        row = [percent(rate, 3 * studies, not COVERAGE[0] <= rate <= COVERAGE[1])]
        row += [percent(count / studies, studies) for count in result.rivals.values()]
        rows.append([result.cell.kind, result.cell.dominant, str(result.cell.runs), *row])
    return f"""## Coverage of 95 % intervals, in %

{ITEMS} items, {3 * studies:,} studies a cell for Suffice and {studies:,} for the others, {resamples:,} resamples.
± Monte Carlo standard error. A star: outside 93.5 to 98.5.

{table([*HEAD, "**Suffice**", *RIVALS], rows)}"""


def calls_table(results: Sequence[Result]) -> str:
    """Writes how often each call was wrong in each cell."""
    studies = results[0].studies
    rows = []
    for result in results:
        row = [result.cell.kind, result.cell.dominant, str(result.cell.runs)]
        for call, (_, level) in CALLS.items():
            rate = result.calls[call] / studies
            row.append(percent(rate, studies, misses(rate, 0, level, studies, 2)))
        rows.append(row)
    chance = float(stats.norm.sf(2)) * len(CALLS) * len(results)
    return f"""## Wrong calls at the edge of their null, in %

{ITEMS} items, {studies:,} studies a cell. ± Monte Carlo standard error. A star: above the level by more than two of
them, as about {chance:.0f} of {len(CALLS) * len(results)} would be by chance if every rate were just at its level.

{table([*HEAD, *(f"{call} (level {100 * level:g})" for call, (_, level) in CALLS.items())], rows)}"""


def met(result: Result) -> bool:
    """Whether every target is met within four Monte Carlo standard errors."""
    studies = result.studies
    wrong = [misses(result.calls[call] / studies, 0, level, studies, 4) for call, (_, level) in CALLS.items()]
    return not any(wrong) and not misses(result.covered / studies / 3, *COVERAGE, 3 * studies, 4)


def main() -> int:
    """Runs the study and prints its tables; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a few studies, to see that it runs")
    parser.add_argument("--studies", type=int, default=4_000, help="studies a cell and true difference")
    parser.add_argument(
        "--families", type=int, default=2_000, help="studies a cell of families and yardsticks"
    )
    parser.add_argument("--resamples", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    studies, resamples = (20, 200) if options.quick else (options.studies, options.resamples)
    claims = 1 if options.quick else options.families
    start = time.perf_counter()
    cells = [Cell(kind, dominant, runs) for (kind, dominant), runs in product(SPREADS, RUNS)]
    work = (cells, [studies] * len(cells), [resamples] * len(cells))
    places = range(len(families.CELLS))
    if options.quick:
        results, rates = list(map(study, *work)), [families.rate(place, claims) for place in places]
    else:
        with ProcessPoolExecutor(options.jobs) as pool:
            results = list(pool.map(study, *work))
            rates = list(pool.map(families.rate, places, [claims] * len(places)))
    tables = [
        coverage_table(results, resamples),
        calls_table(results),
        families.rates_table(rates, claims),
        f"{time.perf_counter() - start:.0f} s",
    ]
    sys.stdout.write("\n\n".join(tables) + "\n")
    return 0 if options.quick or (all(map(met, results)) and families.met(rates, claims)) else 1


if __name__ == "__main__":
    sys.exit(main())
