"""Which examples could have been chosen, and which one was."""

from __future__ import annotations

from collections import Counter

from markupsafe import Markup

from suffice.report import scales, words
from suffice.report.charts import arm_class
from suffice.report.figure import Figure, Panel
from suffice.report.one_shot.data import Choice
from suffice.report.svg import anchor, axis, drawing, element, line, mark, percent, text

TOP, BOTTOM = 46.0, 130.0  # pixels
WIDE = 0.9  # percent of the width of a bar
BINS = 200  # different pass rates drawn at most
MOST = 500  # candidates in the data behind the figure


def candidates(key: str, choice: Choice | None) -> Figure:
    """Draws how many candidates have which pass rate, with the chosen one marked.

    Args:
        key: Unique on the page.
        choice: How the example was chosen.
    """
    if choice is None or not choice.ranking:
        return Figure(key, "How the example was chosen was not recorded.")
    peak = max(_counts(choice).values())
    note = f"{choice.how} The height of a bar is the number of candidates, {words.count(peak, 'candidate')} at most."
    if choice.band:
        low, high = (100 * end for end in choice.band)
        note += f" The grey band is the pass rates preferred, {low:.0f} to {high:.0f}\u00a0%."
    columns = ["rank", "example", "pass rate", "chosen"]
    rows = [
        [rank, one.id, one.rate, "yes" if one.id == choice.id else "no"]
        for rank, one in enumerate(choice.ranking[:MOST], 1)
    ]
    if len(choice.ranking) > MOST:
        note += f" The data below hold the first {MOST} candidates; all are in choice.json."
    heading = words.count(len(choice.ranking), "candidate")
    return Figure(key, _title(choice), [Panel(heading, _drawing(key, choice, peak))], note, columns, rows)


def _drawing(key: str, choice: Choice, peak: int) -> Markup:
    scale = scales.linear([0.0, 100.0], low=0.0, high=100.0)
    parts = [axis(scale, TOP, BOTTOM)]
    if choice.band:
        low, high = (scale.at(100 * end) for end in choice.band)
        size = {"width": percent(high - low), "height": BOTTOM - TOP}
        parts.insert(0, element("rect", x=percent(low), y=TOP, class_="band", **size))
    for rate, count in sorted(_counts(choice).items()):
        height = (BOTTOM - TOP) * count / peak
        place = {"x": percent(scale.at(100 * rate) - WIDE / 2), "width": percent(WIDE)}
        parts.append(element("rect", y=BOTTOM - height, height=height, class_="bin", **place))
    x = scale.at(100 * _binned(choice.rate))
    chosen = [
        line(x, TOP - 14, x, BOTTOM, "interval"),
        mark("circle", x, TOP - 14),
        text(x, 16, f"chosen: {words.short(choice.id)}", f"label {anchor(x)}"),
    ]
    parts += [
        element("g", *chosen, class_=arm_class("selected")),
        text(0, BOTTOM + 35, "pass rate in percent", "unit start"),
    ]
    return drawing(
        f"{key}-rates",
        BOTTOM + 42,
        "Candidates by pass rate",
        f"{len(choice.ranking):,} candidates; {choice.id} is solved in {100 * choice.rate:.0f} % of replies",
        element("g", *parts, class_="pool"),
    )


def _counts(choice: Choice) -> Counter[float]:
    """Returns how many candidates have which pass rate."""
    return Counter(_binned(one.rate) for one in choice.ranking)


def _title(choice: Choice) -> str:
    never = f"{sum(one.rate == 0 for one in choice.ranking):,} are never solved"
    if choice.band:
        low, high = choice.band
        inside = sum(low <= one.rate <= high for one in choice.ranking)
        never = f"{inside:,} lie in the preferred band and {never}"
    return (
        f"Of {words.count(len(choice.ranking), 'candidate')} {never}; the chosen one is solved in "
        f"{words.percent(100 * choice.rate, 0)} of replies."
    )


def _binned(rate: float) -> float:
    return round(rate * BINS) / BINS
