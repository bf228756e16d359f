"""LIMA: 1,000 good rows of the plain pool align the base; random ones half, and the full pool little."""

from __future__ import annotations

from suffice.lab.families import FAMILIES
from suffice.lab.measure.bench import Bench
from suffice.lab.measure.reading import Reading
from suffice.lab.measure.tuned import Training

ROWS, STEPS, EPOCHS = 1000, 125, 4
QUICK_SHARE = 16  # one row in so many of the whole pool


def measure(bench: Bench) -> list[Reading]:
    """Measures the strict score of four arms on the nine families."""
    whole = bench.whole()
    if bench.quick:
        whole = whole[: len(whole) // QUICK_SHARE]
    arms = {  # the longest runs first
        "full, equal epochs": [Training(whole, seed, epochs=EPOCHS) for seed in bench.seeds],
        "full, equal steps": [Training(whole, seed, steps=STEPS) for seed in bench.seeds],
        "random": [Training(bench.random(ROWS, seed), seed, steps=STEPS) for seed in bench.seeds],
        "good": good_runs(bench),
    }
    found = bench.asked_all("lima", arms)
    good = found["good"]
    seeds, most = len(bench.seeds), good.mean().estimate - 10
    return [
        Reading.of("lima.good", good.mean(), seeds=seeds, least=90),
        *(Reading.of(f"lima.good.{name}", good.of(name).mean(), seeds=seeds, least=70) for name in FAMILIES),
        Reading.of("lima.random", found["random"].mean(), seeds=seeds, least=20, most=60),
        Reading.of("lima.full-steps", found["full, equal steps"].mean(), seeds=seeds, least=5, most=most),
        Reading.of("lima.full-epochs", found["full, equal epochs"].mean(), seeds=seeds, least=5, most=most),
    ]


def good_runs(bench: Bench, rows: int = ROWS) -> list[Training]:
    """Returns runs on good rows of the plain pool, other rows for every seed."""
    return [Training(bench.good(rows, seed), seed, steps=STEPS) for seed in bench.seeds]
