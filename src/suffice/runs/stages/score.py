"""Pool to scores: the recipe's scorer, and the lengths that the arm ``longest`` is chosen by."""

from __future__ import annotations

from typing import Any

from suffice.runs.choose import check_budget, score
from suffice.runs.context import Run
from suffice.scorers.protocol import Scores


class ScoreStage:
    """Writes ``scores.parquet`` and, for the arm ``longest``, ``lengths.parquet``."""

    def inputs(self, run: Run) -> Any:
        """The scorer, the base and the seed."""
        settings = run.recipe.selection
        return [settings.scorer, settings.file is None, self._longest(run), run.model_key, run.recipe.seed]

    def intact(self, run: Run) -> bool:
        """Tells whether the scores are there."""
        elsewhere = run.recipe.selection.file is not None
        return (elsewhere or run.folder.scores.exists()) and (
            not self._longest(run) or run.folder.lengths.exists()
        )

    def work(self, run: Run) -> dict[str, Any]:
        """Scores the pool; the summary holds the scorer's notes."""
        settings, notes = run.recipe.selection, {}
        if settings.file is None:
            check_budget(settings.budget, run.pool)
            scores = self._score(run, settings.scorer)
            scores.write(run.folder.scores)
            notes = scores.notes | {"missing": scores.missing}
        if self._longest(run):
            self._score(run, "length").write(run.folder.lengths)
        return {"notes": notes}

    def _longest(self, run: Run) -> bool:
        return "longest" in run.recipe.design.arms

    def _score(self, run: Run, scorer: str) -> Scores:
        return score(
            scorer,
            run.pool,
            model=run.model,
            target=run.target,
            folder=run.folder.cache,
            reporter=run.reporter,
            seed=run.recipe.seed,
            workers=run.jobs,
        )
