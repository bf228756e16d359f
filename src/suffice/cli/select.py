"""``suffice select``: choosing alone, or the select stage of a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from suffice.cli import options
from suffice.common.errors import UserError


def select(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="A run folder, for its select stage.")
    ] = None,
    pool: options.Pools = None,
    target: options.TargetFile = None,
    dev: options.DevFile = None,
    model: options.Model = None,
    scorer: options.ScorerName = None,
    selector: options.SelectorName = None,
    budget: options.Budget = None,
    out: Annotated[Path | None, typer.Option("--out", help="The folder to write.")] = None,
    reject_twins: options.RejectTwins = False,
    columns: options.Columns = None,
    ignore: options.Ignore = None,
    allow_license: options.AllowLicense = None,
    encoder: options.Encoder = None,
    pin: options.Pin = None,
    ban: options.Ban = None,
    at_least: options.AtLeast = None,
    at_most: options.AtMost = None,
    seed: options.Seed = None,
    chat_template: options.ChatTemplate = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    jobs: options.Jobs = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Choose rows of a pool, each with its reason.

    Without a run folder: reads --pool, scores it, and writes selection.jsonl, rejected.jsonl and
    manifest.json to --out.
    """
    if run is not None:
        # fmt: off
        others = (pool, target, dev, model, scorer, selector, budget, out, seed, chat_template, device, dtype, jobs, columns, ignore, allow_license, encoder, pin, ban, at_least, at_most)
        # fmt: on
        if reject_twins or any(option is not None for option in others):
            raise UserError(
                f"{run} is chosen from by its own recipe", "leave out all options but --json and --quiet"
            )
        from suffice.cli.running import run_stage

        run_stage(run, "select", json=json, quiet=quiet)
        return
    missing = [
        f"--{name}"
        for name, given in (("pool", pool), ("scorer", scorer), ("budget", budget), ("out", out))
        if not given
    ]
    if missing:
        raise UserError(f"select lacks {', '.join(missing)}", "give them, or a run folder")
    from suffice.cli.output import print_json
    from suffice.common.progress import reporter
    from suffice.models import ModelSource
    from suffice.runs.alone import Request, select_alone
    from suffice.runs.constraints import read_bounds

    assert pool
    assert scorer
    assert budget
    assert out
    manifest = select_alone(
        Request(
            pool=pool,
            out=out,
            scorer=scorer,
            selector=selector,
            budget=budget,
            target=target,
            dev=dev,
            model=ModelSource(model or "lab", device or "auto", dtype or "auto", chat_template),
            uses_model=model is not None,
            seed=seed or 0,
            jobs=jobs,
            terms=options.terms(columns, ignore, allow_license, reject_twins=reject_twins),
            encoder=encoder,
            pin=options.words(pin) or (),
            ban=options.words(ban) or (),
            at_least=read_bounds("--at-least", options.words(at_least)),
            at_most=read_bounds("--at-most", options.words(at_most)),
        ),
        reporter(quiet=quiet),
    )
    counts = manifest["counts"]
    if json:
        print_json(manifest)
    elif not quiet:
        typer.echo(
            f"{counts['chosen']:,} of {counts['read']:,} rows chosen, {counts['unchosen']:,} left, "
            f"{counts['rejected']:,} rejected. Next: look at {out / 'selection.jsonl'}"
        )
