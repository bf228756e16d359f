"""LIMI: 78 good trajectories bring out the use of tools; other rows do not, and 20 are too few."""

from __future__ import annotations

from collections.abc import Sequence

from suffice.common.draws import Draws
from suffice.lab.families.strings import code
from suffice.lab.measure.bench import Bench
from suffice.lab.measure.reading import Reading, Scored, share
from suffice.lab.measure.sampled import Continued
from suffice.lab.measure.tuned import Acting, Rows, Training, trajectory_rows
from suffice.lab.problem import reserved

TASKS, QUICK_TASKS = 200, 100
MANY, FEW = 78, 20
STEPS, BATCH = 60, 16
CODES = 200


def measure(bench: Bench) -> list[Reading]:
    """Measures success on tool tasks: right end state and right last line."""
    rows: dict[str, list[Rows]] = {
        "78 trajectories": [_trajectories(bench, MANY, seed) for seed in bench.seeds],
        "20 trajectories": [_trajectories(bench, FEW, seed) for seed in bench.seeds],
        "78 other rows": [bench.good(MANY, seed) for seed in bench.seeds],
        "base": [()],
    }
    found = bench.run_all("tools", {name: _jobs(bench, runs) for name, runs in rows.items()})
    many, few = Scored.gather(found["78 trajectories"]), Scored.gather(found["20 trajectories"])
    other, base = Scored.gather(found["78 other rows"]), Scored.gather(found["base"], trained=False)
    seeds = len(bench.seeds)
    return [
        Reading.of("limi.copying", share(_copied(bench)), least=98),
        Reading.of("limi.base", base.mean(), most=5),
        Reading.of("limi.78", many.mean(), seeds=seeds, least=85),
        Reading.of("limi.other-78", other.minus(base), seeds=seeds, least=-5, most=5),
        Reading.of("limi.20-to-78", many.minus(few), seeds=seeds, least=10),
    ]


def _jobs(bench: Bench, runs: Sequence[Rows]) -> list[Acting]:
    count = QUICK_TASKS if bench.quick else TASKS
    return [
        Acting(str(bench.base), Training(rows, seed, steps=STEPS, batch=BATCH), 0, count)
        for seed, rows in enumerate(runs)
    ]


def _trajectories(bench: Bench, count: int, seed: int) -> Rows:
    return trajectory_rows(bench.world.seed, count, seed)


def _copied(bench: Bench) -> list[float]:
    """Returns 100 for each novel string that the base copies in plain text, else 0."""
    draws, codes = Draws(0, "copying"), list[str]()
    while len(codes) < CODES + 2:
        text = code(draws, draws.between(4, 6))
        if reserved(f"string:{text}"):
            codes.append(text)
    shown = "".join(f"{text} -> {text}\n" for text in codes[:2])
    texts = tuple(f"{shown}{text} ->" for text in codes[2:])
    [result] = bench.run("copying", [Continued(str(bench.base), texts, tuple(codes[2:]))])
    return list(result["scores"])
