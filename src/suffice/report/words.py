"""Numbers and findings in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from suffice.report.data import ReportData

_NAMES = {"full": "the full pool", "random": "random rows", "longest": "the longest rows", "base": "the base"}

# Characters that neither HTML nor XML may hold.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def writable(text: str) -> str:
    """Returns text that HTML, XML and UTF-8 can hold.

    A character that a page may not hold becomes U+FFFD, and a lone surrogate (which UTF-8 cannot hold) its escape.
    """
    return _FORBIDDEN.sub("\ufffd", text).encode("utf-8", "backslashreplace").decode("utf-8")


def number(value: float | None, digits: int = 1) -> str:
    """Returns a number with a true minus sign, or ``unknown``."""
    if value is None:
        return "unknown"
    written = f"{value:,.{digits}f}"
    return written.lstrip("-") if float(written.replace(",", "")) == 0 else written.replace("-", "−")


def percent(value: float, digits: int = 1) -> str:
    """Returns a number of percent; the sign never stands alone on the next line."""
    return f"{number(value, digits)}\u00a0%"


def signed(value: float | None) -> str:
    """Returns a difference with its sign."""
    written = number(value)
    return f"+{written}" if value is not None and value > 0 and written.strip("0.") else written


def count(value: int, noun: str) -> str:
    """Returns a count with its noun, such as ``3 runs``."""
    return f"{value:,} {noun if value == 1 else noun + 's'}"


def interval(low: float | None, high: float | None) -> str:
    """Returns an interval in brackets, or that there is none."""
    return "(no interval)" if low is None or high is None else f"[{number(low)},\u00a0{number(high)}]"


def without_interval(lows: Iterable[float | None]) -> str:
    """Returns a sentence about missing intervals where any is missing, to follow others."""
    return " Where there is no line, a single run leaves the interval unknown." if None in lows else ""


def tick(value: float) -> str:
    """Returns the label of a tick."""
    return f"{value:,.10g}".replace("-", "−")


def seconds(value: float | None) -> str:
    """Returns a duration in the unit a person would use."""
    if value is None:
        return "unknown"
    if value < 10:
        return f"{value:.1f}\u00a0s"
    if value < 600:
        return f"{value:.0f}\u00a0s"
    return f"{value / 60:.0f}\u00a0min" if value < 7200 else f"{value / 3600:.1f}\u00a0h"


def large(value: float | None, unit: str) -> str:
    """Returns a large number with a prefix, such as ``1.2 TFLOP``."""
    if value is None:
        return "unknown"
    for prefix, size in (("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g}\u00a0{prefix}{unit}"
    return f"{value:.3g}\u00a0{unit}"


def called(kind: str) -> str:
    """Returns an arm's kind as it reads in a sentence."""
    return _NAMES.get(kind, kind)


def short(text: str, most: int = 24) -> str:
    """Returns text that is cut where it would run into what stands beside it."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def listed(names: Sequence[str]) -> str:
    """Returns names as a list in words."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def headline(verdict: Mapping[str, Any]) -> str:
    """Returns the verdict in two words or three."""
    if verdict.get("outcome") == "sufficient":
        return "Better than no training" if verdict.get("yardstick") == "base" else "Enough"
    return "Not enough" if verdict.get("outcome") == "not sufficient" else "Cannot tell yet"


def choosing(data: ReportData) -> str:
    """Returns whether choosing paid, in one sentence."""
    random = data.arm("random")
    if random is None:
        return "Whether choosing pays is not known: no random rows were trained on."
    against = _against(data.verdict, "random")
    evidence = f": {_difference(against)} over {_mean_of(len(random.runs))}" if against else ""
    return {
        "better than random": f"Choosing paid{evidence}.",
        "worse": f"Choosing did harm{evidence}.",
    }.get(str(data.verdict.get("selector")), f"Whether choosing beats drawing at random is open{evidence}.")


def _mean_of(draws: int) -> str:
    return count(draws, "random draw") if draws == 1 else f"the mean of {count(draws, 'random draw')}"


def new_draw(probability: float) -> str:
    """Returns how likely one new random draw is to beat the chosen rows, in one sentence.

    Raises:
        ValueError: The probability is not a number from 0 to 1.
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"a probability lies between 0 and 1, not at {probability}")
    share = 100 * probability
    if share < 0.1:
        says = "less than 0.1\u00a0%"
    elif share > 99.9:
        says = "more than 99.9\u00a0%"
    else:
        says = percent(share, 1 if share < 1 or share > 99 else 0)
    return f"One new draw would beat the chosen rows with a probability of {says}."


def _against(verdict: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    """Returns the comparison with a kind, superiority before others."""
    found = [row for row in verdict.get("comparisons", ()) if row.get("against") == kind]
    return min(found, key=lambda row: row.get("kind") != "superiority", default=None)


def _difference(row: Mapping[str, Any]) -> str:
    return f"{signed(row['difference'])} points {interval(row.get('low'), row.get('high'))}"


def next_step(data: ReportData) -> str:
    """Returns what a person should do with the verdict."""
    outcome, selector = data.verdict.get("outcome"), data.verdict.get("selector")
    yardstick = called(str(data.verdict.get("yardstick", "full")))
    if outcome == "sufficient" and selector == "worse":
        return "Train on rows drawn at random: as many of them do better than these."
    if outcome == "sufficient":
        ending = "" if selector == "better than random" else "; rows drawn at random may do as well"
        return f"Train on selection.jsonl{ending}. The rows and the reason for each are below."
    if outcome == "not sufficient":
        return (
            f"Stay with {yardstick}, or run again with a larger --budget or another --scorer and a new --out."
        )
    return (
        f"Do not give up {yardstick} for these rows yet. Run again with more test items or more training "
        "runs, as said above, and a new --out."
    )
