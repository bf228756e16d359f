"""Scores to selection: the chosen rows in order, each with its reason; and those of the budget curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from suffice.common.files import digest_file, write_json
from suffice.data.rejected import Rejected
from suffice.runs.choose import check_budget, select
from suffice.runs.combining import read_combined
from suffice.runs.constraints import files_in
from suffice.runs.context import Run
from suffice.runs.selection import choices_from, write_selection
from suffice.runs.suspects import note_dropped, without_worst
from suffice.runs.tokens import within
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import Constraints
from suffice.selectors.ground import Ground
from suffice.selectors.protocol import Choice


class SelectStage:
    """Writes ``selection.jsonl`` and, where a curve is wanted, ``curve.json``."""

    def inputs(self, run: Run) -> Any:
        """The selector, the budgets, the constraints, and a selection made elsewhere."""
        settings, design = run.recipe.selection, run.recipe.design
        elsewhere = digest_file(Path(settings.file)) if settings.file else None
        named = [digest_file(path) for path in files_in([*settings.pin, *settings.ban])]
        return [settings.model_dump(exclude={"file"}), elsewhere, design.budgets, design.scorers, named]

    def intact(self, run: Run) -> bool:
        """Tells whether the selection is there."""
        return run.folder.selection.exists() and (not run.recipe.design.budgets or run.folder.curve.exists())

    def work(self, run: Run) -> dict[str, Any]:
        """Chooses; the summary holds the pool indices of the chosen rows, in order."""
        constraints, dropped = self._constraints(run)
        choices, tokens = self._within_budget(run, constraints)
        note_dropped(run.folder.rejected, dropped)
        write_selection(run.folder.selection, run.pool, choices)
        if run.recipe.design.budgets:
            write_json(run.folder.curve, self._curve(run, len(choices), constraints))
        held = f" with {tokens:,} tokens" if tokens else ""
        run.reporter.say(f"select     {len(choices):,} of {len(run.pool):,} rows{held}")
        return {"indices": _indices(choices), "dropped": len(dropped), "tokens": tokens}

    def _within_budget(self, run: Run, constraints: Constraints) -> tuple[list[Choice], int | None]:
        """Returns the chosen rows, and where the budget is one of tokens how many they hold."""
        limit = run.recipe.selection.budget_tokens
        if limit is None:
            return self._choose(run, run.recipe.selection.budget, constraints), None
        lengths, ground = run.token_lengths, Ground(run.pool, constraints)
        choices = within(
            lambda rows: self._choose(run, rows, constraints),
            lambda choice: choice.index,
            lengths,
            limit,
            (max(1, ground.fewest), ground.most),
        )
        return choices, lengths.total(_indices(choices))

    def _constraints(self, run: Run) -> tuple[Constraints, list[Rejected]]:
        """Returns what the recipe's own choice must hold to, and the rows that are dropped for their influence."""
        if not run.recipe.selection.drop_worst:
            return run.constraints, []
        scores = Scores.read(run.folder.scores)
        return without_worst(run.pool, scores, run.target, run.recipe.selection.drop_worst, run.constraints)

    def _choose(self, run: Run, budget: int, constraints: Constraints) -> list[Choice]:
        settings = run.recipe.selection
        if settings.file:
            choices = choices_from(Path(settings.file), run.pool)
            return choices if budget == settings.budget else choices[:budget]
        if settings.steps:
            made = read_combined(settings.steps, run.folder)
            held = made.within(constraints, budget)
            return self._by(run, settings.scorer, settings.steps.selector, made.scores, budget, held)
        scores = Scores.read(run.folder.scores)
        return self._by(run, settings.scorer, settings.selector, scores, budget, constraints)

    def _by(
        self,
        run: Run,
        scorer: str,
        selector: str | None,
        scores: Scores,
        budget: int,
        constraints: Constraints | None = None,
    ) -> list[Choice]:
        return select(
            scorer,
            selector,
            run.pool,
            scores,
            budget,
            target=run.target,
            seed=run.recipe.seed,
            constraints=constraints or run.constraints,
        )

    def _curve(self, run: Run, chosen: int, constraints: Constraints) -> dict[str, dict[str, list[int]]]:
        """Returns the pool indices of every other selection on the curve, by arm and budget."""
        budgets = sorted({*run.recipe.design.budgets, chosen})
        check_budget(budgets[-1], run.pool)
        curve = {
            "selected": {
                str(rows): _indices(self._choose(run, rows, constraints))
                for rows in budgets
                if rows != chosen
            }
        }
        for method in run.recipe.design.scorers:
            scorer, _, selector = method.partition("+")
            scores = Scores.read(run.folder.scores_by(scorer))
            name = "longest" if method == "length" else method
            curve[name] = {
                str(rows): _indices(self._by(run, scorer, selector or None, scores, rows)) for rows in budgets
            }
        return curve


def _indices(choices: list[Choice]) -> list[int]:
    return [choice.index for choice in choices]
