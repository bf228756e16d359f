"""LIMA: 1,000 good rows of the plain pool align the base; random ones half, and the full pool little."""

from __future__ import annotations

from suffice.lab.families import FAMILIES
from suffice.lab.measure.bench import Bench
from suffice.lab.measure.reading import Reading, Scored
from suffice.lab.measure.tuned import Training

ROWS, STEPS, EPOCHS = 1000, 125, 4


def measure(bench: Bench) -> list[Reading]:
    """Measures the strict score of four arms on the nine families."""
    good = good_arm(bench)
    random = bench.asked(
        "random", [Training(bench.random(ROWS, seed), seed, steps=STEPS) for seed in bench.seeds]
    )
    full_steps = bench.asked(
        "full, equal steps", [Training(bench.whole(), seed, steps=STEPS) for seed in bench.seeds]
    )
    full_epochs = bench.asked(
        "full, equal epochs", [Training(bench.whole(), seed, epochs=EPOCHS) for seed in bench.seeds]
    )
    seeds, most = len(bench.seeds), good.mean().estimate - 10
    return [
        Reading.of("lima.good", good.mean(), seeds=seeds, least=90),
        *(Reading.of(f"lima.good.{name}", good.of(name).mean(), seeds=seeds, least=70) for name in FAMILIES),
        Reading.of("lima.random", random.mean(), seeds=seeds, least=20, most=60),
        Reading.of("lima.full-steps", full_steps.mean(), seeds=seeds, least=5, most=most),
        Reading.of("lima.full-epochs", full_epochs.mean(), seeds=seeds, least=5, most=most),
    ]


def good_arm(bench: Bench, rows: int = ROWS) -> Scored:
    """Returns the scores after training on good rows of the plain pool, other rows for every seed."""
    runs = [Training(bench.good(rows, seed), seed, steps=STEPS) for seed in bench.seeds]
    return bench.asked(f"{rows} good", runs)
