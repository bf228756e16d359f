"""Inline SVG: elements, marks and axes. Widths are in percent, so that text keeps its size on every screen."""

from __future__ import annotations

from markupsafe import Markup, escape

from suffice.report.scales import Scale
from suffice.report.words import tick

# The shapes that tell arms apart where colour does not: paths around (0, 0), in pixels.
SHAPES = {
    "circle": "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0Z",
    "tick": "M-1.5-8h3v16h-3Z",
    "dash": "M-7-1.5h14v3h-14Z",
    "diamond": "M0-7.5L7.5 0L0 7.5L-7.5 0Z",
    "triangle": "M0-7L7 5.5H-7Z",
    "cross": "M-6.5-4.5L-4.5-6.5L0-2L4.5-6.5L6.5-4.5L2 0L6.5 4.5L4.5 6.5L0 2L-4.5 6.5L-6.5 4.5L-2 0Z",
    "square": "M-5.5-5.5h11v11h-11Z",
}


def element(name: str, *children: str, **attributes: object) -> Markup:
    """Returns an element; attribute names lose a trailing underscore, and other underscores become hyphens.

    Text among the children is escaped; `Markup` is not.
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(_attribute(key), _number(value)) for key, value in attributes.items()
    )
    inside = Markup("").join(escape(child) for child in children)
    return Markup("<{}{}>{}</{}>").format(name, written, inside, name)


def _attribute(key: str) -> str:
    return key if key in ("viewBox", "preserveAspectRatio") else key.rstrip("_").replace("_", "-")


def _number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def percent(value: float) -> str:
    """Returns a length in percent of the width."""
    return f"{_number(value)}%"


def drawing(key: str, height: float, title: str, description: str, *children: str) -> Markup:
    """Returns an ``svg`` that is as wide as its box, with its text alternatives.

    Args:
        key: Unique on the page; the text alternatives are named after it.
        height: In pixels.
        title: What it is.
        description: What it shows, in words.
        children: What is drawn.
    """
    return element(
        "svg",
        element("title", title, id=f"{key}-title"),
        element("desc", description, id=f"{key}-desc"),
        *children,
        role="img",
        width="100%",
        height=float(height),
        aria_labelledby=f"{key}-title {key}-desc",
    )


def mark(shape: str, x: float, y: float, size: float = 1.0) -> Markup:
    """Returns the mark of a shape, ``x`` in percent and ``y`` in pixels, at a size of the usual one."""
    smaller = {} if size == 1 else {"transform": f"scale({size:g})"}
    path = element("path", d=SHAPES[shape], class_="mark", **smaller)
    return element("svg", path, x=percent(x), y=float(y), class_="place")


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Returns a line, ``x`` in percent and ``y`` in pixels."""
    return element("line", x1=percent(x1), y1=float(y1), x2=percent(x2), y2=float(y2), class_=class_)


def text(x: float, y: float, words: str, class_: str) -> Markup:
    """Returns text, ``x`` in percent and ``y`` in pixels."""
    return element("text", words, x=percent(x), y=float(y), class_=class_)


def anchor(x: float) -> str:
    """Returns the class that keeps a label at ``x`` percent within the drawing."""
    return "start" if x < 16 else "end" if x > 84 else "middle"


def axis(scale: Scale, top: float, bottom: float) -> Markup:
    """Returns the grid lines of an axis, and its tick labels under ``bottom``."""
    parts = []
    for value in scale.ticks:
        x = scale.at(value)
        parts.append(line(x, top, x, bottom, "grid"))
        parts.append(text(x, bottom + 16, tick(value), "tick middle"))
    return Markup("").join(parts)
