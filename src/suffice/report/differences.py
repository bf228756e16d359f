"""The figure that the verdict rests on: the selected arm minus each other, with the margin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from suffice.report import charts, scales, words
from suffice.report.charts import Dot, Reference
from suffice.report.data import ReportData
from suffice.report.figure import Figure, Panel

_CLAIMS = {
    "non-inferiority": "Not worse by more than the margin?",
    "superiority": "Better?",
}


def differences(data: ReportData) -> Figure:
    """Draws the selected arm minus each other, one panel for each kind of claim."""
    found = list(data.verdict.get("comparisons", ()))
    if not found:
        return Figure("differences", "Nothing was compared: only one arm was run.")
    panels = [
        _claim(data, kind, [row for row in found if row["kind"] == kind])
        for kind in _CLAIMS
        if any(row["kind"] == kind for row in found)
    ]
    columns = ["selected minus", "claim", "difference", "low", "high", "margin", "items", "runs"]
    keys = ("against", "kind", "difference", "low", "high", "margin")
    rows = [[*(row.get(key) for key in keys), data.items, data.runs(row["against"])] for row in found]
    note = (
        "Each point is the score of the chosen rows minus the score of the other arm, in percentage points, on the "
        f"same {words.count(data.items, 'test item')}; the line (against random, the grey bar) is its "
        f"{data.level:g}\u00a0% interval, which counts both items and runs. Not worse (non-inferiority) is shown where "
        "the whole line is right of the margin, better (superiority) where it is right of zero. Each panel has its "
        "own scale." + words.without_interval(row.get("low") for row in found)
    )
    return Figure("differences", _found(found), panels, note, columns, rows)


def _claim(data: ReportData, kind: str, found: Sequence[Mapping[str, Any]]) -> Panel:
    margins = sorted({float(row["margin"]) for row in found} - {0.0})
    ends = [row[name] for row in found for name in ("difference", "low", "high") if row.get(name) is not None]
    scale = scales.linear([0.0, *(-margin for margin in margins), *ends], rounded=False)
    references = [Reference(-margin, f"margin −{margin:g}", "margin") for margin in margins]
    dots = [
        Dot(
            f"against {row['against']}",
            row["against"],
            row["difference"],
            row.get("low"),
            row.get("high"),
            f"{words.signed(row['difference'])} {words.interval(row.get('low'), row.get('high'))}",
        )
        for row in found
    ]
    svg = charts.dot_plot(
        f"differences-{kind}",
        f"{_CLAIMS[kind]} Differences with intervals",
        dots,
        scale,
        "percentage points, selected − other",
        references=[*references, Reference(0.0, "no difference", "zero")],
    )
    runs = ", ".join(f"{row['against']} {data.runs(row['against'])}" for row in found)
    return Panel(
        f"{_CLAIMS[kind]} n = {data.items:,} items; runs: selected {data.runs('selected')}, {runs}",
        svg,
    )


def _found(found: Sequence[Mapping[str, Any]]) -> str:
    """Returns what the comparisons show, in one sentence."""
    parts: dict[str, list[str]] = {}
    for row in found:
        low, high, margin = row.get("low"), row.get("high"), row["margin"]
        if low is not None and low > 0:
            says = "do better than {}"
        elif low is not None and low > -margin:
            says = f"are not worse than {{}} by more than {margin:g} points"
        elif high is not None and high < -margin:
            says = "do worse than {}"
        else:
            says = (
                "cannot be told from {} yet"
                if margin == 0
                else "may be worse than {} by more than the margin"
            )
        parts.setdefault(says, []).append(words.called(row["against"]))
    clauses = [says.format(words.listed(list(dict.fromkeys(names)))) for says, names in parts.items()]
    return f"The chosen rows {words.listed(clauses)}."
