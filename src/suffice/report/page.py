"""The page: figures, tables and words in a template, everything inside one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from suffice.report import charts, figures, words
from suffice.report.curve import curve
from suffice.report.data import ReportData
from suffice.report.differences import differences
from suffice.report.figure import Cell
from suffice.report.items import items
from suffice.report.spread import explained, spread
from suffice.report.words import writable

SHOWN = 10  # rows shown of those chosen, and of those rejected
LONG = 700  # characters of a message shown before the rest is folded away
FIGURES = (
    differences,
    figures.scores,
    curve,
    figures.families,
    spread,
    figures.costs,
    figures.lengths,
    figures.losses,
)


def render(data: ReportData) -> str:
    """Returns the report as one self-contained HTML page.

    Everything that comes from outside is escaped.

    Args:
        data: What to show.
    """
    style = asset("style.css") + asset("figure.css")
    page = environment().get_template("report.html").render(
        data=data,
        figures={draw.__name__: draw(data) for draw in FIGURES},
        items=items(data),
        explained=explained(data),
        script=Markup(asset("filter.js")),  # noqa: S704  # our own file
        facts=facts(data.manifest),
        manifest=json.dumps(data.manifest, indent=2, ensure_ascii=False, default=str),
        shown=SHOWN,
        long=LONG,
        style=Markup(style),  # noqa: S704  # our own file
    )  # fmt: skip
    return writable(page)


def asset(name: str) -> str:
    """Returns the text of a file beside the templates."""
    return files("suffice.report").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    """Returns the templates with what they call."""
    environment = Environment(
        loader=PackageLoader("suffice.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["words"] = words
    environment.filters |= {"cell": cell, "speech": speech, "swatch": charts.swatch}
    return environment


def cell(value: Cell) -> str:
    """Returns a value as a table shows it."""
    if value is None:
        return "unknown"
    if isinstance(value, float):
        return words.number(value, 2 if abs(value) < 1e6 else 0)
    return f"{value:,}" if isinstance(value, int) else value


def speech(message: Mapping[str, Any]) -> str:
    """Returns what a turn says: its text, and each tool it calls as a call."""
    content = message.get("content")
    parts = [content if isinstance(content, str) else _compact(content)] if content else []
    for call in message.get("tool_calls") or ():
        function = call.get("function", call) if isinstance(call, Mapping) else {"name": call}
        arguments = function.get("arguments", "")
        written = arguments if isinstance(arguments, str) else _compact(arguments)
        parts.append(f"calls {function.get('name', 'a tool')}({written})")
    return "\n".join(parts) or "(says nothing)"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def facts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns the plain values of a manifest, and its versions, as names and words."""
    plain = [(name, value) for name, value in manifest.items() if isinstance(value, str | int | float)]
    versions = manifest.get("versions")
    inner = list(versions.items()) if isinstance(versions, Mapping) else []
    return [(name.replace("_", " "), str(value)) for name, value in [*plain, *inner]]
