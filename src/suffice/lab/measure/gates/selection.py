"""Selection: RDS+ finds the good rows where bad ones differ in style, and not where they share the form."""

from __future__ import annotations

from suffice.common.files import digest
from suffice.lab.measure.bench import Bench
from suffice.lab.measure.gates.lima import ROWS, STEPS, good_arm
from suffice.lab.measure.reading import Reading, Scored
from suffice.lab.measure.selected import Selected
from suffice.lab.measure.tuned import Training
from suffice.lab.pool import PoolName


def measure(bench: Bench) -> list[Reading]:
    """Measures how far the chosen rows stay below the oracle's on both pools."""
    hard_runs = [Training(bench.good(ROWS, seed, "hard"), seed, steps=STEPS) for seed in bench.seeds]
    hard_oracle = bench.asked("1000 good, hard pool", hard_runs)
    seeds = len(bench.seeds)
    plain = good_arm(bench).minus(chosen_arm(bench, "plain"))
    hard = hard_oracle.minus(chosen_arm(bench, "hard"))
    return [
        Reading.of("selection.plain", plain, seeds=seeds, most=3),
        Reading.of("selection.hard", hard, seeds=seeds, least=5),
    ]


def chosen_arm(bench: Bench, pool: PoolName) -> Scored:
    """Returns the scores after training on the rows that RDS+ chooses from a pool."""
    [choice] = bench.run(f"RDS+, {pool}", [Selected(str(bench.base), pool, digest(bench.whole(pool)), ROWS)])
    runs = [Training(tuple(choice["rows"]), seed, steps=STEPS) for seed in bench.seeds]
    return bench.asked(f"chosen, {pool}", runs)
