"""The base's own score: low everywhere, or there is nothing to bring out."""

from __future__ import annotations

from suffice.lab.families import FAMILIES
from suffice.lab.measure.bench import Bench
from suffice.lab.measure.reading import Reading, Scored
from suffice.lab.measure.tuned import Asked, Training


def measure(bench: Bench) -> list[Reading]:
    """Measures the untrained base's strict greedy score, over all families and in each."""
    [result] = bench.run("zero-shot", [Asked(str(bench.base), Training(), bench.test)])
    base = Scored.gather([result], trained=False)
    overall = Reading.of("zero-shot.all", base.mean(), most=15)
    return [overall, *(Reading.of(f"zero-shot.{name}", base.of(name).mean(), most=25) for name in FAMILIES)]
