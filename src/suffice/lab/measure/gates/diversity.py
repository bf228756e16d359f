"""Diversity: rows of one family alone do little for the others."""

from __future__ import annotations

from suffice.lab.families import FAMILIES
from suffice.lab.measure.bench import Bench
from suffice.lab.measure.gates.lima import ROWS, STEPS, good_runs
from suffice.lab.measure.reading import Reading
from suffice.lab.measure.tuned import Training
from suffice.lab.pool import good_rows

NARROW = ("fact", "arith")


def measure(bench: Bench) -> list[Reading]:
    """Measures how far one family's rows stay below mixed ones on the other families."""
    arms = {f"{family} alone": _narrow_runs(bench, family) for family in NARROW}
    found = bench.asked_all("diversity", {f"{ROWS} good": good_runs(bench), **arms})
    readings = []
    for family in NARROW:
        others = [name for name in FAMILIES if name != family]
        loss = found[f"{ROWS} good"].of(*others).minus(found[f"{family} alone"].of(*others))
        readings.append(Reading.of(f"diversity.{family}", loss, seeds=len(bench.seeds), least=30))
    return readings


def _narrow_runs(bench: Bench, family: str) -> list[Training]:
    return [
        Training(tuple(good_rows(bench.world, ROWS, seed=seed, family=family)), seed, steps=STEPS)
        for seed in bench.seeds
    ]
