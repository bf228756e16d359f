"""``suffice run`` for recipes on one example, whose arms a reward judges: one-shot and critique."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from suffice.common.errors import UserError

# Options of `suffice run` by the field of its other recipes, and the field of these kinds of recipe.
_FIELDS = {
    "model": "model",
    "chat_template": "chat_template",
    "target.file": "target",
    "target.items": "evaluation.items",
    "target.max_new_tokens": "max_new_tokens",
    "design.seeds": "design.seeds",
    "design.arms": "design.arms",
    "training.steps": "training.steps",
    "training.learning_rate": "training.learning_rate",
    "seed": "seed",
    "execution.device": "execution.device",
    "execution.dtype": "execution.dtype",
    "execution.jobs": "execution.jobs",
}
_SET = "selection.options."  # the field of --set NAME=VALUE
# What one kind alone has.
_OWN = {
    "one-shot": {"training.lora": "training.lora"},
    "critique": {"training.epochs": "training.epochs", "training.batch_size": "training.batch_size"},
}
# What --quick changes where nothing else is said: fewer and shorter trainings, on fewer items.
_QUICK: dict[str, dict[str, Any]] = {
    "one-shot": {
        "training.steps": 20,
        "design.arms": ["base", "template", "format", "wrong", "one", "random-one", "whole"],
        "design.seeds": 2,
        "design.singles": 2,
        "evaluation.items": 60,
        "evaluation.sampled_items": 20,
        "choice.candidates": 30,
    },
    "critique": {
        "design.seeds": 2,
        "evaluation.items": 60,
        "evaluation.sampled_items": 20,
        "choice.candidates": 30,
    },
}
KINDS = tuple(_OWN)


def run_rewarded_recipe(
    kind: str,
    source: str,
    given: dict[str, Any],
    out: Path | None,
    *,
    quick: bool,
    unsafe: bool,
    json: bool,
    quiet: bool,
) -> None:
    """Runs a recipe in a folder, which may hold an unfinished run of the same recipe.

    Args:
        kind: The recipe's kind.
        source: The recipe's name or file.
        given: The command line's options by the fields of recipes of the kind lima.
        out: The folder.
        quick: Whether to take fewer arms, seeds and items.
        unsafe: Whether code runs as the user where it cannot be isolated.
        json: Print one JSON object.
        quiet: Print no progress.
    """
    from suffice.cli.output import print_json
    from suffice.common.progress import reporter
    from suffice.runs.folder import RunFolder
    from suffice.runs.rewarded.settings import read_rewarded
    from suffice.runs.rewarded.task import adopt

    wanted = _fields(kind, source, given) | ({"reward.unsafe": True} if unsafe else {})
    wanted = (_QUICK[kind] if quick else {}) | wanted
    folder = out or Path("runs") / Path(source).stem
    if source == f"{kind}-lab":
        wanted = _lab_files(folder) | wanted
    recipe_of, work = _kind(kind)
    recipe = read_rewarded(recipe_of, source, wanted)
    with RunFolder(folder).locked():
        adopt(folder, recipe)
        found = work(folder, recipe, reporter(quiet=quiet))
    if json:
        print_json(found)
    else:
        _tell(found, folder)


def stage_of_rewarded(kind: str, path: Path, stage: str, *, json: bool) -> None:
    """Draws the report of a run on one example from what lies in its folder; such runs have no other stages.

    Raises:
        UserError: Another stage is asked for, or no task has a verdict yet.
    """
    from suffice.cli.output import print_json
    from suffice.runs.one_shot.presenting import write_report

    if stage != "report" or kind != "one-shot":
        raise UserError(
            f"{path} holds a run of the kind {kind}, which has no stage '{stage}'",
            f"go on with: suffice run {path / 'recipe.yaml'} --out {path}",
        )
    page = write_report(path)
    if json:
        print_json({"stage": stage, "run": str(path), "report": str(page)})
    else:
        sys.stdout.write(f"Report: {page}\n")


def _kind(name: str) -> tuple[type[Any], Callable[..., dict[str, Any]]]:
    """Returns the recipe of a kind, and what runs it."""
    if name == "one-shot":
        from suffice.runs.one_shot.recipe import OneShotRecipe
        from suffice.runs.one_shot.run import run_one_shot

        return OneShotRecipe, run_one_shot
    from suffice.runs.critique.recipe import CritiqueRecipe
    from suffice.runs.critique.run import run_critique

    return CritiqueRecipe, run_critique


def _fields(kind: str, source: str, given: dict[str, Any]) -> dict[str, Any]:
    """Returns what was given by the fields of this kind of recipe.

    Raises:
        UserError: Something was given that this kind has no field for.
    """
    known, wanted = _FIELDS | _OWN[kind], dict[str, Any]()
    for name, value in given.items():
        if value is None:
            continue
        if name == "pool":
            if len(value) > 1:
                raise UserError(f"{len(value)} files of examples were given", "give one --pool")
            wanted["examples"] = value[0]
        elif name in known:
            wanted[known[name]] = value
        elif kind == "critique" and name.startswith(_SET):
            wanted |= _critique_option(name.removeprefix(_SET), value)
        else:
            raise UserError(
                f"the recipe {source} has no field for the option of '{name}'",
                "leave it out or write a recipe file",
            )
    return wanted


def _critique_option(name: str, value: str) -> dict[str, Any]:
    """Returns the field for ``--set NAME=VALUE``: one of ``critiques``, or of the endpoint that writes them."""
    from suffice.cli import options
    from suffice.models.endpoint.settings import EndpointSettings

    if name in (field.name for field in fields(EndpointSettings)):
        return {f"critiques.teacher.{name}": value}
    return {f"critiques.{name}": options.absolute(value) if name == "file" else value}


def _lab_files(folder: Path) -> dict[str, Any]:
    from suffice.lab.export import export_stepwise

    whole = folder.resolve()
    files = export_stepwise(whole.with_name(f"{whole.name}-input"))
    return {"examples": str(files["examples"]), "target": str(files["target"])}


def _tell(found: dict[str, Any], folder: Path) -> None:
    """Writes a table and the sentences of each task to standard output."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    for task in found["tasks"]:
        console.print(_table(task))
        if "time" in task:
            shares = ", ".join(f"{name} {share:.0%}" for name, share in task["time"].items())
            console.print(f"Time of training: {shares}.", soft_wrap=True)
        for sentence in task["sentences"]:
            console.print(sentence, style="bold", soft_wrap=True)
        console.print()
    page = folder / "report.html"
    sys.stdout.write(f"Report: {page}\n" if page.exists() else f"Verdict: {folder / 'verdict.json'}\n")


def _table(task: dict[str, Any]) -> Any:
    """Returns the arms of a task as a table: one column for each metric."""
    from rich.table import Table

    table = Table(title=task["task"] or None, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("arm")
    table.add_column("runs", justify="right")
    for metric in task["metrics"]:
        table.add_column(f"{metric['metric']} % ({100 * task['level']:.4g} %)", justify="right", no_wrap=True)
    for rows in zip(*(metric["arms"] for metric in task["metrics"]), strict=True):
        cells = [
            f"{row['estimate']:.1f}"
            + ("" if row["low"] is None else f" ({row['low']:.0f}-{row['high']:.0f})")
            for row in rows
        ]
        table.add_row(rows[0]["arm"], str(rows[0]["runs"]), *cells)
    return table
