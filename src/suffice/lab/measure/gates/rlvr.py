"""RLVR: one example unlocks the worked steps; what false rewards do depends on whether a shortcut is well formed."""

from __future__ import annotations

from suffice.evaluation.pass_at_k import pass_at
from suffice.lab.measure.bench import Bench
from suffice.lab.measure.reading import Reading, Scored, share
from suffice.lab.measure.reinforced import Reinforced, Reward
from suffice.lab.measure.sampled import Sampled, questions_of
from suffice.lab.measure.tuned import Asked, Training
from suffice.lab.target import target_rows
from suffice.proof.intervals import Interval

ITEMS, QUICK_ITEMS = 300, 100
SAMPLED, SAMPLES = 40, 16


def measure_shortcut(bench: Bench) -> list[Reading]:
    """Family A, ``chain``: a well-formed wrong shortcut satisfies false rewards, so that only the true one helps."""
    base = _base(bench, "chain")
    found = _arms(bench, "chain", whole=True)
    gain = found["correct"].minus(base)
    all_gain = found["whole set"].mean().estimate - base.mean().estimate
    seeds = len(bench.seeds)
    readings = [
        *_pass_rates(bench),
        Reading.of("rlvr-a.one", _share_of(gain, all_gain), seeds=seeds, least=90),
    ]
    for reward in ("format", "wrong"):
        change = found[reward].minus(base)
        readings.append(Reading.of(f"rlvr-a.{reward}", change, seeds=seeds, least=-10, most=10))
    return readings


def measure_spurious(bench: Bench) -> list[Reading]:
    """Family B, ``arith``: the only well-formed replies are the worked ones, so every reward helps."""
    base = _base(bench, "arith")
    found = _arms(bench, "arith")
    names = {"one": "correct", "format": "format", "wrong": "wrong"}
    return [
        Reading.of(f"rlvr-b.{name}", found[reward].minus(base), seeds=len(bench.seeds), least=20)
        for name, reward in names.items()
    ]


def _problems(bench: Bench, family: str) -> list[dict[str, str]]:
    """Returns unseen problems of a family as rows of the target."""
    rows = target_rows(bench.world, QUICK_ITEMS if bench.quick else ITEMS)
    return [row for row in rows if row["task"] == family and row["split"] == "test"]


def _base(bench: Bench, family: str) -> Scored:
    rows = tuple(_problems(bench, family))
    [result] = bench.run(f"{family}, base", [Asked(str(bench.base), Training(), rows)])
    return Scored.gather([result], trained=False)


def _arms(bench: Bench, family: str, *, whole: bool = False) -> dict[str, Scored]:
    """Trains on one example by each reward and, where asked for, on the whole set by the right one."""
    unseen = questions_of(_problems(bench, family))

    def jobs(reward: Reward, *, whole: bool = False) -> list[Reinforced]:
        return [Reinforced(str(bench.base), family, reward, whole, seed, *unseen) for seed in bench.seeds]

    arms = {"whole set": jobs("correct", whole=True)} if whole else {}
    arms |= {"correct": jobs("correct"), "format": jobs("format"), "wrong": jobs("wrong")}
    return {name: Scored.gather(results) for name, results in bench.run_all(family, arms).items()}


def _pass_rates(bench: Bench) -> list[Reading]:
    rows = _problems(bench, "chain")[:SAMPLED]
    [result] = bench.run(
        "chain, samples", [Sampled(str(bench.base), *questions_of(rows), samples=SAMPLES, seed=1)]
    )
    solved = [sum(reply["right"] for reply in replies) for replies in result["replies"]]
    once = share([pass_at(1, right, SAMPLES) for right in solved])
    many = share([pass_at(SAMPLES, right, SAMPLES) for right in solved])
    return [
        Reading.of("rlvr-a.base-pass1", once, seeds=1, least=4, most=15),
        Reading.of("rlvr-a.base-pass16", many, seeds=1, least=50),
    ]


def _share_of(gain: Interval, whole: float) -> Interval:
    """Returns a gain in percent of the whole set's; its interval takes the latter as known."""
    if whole <= 0:
        return Interval(0.0, None, None)
    ends = [None if end is None else 100 * end / whole for end in (gain.low, gain.high)]
    return Interval(100 * gain.estimate / whole, *ends)
