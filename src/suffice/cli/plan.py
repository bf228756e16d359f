"""``suffice plan``: what a design can show, what it would need and cost, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from suffice.cli import options
from suffice.cli.compare import Columns, Filter, Metric, Task, parse
from suffice.common.errors import UserError

if TYPE_CHECKING:
    from suffice.proof.compare.logged import Filters
    from suffice.proof.design.pilot import Pilot
    from suffice.proof.design.plan import Plan, Range
    from suffice.proof.design.power import Design
    from suffice.runs.recipe import DesignSettings

_RUN_SD, _DISCORDANT, _GAIN = 1.0, 0.1, 5.0


def plan(
    pilot: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="A run folder, or an outcome table, as pilot.")
    ] = None,
    arm: Annotated[
        list[str] | None,
        typer.Option(help="KIND=LOG,LOG: the runs of an arm trained elsewhere, as pilot; once for each arm."),
    ] = None,
    columns: Columns = None,
    task: Task = "",
    metric: Metric = "",
    filter: Filter = "",
    items: Annotated[int | None, typer.Option(min=1, help="Test items; by default the pilot's.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Training seeds planned.")] = None,
    draws: Annotated[
        int | None, typer.Option(min=0, help="Draws of random planned; 0 without random.")
    ] = None,
    margin: Annotated[float | None, typer.Option(help="Percent points that still count as level.")] = None,
    alpha: Annotated[float | None, typer.Option(help="One minus the level of the intervals.")] = None,
    power: Annotated[float, typer.Option(help="The power wanted.")] = 0.8,
    gain: Annotated[float, typer.Option(help="A gain over random that must not be missed.")] = _GAIN,
    run_sd: Annotated[
        float | None,
        typer.Option("--run-sd", help="SD of an arm's score between runs, instead of the pilot's."),
    ] = None,
    discordant: Annotated[
        float | None,
        typer.Option(help="Share of items that two arms answer differently, instead of the pilot's."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Tell how many items, draws and seeds a study needs, and what they cost, before anything is trained.

    The spread of runs and items comes from a pilot, or is assumed.
    """
    from suffice.cli.output import print_json
    from suffice.proof.compare.logged import Filters
    from suffice.proof.design import plan as planning

    found, settings, names = _read(pilot) if pilot else (None, None, {})
    if arm:
        found = _read_logs(pilot, arm, parse(columns), Filters(task, metric, filter))
    elif columns or task or metric or filter:
        raise UserError("no log is read", "give --arm KIND=LOG as well")
    design, upper, assumed = _designs(found, settings, run_sd, discordant)
    wanted = {
        "items": items or (found.clusters if found else None),
        "runs": seeds,
        "random_runs": draws,
        "margin": margin,
        "alpha": alpha,
        "gain": gain,
    }
    design, upper = _with(design, wanted), _with(upper, wanted)
    made = planning.plan(design, upper, power)
    cost = _cost(pilot, found, settings, names, made) if pilot and settings and found else None
    if json:
        pilot_json = found.as_json() if found else None
        print_json({"pilot": pilot_json, "assumed": assumed, **made.as_json(), "cost": cost})
        return
    _tell(found, assumed, made, cost)


def _read(path: Path) -> tuple[Pilot, DesignSettings | None, dict[str, str]]:
    """Returns the pilot in a run folder or an outcome table, the design of the run, and the arm of each kind."""
    from suffice.proof.design.pilot import pilot
    from suffice.proof.outcomes import read_outcomes, scored
    from suffice.runs.folder import RunFolder

    if path.is_file():
        data = scored(read_outcomes(path))
        return pilot(data.arms, data.clusters), None, {}
    folder = RunFolder(path)
    recipe = folder.recipe()
    data = scored(read_outcomes(folder.outcomes))
    chosen = len((folder.stamp("select") or {}).get("indices", ())) or recipe.selection.budget
    names: dict[str, str] = {}
    for arm in data.arms:  # those of other budgets stand on the curve alone
        if arm.kind in recipe.design.arms and (arm.kind not in names or arm.name == f"{arm.kind}-{chosen}"):
            names[arm.kind] = arm.name
    judged = [arm for arm in data.arms if names.get(arm.kind) == arm.name]
    return pilot(judged, data.clusters), recipe.design, names


