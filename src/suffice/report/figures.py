"""The figures of the report, from its data: what each shows is computed, never claimed beforehand."""

from __future__ import annotations

from collections.abc import Sequence

from suffice.report import charts, scales, words
from suffice.report.charts import Dot
from suffice.report.data import ArmRow, FamilyScore, ReportData
from suffice.report.figure import Cell, Figure, Panel


def scores(data: ReportData) -> Figure:
    """Draws the score of every arm, and the band of the random draws behind all of them."""
    arms, random = data.ordered, data.arm("random")
    if not arms:
        return Figure("scores", "No arm was evaluated.")
    scale = _scale([(arm, arm.runs) for arm in arms])
    band = (min(random.runs), max(random.runs)) if random and len(random.runs) > 1 else None
    dots = [_dot(f"{arm.name} · {_run_count(arm)}", arm.kind, arm, arm.runs) for arm in arms]
    svg = charts.dot_plot("scores-all", "Score of each arm", dots, scale, "score in percent", band=band)
    about_band = (
        f"The grey band spans the {data.runs('random')} random draws, drawn as small points."
        if band
        else "There is no band: fewer than two random draws were run."
    )
    note = (
        f"An arm is one training condition. A mark is its mean score over its runs, the line its {data.level:g}\u00a0% "
        f"interval over items and runs (of random, the grey bar). {about_band} The axis runs from {scale.low:g} to "
        f"{scale.high:g}\u00a0%." + words.without_interval(arm.low for arm in arms)
    )
    columns = ["arm", "score", "low", "high", "items", "runs", "score of each run"]
    rows: list[tuple[Cell, ...]] = [
        (arm.name, arm.score, arm.low, arm.high, arm.items, len(arm.runs), _runs_in_words(arm))
        for arm in arms
    ]
    panel = Panel(f"{_items_of_all(data)} for every run", svg)
    return Figure("scores", _scores_title(data), [panel], note, columns, rows)


def _scores_title(data: ReportData) -> str:
    own, random = data.arm("selected"), data.arm("random")
    if own is None:
        return "No selected arm was evaluated; these are the others."
    says = f"{own.name} scores {_score(own)}"
    if random is None or not random.runs:
        return f"{says}; no random draws were run beside it."
    low, high = min(random.runs), max(random.runs)
    draws = words.count(len(random.runs), "random draw")
    if own.score > high:
        return f"{says}, above the highest of {draws} ({words.percent(high)})."
    if own.score < low:
        return f"{says}, below the lowest of {draws} ({words.percent(low)})."
    return f"{says}, within the range of {draws} ({words.number(low)} to {words.percent(high)})."


def families(data: ReportData) -> Figure:
    """Draws the scores again in each task family, on one shared scale."""
    names = list(dict.fromkeys(name for arm in data.ordered for name in arm.families))
    if len(names) < 2:
        return Figure(
            "families", "There are fewer than two task families, so there is nothing to tell apart."
        )
    scale = _scale([(score, ()) for arm in data.arms for score in arm.families.values()])
    panels, rows = [], []
    for index, name in enumerate(names):
        held = [(arm, arm.families[name]) for arm in data.ordered if name in arm.families]
        dots = [_dot(arm.name, arm.kind, score, ()) for arm, score in held]
        svg = charts.dot_plot(f"families-{index}", f"Scores in {name}", dots, scale, "score in percent")
        items = max(score.items for _, score in held)
        panels.append(Panel(f"{name} · n = {items:,} items", svg))
        rows += [[name, arm.name, score.score, score.low, score.high, score.items] for arm, score in held]
    note = (
        "One panel for each task family of the target; all share one scale, from "
        f"{scale.low:g} to {scale.high:g}\u00a0%, and the order of the arms."
        + words.without_interval(score.low for arm in data.arms for score in arm.families.values())
    )
    columns = ["family", "arm", "score", "low", "high", "items"]
    return Figure("families", _families_title(data, names), panels, note, columns, rows, across=2)


def _families_title(data: ReportData, names: Sequence[str]) -> str:
    own = data.arm("selected")
    other = data.arm("random") or data.arm("full") or data.arm("base")
    if own is None or other is None:
        return f"Scores in {len(names)} task families."
    above = [name for name in names if _apart(own.families.get(name), other.families.get(name))]
    within = f": {words.listed(above)}" if 0 < len(above) < len(names) else ""
    return (
        f"{own.name} has its whole interval above that of {other.name} in {len(above)} of {len(names)} "
        f"families{within}."
    )


def _apart(own: FamilyScore | None, other: FamilyScore | None) -> bool:
    return bool(own and other and own.low is not None and other.high is not None and own.low > other.high)


