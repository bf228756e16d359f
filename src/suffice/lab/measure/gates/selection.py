"""Selection: RDS+ finds the good rows where bad ones differ in style, and not where they share the form."""

from __future__ import annotations

from suffice.common.files import digest
from suffice.lab.measure.bench import Bench
from suffice.lab.measure.gates.lima import ROWS, STEPS, good_runs
from suffice.lab.measure.reading import Reading
from suffice.lab.measure.selected import Selected
from suffice.lab.measure.tuned import Training
from suffice.lab.pool import PoolName

POOLS: tuple[PoolName, ...] = ("plain", "hard")


def measure(bench: Bench) -> list[Reading]:
    """Measures how far the chosen rows stay below the oracle's on both pools."""
    jobs = [Selected(str(bench.base), pool, digest(bench.whole(pool)), ROWS) for pool in POOLS]
    chosen = dict(zip(POOLS, bench.run("RDS+", jobs), strict=True))
    arms = {
        f"{ROWS} good": good_runs(bench),
        "1000 good, hard pool": [
            Training(bench.good(ROWS, seed, "hard"), seed, steps=STEPS) for seed in bench.seeds
        ],
    }
    for pool, choice in chosen.items():
        rows = tuple(choice["rows"])
        arms[f"chosen, {pool}"] = [Training(rows, seed, steps=STEPS) for seed in bench.seeds]
    found = bench.asked_all("selection", arms)
    plain = found[f"{ROWS} good"].minus(found["chosen, plain"])
    hard = found["1000 good, hard pool"].minus(found["chosen, hard"])
    seeds = len(bench.seeds)
    return [
        Reading.of("selection.plain", plain, seeds=seeds, most=3),
        Reading.of("selection.hard", hard, seeds=seeds, least=5),
    ]
