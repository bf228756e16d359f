"""``suffice suspects``: the rows that influence takes for harmful, and whether a step of training on them harms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from suffice.cli import options


def suspects(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run folder, or one that score wrote.")],
    count: Annotated[int, typer.Option(min=1, help="How many rows to show.")] = 10,
    check: Annotated[
        int | None, typer.Option(min=2, help="Train one step on each of so many suspects and random rows.")
    ] = None,
    items: Annotated[
        int, typer.Option(min=2, help="Dev items, and test items, whose losses --check measures.")
    ] = 60,
    model: options.Model = None,
    seed: options.Seed = None,
    chat_template: options.ChatTemplate = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show the rows of the most negative influence.

    With --check one step of training is made on each of some suspects, and on each of as many random rows, by
    --model (in a run folder by the run's own); the change of the target's loss is told with intervals.
    """
    from suffice.cli.output import print_json
    from suffice.common.progress import reporter
    from suffice.models import ModelSource
    from suffice.runs.folder import RunFolder
    from suffice.runs.one_step import examine

    own = RunFolder(folder)
    recipe = own.recipe() if own.recipe_file.exists() else None
    named = model or (recipe.model if recipe else None)
    template = chat_template or (recipe.chat_template if recipe else None)
    source = ModelSource(named, device or "auto", dtype or "auto", template) if named else None
    found = examine(
        own, count, check=check, items=items, source=source, seed=seed or 0, reporter=reporter(quiet=quiet)
    )
    if json:
        print_json(found)
    else:
        for line in _lines(found):
            typer.echo(line)


def _lines(found: dict[str, Any]) -> list[str]:
    """Returns what `examine` found, for the terminal."""
    shown = [f"  {row['influence']:+.4f}  {row['id']}  {row['prompt']}" for row in found["suspects"]]
    head = f"{found['below_zero']:,} of {found['scored']:,} scored rows have an influence below 0"
    return [f"{head}; the worst:" if shown else f"{head}.", *shown, *found["check"]]
