"""How a finished run is told: one JSON object, or a short table and one sentence."""

from __future__ import annotations

import json
import sys
from typing import Any

from suffice.runs.folder import RunFolder


def print_json(value: Any) -> None:
    """Writes one JSON object to standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")


def tell_run(folder: RunFolder, *, as_json: bool) -> None:
    """Writes what a finished run found to standard output."""
    from suffice.runs.summary import as_json as json_form

    found = json_form(folder)
    if as_json:
        print_json(found)
        return
    from rich.console import Console

    console = Console(highlight=False)
    console.print(_table(found["arms"]))
    _comparisons(console, found["verdict"])
    console.print()
    console.print(found["verdict"]["sentence"], style="bold", soft_wrap=True)
    console.print(f"Report: {folder.report}", soft_wrap=True)


def _table(arms: list[dict[str, Any]]) -> Any:
    """Returns the arms as a table that fits 80 columns."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, side in (("arm", "left"), ("score", "right"), ("95 % interval", "right"), ("runs", "right"),
                       ("rows", "right"), ("steps", "right"), ("epochs", "right")):  # fmt: skip
        table.add_column(name, justify=side, no_wrap=True)  # type: ignore[arg-type]
    for arm in arms:
        ends = "one run" if arm["low"] is None else f"{arm['low']:.1f} to {arm['high']:.1f}"
        table.add_row(
            arm["name"],
            f"{arm['score']:.1f} %",
            ends,
            str(len(arm["runs"])),
            f"{arm['rows']:,}" if arm["steps"] else "–",
            f"{arm['steps']:,}" if arm["steps"] else "–",
            f"{arm['epochs']:.2f}" if arm["steps"] else "–",
        )
    return table


def _comparisons(console: Any, verdict: dict[str, Any]) -> None:
    """Prints each difference once, though the yardstick may be compared twice, for two claims."""
    console.print()
    for found in {found["against"]: found for found in verdict["comparisons"]}.values():
        ends = "" if found["low"] is None else f"  (95 %: {found['low']:+.1f} to {found['high']:+.1f})"
        console.print(f"selected − {found['against']:<8} {found['difference']:+6.1f} points{ends}")
