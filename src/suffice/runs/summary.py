"""What a run found, as plain values: the arms table, the costs, and the stable JSON form of both."""

from __future__ import annotations

from typing import Any

from suffice.common.files import read_json
from suffice.proof.intervals import Interval
from suffice.proof.verdict import ArmEstimate, Verdict
from suffice.runs.context import Run
from suffice.runs.folder import STAGES, RunFolder


def arm_rows(run: Run, verdict: Verdict) -> list[dict[str, Any]]:
    """Returns one entry an arm: scores in percent, and what its training took.

    Args:
        run: A run whose arms are trained and evaluated.
        verdict: The verdict, with an estimate for every arm.
    """
    return [_arm_row(run, estimate) for estimate in verdict.arms]


def _arm_row(run: Run, estimate: ArmEstimate) -> dict[str, Any]:
    runs = [arm for arm in run.arms if arm.arm == estimate.name]
    records = [_record(run, arm.arm, arm.index) for arm in runs]
    trained = [record for record in records if record]
    return {
        **estimate.as_json(),
        "rows": round(sum(arm.pool_rows for arm in runs) / len(runs)),
        "family_intervals": {name: _ends(found) for name, found in estimate.families.items()},
        "items": len(run.target.test),
        "epochs": round(runs[0].steps * runs[0].batch / max(1, runs[0].pool_rows), 3),
        "steps": runs[0].steps,
        "train_seconds": round(sum((record["seconds"] for record in trained), 0.0), 2),
        "flops": sum((record["flops"] for record in trained), 0.0),
        "cut": sum(record["cut"] for record in trained),
        "dropped": sum(record["dropped"] + record["refused"] for record in trained),
    }


def _ends(interval: Interval) -> list[float | None]:
    return [interval.low, interval.high]


def _record(run: Run, arm: str, index: int) -> dict[str, Any] | None:
    """Returns what the training of one run wrote, or nothing for the base."""
    path = run.folder.arms / arm / str(index) / "trained.json"
    return read_json(path) if path.exists() else None


def costs(folder: RunFolder) -> dict[str, float]:
    """Returns the seconds that choosing, training and evaluating took.

    Training and evaluating are summed over runs that worked side by side; the total is wall time, summed over
    the stages but for the report, which shows it.
    """
    stamps = {stage: folder.stamp(stage) or {} for stage in STAGES if stage != "report"}
    seconds = {stage: float(stamp.get("seconds", 0.0)) for stage, stamp in stamps.items()}
    evaluated = [read_json(path)["seconds"] for path in folder.arms.glob("*/*/evaluated.json")]
    trained = [read_json(path)["seconds"] for path in folder.arms.glob("*/*/trained.json")]
    return {
        "choose_seconds": round(seconds["score"] + seconds["select"], 2),
        "train_seconds": round(sum(trained), 2),
        "evaluate_seconds": round(sum(evaluated), 2),
        "total_seconds": round(sum(seconds.values()), 2),
    }


def as_json(folder: RunFolder) -> dict[str, Any]:
    """Returns the stable JSON form of a finished run."""
    found = read_json(folder.verdict)
    more = {name: found[name] for name in ("curve", "untargeted")}  # only where the recipe asks for them
    return {
        "verdict": found["verdict"],
        "arms": found["arms"],
        **{name: value for name, value in more.items() if value},
        "costs": costs(folder),
        "run": str(folder.path),
    }
