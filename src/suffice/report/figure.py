"""A figure: a sentence that says what it shows, one or more drawings on a shared scale, and the data behind them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from markupsafe import Markup

Cell = str | float | int | None


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing and the heading over it."""

    heading: str
    svg: Markup


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure; one without panels has nothing to draw, and its title says so.

    Attributes:
        key: Unique on the page.
        title: What it shows, in a sentence computed from the data.
        panels: The drawings.
        note: How to read it.
        columns: The columns of the data behind it.
        rows: The data behind it.
        across: How many panels stand beside each other where there is room.
    """

    key: str
    title: str
    panels: Sequence[Panel] = ()
    note: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Cell]] = ()
    across: int = 1

    @property
    def csv(self) -> str:
        """The data behind it as the address of a CSV file that the page itself holds."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_spreadsheet(cell) for cell in row] for row in self.rows)
        return "data:text/csv;charset=utf-8," + quote(file.getvalue(), errors="replace")


def _spreadsheet(cell: Cell) -> Cell:
    # A spreadsheet would run text that begins like a formula.
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@")) else cell
