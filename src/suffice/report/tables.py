"""The arms and the differences as tables for papers, in Markdown and in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from suffice.report import words
from suffice.report.data import ArmRow, ReportData

# What LaTeX would read as a command, and quotes and brackets that its old fonts lack.
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "−": r"$-$",
    "–": "--",
    "\u00a0": "~",
}
_MARKDOWN = re.compile(r"[\\`*_<>|#~&$]|\](?=[(\[:])")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text; the first column and those in ``left`` stand left, numbers right.

    Attributes:
        caption: What it shows.
        columns: The names of its columns.
        rows: Its cells, as they are read.
        left: The places of columns that stand left.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: Sequence[int] = (0,)


def tables(data: ReportData) -> list[Table]:
    """Returns the table of the arms and that of the differences; one without rows is left out."""
    return [table for table in (arms(data), differences(data)) if table.rows]


def arms(data: ReportData) -> Table:
    """Returns the table of the arms."""
    caption = f"Scores in percent with {data.level:g}\u00a0% intervals over items and runs; n = {data.items:,} test items."
    columns = ["arm", "rows", "steps", "epochs", "runs", "score", f"{data.level:g}\u00a0% interval"]
    return Table(caption, columns, [_arm(arm) for arm in data.ordered])


def _arm(arm: ArmRow) -> list[str]:
    score = [str(len(arm.runs)), words.number(arm.score), _interval(arm.low, arm.high)]
    if arm.kind == "base":
        return [arm.name, "–", "–", "–", *score]
    steps = "unknown" if arm.steps is None else f"{arm.steps:,}"
    return [arm.name, f"{arm.rows:,}", steps, words.number(arm.epochs, 2), *score]


def differences(data: ReportData) -> Table:
    """Returns the table of the selected arm minus each other."""
    caption = f"The selected arm minus each other, in percentage points; n = {data.items:,} test items."
    if data.new_draw is not None:
        caption += f" Random stands for the mean of its draws. {words.new_draw(data.new_draw)}"
    columns = ["minus", "claim", "margin", "difference", f"{data.level:g}\u00a0% interval"]
    return Table(caption, columns, [_difference(row) for row in data.verdict.get("comparisons", ())], (0, 1))


def _difference(row: Mapping[str, Any]) -> list[str]:
    found = [words.signed(row["difference"]), _interval(row.get("low"), row.get("high"))]
    return [str(row["against"]), str(row["kind"]), f"{float(row['margin']):g}", *found]


def _interval(low: float | None, high: float | None) -> str:
    return "none" if low is None or high is None else words.interval(low, high)


def markdown(found: Sequence[Table]) -> str:
    """Returns tables as Markdown."""
    return "\n".join(_markdown(table) for table in found)


def _markdown(table: Table) -> str:
    rule = ["---" if place in table.left else "---:" for place in range(len(table.columns))]
    rows = [[plain(cell) for cell in row] for row in (table.columns, *table.rows)]
    drawn = "\n".join(f"| {' | '.join(cells)} |" for cells in (rows[0], rule, *rows[1:]))
    return f"{plain(table.caption)}\n\n{drawn}\n"


def plain(text: str) -> str:
    """Returns text that Markdown shows as it stands: no emphasis, link, tag or new cell comes of it."""
    return _MARKDOWN.sub(r"\\\g<0>", _one_line(text))


def latex(found: Sequence[Table]) -> str:
    """Returns tables as LaTeX for the package booktabs."""
    return "\n".join(["% \\usepackage{booktabs}", *(_latex(table) for table in found)])


def _latex(table: Table) -> str:
    places = "".join("l" if place in table.left else "r" for place in range(len(table.columns)))
    head, *rows = (_latex_row(row) for row in (table.columns, *table.rows))
    lines = [
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{escaped(table.caption)}}}",
        f"\\begin{{tabular}}{{{places}}}",
        "\\toprule",
        head,
        "\\midrule",
        *rows,
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _latex_row(cells: Sequence[str]) -> str:
    row = " & ".join(escaped(cell) for cell in cells)
    # After the end of the row before, LaTeX would read these as an argument.
    guard = "{}" if row.startswith(("[", "*")) else ""
    return f"{guard}{row} \\\\"


def escaped(text: str) -> str:
    """Returns text as LaTeX prints it."""
    return "".join(_LATEX.get(letter, letter) for letter in _one_line(text))


def _one_line(text: str) -> str:
    return words.writable(re.sub(r"[^\S\u00a0]+", " ", text))
