"""A figure as an SVG file for papers: all panels in one drawing, in pixels, every element with its own style."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from suffice.report.figure import Figure, Panel
from suffice.report.stylesheet import Rule, resolved, rules, variables
from suffice.report.words import writable

WIDTH = 720.0  # pixels
MARGIN = 14.0
BETWEEN = 36.0  # pixels between panels side by side
HEADING = 26.0  # pixels for the heading of a panel
BELOW = 18.0  # pixels under a row of panels
FONT = "Helvetica, Arial, sans-serif"
_ACROSS = ("x", "x1", "x2", "cx", "width")  # lengths along the width
_SCREEN = ("vector-effect",)  # properties that mean nothing here


def standalone(figure: Figure) -> str:
    """Returns a figure as the text of an SVG file on a white page.

    Lengths in percent become pixels, drawings inside drawings become groups, and the rules of the style sheet become
    a ``style`` on each element, so that a browser and a drawing program show the same.

    Args:
        figure: One with panels.
    """
    across = min(figure.across, len(figure.panels))
    width = (WIDTH - BETWEEN * (across - 1)) / across
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "font-family": FONT})
    _child(root, "title", text=figure.title)
    _child(root, "desc", text=figure.note)
    page = _child(root, "rect", x="0", y="0", width="100%", height="100%", style="fill:#ffffff")
    top = MARGIN
    for row in range(math.ceil(len(figure.panels) / across)):
        panels = figure.panels[row * across : (row + 1) * across]
        heights = [
            _panel(root, panel, MARGIN + (width + BETWEEN) * place, top, width)
            for place, panel in enumerate(panels)
        ]
        top += max(heights) + BELOW
    size = {"width": _written(WIDTH + 2 * MARGIN), "height": _written(top)}
    for key, value in size.items():
        root.set(key, value)
        page.set(key, value)
    root.set("viewBox", f"0 0 {size['width']} {size['height']}")
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _child(parent: Element, name: str, *, text: str = "", **attributes: str) -> Element:
    child = ElementTree.SubElement(parent, name, attributes)
    child.text = writable(text) or None
    return child


def _panel(root: Element, panel: Panel, x: float, top: float, width: float) -> float:
    """Puts a panel into the file, and returns its height in pixels."""
    known, sheet = _sheet()
    drawn = ElementTree.fromstring(writable(str(panel.svg)))  # noqa: S314  # our own drawing
    height = float(drawn.get("height", "0"))
    group = _child(root, "g", transform=f"translate({_written(x)} {_written(top)})")
    above = 0.0
    if panel.heading:
        above = HEADING
        heading = _child(group, "text", text=panel.heading, x="0", y="14")
        heading.set("style", f"font-size:14px;fill:{known['--ink']}")
    drawn.set("y", _written(above))
    for name in ("role", "width", "height", "aria-labelledby"):
        drawn.attrib.pop(name, None)
    _inline(drawn, (), known, sheet)
    _measure(drawn, width)
    group.append(drawn)
    return above + height


@cache
def _sheet() -> tuple[dict[str, str], list[Rule]]:
    """Returns the variables of the light page and the rules for drawings."""
    folder = files("suffice.report").joinpath("templates")
    light = variables(folder.joinpath("style.css").read_text(encoding="utf-8"))
    return light, rules(folder.joinpath("figure.css").read_text(encoding="utf-8"))


def _inline(
    part: Element, outer: tuple[frozenset[str], ...], known: Mapping[str, str], sheet: list[Rule]
) -> None:
    """Gives an element and those inside it their styles, and takes their classes away."""
    path = (*outer, frozenset({part.tag, *(f".{name}" for name in part.attrib.pop("class", "").split())}))
    part.attrib.pop("id", None)
    properties: dict[str, str] = {}
    for rule in sheet:
        if rule.fits(path):
            properties |= rule.properties
    known = {**known, **resolved({k: v for k, v in properties.items() if k.startswith("--")}, known)}
    own = {k: v for k, v in properties.items() if not k.startswith("--") and k not in _SCREEN}
    if own:
        part.set("style", ";".join(f"{name}:{value}" for name, value in resolved(own, known).items()))
    for child in part:
        _inline(child, path, known, sheet)


def _measure(part: Element, width: float) -> None:
    """Turns lengths in percent of the width into pixels, and drawings inside drawings into groups."""
    for name in _ACROSS:
        value = part.get(name, "")
        if value.endswith("%"):
            part.set(name, _written(float(value[:-1]) * width / 100))
    if part.tag == "svg":
        _group(part)
    for child in part:
        _measure(child, width)


def _group(part: Element) -> None:
    """Makes a drawing inside a drawing a group; one of 100 by 100 is stretched to its box."""
    x, y = (float(part.attrib.pop(name, "0")) for name in ("x", "y"))
    if part.attrib.pop("viewBox", None):
        width, height = (float(part.attrib.pop(name)) / 100 for name in ("width", "height"))
        for line in part:
            points = (point.split(",") for point in line.get("points", "").split())
            placed = (f"{_written(float(a) * width)},{_written(float(b) * height)}" for a, b in points)
            line.set("points", " ".join(placed))
    part.attrib.pop("preserveAspectRatio", None)
    part.tag = "g"
    if x or y:
        part.set("transform", f"translate({_written(x)} {_written(y)})")


def _written(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
