"""Files to pool: read, reject with reasons, keep test items out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from suffice.common.files import digest_file
from suffice.data.pool import Pool
from suffice.data.reading import expand
from suffice.data.terms import make_terms
from suffice.runs.choose import check_budget, counts, gather
from suffice.runs.constraints import check_constraints, wanted_by
from suffice.runs.context import Run
from suffice.runs.selection import choices_from
from suffice.selectors.ground import Ground


class PoolStage:
    """Writes ``pool.parquet``, ``rejected.jsonl`` and ``target.parquet``."""

    def inputs(self, run: Run) -> Any:
        """The pool files' content, and the target, whose test items are kept out of the pool."""
        files = {str(path): digest_file(Path(path)) for path in expand(run.recipe.pool)}
        asked = [run.recipe.selection.reject_twins, run.recipe.reading.model_dump()]
        return [files, *asked, run.judged.fingerprint]

    def intact(self, run: Run) -> bool:
        """Tells whether the three files are there."""
        return all(p.exists() for p in (run.folder.pool, run.folder.rejected, run.folder.target))

    def work(self, run: Run) -> dict[str, Any]:
        """Reads the pool; the summary counts the rows."""
        terms = make_terms(**run.recipe.reading.model_dump(), reject_twins=run.recipe.selection.reject_twins)
        gathered = gather(run.recipe.pool, run.judged, run.reporter, terms=terms)
        _check_choice(run, gathered.pool)
        gathered.write(run.folder.pool, run.folder.rejected)
        run.judged.write(run.folder.target)
        run.__dict__.pop("pool", None)  # an earlier read is out of date
        return counts(gathered, 0) | {"overlap": gathered.overlap}


def _check_choice(run: Run, pool: Pool) -> None:
    """Refuses what cannot be chosen from this pool while the folder is still free for another recipe."""
    settings = run.recipe.selection
    if settings.file:
        choices_from(Path(settings.file), pool)
    else:
        constraints = wanted_by(settings).made(pool, run.folder.cache, run.reporter, seed=run.recipe.seed)
        if settings.budget_tokens:
            check_constraints(pool, max(1, Ground(pool, constraints).fewest), constraints)
            return
        budgets = [settings.budget, *run.recipe.design.budgets]
        check_budget(max(budgets), pool)
        for budget in budgets:
            check_constraints(pool, budget, constraints)
