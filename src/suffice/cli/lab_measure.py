"""``suffice lab measure``: the gates of the lab's base."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suffice.cli import options

if TYPE_CHECKING:
    from suffice.lab.measure.reading import Reading


def measure(
    base: Annotated[
        Path | None,
        typer.Option(help="The folder of a base; by default the shipped one.", show_default=False),
    ] = None,
    gate: Annotated[
        list[str] | None,
        typer.Option("--gate", help="A gate or one of its conditions; may be given more than once."),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="One seed, fewer items, smaller trainings, fewer budgets and stages."),
    ] = False,
    out: options.Out = Path("lab-measure"),
    jobs: options.Jobs = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure whether the effects that the lab is for are there in its base.

    Every gate has conditions with a target; the table tells what was found and whether it is met. Results are
    kept in the folder of --out, and a killed measurement goes on there when the same command is given again.
    """
    from suffice.cli.output import print_json
    from suffice.common.progress import reporter
    from suffice.lab.base import SHIPPED, locate
    from suffice.lab.measure.measure import measure as measure_gates
    from suffice.scale.local import cores

    folder = locate(base or SHIPPED)
    workers = jobs or min(2, cores())
    readings = list(
        measure_gates(folder, out, reporter(quiet=quiet), gates=gate or (), quick=quick, workers=workers)
    )
    if json:
        print_json({"gates": [reading.as_json() for reading in readings]})
    else:
        _print(readings)


def _print(readings: Sequence[Reading]) -> None:
    """Writes the table to standard output, and last how many conditions are met."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("condition", "target", "value", "95 % interval", "seeds", "met"):
        table.add_column(name, justify="left" if name in ("condition", "target") else "right", no_wrap=True)
    for found in readings:
        low, high = (None if end is None else f"{end:.1f}" for end in (found.low, found.high))
        ends = "–" if low is None else f"{low} to {high}"
        met = "yes" if found.met else "no"
        table.add_row(found.id, found.target, f"{found.value:.1f}", ends, str(found.seeds or "–"), met)
    console.print(table)
    missed = [found.id for found in readings if not found.met]
    console.print()
    console.print(f"{len(readings) - len(missed)} of {len(readings)} conditions are met.", style="bold")
