"""``suffice demo``: the whole path on the embedded lab."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from suffice.cli import options

QUICK_ROWS = 5_120


def demo(
    out: Annotated[Path | None, typer.Option("--out", help="The run folder; by default runs/demo.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A smaller pool and budget: under two minutes.")
    ] = False,
    items: Annotated[int | None, typer.Option(min=1, help="Test items of each family.")] = None,
    tune: Annotated[bool | None, typer.Option("--tune", help="Pick each arm's learning rate on dev.")] = None,
    seed: options.Seed = None,
    jobs: options.Jobs = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Choose 1,000 of 15,000 rows of a small synthetic world, train, and prove whether they are enough.

    Needs no network and no GPU. The base and the pool come with Suffice.
    """
    from suffice.cli.running import run_recipe
    from suffice.lab.export import export_lab
    from suffice.lab.pool import ROWS
    from suffice.runs.recipe import read_recipe

    name = "demo-quick" if quick else "demo"
    out = out or Path("runs") / name
    whole = out.resolve()
    files = export_lab(whole.with_name(f"{whole.name}-input"), rows=QUICK_ROWS if quick else ROWS)
    overrides = {
        "pool": [str(files["pool"])],
        "target.file": str(files["target"]),
        "target.items": items,
        "training.tune": tune,
        "seed": seed,
        "execution.jobs": jobs,
    }
    run_recipe(read_recipe(name, overrides), out, json=json, quiet=quiet)
