"""The stages of a run in order, each skipped while what it was made from has not changed."""

from __future__ import annotations

import time

from suffice.common.errors import UserError
from suffice.common.files import digest, read_json, write_json
from suffice.common.progress import Reporter
from suffice.runs.checks import check
from suffice.runs.context import Run
from suffice.runs.folder import RunFolder
from suffice.runs.looks import designs, is_open, looks_done
from suffice.runs.manifest import write_manifest
from suffice.runs.recipe import Recipe
from suffice.runs.stages import STAGES


def bring_up_to_date(folder: RunFolder, recipe: Recipe, reporter: Reporter, until: str = "report") -> Run:
    """Runs the stages of a run up to ``until``, leaving out those that are current.

    A stage's key is a hash of its inputs and settings and of the key of the stage before. A stage runs where
    the folder holds no result of its key, and then so do those after it. Where looks are planned, the stages
    run once for each look until the outcome is no longer open.

    Args:
        folder: The run folder, locked by the caller.
        recipe: The recipe, adopted by the folder.
        reporter: Where progress is told.
        until: The last stage wanted, one of `STAGES`.

    Returns:
        The run, up to date.

    Raises:
        UserError: Whatever a stage finds to be wrong.
    """
    planned = Run(folder, recipe, reporter, until)
    check(planned)
    _fix_plan(planned)
    for design in designs(recipe.design)[looks_done(folder) :]:
        run = Run(folder, recipe.model_copy(update={"design": design}), reporter, until)
        _bring_up_to_date(run)
        if until not in ("prove", "report") or not is_open(folder):
            break
    if until == "report" and not folder.manifest.exists():
        write_manifest(run)
    return run


def _bring_up_to_date(run: Run) -> None:
    folder, key = run.folder, ""
    for name, stage in STAGES.items():
        key = digest([name, key, stage.inputs(run)])
        found = folder.stamp(name)
        if found is None or found["key"] != key or not stage.intact(run):
            folder.manifest.unlink(missing_ok=True)  # it speaks of a whole run
            started = time.monotonic()
            summary = stage.work(run)
            folder.finish(name, key, time.monotonic() - started, **summary)
        if name == run.until:
            break


def _fix_plan(run: Run) -> None:
    """Writes down the design before the first score, or checks that it has not changed since.

    Raises:
        UserError: The design, the target or the way of judging is not what the run was begun with.
    """
    plan = {
        "design": run.recipe.design.model_dump(),
        "target": run.judged.fingerprint,
        "judging": {"extractor": run.extractor, "require_stop": run.recipe.target.require_stop},
    }
    if not run.folder.plan.exists():
        write_json(run.folder.plan, plan | {"hash": digest(plan)})
        return
    fixed = read_json(run.folder.plan)
    changed = [name for name, value in plan.items() if fixed[name] != value]
    if changed:
        raise UserError(
            f"the {' and the '.join(changed)} of {run.folder.path} changed after the run was begun",
            "choose a new --out",
        )
