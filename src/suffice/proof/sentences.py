"""The verdict in one sentence that a person can act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from suffice.proof.arms import Kind
from suffice.proof.comparison import Comparison
from suffice.proof.settle import rounded_up

Outcome = Literal["sufficient", "not sufficient", "inconclusive"]


def rows_phrase(chosen: int | None, pool_rows: int | None) -> str:
    """Returns the selection in words, such as ``1,000 of 15,204 rows``."""
    if chosen is None:
        return "the chosen rows"
    return f"{chosen:,} rows" if pool_rows is None else f"{chosen:,} of {pool_rows:,} rows"


def verdict_sentence(
    outcome: Outcome,
    yardstick: Kind,
    needed: Sequence[Comparison],
    *,
    scores: Mapping[Kind, float],
    margin: float,
    rows: str,
) -> str:
    """Returns the verdict in words.

    Args:
        outcome: The outcome.
        yardstick: The kind of the arm the selection was held against.
        needed: The comparisons that the outcome rests on.
        scores: The score of each arm in percent.
        margin: In percent points.
        rows: The selection in words.

    Returns:
        One sentence.
    """
    score = f"{scores['selected']:.1f} %"
    level = f"({score}{_against(yardstick, scores, margin)})"
    if outcome == "sufficient" and yardstick == "base":
        sentence = f"{rows} are better than no training {level}"
    elif outcome == "sufficient":
        sentence = f"{rows} are enough {level}"
    elif outcome == "inconclusive":
        sentence = f"Cannot tell yet: {_what_would_settle(needed, scores)} {level}"
    elif needed[0].refuted and yardstick != "base":
        sentence = f"Not enough: {rows} fall short {level}"
    else:
        sentence = (
            f"Not enough: {rows} are worse than no training ({score}{_against('base', scores, margin)})"
        )
    whole = "; ".join([sentence, *_qualifications(outcome, yardstick, scores, margin)])
    return f"{whole[0].upper()}{whole[1:]}."


def _against(kind: Kind, scores: Mapping[Kind, float], margin: float) -> str:
    """Returns what the selection is held against, with the margin where it counts."""
    if kind not in scores:
        return ""
    name = "all" if kind == "full" else kind
    ending = "" if kind == "base" else f"; margin {margin:g}"
    return f" against {scores[kind]:.1f} % for {name}{ending}"


def _what_would_settle(needed: Sequence[Comparison], scores: Mapping[Kind, float]) -> str:
    """Returns what to do about an open outcome."""
    if "base" not in scores:
        return "base was not run, so nothing shows that training helped; run it as well"
    single = list(dict.fromkeys(name for comparison in needed for name in comparison.single))
    if single:
        verb = "has" if len(single) == 1 else "have"
        return (
            f"{' and '.join(single)} {verb} one run, and one run cannot show how much runs vary; "
            "three runs per arm would"
        )
    runs, items = _fewest(needed)
    if runs is None and items is None:
        return "the difference is too close to its boundary for more runs or more items alone to settle it"
    if runs is None:
        return f"about {_items(items)} would settle it, no number of runs alone"
    more = f"about {runs:,} more {'run' if runs == 1 else 'runs'} per arm"
    if items is None:
        return f"{more} would settle it, no number of items alone"
    return f"{more}, or {_items(items)}, would settle it"


def _fewest(needed: Sequence[Comparison]) -> tuple[int | None, int | None]:
    """Returns the runs and the items that would settle the outcome, each None where no number would.

    One comparison that turns out below its boundary is enough for `not sufficient`; for `sufficient` all that are
    open must turn out above.
    """
    open_ = [found for found in needed if found.settling is not None]
    failing = [found.settling for found in open_ if found.interval.estimate < -found.margin]
    chosen = [found for found in failing or [found.settling for found in open_] if found is not None]
    choose = _least if failing else _greatest
    return choose([found.runs for found in chosen]), choose([found.items for found in chosen])


def _least(counts: list[int | None]) -> int | None:
    """Returns the least count, or None where all are missing."""
    return min((count for count in counts if count is not None), default=None)


def _greatest(counts: list[int | None]) -> int | None:
    """Returns the greatest count, or None where one is missing."""
    known = [count for count in counts if count is not None]
    return max(known) if known and len(known) == len(counts) else None


def _items(count: int | None) -> str:
    """Returns a number of items rounded up to two digits, since it is an estimate."""
    assert count is not None
    return f"{rounded_up(count)} more {'item' if count == 1 else 'items'}"


def _qualifications(
    outcome: Outcome, yardstick: Kind, scores: Mapping[Kind, float], margin: float
) -> list[str]:
    """Returns what qualifies the verdict: a missing, failed or too low yardstick, no random arm."""
    notes = []
    if outcome == "sufficient" and yardstick != "base" and scores[yardstick] <= margin:
        notes.append(
            "this says little, for no selection could fall below a yardstick that scores no more than the margin"
        )
    if yardstick != "full" and "full" in scores:
        notes.append(
            "the full pool is no yardstick, not being shown above base "
            f"({scores['full']:.1f} % against {scores['base']:.1f} %)"
        )
    elif yardstick != "full":
        notes.append("the full pool was not trained on")
    if yardstick == "base" and "base" in scores:
        notes.append("no other arm was run, so base is the only yardstick")
    if "random" not in scores:
        notes.append("random was not run, so nothing shows whether choosing paid")
    return notes
