"""``--tune``: the learning rate of each arm, picked on dev and never on test."""

from __future__ import annotations

from suffice.common.files import read_json
from suffice.runs.arms import ArmRun
from suffice.runs.context import Run
from suffice.runs.jobs import ArmJob, arm_job


def tuning_jobs(run: Run) -> list[ArmJob]:
    """Returns one training on dev for each arm and rate, with the arm's first rows and seed."""
    rates = run.recipe.training.rates_to_try()
    firsts = {arm.kind: arm for arm in reversed(run.arms) if arm.kind != "base" and not arm.curve}
    return [_job(run, arm, rate) for arm in firsts.values() for rate in rates]


def _job(run: Run, arm: ArmRun, rate: float) -> ArmJob:
    folder = run.folder.path / "tuning" / arm.arm / f"{rate:g}"
    return arm_job(run, arm, folder, rate=rate, split="dev")


def tuned_rates(run: Run) -> dict[str, float]:
    """Returns the best rate of each kind of arm on dev; of equal ones the lowest. Empty where nothing is tuned."""
    best: dict[str, tuple[float, float]] = {}
    for job in tuning_jobs(run):
        path = job.folder / "evaluated.json"
        if not job.done:
            continue
        score, rate = float(read_json(path)["score"]), float(job.recipe.training.rate())
        if job.run.kind not in best or score > best[job.run.kind][0]:
            best[job.run.kind] = (score, rate)
    return {kind: rate for kind, (_, rate) in best.items()}