def _read_logs(path: Path | None, arms: list[str], columns: dict[str, str], filters: Filters) -> Pilot:
    """Returns the pilot in the evaluation logs of arms trained elsewhere."""
    from suffice.proof.compare.elsewhere import load_elsewhere
    from suffice.proof.design.pilot import pilot

    if path:
        raise UserError(f"{path} is one pilot, and --arm another", "give one of them")
    data = load_elsewhere(arms, columns, filters=filters)
    return pilot(data.arms, data.clusters)


def _designs(
    pilot: Pilot | None, settings: DesignSettings | None, run_sd: float | None, discordant: float | None
) -> tuple[Design, Design, list[str]]:
    """Returns the design at the estimates of the spread and at their upper limits, and what is assumed, in words."""
    from dataclasses import replace

    from suffice.proof.design.power import Design

    design = Design(items=0, runs=3)
    if settings:
        drawn = settings.draws if "random" in settings.arms else 0
        design = replace(
            design, runs=settings.seeds, random_runs=drawn, margin=settings.margin, alpha=settings.alpha
        )
    assumed = []
    if pilot is None or run_sd is not None:
        sd = _RUN_SD if run_sd is None else run_sd
        design = upper = replace(design, run_sd=sd)
        assumed.append(f"runs and draws vary by {sd:g} {'point' if sd == 1 else 'points'} (SD)")
    else:
        drawn_from = pilot.draw or pilot.run
        design = replace(design, run_sd=pilot.run.sd, draw_sd=drawn_from.sd)
        upper = replace(design, run_sd=pilot.run.limit, draw_sd=drawn_from.limit)
    if pilot is None or pilot.item_sd is None or discordant is not None:
        share = _DISCORDANT if discordant is None else discordant
        design, upper = (replace(each, discordant=share) for each in (design, upper))
        assumed.append(f"two arms answer {100 * share:g} % of the items differently, right or wrong")
    else:
        item_sd, residual_sd = pilot.item_sd, pilot.residual_sd
        design, upper = (replace(each, item_sd=item_sd, residual_sd=residual_sd) for each in (design, upper))
    return design, upper, assumed


def _with(design: Design, wanted: dict[str, Any]) -> Design:
    """Returns a design with what was asked for.

    Raises:
        UserError: Nobody said how many items there are.
    """
    from dataclasses import replace

    if wanted["items"] is None:
        raise UserError("the plan lacks the number of test items", "give --items, or a run folder as pilot")
    return replace(design, **{name: value for name, value in wanted.items() if value is not None})


def _cost(
    path: Path, pilot: Pilot, settings: DesignSettings, names: dict[str, str], made: Plan
) -> dict[str, Any] | None:
    """Returns what the planned and the needed design cost, by the mean of the pilot's runs; None without any.

    Seconds are those of one worker. Evaluation is scaled by the number of items.
    """
    from suffice.proof.arms import DRAWN

    means = {
        kind: _mean_run(path / "arms" / names.get(kind, kind)) for kind in settings.arms if kind != "base"
    }
    known = {kind: mean for kind, mean in means.items() if mean}
    if not known:
        return None

    def of(seeds: int, draws: int, items: int) -> dict[str, Any]:
        counts = {kind: draws * settings.draw_seeds if kind in DRAWN else seeds for kind in known}
        totals = [sum(counts[kind] * mean[place] for kind, mean in known.items()) for place in range(3)]
        return {
            "training_runs": sum(counts.values()),
            "train_seconds": round(totals[0], 1),
            "evaluate_seconds": round(totals[1] * items / pilot.clusters, 1),
            "flops": totals[2],
        }

    design, needed = made.design, made.needed
    return {
        "planned": of(design.runs, design.random_runs, design.items),
        "needed": of(needed.runs, needed.draws or design.random_runs, needed.items) if needed.runs else None,
        "unknown": [kind for kind in means if kind not in known],
    }


