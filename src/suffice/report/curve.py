"""The budget curve: how few rows are enough, and how few are too few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from markupsafe import Markup

from suffice.report import plane, scales, words
from suffice.report.charts import arm_class, shape
from suffice.report.data import BudgetCurve, CurvePoint, ReportData
from suffice.report.figure import Cell, Figure, Panel
from suffice.report.plane import BASE, BOTTOM, LANE, LEFT, START, TOP, Plane
from suffice.report.scales import EDGE
from suffice.report.svg import drawing, element, line, mark, percent, text

SIZE = 0.7  # of the marks, so that short intervals show
SIDE = 1.6  # percent of the width between a mark and its label
GAP = 16.0  # pixels between labels


def curve(data: ReportData) -> Figure:
    """Draws the score of each method over the number of rows."""
    held = data.curve
    if held is None or not held.points:
        return Figure("curve", "One budget was run, so there is no curve of scores over budgets.")
    points = sorted(held.points, key=lambda point: point.rows)
    area = _plane(held, points)
    below = BOTTOM + 17 + LANE * (area.lanes - 1)
    parts = [area.draw(), _bands(points, area), _levels(held, area)]
    for (method, _), found in _methods(points).items():
        parts.append(_method(found, held.smooth.get(method, ()), area))
    parts += [
        _base(held.base, area),
        _labels(points, area, held.yardstick),
        *_brackets(held, area, below + 44),
    ]
    parts.append(text(LEFT, below + 19, _unit(held), "unit start"))
    description = "; ".join(_says(point) for point in points)
    svg = drawing("curve-all", below + 90, "Score over the number of rows", description, *parts)
    columns = ["method", "rows", "score", "low", "high", "runs", "score of each run"]
    rows: list[Sequence[Cell]] = [
        (p.method, p.rows, p.score, p.low, p.high, len(p.runs), " ".join(words.number(run) for run in p.runs))
        for p in points
    ]
    if held.base is not None:
        rows.insert(0, ("base", 0, held.base, None, None, None, ""))
    heading = f"n = {data.items:,} test items" if data.items else ""
    return Figure("curve", held.sentence, [Panel(heading, svg)], _note(data, held), columns, rows)


def _note(data: ReportData, held: BudgetCurve) -> str:
    parts = [
        f"A mark is the mean score over runs, the upright line its {data.level:g}\u00a0% interval."
        + words.without_interval(point.low for point in held.points)
    ]
    draws = [len(point.runs) for point in held.points if point.kind == "random"]
    if draws and max(draws) > 1:
        parts.append("The grey band spans the random draws of each budget, drawn as small points.")
    elif draws:
        parts.append("There is no band: one random draw was run at each budget.")
    if held.yardstick_score is not None and held.margin > 0:
        parts.append(
            f"The dashed line is the margin, {held.margin:g} points below {words.called(held.yardstick)}."
        )
    if any(held.smooth.values()):
        parts.append(
            "A dashed curve is a monotone cubic interpolation of the means, for the eye alone; a method of which a budget "
            "scores below a smaller one has none, and no claim rests on it."
        )
    parts.append(
        "Rows are on a logarithmic axis"
        + ("; the base (no rows) stands apart, beyond the break." if held.base is not None else ".")
    )
    parts.append(
        f"A budget of the selected rows is refuted where the interval of its difference from {words.called(held.yardstick)} lies below the "
        "margin, and shown enough where it lies above; between the two the question is open."
    )
    return " ".join(parts)


def _plane(held: BudgetCurve, points: Sequence[CurvePoint]) -> Plane:
    levels = [held.base, held.yardstick_score]
    levels += [held.yardstick_score - held.margin] if held.yardstick_score is not None else []
    levels += [value for point in points for value in (point.score, point.low, point.high, *point.runs)]
    y = scales.linear([value for value in levels if value is not None], low=0.0, high=100.0)
    broken = held.base is not None
    tried = [point.rows for point in points if point.kind != "full"]
    whole = max((point.rows for point in points if point.kind == "full"), default=None)
    return Plane(plane.budgets(tried, whole, broken=broken), y, broken)


def _methods(points: Sequence[CurvePoint]) -> dict[tuple[str, str], list[CurvePoint]]:
    """Returns the points of each method and kind, smallest budget first."""
    found: dict[tuple[str, str], list[CurvePoint]] = {}
    for point in points:
        found.setdefault((point.method, point.kind), []).append(point)
    return found


def _bands(points: Sequence[CurvePoint], area: Plane) -> Markup:
    """Returns the band of each random method: a ribbon over budgets, or a bar at the only one."""
    parts = []
    for (_, kind), found in _methods(points).items():
        drawn = [point for point in found if len(point.runs) > 1]
        if kind == "random" and drawn:
            parts.append(_ribbon(drawn, area) if len(drawn) > 1 else _bar(drawn[0], area))
    return Markup("").join(parts)


def _ribbon(points: Sequence[CurvePoint], area: Plane) -> Markup:
    upper = [(point.rows, max(point.runs)) for point in points]
    lower = [(point.rows, min(point.runs)) for point in reversed(points)]
    return _inside("polygon", [*upper, *lower], area, "ribbon")


def _inside(shape: str, places: Iterable[Sequence[float]], area: Plane, class_: str) -> Markup:
    """Returns a polygon or polyline through places, each of rows and a score."""
    corners = " ".join(
        f"{area.x.at(rows):.2f},{100 * (1 - area.y.share(score)):.2f}" for rows, score in places
    )
    box = {"x": "0%", "width": "100%", "y": TOP, "height": BOTTOM - TOP}
    drawn = element(shape, points=corners, class_=class_)
    return element("svg", drawn, viewBox="0 0 100 100", preserveAspectRatio="none", **box)


def _bar(point: CurvePoint, area: Plane) -> Markup:
    x, top, bottom = area.x.at(point.rows), area.level(max(point.runs)), area.level(min(point.runs))
    return line(x, top, x, bottom, "ribbon-bar")


def _levels(held: BudgetCurve, area: Plane) -> Markup:
    """Returns the line of the yardstick, and the dashed one that a budget must stay above."""
    if held.yardstick_score is None:
        return Markup("")
    y, end = area.level(held.yardstick_score), 100 - EDGE
    parts = [element("g", line(LEFT, y, end, y, "level"), class_=arm_class(held.yardstick))]
    label = f"{words.short(held.yardstick, 16)} {words.percent(held.yardstick_score)}"
    if held.margin > 0:
        below = area.level(held.yardstick_score - held.margin)
        label += f", margin −{held.margin:g}: {words.percent(held.yardstick_score - held.margin)}"
        parts.append(line(LEFT, below, end, below, "margin"))
    parts.append(text(LEFT, y - 5, label, "reference start"))
    return Markup("").join(parts)


def _method(points: Sequence[CurvePoint], smooth: Sequence[Sequence[float]], area: Plane) -> Markup:
    """Returns the points of one method with their intervals, joined by the dashed smooth line or by thin lines."""
    kind, parts = points[0].kind, []
    if smooth:
        parts.append(_inside("polyline", smooth, area, "curve smooth"))
    elif kind != "random":
        for one, other in pairwise(points):
            ends = (
                area.x.at(one.rows),
                area.level(one.score),
                area.x.at(other.rows),
                area.level(other.score),
            )
            parts.append(line(*ends, "join"))
    for point in points:
        x = area.x.at(point.rows)
        inside = [element("title", _says(point))]
        if point.low is not None and point.high is not None:
            inside.append(line(x, area.level(point.low), x, area.level(point.high), "interval"))
        if kind == "random":
            inside += [
                element("circle", cx=percent(x), cy=area.level(run), r=2.0, class_="run")
                for run in point.runs
            ]
        inside.append(mark("dash" if kind == "random" else shape(kind), x, area.level(point.score), SIZE))
        parts.append(element("g", *inside))
    return element("g", *parts, class_=arm_class(kind))


def _base(score: float | None, area: Plane) -> Markup:
    if score is None:
        return Markup("")
    y = area.level(score)
    title = element("title", f"base: {words.percent(score)}")
    label = text(BASE, y - 12, "base", "label middle")
    return element("g", title, mark(shape("base"), BASE, y), label, class_=arm_class("base"))


def _labels(points: Sequence[CurvePoint], area: Plane, yardstick: str) -> Markup:
    """Returns the name of each method beside its last point; as the yardstick, `full` has its name on its line."""
    last = [
        found[-1] for (_, kind), found in _methods(points).items() if kind != "full" or yardstick != "full"
    ]
    heights = [area.level(point.score) for point in last]
    parts = []
    for point, old, new in zip(last, heights, plane.spaced(heights, GAP, TOP, BOTTOM - 4), strict=True):
        x = area.x.at(point.rows) + SIDE
        if abs(new - old) > GAP / 3:
            parts.append(element("g", line(x - SIDE, old, x, new, "join"), class_=arm_class(point.kind)))
        parts.append(text(x + SIDE / 2, new + 4, words.short(point.method, 12), "label start"))
    return Markup("").join(parts)


def _brackets(held: BudgetCurve, area: Plane, top: float) -> list[Markup]:
    """Returns what is refuted and what is shown, as brackets under the axis."""
    start, end = (START if area.broken else LEFT), 100 - EDGE
    refuted = _bracket(start, area.x.at(held.refuted), top, "refuted") if held.refuted else Markup("")
    shown = _bracket(area.x.at(held.shown), end, top + 26, "shown") if held.shown else Markup("")
    too_few = f"refuted up to {held.refuted:,}" if held.refuted else "no budget refuted"
    enough = f"shown enough from {held.shown:,}" if held.shown else "no budget shown enough"
    return [
        refuted,
        text(start, top, too_few, "reference start"),
        shown,
        text(end, top + 26, enough, "reference end"),
    ]


def _bracket(start: float, end: float, top: float, class_: str) -> Markup:
    y = top + 8
    caps = [line(x, y - 4, x, y + 4, "cap") for x in (start, end)]
    return Markup("").join([line(start, y, end, y, class_), *caps])


def _unit(held: BudgetCurve) -> str:
    return f"rows across{'' if held.base is None else ' (0 is the base)'}, score in percent upwards"


def _says(point: CurvePoint) -> str:
    score = f"{words.percent(point.score)} {words.interval(point.low, point.high)}"
    return f"{point.method}, {words.count(point.rows, 'row')}: {score}"
