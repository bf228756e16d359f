"""How a finished run is told: one JSON object, or a short table and one sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from suffice.common.files import read_json
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
    curve = [method["sentence"] for method in found.get("curve", {}).get("methods", ())]
    tell_verdict(found["verdict"], found["arms"], curve, level=read_json(folder.verdict)["level"])
    sys.stdout.write(f"Report: {folder.report}\n")


def tell_verdict(
    verdict: dict[str, Any], arms: list[dict[str, Any]], notes: Sequence[str] = (), *, level: float
) -> None:
    """Writes arms, differences, notes and, last, the verdict's sentence to standard output."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    console.print(_table(arms, level))
    _comparisons(console, verdict, level)
    console.print()
    for note in notes:
        console.print(note, soft_wrap=True)
    console.print(verdict["sentence"], style="bold", soft_wrap=True)


def _table(arms: list[dict[str, Any]], level: float) -> Any:
    """Returns the arms as a table that fits 80 columns; training is told of where it is known."""
    from rich.table import Table

    trained = any("steps" in arm for arm in arms)
    columns = [
        "arm",
        "score",
        f"{100 * level:.4g} % interval",
        "runs",
        *(["rows", "steps", "epochs"] if trained else []),
    ]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, justify="left" if name == "arm" else "right", no_wrap=True)
    for arm in arms:
        ends = "one run" if arm["low"] is None else f"{arm['low']:.1f} to {arm['high']:.1f}"
        row = [arm["name"], f"{arm['score']:.1f} %", ends, str(len(arm["runs"]))]
        if arm.get("steps"):
            row += [f"{arm['rows']:,}", f"{arm['steps']:,}", f"{arm['epochs']:.2f}"]
        table.add_row(*row, *["–"] * (len(columns) - len(row)))
    return table


def _comparisons(console: Any, verdict: dict[str, Any], level: float) -> None:
    """Prints each difference once, though the yardstick may be compared twice, for two claims."""
    console.print()
    for found in {found["against"]: found for found in verdict["comparisons"]}.values():
        ends = (
            ""
            if found["low"] is None
            else f"  ({100 * level:.4g} %: {found['low']:+.1f} to {found['high']:+.1f})"
        )
        console.print(f"selected − {found['against']:<8} {found['difference']:+6.1f} points{ends}")
