"""``suffice overlap``: how far several selections choose the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from suffice.cli import options


def overlap(
    selections: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR…", help="Folders with a selection.jsonl, or such files; NAME=DIR to name one."
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", help="The SVG file to draw.")] = None,
    json: options.Json = False,
) -> None:
    """Compare selections: how many rows each two share, and how many they would by chance.

    With --out the figure is drawn as an SVG file.
    """
    from suffice.runs.overlap import overlap as compared

    found = compared(selections).as_json()
    if out:
        from suffice.common.files import write_text
        from suffice.report.overlap import overlap_figure
        from suffice.report.standalone import standalone

        write_text(out, standalone(overlap_figure(found)))
    if json:
        from suffice.cli.output import print_json

        print_json(found)
        return
    _tell(found)
    if out:
        typer.echo(f"Figure: {out}")


def _tell(found: dict[str, Any]) -> None:
    """Prints the selections, each two of them and, last, what they share."""
    from rich.console import Console
    from rich.table import Table

    from suffice.report.overlap import sentence

    console = Console(highlight=False, markup=False)
    own, both = (Table(box=None, pad_edge=False, padding=(0, 2, 0, 0)) for _ in range(2))
    for table, columns in (
        (own, ("selection", "rows", "in no other")),
        (both, ("pair", "shared", "Jaccard", "by chance")),
    ):
        for name in columns:
            table.add_column(name, justify="right" if table.columns else "left", no_wrap=True)
    for one in found["selections"]:
        own.add_row(one["name"], f"{one['rows']:,}", f"{one['only']:,}")
    for pair in found["pairs"]:
        chance = f"{pair['chance']:.1f} ({pair['low']:,} to {pair['high']:,})" if found["pool"] else "–"
        both.add_row(f"{pair['a']}, {pair['b']}", f"{pair['shared']:,}", f"{pair['jaccard']:.3f}", chance)
    console.print(own)
    console.print()
    console.print(both)
    console.print()
    console.print(sentence(found), style="bold", soft_wrap=True)
