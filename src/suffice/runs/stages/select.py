"""Scores to selection: the chosen rows in order, each with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from suffice.common.files import digest_file
from suffice.runs.choose import select
from suffice.runs.context import Run
from suffice.runs.selection import choices_from, write_selection
from suffice.scorers.protocol import Scores
from suffice.selectors.protocol import Choice


class SelectStage:
    """Writes ``selection.jsonl``."""

    def inputs(self, run: Run) -> Any:
        """The selector, the budget, and a selection made elsewhere."""
        settings = run.recipe.selection
        elsewhere = digest_file(Path(settings.file)) if settings.file else None
        return [settings.model_dump(exclude={"file"}), elsewhere]

    def intact(self, run: Run) -> bool:
        """Tells whether the selection is there."""
        return run.folder.selection.exists()

    def work(self, run: Run) -> dict[str, Any]:
        """Chooses; the summary holds the pool indices of the chosen rows, in order."""
        choices = self._choose(run)
        write_selection(run.folder.selection, run.pool, choices)
        run.reporter.say(f"select     {len(choices):,} of {len(run.pool):,} rows")
        return {"indices": [choice.index for choice in choices]}

    def _choose(self, run: Run) -> list[Choice]:
        settings = run.recipe.selection
        if settings.file:
            return choices_from(Path(settings.file), run.pool)
        return select(
            settings.scorer,
            settings.selector,
            run.pool,
            Scores.read(run.folder.scores),
            settings.budget,
            target=run.target,
            seed=run.recipe.seed,
        )
