"""The drawings of the report: each a pure function from plain values to inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from suffice.report.scales import EDGE, Scale
from suffice.report.svg import anchor, axis, drawing, element, line, mark, percent, text
from suffice.report.words import short, tick

ROW = 48.0  # a row of a dot plot: its label above, its mark under it
REFERENCE = 17.0  # the label of a reference line, above the rows
GUTTER = 12.0  # percent of the width, for the labels of a vertical axis
AXIS = 42.0  # tick labels and the name of the axis
_SHAPES = {
    "base": "circle",
    "template": "diamond",
    "random": "tick",
    "longest": "diamond",
    "false": "cross",
    "selected": "circle",
    "full": "square",
}


@dataclass(frozen=True, slots=True)
class Dot:
    """A row of a dot plot: an estimate with its interval, and the runs behind it as small points.

    A row with a ``start`` is a step from there to its estimate.
    """

    label: str
    kind: str
    estimate: float
    low: float | None
    high: float | None
    words: str
    runs: Sequence[float] = ()
    start: float | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A line across all rows: its value, its label, and its class (``zero`` or ``margin``).

    The label stands over the line, or ``before`` it, so that it does not run into another line close behind.
    """

    value: float
    label: str
    class_: str
    before: bool = False


def arm_class(kind: str) -> str:
    """Returns the class that gives an arm its one colour."""
    return f"arm-{kind if kind in _SHAPES else 'other'}"


def shape(kind: str) -> str:
    """Returns the shape that tells an arm apart where colour does not."""
    return _SHAPES.get(kind, "triangle")


def swatch(kind: str) -> Markup:
    """Returns the mark of an arm as a small drawing of its own, for use beside its name."""
    return element(
        "svg",
        mark(shape(kind), 50, 8),
        class_=f"swatch {arm_class(kind)}",
        width="16",
        height="16",
        aria_hidden="true",
    )


def dot_plot(
    key: str,
    title: str,
    dots: Sequence[Dot],
    scale: Scale,
    unit: str,
    *,
    references: Sequence[Reference] = (),
    band: tuple[float, float] | None = None,
    every_run: bool = False,
) -> Markup:
    """Draws estimates with intervals, one row each.

    Args:
        key: Unique on the page.
        title: What the drawing is.
        dots: The rows, from the top.
        scale: The axis.
        unit: The name of the axis.
        references: Lines across all rows.
        band: A grey band across all rows, from one value to another.
        every_run: Whether the runs of every row are drawn, and not of random ones alone.
    """
    top = REFERENCE * len(references)
    bottom = top + ROW * len(dots)
    parts = [axis(scale, top, bottom)]
    if band:
        left, right = scale.at(band[0]), scale.at(band[1])
        size = {"width": percent(right - left), "height": bottom - top}
        parts.append(element("rect", x=percent(left), y=top, class_="band", **size))
    for index, reference in enumerate(references):
        x, y = scale.at(reference.value), REFERENCE * (index + 1)
        parts.append(line(x, y - 2, x, bottom, reference.class_))
        side = "end" if reference.before and x > 45 else anchor(x)
        parts.append(text(x, y - 5, reference.label, f"reference {side}"))
    parts += [_dot(dot, scale, top + ROW * index, every_run) for index, dot in enumerate(dots)]
    parts.append(text(0, bottom + 35, unit, "unit start"))
    description = "; ".join(f"{dot.label}: {dot.words}" for dot in dots)
    return drawing(key, bottom + AXIS, title, description, *parts)


def _dot(dot: Dot, scale: Scale, top: float, every_run: bool) -> Markup:
    middle = top + 32
    parts = [
        element("title", f"{dot.label}: {dot.words}"),
        text(0, top + 16, short(dot.label), "label start"),
        text(100, top + 16, dot.words, "value end"),
    ]
    if dot.start is not None:
        parts += _step(dot.start, dot.estimate, scale, middle)
    if dot.low is not None and dot.high is not None:
        low, high = scale.at(dot.low), scale.at(dot.high)
        size = {"width": percent(high - low), "height": 14.0}
        parts.append(
            element("rect", x=percent(low), y=middle - 7, class_="spread", **size)
            if dot.kind == "random"
            else line(low, middle, high, middle, "interval")
        )
    if dot.kind == "random" or (every_run and len(dot.runs) > 1):
        below = 0.0 if dot.kind == "random" else 11.0
        places = (percent(scale.at(run)) for run in dot.runs)
        parts += [element("circle", cx=x, cy=middle + below, r=3.0, class_="run") for x in places]
    parts.append(mark(shape(dot.kind), scale.at(dot.estimate), middle))
    return element("g", *parts, class_=arm_class(dot.kind))


