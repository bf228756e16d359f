"""Pool to scores: by the recipe's scorer, and by those of the arm ``longest`` and of the budget curve."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suffice.common.files import digest_file
from suffice.runs.choose import check_budget, score
from suffice.runs.combining import read_combined
from suffice.runs.context import Run
from suffice.runs.cost import worker_count
from suffice.runs.selection_settings import SelectionSettings
from suffice.runs.suspects import tells_harm, write_suspects
from suffice.scorers.protocol import Scores

if TYPE_CHECKING:
    from suffice.models import LanguageModel


class ScoreStage:
    """Writes ``scores.parquet``, and ``scores-NAME.parquet`` for every other scorer that is needed.

    A scorer that tells harm leaves ``suspects.jsonl`` too. The scorers by which rows are chosen work with the model
    that the recipe names for them; the others with the base.
    """

    def inputs(self, run: Run) -> Any:
        """The scorers, the content of the files that their options name, the base and the seed."""
        settings = run.recipe.selection
        return [
            settings.scorer,
            settings.options,
            [step.model_dump() for step in settings.pipeline],
            _named_files(settings),
            settings.file is None,
            self._others(run),
            run.model_key,
            run.scoring_key,
            run.recipe.seed,
        ]

    def intact(self, run: Run) -> bool:
        """Tells whether the scores are there."""
        elsewhere = run.recipe.selection.file is not None
        return (elsewhere or run.folder.scores.exists()) and all(
            run.folder.scores_by(name).exists() for name in self._others(run)
        )

    def work(self, run: Run) -> dict[str, Any]:
        """Scores the pool; the summary holds the scorer's notes."""
        settings, notes = run.recipe.selection, {}
        if settings.file is None and not settings.budget_tokens:
            check_budget(settings.budget, run.pool)
        model = run.scoring_source.load() if settings.model else run.model
        for name in self._others(run):
            options = settings.options_of(name) if settings.steps else None
            own = model if settings.steps and name in settings.steps.scorers else run.model
            self._score(run, name, own, options).write(run.folder.scores_by(name))
        if settings.file is None:
            scores = (
                read_combined(settings.steps, run.folder).alone
                if settings.steps
                else self._score(run, settings.scorer, model, settings.options)
            )
            scores.write(run.folder.scores)
            notes = scores.notes | {"missing": scores.missing}
            if tells_harm(settings.scorer):
                write_suspects(run.folder.suspects, run.pool, scores, run.target, run.reporter)
        return {"notes": notes}

    def _others(self, run: Run) -> list[str]:
        """Returns the scorers that are needed beside the selection's."""
        design = run.recipe.design
        longest = ["length"] if {"longest", "length-matched"} & set(design.arms) else []
        curve = [name.partition("+")[0] for name in design.scorers] if design.budgets else []
        steps = run.recipe.selection.steps
        return sorted({*longest, *curve, *(steps.scorers if steps else ())})

    def _score(
        self, run: Run, scorer: str, model: LanguageModel, options: Mapping[str, Any] | None = None
    ) -> Scores:
        return score(
            scorer,
            run.pool,
            model=model,
            target=run.target,
            folder=run.folder.cache,
            reporter=run.reporter,
            seed=run.recipe.seed,
            workers=worker_count(model, run.recipe.execution.jobs),
            options=options,
        )


def _named_files(settings: SelectionSettings) -> dict[str, str]:
    """Returns the content of the files and folders that options name, such as a history or checkpoints."""
    scorers = settings.steps.scorers if settings.steps else ()
    options = [settings.options, *(settings.options_of(name) for name in scorers)]
    values = (value for each in options for value in each.values() if isinstance(value, str))
    named = [path for path in map(Path, values) if path.is_absolute()]  # as a recipe keeps paths
    files = {file for path in named for file in (path, *path.rglob("*")) if file.is_file()}
    return {str(file): digest_file(file) for file in sorted(files)}
