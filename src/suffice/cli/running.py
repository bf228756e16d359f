"""What every verb that works on a run folder does around the work itself."""

from __future__ import annotations

from pathlib import Path
from typing import Never

from suffice.cli.output import print_json, tell_run
from suffice.cli.rewarded import KINDS, stage_of_rewarded
from suffice.common.errors import UserError, unknown_name
from suffice.common.progress import reporter
from suffice.runs.fields import kind_of
from suffice.runs.folder import STAGES, RunFolder
from suffice.runs.recipe import Recipe


def run_recipe(recipe: Recipe, out: Path, *, until: str = "report", json: bool, quiet: bool) -> None:
    """Runs a recipe in a folder, which may hold an unfinished run of the same recipe."""
    if until not in STAGES:
        raise unknown_name("stage", until, STAGES)
    folder = RunFolder(out)
    with folder.locked():
        folder.adopt(recipe)
        _work(folder, recipe, until, json=json, quiet=quiet)


def run_stage(path: Path, until: str, *, json: bool, quiet: bool) -> None:
    """Brings a run folder up to date as far as a stage, by the recipe that it holds."""
    folder = RunFolder(path)
    if folder.recipe_file.exists() and (kind := kind_of(folder.recipe_file)) in KINDS:
        stage_of_rewarded(kind, path, until, json=json)
        return
    recipe = folder.recipe()
    with folder.locked():
        _work(folder, recipe, until, json=json, quiet=quiet)


def refuse_options(path: Path, done: str) -> Never:
    """Refuses options for a run folder, whose recipe says all.

    Args:
        path: The folder.
        done: What its recipe does: ``scored``, ``judged``.

    Raises:
        UserError: Always; of a folder without a run, that it holds none.
    """
    folder = RunFolder(path)
    if not (folder.recipe_file.exists() and kind_of(folder.recipe_file) in KINDS):
        folder.recipe()
    raise UserError(f"{path} is {done} by its own recipe", "leave out all options but --json and --quiet")


def _work(folder: RunFolder, recipe: Recipe, until: str, *, json: bool, quiet: bool) -> None:
    from suffice.runs.pipeline import bring_up_to_date

    bring_up_to_date(folder, recipe, reporter(quiet=quiet), until)
    if until in ("prove", "report"):
        tell_run(folder, as_json=json)
    elif json:
        print_json({"stage": until, "run": str(folder.path), **_summary(folder, until)})


def _summary(folder: RunFolder, stage: str) -> dict[str, object]:
    stamp = folder.stamp(stage) or {}
    return {name: value for name, value in stamp.items() if name not in ("key", "indices")}
