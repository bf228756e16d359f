"""Selection to arms: every run of every arm trained, side by side in one-thread workers."""

from __future__ import annotations

from typing import Any

from suffice.runs.arms import ArmRun
from suffice.runs.context import Run
from suffice.runs.cost import estimate, power_sentence, threads_of
from suffice.runs.jobs import ArmJob, arm_job, run_job
from suffice.runs.tuning import tuned_rates, tuning_jobs
from suffice.scale.local import Workers


class TrainStage:
    """Writes ``arms/<arm>/<run>/``: the weights and ``trained.json``.

    Where a later stage is wanted too, each run is evaluated as soon as it is trained, so that weights nobody
    keeps never pile up.
    """

    def inputs(self, run: Run) -> Any:
        """The base, the training settings and the design of the arms."""
        recipe = run.recipe
        return [run.model_key, recipe.training.model_dump(), recipe.design.model_dump(), recipe.seed]

    def intact(self, run: Run) -> bool:
        """Tells whether every run of every arm is trained."""
        return all(job.done for job in arm_jobs(run, evaluate=False))

    def work(self, run: Run) -> dict[str, Any]:
        """Says what it costs and can show, then trains what is not trained yet."""
        clusters = len({item.cluster for item in run.target.test})
        run.reporter.say(power_sentence(run.recipe, clusters))
        left = [job.run for job in arm_jobs(run, evaluate=run.until != "train") if not job.done]
        cost = estimate(run.model, run.pool, left, run.recipe, run.folder.path, run.jobs)
        run.reporter.say(cost.sentence)
        if run.recipe.training.tune:
            do_jobs(run, tuning_jobs(run), "tune")
        do_jobs(run, arm_jobs(run, evaluate=run.until != "train"))
        return {"estimate": {"seconds": cost.seconds, "flops": cost.flops, "bytes": cost.bytes}}


def arm_jobs(run: Run, *, evaluate: bool) -> list[ArmJob]:
    """Returns the jobs of all arms, with the learning rate of each."""
    rates = tuned_rates(run)
    return [_job(run, arm, rates.get(arm.kind), evaluate=evaluate) for arm in run.arms]


def _job(run: Run, arm: ArmRun, rate: float | None, *, evaluate: bool) -> ArmJob:
    keep = run.recipe.execution.keep_weights
    return arm_job(
        run,
        arm,
        run.folder.arms / arm.arm / str(arm.index),
        rate=rate,
        split="test" if evaluate else "",
        keep_weights=keep == "all" or (keep == arm.kind and not arm.curve),
    )


def do_jobs(run: Run, jobs: list[ArmJob], name: str = "train") -> None:
    """Does the jobs that are not done yet, the longest first, and reports the steps.

    The base comes before all, so that what is wrong with the target shows before anything is trained.
    """
    left = sorted((job for job in jobs if not job.done), key=lambda job: (job.run.steps > 0, -job.run.steps))
    if not left:
        return
    steps = sum(job.run.steps for job in left if not job.trained)
    workers = Workers(min(run.jobs, len(left)), threads_of(run.recipe))
    with workers, run.reporter.track(name, max(1, steps), "steps") as task:
        workers.map(run_job, left, on_progress=task.advance)
        task.result(f"{len(left)} runs, {steps:,} steps")
