"""The page of a run on one example: figures, tables and words in a template, everything inside one file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markupsafe import Markup

from suffice.common.files import write_text
from suffice.report import charts, scales, words
from suffice.report.figure import Figure, Panel
from suffice.report.one_shot.choice import candidates
from suffice.report.one_shot.data import Estimate, OneShotReport, TaskReport, look
from suffice.report.one_shot.items import compared
from suffice.report.one_shot.scores import arms, chain
from suffice.report.one_shot.training import training
from suffice.report.page import LONG, asset, environment, facts
from suffice.report.standalone import standalone
from suffice.report.words import writable

_PARTS = {"rollout": "sampling replies", "reward": "judging them", "update": "updating the weights"}


def render(data: OneShotReport) -> str:
    """Returns the report as one self-contained HTML page; the same data give the same bytes.

    Everything that comes from outside is escaped.

    Args:
        data: What to show.
    """
    style = asset("style.css") + asset("figure.css")
    page = environment().get_template("one_shot/page.html").render(
        data=data,
        headline=headline(data),
        parts=[_part(task, place) for place, task in enumerate(data.tasks, 1)],
        estimate=_estimate,
        look=look,
        facts=facts(data.manifest),
        manifest=json.dumps(data.manifest, indent=2, ensure_ascii=False, default=str),
        long=LONG,
        style=Markup(style),  # noqa: S704  # our own file
    )  # fmt: skip
    return writable(page)


def write_figures(data: OneShotReport, folder: Path) -> list[Path]:
    """Writes each figure that has something to draw as an SVG file, and returns the files."""
    files = []
    for place, task in enumerate(data.tasks, 1):
        for figure in _figures(task, place).values():
            if figure.panels:
                files.append(folder / f"{figure.key}.svg")
                write_text(files[-1], standalone(figure))
    return files


def headline(data: OneShotReport) -> str:
    """Returns what one example brings, in a few words."""
    found = list(_gains(data))
    if not found:
        return "No verdict yet"
    return f"One example: {words.listed(found)}"


def _gains(data: OneShotReport) -> Iterator[str]:
    for task in data.tasks:
        where = f" in {words.short(task.name)}" if task.name else ""
        for metric in task.metrics[:1]:
            gain = metric.gain
            if gain.low is not None and gain.high is not None and not gain.low <= 0 <= gain.high:
                yield f"{words.signed(gain.estimate)} points{where}"
            else:
                yield f"no gain shown{where}"


def _part(task: TaskReport, place: int) -> dict[str, Any]:
    """Returns what the template needs of a task."""
    return {
        "task": task,
        "id": f"task-{place}",
        "figures": _figures(task, place),
        "compared": compared(task.pairs),
    }


def _figures(task: TaskReport, place: int) -> dict[str, Figure]:
    """Returns the figures of a task; their keys come from its place, since its name may hold anything."""
    sampled = list(task.metrics[1:])
    return {
        "chain": chain(f"chain-{place}", task.metrics[:1], task.level),
        "chain_sampled": chain(f"chain-sampled-{place}", sampled, task.level),
        "arms": arms(f"arms-{place}", task.metrics[:1], task.level),
        "arms_sampled": arms(f"arms-sampled-{place}", sampled, task.level),
        "training": training(f"training-{place}", task),
        "candidates": candidates(f"candidates-{place}", task.choice),
        "time": _time(f"time-{place}", task),
    }


def _time(key: str, task: TaskReport) -> Figure:
    known = {name: 100 * share for name, share in task.time.items() if name in _PARTS}
    if not any(known.values()):
        return Figure(key, "Nothing was trained, or the time of it was not recorded.")
    rows = [(_PARTS[name], share, words.percent(share)) for name, share in known.items()]
    scale = scales.linear([0.0, *known.values()], low=0.0, high=100.0)
    svg = charts.bars(f"{key}-parts", "Shares of training time", rows, scale, "percent of training time")
    most = max(known, key=lambda name: known[name])
    title = f"{_PARTS[most].capitalize()} takes {words.percent(known[most], 0)} of the time of training."
    note = "Shares of the seconds of all trainings of the task; loading the base and judging arms are not in them."
    return Figure(key, title, [Panel("", svg)], note, ["part", "percent"], [row[:2] for row in rows])


def _estimate(found: Estimate | None) -> str:
    """Returns an estimate with its interval in words."""
    return (
        "unknown"
        if found is None
        else f"{words.number(found.estimate)} {words.interval(found.low, found.high)}"
    )
