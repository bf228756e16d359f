"""Outcomes to verdict."""

from __future__ import annotations

from typing import Any

from suffice.common.files import write_json
from suffice.proof.outcomes import read_outcomes, scored
from suffice.proof.verdict import prove
from suffice.runs.context import Run
from suffice.runs.summary import arm_rows


class ProveStage:
    """Writes ``verdict.json``: the verdict and the arms table."""

    def inputs(self, run: Run) -> Any:
        """The margin and the level."""
        return [run.recipe.design.margin, run.recipe.design.alpha]

    def intact(self, run: Run) -> bool:
        """Tells whether the verdict is there."""
        return run.folder.verdict.exists()

    def work(self, run: Run) -> dict[str, Any]:
        """Compares the arms."""
        data = scored(read_outcomes(run.folder.outcomes))
        verdict = prove(
            data.arms,
            clusters=data.clusters,
            families=data.families,
            margin=run.recipe.design.margin,
            alpha=run.recipe.design.alpha,
            chosen=len(run.selected),
            pool_rows=len(run.pool),
        )
        write_json(run.folder.verdict, {"verdict": verdict.as_json(), "arms": arm_rows(run, verdict)})
        return {"outcome": verdict.outcome}
