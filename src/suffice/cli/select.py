"""``suffice select``: choosing alone, or the select stage of a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from suffice.cli import options
from suffice.common.errors import UserError


def select(
    run: Annotated[
        Path | None,
        typer.Argument(metavar="[RUN]", help="A run folder, or one that suffice score wrote."),
    ] = None,
    pool: options.Pools = None,
    target: options.TargetFile = None,
    dev: options.DevFile = None,
    model: options.Model = None,
    scorer: options.ScorerName = None,
    pipeline: options.PipelineFile = None,
    set_: options.Set = None,
    selector: options.SelectorName = None,
    budget: options.Budget = None,
    budget_tokens: options.BudgetTokens = None,
    out: options.OutFolder = None,
    reject_twins: options.RejectTwins = False,
    columns: options.Columns = None,
    ignore: options.Ignore = None,
    allow_license: options.AllowLicense = None,
    pin: options.Pin = None,
    ban: options.Ban = None,
    at_least: options.AtLeast = None,
    at_most: options.AtMost = None,
    language: options.Language = None,
    no_twins: options.NoTwins = None,
    drop_worst: options.DropWorst = None,
    seed: options.Seed = None,
    chat_template: options.ChatTemplate = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    jobs: options.Jobs = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Choose rows of a pool, each with its reason.

    Without a folder: reads --pool, scores it, and writes selection.jsonl, rejected.jsonl, scores.parquet and
    manifest.json to --out. From a folder that suffice score wrote: chooses by its scores. In a run folder: chooses
    by the run's own recipe.
    """
    # fmt: off
    files = (pool, target, dev, model, scorer, pipeline, set_, out, chat_template, device, dtype, jobs, columns, ignore, allow_license)
    choice = (selector, budget, budget_tokens, seed, pin, ban, at_least, at_most, language, no_twins, drop_worst)
    # fmt: on
    reads = reject_twins or any(option is not None for option in files)
    chooses = any(option is not None for option in choice)
    if run is not None and _by_recipe(run, given=reads or chooses):
        from suffice.cli.running import run_stage

        run_stage(run, "select", json=json, quiet=quiet)
        return
    if pipeline and (scorer or selector):
        raise UserError("a pipeline names scorers and selector itself", "leave out --scorer and --selector")
    if budget and budget_tokens:
        raise UserError("--budget counts rows and --budget-tokens tokens", "give one of the two")
    if run is None:
        options.require(
            "select", pool=pool, scorer=scorer or pipeline, budget=budget or budget_tokens, out=out
        )
    elif reads or not (budget or budget_tokens):
        _refuse(run, reads=reads)
    from suffice.common.progress import reporter
    from suffice.models import ModelSource
    from suffice.runs.alone import Choosing, select_alone, select_scored
    from suffice.runs.constraints import Wanted, read_bounds
    from suffice.runs.scored import ScoreRequest
    from suffice.runs.steps import PIPELINE, read_pipeline

    wanted = Wanted(
        options.words(pin) or (),
        options.words(ban) or (),
        read_bounds("--at-least", options.words(at_least)),
        read_bounds("--at-most", options.words(at_most)),
        options.words(language) or (),
        no_twins,
    )
    choosing = Choosing(budget, budget_tokens, selector, seed, wanted, drop_worst or 0)
    folder = run or out or Path()
    if run is not None:
        _tell(select_scored(run, choosing, reporter(quiet=quiet)), folder, json=json, quiet=quiet)
        return
    request = ScoreRequest(
        pool=pool or [],
        out=folder,
        scorer=scorer or PIPELINE,
        pipeline=read_pipeline(pipeline) if pipeline else None,
        model=ModelSource(model or "lab", device or "auto", dtype or "auto", chat_template),
        options=options.scorer_options(set_),
        target=target,
        dev=dev,
        uses_model=model is not None,
        seed=seed or 0,
        jobs=jobs,
        terms=options.terms(columns, ignore, allow_license, reject_twins=reject_twins),
    )
    manifest = select_alone(request, choosing, reporter(quiet=quiet))
    _tell(manifest, folder, json=json, quiet=quiet)


def _by_recipe(run: Path, *, given: bool) -> bool:
    """Tells whether a folder is chosen from by its own recipe.

    Raises:
        UserError: It is, or it holds nothing, and options were given.
    """
    from suffice.runs.folder import RunFolder

    folder = RunFolder(run)
    if folder.scoring.is_file():
        return False
    if given and not folder.recipe_file.is_file():
        raise UserError(f"{run} holds no scores and no run", f"suffice score --pool … --scorer … --out {run}")
    if given:
        from suffice.cli.running import refuse_options

        refuse_options(run, "chosen from")
    return True


def _refuse(run: Path, *, reads: bool) -> None:
    """Refuses options of reading and scoring for a scored folder, and a missing budget."""
    if reads:
        raise UserError(
            f"{run} has been scored already", "give only how to choose: --budget, --selector and constraints"
        )
    raise UserError("select lacks --budget", "give how many rows to choose, or --budget-tokens")


def _tell(manifest: dict[str, Any], folder: Path, *, json: bool, quiet: bool) -> None:
    from suffice.cli.output import print_json

    counts = manifest["counts"]
    if json:
        print_json(manifest)
    elif not quiet:
        tokens = manifest["tokens"]
        held = f" with {tokens['chosen']:,} of {tokens['budget']:,} {tokens['unit']}" if tokens else ""
        typer.echo(
            f"{counts['chosen']:,} of {counts['read']:,} rows chosen{held}, {counts['unchosen']:,} left, "
            f"{counts['rejected']:,} rejected. Next: look at {folder / 'selection.jsonl'}"
        )
