"""Strength: four stages of pretraining are ordered in knowledge, in headroom and in what 1,000 rows reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from suffice.common.files import read_json
from suffice.lab.measure.bench import Bench
from suffice.lab.measure.gates import headroom, knowledge, lima
from suffice.lab.measure.reading import Reading, Scored
from suffice.lab.measure.tuned import Asked


def measure(bench: Bench) -> list[Reading]:
    """Measures the smallest step up from one stage to the next; there are no readings without stages."""
    built = read_json(bench.base / "lab.json").get("stages", {})
    if not built:
        return []
    if bench.quick:
        built = list(built)[1:2] or list(built)
    stages = [*(replace(bench, base=bench.base / share) for share in built), bench]
    found = {
        "knowledge": [knowledge.measure(stage)[0].value for stage in stages],
        "headroom": [headroom.measure(stage)[0].value for stage in stages],
        "lima": _reached(bench, stages),
    }
    seeds = {"knowledge": 0, "headroom": 1, "lima": len(bench.seeds)}
    return [
        Reading(f"strength.{name}", min(b - a for a, b in pairwise(values)), seeds=seeds[name], least=0)
        for name, values in found.items()
    ]


def _reached(bench: Bench, stages: Sequence[Bench]) -> list[float]:
    """Returns what 1,000 good rows reach at each stage, in percent."""
    jobs = {
        str(stage.base): [Asked(str(stage.base), run, stage.test) for run in lima.good_runs(stage)]
        for stage in stages
    }
    found = bench.run_all("strength", jobs)
    return [Scored.gather(results).mean().estimate for results in found.values()]
