"""New style: good rows in a wording that pretraining never saw teach that wording."""

from __future__ import annotations

from suffice.lab.measure.bench import Bench
from suffice.lab.measure.gates.lima import ROWS, STEPS
from suffice.lab.measure.reading import Reading
from suffice.lab.measure.tuned import Training
from suffice.lab.pool import good_rows
from suffice.lab.problem import NEW_WORDING

OPENING = "Sure thing!"  # with which the new wording begins, in every family


def measure(bench: Bench) -> list[Reading]:
    """Measures the strict score of replies that have the new wording."""
    runs = [
        Training(tuple(good_rows(bench.world, ROWS, seed=seed, wording=NEW_WORDING)), seed, steps=STEPS)
        for seed in bench.seeds
    ]
    arm = bench.asked("new wording", runs, opening=OPENING)
    return [Reading.of("wording.new", arm.mean(), seeds=len(bench.seeds), least=80)]