def _mean_run(arm: Path) -> tuple[float, float, float] | None:
    """Returns the mean seconds of training and of evaluation and the mean FLOPs of an arm's runs, or None."""
    from suffice.common.files import read_json

    runs = [
        (read_json(path), read_json(path.with_name("evaluated.json")))
        for path in sorted(arm.glob("*/trained.json"))
        if path.with_name("evaluated.json").exists()
    ]
    if not runs:
        return None
    return (
        sum(trained["seconds"] for trained, _ in runs) / len(runs),
        sum(evaluated["seconds"] for _, evaluated in runs) / len(runs),
        sum(trained["flops"] for trained, _ in runs) / len(runs),
    )


def _tell(pilot: Pilot | None, assumed: list[str], made: Plan, cost: dict[str, Any] | None) -> None:
    """Prints the plan in words, with a table that fits 80 columns."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    design = made.design
    for sentence in (
        pilot.sentences if pilot else ["No pilot: a pilot of three runs or more would tell the spread."]
    ):
        console.print(sentence, soft_wrap=True)
    if assumed:
        console.print(f"Assumed: {'; '.join(assumed)}.", soft_wrap=True)
    console.print(
        f"Planned: {design.items:,} items, {design.runs} {'seed' if design.runs == 1 else 'seeds'}, "
        f"{design.random_runs} draws, margin {design.margin:g}, alpha {design.alpha:g}.\n",
        soft_wrap=True,
    )
    console.print(_table(made))
    if made.upper != design:
        console.print("A range goes from the upper 80 % limits of the spreads to their estimates.")
    console.print()
    for sentence in made.sentences:
        console.print(sentence, style="bold", soft_wrap=True)
    console.print(_cost_words(cost), soft_wrap=True)


def _table(made: Plan) -> Any:
    """Returns the power over numbers of seeds as a table."""
    from rich.table import Table

    from suffice.proof.settle import rounded_up

    design = made.design
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    heads = ["seeds", "if equal, shown enough"]
    if design.random_runs:
        heads.append(f"gain of {design.gain:g} shown")
    heads.append(f"items for {100 * made.wanted:g} %")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for row in made.rows:
        cells = [str(row.runs), _percent(row.enough)]
        if design.random_runs:
            cells.append(_percent(row.gain))
        table.add_row(*cells, rounded_up(row.items) if row.items else "no number")
    return table


def _percent(found: Range | None) -> str:
    if found is None:
        return "–"
    low, high = (f"{100 * share:.0f}" for share in found)
    return f"{low} %" if low == high else f"{low} to {high} %"


def _cost_words(cost: dict[str, Any] | None) -> str:
    """Returns the cost as one or two sentences."""
    if cost is None:
        return "Cost: unknown without a pilot run; `suffice run` measures one step before it trains."
    told = f"Cost by the pilot's runs, on one worker: planned {_one_cost(cost['planned'])}"
    if cost["needed"]:
        told += f"; needed {_one_cost(cost['needed'])}"
    left = (
        f" Not trained in the pilot, and left out: {', '.join(cost['unknown'])}." if cost["unknown"] else ""
    )
    return f"{told}.{left}"


def _one_cost(cost: dict[str, Any]) -> str:
    seconds = cost["train_seconds"] + cost["evaluate_seconds"]
    if seconds < 120:
        time = f"{seconds:.0f} s"
    else:
        time = f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
    return f"{cost['training_runs']} training runs, {time}, {cost['flops']:.1e} FLOPs"
