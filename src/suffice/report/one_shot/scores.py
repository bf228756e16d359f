"""The scores of a run on one example: the gain step by step, and every arm beside it."""

from __future__ import annotations

from collections.abc import Sequence

from suffice.report import charts, scales, words
from suffice.report.charts import Dot, Reference
from suffice.report.figure import Cell, Figure, Panel
from suffice.report.one_shot.data import Arm, Estimate, Metric, look

_STEP = {
    "template": ("best template", "by the best template"),
    "format": ("a reward for form alone", "by a reward for form alone"),
    "one": ("the right reward", "by the right reward"),
}


def chain(key: str, metrics: Sequence[Metric], level: float) -> Figure:
    """Draws the gain from the base to one example, one row for each step, and the whole set's level beside it.

    Args:
        key: Unique on the page.
        metrics: Those to draw, one panel each.
        level: Of the intervals, in percent.
    """
    if not metrics:
        return Figure(key, "Test items were not sampled, so that pass@k is not known.")
    rows: list[Sequence[Cell]] = []
    panels = []
    for place, metric in enumerate(metrics):
        dots = _steps(metric)
        references = _references(metric)
        svg = charts.dot_plot(
            f"{key}-{place}",
            f"The gain step by step, by {metric.by}",
            dots,
            _scale(dots, references),
            "score in percent",
            references=references,
        )
        panels.append(Panel(_heading(metric), svg))
        rows += [[metric.name, "", "base", *_cells(_of(metric, "base"))]]
        rows += [[metric.name, before, after, *_cells(step)] for before, after, step in metric.chain]
        rows += [[metric.name, "base", "one", *_cells(metric.gain)]]
    gains = words.listed([f"{_difference(metric.gain)} points by {metric.by}" for metric in metrics])
    note = (
        f"Each bar is the difference to the row above, on the same items; the line is its {level:g}\u00a0% interval over "
        f"items and runs, measured from where the bar begins. All together: {gains}."
    )
    if any(metric.whole for metric in metrics):
        note += " The upright lines are the whole set's level, and the template's level plus the share of its gain that is asked for."
    columns = ["metric", "from", "to", "points (base: percent)", "low", "high"]
    return Figure(key, _chain_title(metrics[0]), panels, note, columns, rows, across=min(2, len(panels)))


def _steps(metric: Metric) -> list[Dot]:
    base = _of(metric, "base")
    dots = [Dot("base", "base", base.estimate, base.low, base.high, _score(base))]
    at = base.estimate
    for _, after, step in metric.chain:
        low, high = (None if end is None else at + end for end in (step.low, step.high))
        label, ends = _STEP.get(after, (after, ""))[0], _difference(step)
        dots.append(Dot(label, look(after), at + step.estimate, low, high, ends, start=at))
        at += step.estimate
    return dots


def _chain_title(metric: Metric) -> str:
    one = metric.arm("one")
    ends = f"to {words.percent(one.mean.estimate)}" if one else "onwards"
    steps = [
        f"{words.signed(step.estimate)} {_STEP.get(after, ('', 'by ' + after))[1]}"
        for _, after, step in metric.chain
    ]
    says = f"From {words.percent(_of(metric, 'base').estimate)} {ends} by {metric.by}"
    return f"{says}: {words.listed(steps)}." if steps else f"{says}."


def _references(metric: Metric) -> list[Reference]:
    """Returns the line of the whole set's level, and that of the share of its gain that is asked for."""
    whole, start = metric.arm("whole"), metric.arm("template")
    if not (whole and start and metric.whole):
        return []
    asked, gain = metric.whole.asked, metric.whole.gain.estimate
    lines = [Reference(whole.mean.estimate, f"whole set {words.percent(whole.mean.estimate)}", "zero")]
    if gain > 0:
        level = start.mean.estimate + asked * gain
        label = f"{100 * asked:.0f}\u00a0% of its gain: {words.percent(level)}"
        lines.append(Reference(level, label, "margin", before=True))
    return lines


