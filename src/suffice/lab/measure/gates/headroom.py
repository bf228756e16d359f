"""Headroom: within 64 samples the base gives nearly every answer in the asked form."""

from __future__ import annotations

from suffice.lab.families import FAMILIES
from suffice.lab.measure.bench import Bench
from suffice.lab.measure.reading import Reading, share
from suffice.lab.measure.sampled import Sampled, questions_of

SAMPLES = 64
QUESTIONS, QUICK_QUESTIONS = 24, 10


def measure(bench: Bench) -> list[Reading]:
    """Measures pass@64 at temperature 1, over all families and in each."""
    found = solved(bench, str(bench.base))
    everything = [value for values in found.values() for value in values]
    overall = Reading.of("headroom.all", share(everything), seeds=1, least=80)
    each = (Reading.of(f"headroom.{name}", share(found[name]), seeds=1, least=60) for name in FAMILIES)
    return [overall, *each]


def solved(bench: Bench, model: str) -> dict[str, list[float]]:
    """Returns for each family which questions a model solves within its samples: 100 or 0."""
    count = QUICK_QUESTIONS if bench.quick else QUESTIONS
    jobs = []
    for family in FAMILIES:
        rows = [row for row in bench.test if row["task"] == family][:count]
        jobs.append(Sampled(model, *questions_of(rows), samples=SAMPLES))
    results = bench.run("headroom", jobs)
    return {
        family: [100.0 * any(reply["right"] for reply in replies) for replies in result["replies"]]
        for family, result in zip(FAMILIES, results, strict=True)
    }