def costs(data: ReportData) -> Figure:
    """Draws the time that choosing, training and evaluating took, with their operations and bytes in words."""
    parts = {"choose": "choosing", "train": "training", "evaluate": "evaluating"}
    known = {stage: data.costs[f"{stage}_seconds"] for stage in parts if f"{stage}_seconds" in data.costs}
    total = sum(known.values())
    if total <= 0:
        return Figure("costs", "No times were recorded.")
    drawn = [(parts[stage], value, _cost(data, stage, value / total)) for stage, value in known.items()]
    scale = scales.linear([0.0, *known.values()])
    svg = charts.bars("costs-time", "Time of each part of the work", drawn, scale, "seconds of work")
    says = words.listed([f"{parts[stage]} took {words.seconds(value)}" for stage, value in known.items()])
    note = "Seconds of work, summed over runs; runs that worked side by side each count in full."
    if "total_seconds" in data.costs:
        note += f" The whole run took {words.seconds(data.costs['total_seconds'])} by the clock."
    columns = ["part", "seconds", "floating-point operations", "bytes"]
    rows = [
        [parts[stage], value, data.costs.get(f"{stage}_flops"), data.costs.get(f"{stage}_bytes")]
        for stage, value in known.items()
    ]
    return Figure("costs", f"{says.capitalize()}.", [Panel("", svg)], note, columns, rows)


def _cost(data: ReportData, stage: str, share: float) -> str:
    found = [words.seconds(data.costs[f"{stage}_seconds"]), words.percent(100 * share, 0)]
    for name, unit in (("flops", "FLOP"), ("bytes", "B")):
        if f"{stage}_{name}" in data.costs:
            found.append(words.large(data.costs[f"{stage}_{name}"], unit))
    return " · ".join(found)


def lengths(data: ReportData) -> Figure:
    """Draws how long answers are, in the pool and in the rows that arms were trained on."""
    edges, unit = list(data.length_edges), data.length_unit
    classes = {"pool": "pool"} | {arm.name: charts.arm_class(arm.kind) for arm in data.ordered}
    held = {name: list(data.lengths[name]) for name in classes if sum(data.lengths.get(name, ()))}
    if not held or len(edges) < 2:
        return Figure("lengths", "Lengths of answers were not recorded.")
    scale = scales.logarithmic(edges)
    peak = max(max(counts) / sum(counts) for counts in held.values())
    panels = [
        Panel(
            f"{name} · {words.count(sum(counts), 'row')}",
            charts.histogram(
                f"lengths-{index}",
                f"Lengths of answers, {name}",
                counts,
                edges,
                scale,
                peak=peak,
                unit=unit,
                class_=classes[name],
            ),
        )
        for index, (name, counts) in enumerate(held.items())
    ]
    medians = [
        f"{charts.median(counts, edges):.0f} in {'the pool' if name == 'pool' else name}"
        for name, counts in held.items()
    ]
    title = f"Half of the answers have fewer {unit} than about {words.listed(medians)}."
    note = (
        f"The height of a bar is the share of rows, on one shared scale whose top is {words.percent(100 * peak, 0)}; "
        f"{unit} of an answer are on a logarithmic axis. Medians are read off the bars. Of several draws the first "
        "is shown."
    )
    columns = [f"from ({unit})", "below", *held]
    rows = list(zip(edges, edges[1:], *held.values(), strict=False))
    return Figure("lengths", title, panels, note, columns, rows, across=2)


def losses(data: ReportData) -> Figure:
    """Draws the learning curves of every arm that was trained."""
    held = [(arm, [run for run in arm.losses if run]) for arm in data.ordered if any(arm.losses)]
    if not held:
        return Figure("losses", "Learning curves were not recorded.")
    points = [point for _, runs in held for run in runs for point in run]
    x = scales.linear([0, *(step for step, _ in points)], high=max(step for step, _ in points))
    y = scales.linear([0, *(loss for _, loss in points)])
    panels, ends = [], []
    rows: list[list[Cell]] = []
    for index, (arm, runs) in enumerate(held):
        svg = charts.curves(f"losses-{index}", f"Loss of {arm.name}", runs, x, y, arm.kind)
        panels.append(Panel(f"{arm.name} · {_run_count(arm)}", svg))
        ends.append(f"{sum(run[-1][1] for run in runs) / len(runs):.2f} for {arm.name}")
        rows += [[arm.name, number, *point] for number, run in enumerate(runs, 1) for point in run]
    note = (
        "Mean loss per trained token, one line a run, on shared scales from zero. A low loss on an arm's own rows says "
        "nothing about the target."
    )
    columns = ["arm", "run", "step", "loss"]
    return Figure(
        "losses",
        f"The loss ends, as the mean over runs, at {words.listed(ends)}.",
        panels,
        note,
        columns,
        rows,
        across=2,
    )


def _dot(label: str, kind: str, score: ArmRow | FamilyScore, runs: Sequence[float]) -> Dot:
    return Dot(label, kind, score.score, score.low, score.high, _score(score), runs)


def _score(score: ArmRow | FamilyScore) -> str:
    return f"{words.percent(score.score)} {words.interval(score.low, score.high)}"


def _scale(held: Sequence[tuple[ArmRow | FamilyScore, Sequence[float]]]) -> scales.Scale:
    """Returns an axis in percent that holds scores, their intervals and runs."""
    values = [value for score, runs in held for value in (score.score, score.low, score.high, *runs)]
    return scales.linear([value for value in values if value is not None], low=0.0, high=100.0)


def _items_of_all(data: ReportData) -> str:
    least, most = min(arm.items for arm in data.arms), data.items
    return f"n = {most:,} test items" if least == most else f"n = {least:,} to {most:,} test items"


def _runs_in_words(arm: ArmRow) -> str:
    return " ".join(words.number(run) for run in arm.runs)


def _run_count(arm: ArmRow) -> str:
    return words.count(len(arm.runs), "draw" if arm.kind == "random" else "run")
