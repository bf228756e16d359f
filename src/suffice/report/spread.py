"""How far the runs of each arm lie apart: what a draw and a training seed do to a score."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from suffice.report import scales, words
from suffice.report.charts import AXIS, arm_class
from suffice.report.data import ORDER, ReportData, Spread
from suffice.report.figure import Cell, Figure, Panel
from suffice.report.scales import Scale
from suffice.report.svg import axis, drawing, element, line, percent, text

ROW = 48.0


def spread(data: ReportData) -> Figure:
    """Draws each run as its distance from the mean of its arm, with the standard deviation behind."""
    held = sorted(data.spreads, key=lambda one: ORDER.index(one.kind if one.kind in ORDER else "other"))
    if not held:
        return Figure("spread", "How far the runs of an arm lie apart was not recorded.")
    runs = {arm.name: list(arm.runs) for arm in data.arms}
    off = {one.name: _off(runs.get(one.name, [])) for one in held}
    wide = [one.total_sd for one in held if one.total_sd is not None]
    ends = [value for found in off.values() for value in found] + wide + [-sd for sd in wide]
    scale = scales.linear([*ends, 0.0])
    bottom = ROW * len(held)
    zero = scale.at(0)
    parts = [axis(scale, 0, bottom), line(zero, 0, zero, bottom, "zero")]
    parts += [_row(one, off[one.name], scale, ROW * index) for index, one in enumerate(held)]
    parts.append(text(0, bottom + 35, "percentage points from the mean of the arm", "unit start"))
    description = "; ".join(f"{one.name}: {_says(one)}" for one in held)
    svg = drawing("spread-all", bottom + AXIS, "Runs of each arm", description, *parts)
    note = (
        "Each small point is one run, as the distance of its score from the mean of its arm; the bar reaches one "
        "standard deviation (SD) to each side. A random run is a new draw and a new training, a run of a fixed set of "
        "rows a new training alone, so the two spreads are different things."
    )
    columns = ["arm", "SD", "SD of the draw", "SD of the seed", "runs", "score of each run"]
    rows: list[Sequence[Cell]] = [
        (
            one.name,
            one.total_sd,
            one.draw_sd,
            one.seed_sd,
            len(off[one.name]),
            _scores(runs.get(one.name, [])),
        )
        for one in held
    ]
    heading = f"runs: {', '.join(f'{one.name} {len(off[one.name])}' for one in held)}"
    return Figure("spread", _title(held), [Panel(heading, svg)], note, columns, rows)


def explained(data: ReportData) -> list[tuple[str, str]]:
    """Returns each sentence about a spread after the names of the arms that it is true of."""
    named: dict[str, list[str]] = {}
    for one in data.spreads:
        if one.sentence:
            named.setdefault(one.sentence, []).append(one.name)
    return [(words.listed(names), sentence) for sentence, names in named.items()]


def _off(runs: Sequence[float]) -> list[float]:
    """Returns how far each run is from the mean of all."""
    return [run - sum(runs) / len(runs) for run in runs]


def _title(held: Sequence[Spread]) -> str:
    known = [
        f"{words.number(one.total_sd)} points for {one.name}" for one in held if one.total_sd is not None
    ]
    if not known:
        return "No arm has runs enough to tell how much they vary."
    return f"The standard deviation of one run is {words.listed(known)}."


def _says(one: Spread) -> str:
    """Returns the spread in a few words, draw and seed told apart where they are known."""
    if one.total_sd is None:
        return "SD unknown"
    total = f"SD {words.number(one.total_sd)}"
    if one.draw_sd is not None and one.seed_sd is not None:
        return f"{total}: draw {words.number(one.draw_sd)}, seed {words.number(one.seed_sd)}"
    return f"{total}, draw and seed" if one.kind == "random" else f"{total}, seed alone"


def _row(one: Spread, off: Sequence[float], scale: Scale, top: float) -> Markup:
    middle = top + 32
    parts = [
        element("title", f"{one.name}: {_says(one)}"),
        text(0, top + 16, words.short(one.name), "label start"),
        text(100, top + 16, _says(one), "value end"),
    ]
    if one.total_sd is not None:
        low, high = scale.at(-one.total_sd), scale.at(one.total_sd)
        place = {"x": percent(low), "y": middle - 7, "width": percent(high - low), "height": 14.0}
        parts.append(element("rect", class_="spread", **place))
    for value in off:
        title = element("title", f"{words.signed(value)} points from the mean")
        place = {"cx": percent(scale.at(value)), "cy": middle, "r": 3.5}
        parts.append(element("circle", title, class_="run", **place))
    return element("g", *parts, class_=arm_class(one.kind))


def _scores(runs: Sequence[float]) -> str:
    return " ".join(words.number(run) for run in runs)