def _step(start: float, end: float, scale: Scale, middle: float) -> list[Markup]:
    """Returns the bar of a step, and the line that leads to its start from the row above."""
    one, other = scale.at(start), scale.at(end)
    size = {"width": percent(abs(other - one)), "height": 10.0}
    return [
        line(one, middle - ROW + 7, one, middle + 5, "leader"),
        element("rect", x=percent(min(one, other)), y=middle - 5, class_="spread", **size),
    ]


def bars(key: str, title: str, rows: Sequence[tuple[str, float, str]], scale: Scale, unit: str) -> Markup:
    """Draws amounts that add up to something, one row each: label, value and the value in words."""
    height, parts = 40.0, []
    bottom = height * len(rows)
    parts.append(axis(scale, 0, bottom))
    for index, (label, value, words) in enumerate(rows):
        top, width = height * index, scale.at(value) - scale.at(0)
        parts.append(text(0, top + 16, label, "label start"))
        parts.append(text(100, top + 16, words, "value end"))
        place = {"x": percent(scale.at(0)), "y": top + 23, "width": percent(width), "height": 8.0}
        parts.append(element("rect", class_="bar", **place))
    parts.append(text(0, bottom + 35, unit, "unit start"))
    return drawing(key, bottom + AXIS, title, "; ".join(f"{row[0]}: {row[2]}" for row in rows), *parts)


def histogram(
    key: str,
    title: str,
    counts: Sequence[int],
    edges: Sequence[float],
    scale: Scale,
    *,
    peak: float,
    unit: str,
    class_: str,
) -> Markup:
    """Draws the shares of rows in bins, with their median.

    Args:
        key: Unique on the page.
        title: What the drawing is.
        counts: Rows in each bin.
        edges: The edges of the bins.
        scale: The axis.
        peak: The share that reaches the top; the same for all drawings that are compared.
        unit: The name of the axis.
        class_: Gives the bars their colour.
    """
    top, bottom, total = 20.0, 110.0, sum(counts)
    parts = [axis(scale, top, bottom)]
    for rows, left, right in zip(counts, edges, edges[1:], strict=False):
        height = (bottom - top) * rows / total / peak
        place = {"x": percent(scale.at(left)), "width": percent(scale.at(right) - scale.at(left))}
        parts.append(element("rect", y=bottom - height, height=height, class_="bin", **place))
    middle = median(counts, edges)
    x = scale.at(middle)
    parts.append(line(x, top - 4, x, bottom, "median"))
    parts.append(text(x, top - 8, f"median {middle:.0f}", f"reference {anchor(x)}"))
    parts.append(text(0, bottom + 35, unit, "unit start"))
    group = element("g", *parts, class_=class_)
    return drawing(key, bottom + AXIS, title, f"{total:,} rows, median about {middle:.0f} {unit}", group)


def median(counts: Sequence[int], edges: Sequence[float]) -> float:
    """Returns the median of a histogram, taking logarithms to be evenly spread within its bin."""
    half, before = sum(counts) / 2, 0
    for rows, left, right in zip(counts, edges, edges[1:], strict=False):
        if rows and before + rows >= half:
            return float(left * math.pow(right / left, (half - before) / rows))
        before += rows
    return float(edges[-1])


def curves(
    key: str, title: str, runs: Sequence[Sequence[tuple[int, float]]], x: Scale, y: Scale, kind: str
) -> Markup:
    """Draws the loss of each run over the optimiser steps; both axes are those of the other arms."""
    top, bottom = 8.0, 118.0
    x = replace(x, start=GUTTER)
    parts = [axis(x, top, bottom)]
    for value in y.ticks[:: 1 + len(y.ticks) // 5]:
        level = bottom - (bottom - top) * y.share(value)
        parts.append(line(GUTTER, level, 100 - EDGE, level, "grid"))
        parts.append(text(0, level + 4, tick(value), "tick start"))
    drawn = [
        element(
            "polyline",
            points=" ".join(
                f"{100 * x.share(step):.2f},{100 * (1 - y.share(loss)):.2f}" for step, loss in run
            ),
            class_="curve",
        )
        for run in runs
    ]
    box = {"x": percent(GUTTER), "width": percent(100 - EDGE - GUTTER), "y": top, "height": bottom - top}
    parts.append(element("svg", *drawn, viewBox="0 0 100 100", preserveAspectRatio="none", **box))
    parts.append(text(GUTTER, bottom + 35, "optimiser steps", "unit start"))
    ends = ", ".join(f"{run[-1][1]:.3g}" for run in runs)
    group = element("g", *parts, class_=arm_class(kind))
    return drawing(key, bottom + AXIS, title, f"loss at the last step: {ends}", group)
