"""Arms to outcomes: every run of every arm judged on every test item."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from suffice.proof.outcomes import outcome_table, write_outcomes
from suffice.runs.context import Run
from suffice.runs.jobs import ArmJob
from suffice.runs.stages.train import arm_jobs, do_jobs


class EvaluateStage:
    """Writes ``outcomes.parquet``: arm x run x item, with the reply."""

    def inputs(self, run: Run) -> Any:
        """The test items and how replies are judged."""
        judging = run.recipe.target.model_dump(exclude={"file", "dev", "untargeted"})
        return [run.judged.fingerprint, judging]

    def intact(self, run: Run) -> bool:
        """Tells whether the outcomes are there."""
        return run.folder.outcomes.exists()

    def work(self, run: Run) -> dict[str, Any]:
        """Evaluates what is not evaluated yet (training again where weights were dropped) and gathers all."""
        jobs = arm_jobs(run, evaluate=True)
        do_jobs(run, jobs, "evaluate")
        write_outcomes(run.folder.outcomes, outcome_table(row for job in jobs for row in _rows(job)))
        return {"items": len(run.judged.test)}


def _rows(job: ArmJob) -> Iterator[dict[str, Any]]:
    """Yields the outcomes of one run with the key of the run."""
    about = {
        "arm": job.run.arm,
        "kind": job.run.kind,
        "draw": job.run.draw,
        "seed": job.run.seed,
        "sample": 0,
    }
    with (job.folder / "outcomes.jsonl").open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line) | about
