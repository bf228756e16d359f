"""Budget: more good rows help at a fixed number of steps, up to about 1,000."""

from __future__ import annotations

from itertools import pairwise

from suffice.lab.measure.bench import Bench
from suffice.lab.measure.gates.lima import good_runs
from suffice.lab.measure.reading import Reading
from suffice.proof.intervals import Interval

BUDGETS, QUICK_BUDGETS = (10, 30, 100, 300, 1000, 3000), (10, 100, 1000, 3000)


def measure(bench: Bench) -> list[Reading]:
    """Measures the gains from one budget to a larger one."""
    budgets = QUICK_BUDGETS if bench.quick else BUDGETS
    arms = bench.asked_all("budget", {f"{rows} good": good_runs(bench, rows) for rows in budgets})
    seeds = len(bench.seeds)

    def gain(small: int, large: int) -> Interval:
        return arms[f"{large} good"].minus(arms[f"{small} good"])

    steps = [gain(small, large) for small, large in pairwise(budgets[:-1])]
    return [
        Reading.of("budget.rising", min(steps, key=lambda step: step.estimate), seeds=seeds, least=0),
        Reading.of("budget.100-to-1000", gain(100, 1000), seeds=seeds, least=5),
        Reading.of("budget.1000-to-3000", gain(1000, 3000), seeds=seeds, most=2),
    ]
