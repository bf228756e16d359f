"""``suffice score``: scoring alone, or the score stage of a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from suffice.cli import options
from suffice.common.errors import UserError


def score(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="A run folder, for its score stage.")
    ] = None,
    pool: options.Pools = None,
    target: options.TargetFile = None,
    dev: options.DevFile = None,
    model: options.Model = None,
    scorer: options.ScorerName = None,
    set_: options.Set = None,
    history: options.History = None,
    out: options.OutFolder = None,
    reject_twins: options.RejectTwins = False,
    columns: options.Columns = None,
    ignore: options.Ignore = None,
    allow_license: options.AllowLicense = None,
    seed: options.Seed = None,
    chat_template: options.ChatTemplate = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    jobs: options.Jobs = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Score the rows of a pool, to choose from them with suffice select.

    Without a run folder: reads --pool, scores it, and writes pool.parquet, rejected.jsonl, scores.parquet and
    scoring.json to --out; with --history and no --pool, ranks the problems of a training. With one: the pool of the run, by its own recipe; earlier stages run first where they are
    out of date.
    """
    if run is not None:
        # fmt: off
        others = (pool, target, dev, model, scorer, set_, history, out, columns, ignore, allow_license, seed, chat_template, device, dtype, jobs)
        # fmt: on
        if reject_twins or any(option is not None for option in others):
            raise UserError(
                f"{run} is scored by its own recipe", "leave out all options but --json and --quiet"
            )
        from suffice.cli.running import run_stage

        run_stage(run, "score", json=json, quiet=quiet)
        return
    settings = options.scorer_options(set_, history)
    if history and not pool and not out:
        from suffice.cli.ranking import rank_problems

        options.require("score", scorer=scorer)
        assert scorer
        rank_problems(scorer, settings, json=json, quiet=quiet)
        return
    options.require("score", pool=pool, scorer=scorer, out=out)
    from suffice.cli.output import print_json
    from suffice.common.progress import reporter
    from suffice.models import ModelSource
    from suffice.runs.scored import ScoreRequest, score_alone

    assert pool
    assert scorer
    assert out
    about = score_alone(
        ScoreRequest(
            pool=pool,
            out=out,
            scorer=scorer,
            model=ModelSource(model or "lab", device or "auto", dtype or "auto", chat_template),
            options=settings,
            target=target,
            dev=dev,
            uses_model=model is not None,
            seed=seed or 0,
            jobs=jobs,
            terms=options.terms(columns, ignore, allow_license, reject_twins=reject_twins),
        ),
        reporter(quiet=quiet),
    )
    if json:
        print_json(about)
    elif not quiet:
        typer.echo(_sentence(about, out))


def _sentence(about: dict[str, Any], out: Path) -> str:
    counts = about["counts"]
    return (
        f"{counts['scored']:,} of {counts['read']:,} rows scored, {counts['usable'] - counts['scored']:,} without "
        f"a score, {counts['rejected']:,} rejected. Next: suffice select {out} --budget 1000"
    )
