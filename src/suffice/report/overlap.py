"""The figure of several selections: which rows are in how many of them, and how many each two share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from suffice.report import charts, scales, words
from suffice.report.charts import Dot
from suffice.report.figure import Figure, Panel

SHOWN = 12


def overlap_figure(found: Mapping[str, Any]) -> Figure:
    """Draws how far selections choose the same rows.

    Args:
        found: ``selections`` (``name``, ``rows``), ``pairs`` (``a``, ``b``, ``shared``, ``jaccard``, ``chance``, ``low``,
            ``high``), ``regions`` (``of``, ``rows``), ``union`` and ``pool``.
    """
    pairs = found["pairs"]
    columns = ["a", "b", "shared", "jaccard", "overlap", "chance", "low", "high"]
    rows = [[pair[name] for name in columns] for pair in pairs]
    note = "Above, each row stands in one bar. Below, the rows that two selections have in common."
    if found["pool"]:
        note += (
            " The grey bar is what two selections of these sizes share by chance, with the interval that holds 95 % of "
            f"random draws from the {found['pool']:,} rows of the pool."
        )
    panels = [_regions(found), _pairs(pairs)]
    return Figure("overlap", sentence(found), panels, note, columns, rows)


def sentence(found: Mapping[str, Any]) -> str:
    """Returns what the selections share, in one sentence."""
    names = [selection["name"] for selection in found["selections"]]
    everywhere = next((region["rows"] for region in found["regions"] if len(region["of"]) == len(names)), 0)
    most = max(found["pairs"], key=lambda pair: pair["jaccard"])
    says = f"{words.listed(names)} choose {words.count(found['union'], 'different row')} and have {everywhere:,} in common"
    if len(names) > 2:
        says += f"; {most['a']} and {most['b']} share most: {most['shared']:,}"
    if most["chance"] is not None:
        says += f", by chance {most['chance']:.1f}" if len(names) > 2 else f"; by chance {most['chance']:.1f}"
    return f"{says}."


def _regions(found: Mapping[str, Any]) -> Panel:
    """Draws how many rows are in exactly which selections."""
    regions = found["regions"][:SHOWN]
    rows = [(_called(region["of"]), float(region["rows"]), f"{region['rows']:,}") for region in regions]
    scale = scales.linear([0.0, *(value for _, value, _ in rows)], low=0.0)
    svg = charts.bars("overlap-regions", "Rows by the selections that they are in", rows, scale, "rows")
    left = len(found["regions"]) - len(regions)
    more = f"; {words.count(left, 'smaller part')} not drawn" if left else ""
    return Panel(f"Which selections a row is in, n = {found['union']:,} rows{more}", svg)


def _called(names: Sequence[str]) -> str:
    return f"{names[0]} alone" if len(names) == 1 else words.listed(list(names))


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> Panel:
    """Draws how many rows each two selections share, beside what chance would give."""
    dots: list[Dot] = []
    for pair in pairs:
        names = f"{pair['a']} and {pair['b']}"
        dots.append(
            Dot(
                names,
                "selected",
                pair["shared"],
                None,
                None,
                f"{pair['shared']:,}, Jaccard {pair['jaccard']:.3f}",
            )
        )
        if pair["chance"] is not None:
            ends = f"{pair['chance']:.1f} [{pair['low']:,}, {pair['high']:,}]"
            dots.append(Dot("by chance", "random", pair["chance"], pair["low"], pair["high"], ends))
    values = [value for dot in dots for value in (dot.estimate, dot.low, dot.high) if value is not None]
    svg = charts.dot_plot(
        "overlap-pairs",
        "Rows shared by two selections",
        dots,
        scales.linear([0.0, *values], low=0.0),
        "rows in both",
    )
    return Panel("Rows that two selections share", svg)
