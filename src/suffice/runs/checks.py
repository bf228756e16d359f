"""What can be known to be wrong with a run before its pool is read, let alone anything is trained."""

from __future__ import annotations

from pathlib import Path

from suffice.common.errors import UserError
from suffice.common.options import make
from suffice.evaluation.evaluate import check_references
from suffice.runs.choose import check_dev
from suffice.runs.constraints import wanted_by
from suffice.runs.context import Run
from suffice.runs.fitting import check_pipeline, check_selector
from suffice.runs.suspects import check_drops


def check(run: Run) -> None:
    """Checks names, files and the target.

    Raises:
        UserError: There is no such scorer or selector or selection file, dev examples are needed and there are
            none, or a reference answer holds nothing to compare, or there is no such model.
    """
    settings = run.recipe.selection
    if settings.file is None:
        for name in settings.scorers:
            check_dev(name, run.target)
            make("scorers", name, settings.options_of(name))  # refuses options that it does not have
        if settings.steps:
            check_pipeline(settings.steps, run.target)
        else:
            check_selector(settings.scorer, settings.selector, run.target)
        wanted_by(settings).check()
    for name in run.recipe.design.scorers:
        scorer, _, selector = name.partition("+")
        check_dev(scorer, run.target)
        check_selector(scorer, selector or None, run.target)
    if settings.file is not None and not Path(settings.file).is_file():
        raise UserError(f"no selection file {settings.file}", "check the path")
    if run.recipe.training.tune and not run.target.dev:
        raise UserError(
            "--tune picks learning rates on dev examples, and there are none",
            "give --target FILE with dev rows, or --dev FILE",
        )
    judged = run.judged.items if run.recipe.training.tune else run.judged.test
    check_references(run.extractor, judged)
    if settings.drop_worst:
        check_drops(settings.scorer)
    _ = run.model_key, run.scoring_key  # refuses what is no model
