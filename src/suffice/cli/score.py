"""``suffice score``: scoring alone, or the score stage of a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from suffice.cli import options


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
    validate: Annotated[
        bool,
        typer.Option("--validate", help="Train on random halves, to tell whether the scores foretell it."),
    ] = False,
    validate_rows: Annotated[
        int, typer.Option(min=4, help="Rows of the pool, drawn at random, that --validate halves.")
    ] = 512,
    halves: Annotated[int, typer.Option(min=3, help="Random halves that --validate trains on.")] = 64,
    epochs: Annotated[float, typer.Option(help="Passes over a half.")] = 2.0,
    batch_size: Annotated[int, typer.Option(min=1, help="Rows of an optimiser step.")] = 16,
    learning_rate: Annotated[
        float | None, typer.Option(help="Of --validate; by default 1e-5, with LoRA 2e-4.")
    ] = None,
    lora: Annotated[bool, typer.Option("--lora/--full", help="LoRA adapters or all weights.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Train without asking.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Score the rows of a pool, to choose from them with suffice select.

    Without a run folder: reads --pool, scores it, and writes pool.parquet, rejected.jsonl, scores.parquet and
    scoring.json to --out; with --history and no --pool, ranks the problems of a training. With one: the pool of the run,
    by its own recipe; earlier stages run first where they are out of date.

    With --validate the model is then trained twice on each of many random halves of some rows, and the linear
    datamodeling score tells how well sums of the scores rank the losses of the dev answers, beside bm25, length,
    embedding and random. The cost is told and confirmed first; an interrupted series goes on.
    """
    if run is not None:
        from suffice.cli.running import refuse_options, run_stage

        # fmt: off
        others = (pool, target, dev, model, scorer, set_, history, out, columns, ignore, allow_license, seed, chat_template, device, dtype, jobs)
        # fmt: on
        if reject_twins or validate or any(option is not None for option in others):
            refuse_options(run, "scored")
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
    source = ModelSource(model or "lab", device or "auto", dtype or "auto", chat_template)
    progress = reporter(quiet=quiet)
    about = score_alone(
        ScoreRequest(
            pool=pool,
            out=out,
            scorer=scorer,
            model=source,
            options=settings,
            target=target,
            dev=dev,
            uses_model=model is not None,
            seed=seed or 0,
            jobs=jobs,
            terms=options.terms(columns, ignore, allow_license, reject_twins=reject_twins),
        ),
        progress,
    )
    found = None
    if validate:
        from suffice.cli.validating import Training, validated

        training = Training(learning_rate, epochs, batch_size, lora)
        found = validated(out, source, training, validate_rows, halves, jobs, progress, yes=yes)
    if json:
        print_json(about | ({"validation": found} if validate else {}))
    elif not quiet:
        if found:
            from suffice.cli.validating import tell

            tell(found)
        typer.echo(_sentence(about, out))


def _sentence(about: dict[str, Any], out: Path) -> str:
    counts = about["counts"]
    return (
        f"{counts['scored']:,} of {counts['read']:,} rows scored, {counts['usable'] - counts['scored']:,} without "
        f"a score, {counts['rejected']:,} rejected. Next: suffice select {out} --budget 1000"
    )
