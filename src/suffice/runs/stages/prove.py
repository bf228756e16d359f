"""Outcomes to verdict."""

from __future__ import annotations

from typing import Any

from suffice.common.files import write_json
from suffice.proof.arms import Kind
from suffice.proof.draws import new_draw, spreads
from suffice.proof.outcomes import read_outcomes, run_means, scored
from suffice.proof.verdict import prove
from suffice.runs.context import Run
from suffice.runs.curve import run_curve
from suffice.runs.summary import arm_rows
from suffice.runs.untargeted import harm, split_table


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
        table, apart = split_table(read_outcomes(run.folder.outcomes))
        data, means = scored(table), run_means(table)
        judged = {arm.arm for arm in run.arms if not arm.curve}
        verdict = prove(
            [arm for arm in data.arms if arm.name in judged],
            clusters=data.clusters,
            families=data.families,
            margin=run.recipe.design.margin,
            alpha=run.recipe.design.alpha,
            chosen=len(run.selected),
            pool_rows=len(run.pool),
        )
        named = {arm.kind: arm.name for arm in verdict.arms}
        found = {
            "verdict": verdict.as_json(),
            "arms": arm_rows(run, verdict),
            "level": 1 - run.recipe.design.alpha,
            "curve": run_curve(run, data),
            "new_draw": new_draw(means.get(named.get("random", ""), []), means[named["selected"]]),
            "untargeted": harm(
                apart, _base_first(named), margin=run.recipe.design.margin, alpha=run.recipe.design.alpha
            ),
            "spreads": spreads({name: means[name] for name in named.values()}),
        }
        write_json(run.folder.verdict, found)
        return {"outcome": verdict.outcome, "runs": run.recipe.design.seeds}


def _base_first(named: dict[Kind, str]) -> list[str]:
    """Returns the names of the arms, the base first; none without a base."""
    return sorted(named.values(), key=lambda name: name != "base") if "base" in named else []