def arms(key: str, metrics: Sequence[Metric], level: float) -> Figure:
    """Draws every arm with its interval and its single runs.

    Args:
        key: Unique on the page.
        metrics: Those to draw, one panel each, all on one scale.
        level: Of the intervals, in percent.
    """
    if not metrics:
        return Figure(key, "Test items were not sampled, so that pass@k is not known.")
    note = (
        f"A mark is the mean over items and runs, the line its {level:g}\u00a0% interval (of other single examples, the "
        "grey bar); the small circles are single runs: seeds, or other examples. Crosses are false rewards, which know "
        "nothing of what is right. A filled mark of another shape was trained by the right reward."
        + words.without_interval(arm.mean.low for metric in metrics for arm in metric.arms)
    )
    columns = [
        "metric",
        "arm",
        "score",
        "low",
        "high",
        "runs",
        "score of each run",
        "items",
        "items left out",
    ]
    rows = [_row(metric, arm) for metric in metrics for arm in metric.arms]
    panels = _panels(key, metrics)
    return Figure(key, _arms_title(metrics), panels, note, columns, rows, across=min(2, len(panels)))


def _panels(key: str, metrics: Sequence[Metric]) -> list[Panel]:
    drawn = [([_dot(arm) for arm in metric.arms], _references(metric)) for metric in metrics]
    dots = [dot for found, _ in drawn for dot in found]
    scale = _scale(dots, [line for _, lines in drawn for line in lines])
    return [
        Panel(
            _heading(metric),
            charts.dot_plot(
                f"{key}-{place}",
                f"All arms, by {metric.by}",
                found,
                scale,
                "score in percent",
                references=references,
                every_run=True,
            ),
        )
        for place, (metric, (found, references)) in enumerate(zip(metrics, drawn, strict=True))
    ]


def _row(metric: Metric, arm: Arm) -> Sequence[Cell]:
    runs = " ".join(words.number(run) for run in arm.runs)
    return [metric.name, arm.name, *_cells(arm.mean), arm.count, runs, metric.items, metric.dropped]


def _dot(arm: Arm) -> Dot:
    label = f"{words.short(arm.name, 12)} · {words.count(arm.count, 'run')}"
    mean = arm.mean
    return Dot(label, look(arm.kind), mean.estimate, mean.low, mean.high, _score(mean), arm.runs)


def _arms_title(metrics: Sequence[Metric]) -> str:
    parts = []
    for metric in metrics:
        one, whole = metric.arm("one"), metric.arm("whole")
        says = f"one example scores {words.percent(one.mean.estimate)}" if one else "one example was not run"
        if whole:
            says += f" and the whole set {words.percent(whole.mean.estimate)}"
        parts.append(f"by {metric.by} {says}; {_lifting(metric)}")
    return f"{'. '.join(part[0].upper() + part[1:] for part in parts)}."


def _lifting(metric: Metric) -> str:
    if not any(look(arm.kind) == "false" for arm in metric.arms):
        return "no false reward was tried"
    if not metric.lifting:
        return "no false reward is shown to lift the best template's score"
    verb = "lifts" if len(metric.lifting) == 1 else "lift"
    return f"of the false rewards {words.listed(metric.lifting)} {verb} the best template's score"


def _scale(dots: Sequence[Dot], references: Sequence[Reference]) -> scales.Scale:
    values = [value for dot in dots for value in (dot.estimate, dot.low, dot.high, dot.start, *dot.runs)]
    held = [value for value in values if value is not None] + [line.value for line in references]
    return scales.linear([0.0, *held], low=0.0, high=100.0)


def _heading(metric: Metric) -> str:
    left_out = f", {metric.dropped:,} left out" if metric.dropped else ""
    return f"{metric.by} · n = {metric.items:,} test items{left_out}"


def _of(metric: Metric, name: str) -> Estimate:
    arm = metric.arm(name)
    return arm.mean if arm else Estimate(0.0, None, None)


def _cells(found: Estimate) -> tuple[float, float | None, float | None]:
    return found.estimate, found.low, found.high


def _score(found: Estimate) -> str:
    return f"{words.percent(found.estimate)} {words.interval(found.low, found.high)}"


def _difference(found: Estimate) -> str:
    return f"{words.signed(found.estimate)} {words.interval(found.low, found.high)}"
