"""``suffice run``: a recipe from files to verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from suffice.cli import options
from suffice.cli.rewarded import KINDS, run_rewarded_recipe
from suffice.common.errors import UserError


def run(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe's name (lima) or YAML file.")],
    out: Annotated[Path | None, typer.Option("--out", help="The run folder; by default runs/NAME.")] = None,
    model: options.Model = None,
    pool: options.Pools = None,
    target: options.TargetFile = None,
    dev: options.DevFile = None,
    untargeted: Annotated[
        str | None, typer.Option(help="Target file of other tasks, watched for harm against the base.")
    ] = None,
    extractor: Annotated[
        str | None, typer.Option(help="What is compared: auto, number, exact, choice or last_line.")
    ] = None,
    columns: options.Columns = None,
    ignore: options.Ignore = None,
    allow_license: options.AllowLicense = None,
    items: Annotated[
        int | None, typer.Option(min=1, help="Test items of each family; all by default.")
    ] = None,
    max_new_tokens: Annotated[int | None, typer.Option(min=1, help="Tokens of the longest reply.")] = None,
    scorer: options.ScorerName = None,
    pipeline: options.PipelineFile = None,
    set_: options.Set = None,
    selector: options.SelectorName = None,
    budget: options.Budget = None,
    budget_tokens: options.BudgetTokens = None,
    selection_model: Annotated[
        str | None,
        typer.Option(help="A model that chooses in place of the one that is trained (LESS-T)."),
    ] = None,
    drop_worst: options.DropWorst = None,
    selection: Annotated[str | None, typer.Option(help="A selection made elsewhere (JSONL).")] = None,
    arms: Annotated[str | None, typer.Option(help="Arms to run, such as base,random,selected.")] = None,
    draws: Annotated[int | None, typer.Option(min=1, help="Draws of the random arm.")] = None,
    draw_seeds: Annotated[
        int | None, typer.Option(min=1, help="Training seeds of each draw; two tell draw and seed apart.")
    ] = None,
    budgets: Annotated[
        str | None, typer.Option(help="Budgets of the curve, such as 1,16,78,256; none by default.")
    ] = None,
    scorers: Annotated[
        str | None,
        typer.Option(help="Scorers on the curve beside the selection's, such as length,embedding+top."),
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Training seeds of the other arms.")] = None,
    looks: Annotated[
        str | None, typer.Option(help="Runs an arm after which to look and stop if settled, such as 3,5,8.")
    ] = None,
    margin: Annotated[float | None, typer.Option(help="Percent points that still count as level.")] = None,
    match: Annotated[str | None, typer.Option(help="What is equal in all arms: steps or epochs.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the budget.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Optimiser steps of every arm.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Rows of an optimiser step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The same for all arms.")] = None,
    tune: Annotated[bool | None, typer.Option("--tune", help="Pick each arm's learning rate on dev.")] = None,
    lora: Annotated[bool | None, typer.Option("--lora/--full", help="LoRA adapters or all weights.")] = None,
    seed: options.Seed = None,
    chat_template: options.ChatTemplate = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    jobs: options.Jobs = None,
    keep_weights: Annotated[str | None, typer.Option(help="selected, all or none.")] = None,
    until: Annotated[str, typer.Option(help="The last stage to run.")] = "report",
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer arms, seeds and items (one-shot and critique recipes).")
    ] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Run code of a model as yourself where it cannot be isolated.")
    ] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Choose, train every arm, evaluate, and give the verdict.

    A killed run continues where it stopped when the same command is given again.
    """
    from suffice.cli.running import run_recipe
    from suffice.runs.fields import kind_of
    from suffice.runs.recipe import read_recipe
    from suffice.runs.steps import PIPELINE, read_pipeline

    wanted: dict[str, Any] = {
        "model": options.absolute(model),
        "pool": [options.absolute(path) for path in pool] if pool else None,
        "target.file": options.absolute(target),
        "target.dev": options.absolute(dev),
        "target.untargeted": options.absolute(untargeted),
        "target.extractor": extractor,
        "target.items": items,
        "target.max_new_tokens": max_new_tokens,
        "reading.columns": options.read_columns_option(columns) or None,
        "reading.ignore": options.words(ignore),
        "reading.allow_license": options.words(allow_license),
        "selection.scorer": scorer or (PIPELINE if pipeline else None),
        "selection.pipeline": read_pipeline(pipeline).dump() if pipeline else None,
        "selection.selector": selector,
        "selection.budget": budget,
        "selection.budget_tokens": budget_tokens,
        "selection.model": options.absolute(selection_model),
        "selection.drop_worst": drop_worst,
        "selection.file": options.absolute(selection),
        "design.arms": [word.strip() for word in arms.split(",")] if arms else None,
        "design.draws": draws,
        "design.draw_seeds": draw_seeds,
        "design.budgets": [_whole(word) for word in budgets.split(",")] if budgets else None,
        "design.scorers": scorers.split(",") if scorers else None,
        "design.seeds": seeds,
        "design.looks": [_whole(word) for word in looks.split(",")] if looks else None,
        "design.margin": margin,
        "training.match": match,
        "training.epochs": epochs,
        "training.steps": steps,
        "training.batch_size": batch_size,
        "training.learning_rate": learning_rate,
        "training.tune": tune,
        "training.lora": lora,
        "seed": seed,
        "chat_template": options.absolute(chat_template),
        "execution.device": device,
        "execution.dtype": dtype,
        "execution.jobs": jobs,
        "execution.keep_weights": keep_weights,
    }
    wanted |= {f"selection.options.{name}": value for name, value in options.scorer_options(set_).items()}
    kind = kind_of(recipe)
    if kind in KINDS:
        run_rewarded_recipe(kind, recipe, wanted, out, quick=quick, unsafe=unsafe, json=json, quiet=quiet)
        return
    if quick or unsafe:
        raise UserError(f"the recipe {recipe} has no {'--quick' if quick else '--unsafe'}", "leave it out")
    resolved = read_recipe(recipe, wanted).with_checked_options()
    run_recipe(resolved, out or Path("runs") / resolved.name, until=until, json=json, quiet=quiet)


def _whole(word: str) -> int | str:
    """Returns a whole number as one; anything else as it is, for the recipe's check to name."""
    return int(word) if word.strip().isdecimal() else word
