"""What each training went through, step by step: a row of four small drawings for each arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from markupsafe import Markup

from suffice.report import scales, words
from suffice.report.charts import arm_class
from suffice.report.figure import Cell, Figure, Panel
from suffice.report.one_shot.data import FALSE, Steps, TaskReport, Training, look
from suffice.report.scales import EDGE, Scale
from suffice.report.svg import axis, drawing, element, line, percent, text
from suffice.report.words import tick

MOST = 100  # points of a line; of longer trainings each is the mean of several steps
TOP, BOTTOM, HEIGHT = 6.0, 74.0, 94.0  # pixels
GUTTER = 17.0  # percent of the width, for the labels of the vertical axis
QUANTITIES = {
    "reward": "reward",
    "uniform": "groups all alike",
    "entropy": "entropy",
    "length": "length",
}

Line = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Lines:
    """One quantity of one arm: the line of each run, and their mean."""

    runs: Sequence[Line]
    mean: Line


def training(key: str, task: TaskReport) -> Figure:
    """Draws reward, groups without variance, entropy and length over the rollout steps of every arm.

    Args:
        key: Unique on the page.
        task: The task.
    """
    held = [arm for arm in task.trainings if arm.runs]
    if not held:
        return Figure(key, "The steps of the trainings were not recorded.")
    drawn = {(arm.name, name): _lines(arm, name) for arm in held for name in QUANTITIES}
    last = max(run.step[-1] for arm in held for run in arm.runs if run.step)
    x = scales.linear([0.0, last], high=float(last))
    x = replace(x, ticks=(0.0, float(last)), start=GUTTER)
    heights = {name: _height(name, [drawn[arm.name, name] for arm in held]) for name in QUANTITIES}
    panels = [
        Panel(
            _heading(arm, name),
            _small(f"{key}-{place}-{name}", arm, name, drawn[arm.name, name], x, heights[name]),
        )
        for place, arm in enumerate(held)
        for name in QUANTITIES
    ]
    note = (
        "From left to right: the mean reward of a step, the share of its groups whose rewards are all the same (from which "
        "nothing is learned), the mean entropy of a token in nats, and the mean length of a reply in tokens, over the "
        f"rollout steps (0 to {last:,}); each column has one scale. A thin line is a run, the thick one their mean. Dashed: "
        "a false reward, whose curve is of that reward and not of right answers."
    )
    if max(len(run.step) for arm in held for run in arm.runs) > MOST:
        note += f" Long trainings are drawn as the means of {MOST} parts."
    columns = ["arm", "reward is", "step", *QUANTITIES.values()]
    return Figure(key, _title(held), panels, note, columns, _rows(held, drawn), across=4)


def _lines(arm: Training, name: str) -> Lines:
    runs = [_points(run, name) for run in arm.runs]
    met: dict[float, list[float]] = {}
    for run in runs:
        for step, value in run:
            met.setdefault(step, []).append(value)
    return Lines(runs, [(step, fmean(values)) for step, values in sorted(met.items())])


def _points(run: Steps, name: str) -> Line:
    """Returns steps and values where there is a value, no more than `MOST` of them."""
    known = [
        (float(step), value)
        for step, value in zip(run.step, getattr(run, name), strict=True)
        if value is not None
    ]
    count = len(known)
    if count <= MOST:
        return known
    parts = [known[i * count // MOST : (i + 1) * count // MOST] for i in range(MOST)]
    return [(float(part[-1][0]), fmean(value for _, value in part)) for part in parts]


def _height(name: str, drawn: Sequence[Lines]) -> Scale:
    values = [value for lines in drawn for run in lines.runs for _, value in run]
    if name == "uniform":
        return Scale(0.0, 1.0, (0.0, 0.5, 1.0))
    if name == "reward" and all(0 <= value <= 1 for value in values):
        return Scale(0.0, 1.0, (0.0, 0.5, 1.0))
    scale = scales.linear([0.0, *values])
    return replace(scale, ticks=scale.ticks[:: 1 + len(scale.ticks) // 4])


def _heading(arm: Training, name: str) -> str:
    if name != "reward":
        return QUANTITIES[name]
    return f"{words.short(arm.name, 14)}: {'false ' if arm.kind in FALSE else ''}reward"


def _small(key: str, arm: Training, name: str, lines: Lines, x: Scale, y: Scale) -> Markup:
    parts = [axis(x, TOP, BOTTOM)]
    for value in y.ticks:
        level = BOTTOM - (BOTTOM - TOP) * y.share(value)
        parts.append(line(GUTTER, level, 100 - EDGE, level, "grid"))
        parts.append(text(GUTTER - 3, level + 4, tick(value), "tick end"))
    thin = [_line(run, x, y, "thin") for run in lines.runs if len(lines.runs) > 1]
    box = {"x": percent(GUTTER), "width": percent(100 - EDGE - GUTTER), "y": TOP, "height": BOTTOM - TOP}
    curves = [*thin, _line(lines.mean, x, y, "curve")]
    parts.append(element("svg", *curves, viewBox="0 0 100 100", preserveAspectRatio="none", **box))
    group = element("g", *parts, class_=arm_class(look(arm.kind)))
    says = f"{lines.mean[0][1]:.3g} at first, {lines.mean[-1][1]:.3g} at last" if lines.mean else "unknown"
    return drawing(key, HEIGHT, f"{arm.name}: {QUANTITIES[name]}", says, group)


def _line(points: Line, x: Scale, y: Scale, class_: str) -> Markup:
    places = (f"{100 * x.share(step):.2f},{100 * (1 - y.share(value)):.2f}" for step, value in points)
    return element("polyline", points=" ".join(places), class_=class_)


def _title(held: Sequence[Training]) -> str:
    """Returns what the rewards of the main arms came to at the end, in a sentence."""
    ends = [
        f"{found:.2f} for {arm.name}{' (a false one)' if arm.kind in FALSE else ''}"
        for arm in held
        if arm.kind in ("format", "one", "whole") and (found := _end(arm)) is not None
    ]
    if not ends:
        return "No reward was recorded in the last tenth of the steps."
    return f"Over the last tenth of the steps the mean reward is {words.listed(ends)}."


def _end(arm: Training) -> float | None:
    values = [
        value
        for run in arm.runs
        for value in run.reward[-max(1, len(run.reward) // 10) :]
        if value is not None
    ]
    return fmean(values) if values else None


def _rows(held: Sequence[Training], drawn: dict[tuple[str, str], Lines]) -> list[Sequence[Cell]]:
    """Returns the means over the runs of each arm, one row a step."""
    rows: list[Sequence[Cell]] = []
    for arm in held:
        found = {name: dict(drawn[arm.name, name].mean) for name in QUANTITIES}
        steps = sorted({step for values in found.values() for step in values})
        kind = "false" if arm.kind in FALSE else "right"
        for step in steps:
            cells = [values.get(step) for values in found.values()]
            rows.append([arm.name, kind, int(step), *cells])
    return rows
