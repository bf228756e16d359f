"""How simulated rates are written and judged."""

from __future__ import annotations

from collections.abc import Sequence


def error(rate: float, studies: int) -> float:
    """Returns the Monte Carlo standard error of a share of ``rate`` in ``studies``."""
    return float((rate * (1 - rate) / studies) ** 0.5)


def percent(rate: float, studies: int, missed: bool = False) -> str:
    """Writes a share with its Monte Carlo standard error, a star where it misses its target."""
    return f"{100 * rate:.1f} ± {100 * error(rate, studies):.1f}{' *' if missed else ''}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Writes a Markdown table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def misses(rate: float, low: float, high: float, studies: int, errors: float) -> bool:
    """Whether ``rate`` is outside ``low`` to ``high`` by more than ``errors`` Monte Carlo standard errors."""
    return rate < low - errors * error(low, studies) or rate > high + errors * error(high, studies)
