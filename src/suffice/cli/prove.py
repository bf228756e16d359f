"""``suffice prove``: the verdict on a run folder, or on arms that were trained elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from suffice.cli import options
from suffice.cli.compare import Columns, Filter, Metric, Task, parse
from suffice.common.errors import UserError


def prove(
    run: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="A run folder.")] = None,
    arm: Annotated[
        list[str] | None,
        typer.Option(help="KIND=LOG,LOG: the runs of an arm trained elsewhere; once for each arm."),
    ] = None,
    columns: Columns = None,
    task: Task = "",
    metric: Metric = "",
    filter: Filter = "",
    margin: Annotated[
        float | None, typer.Option(help="Percent points that still count as level; by default 2.")
    ] = None,
    alpha: Annotated[float | None, typer.Option(help="One minus the level; by default 0.05.")] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare the arms of a run folder, or of evaluation logs (--arm selected=… --arm base=…), and give the verdict.

    With a run folder, earlier stages run first where they are out of date.
    """
    if (run is None) == (not arm):
        raise UserError(
            "prove takes a run folder or arms trained elsewhere", "give RUN, or --arm KIND=LOG for each arm"
        )
    if run is not None:
        from suffice.cli.running import refuse_options, run_stage

        if columns or task or metric or filter or margin is not None or alpha is not None:
            refuse_options(run, "judged")
        run_stage(run, "prove", json=json, quiet=quiet)
        return
    from suffice.cli.output import print_json, tell_verdict
    from suffice.proof.compare.elsewhere import prove_logs
    from suffice.proof.compare.logged import Filters
    from suffice.report import words

    alpha = 0.05 if alpha is None else alpha
    found = prove_logs(
        arm or [],
        parse(columns),
        filters=Filters(task, metric, filter),
        margin=2.0 if margin is None else margin,
        alpha=alpha,
    )
    verdict, arms = found.verdict.as_json(), [estimate.as_json() for estimate in found.verdict.arms]
    if json:
        more = {"spreads": found.spreads, "new_draw": found.new_draw, "notes": found.notes}
        print_json({"verdict": verdict, "arms": arms, **more})
        return
    told = [f"{one['name']}: {one['sentence']}" for one in found.spreads]
    if found.new_draw:
        told.append(words.new_draw(found.new_draw["probability"]))
    tell_verdict(verdict, arms, [*told, *found.notes], level=1 - alpha)
