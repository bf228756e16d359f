"""Whether a model knows a test by heart: how often it completes its questions, against fresh ones of the same family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Literal

import numpy as np

from suffice.evaluation.completion import Completions
from suffice.proof.arms import ArmScores
from suffice.proof.intervals import Interval, independent_difference, mean_interval

MARGIN = 5.0  # points
_UNLIKE = 1.5  # how many times as long the rests of one side are before it is told

Verdict = Literal["shown", "not shown", "open"]


@dataclass(frozen=True)
class Rates:
    """How well the rests of some questions were written.

    Attributes:
        items: The questions.
        short: Questions left out that have too few words.
        long: Questions left out that do not fit into the window.
        words: Words of a rest, on average.
        exact: The share written word for word, in percent.
        rouge_l: The mean ROUGE-L, in percent.
    """

    items: int
    short: int
    long: int
    words: float
    exact: Interval
    rouge_l: Interval


@dataclass(frozen=True)
class Contamination:
    """What completions tell of a model and a test.

    Attributes:
        fraction: The share of a question's words that was shown.
        level: The level of the intervals.
        margin: Points; where a difference as large is ruled out, contamination is not shown.
        test: The test questions.
        fresh: Questions that the model cannot have seen; `None` where there were none.
        left_out: What was left out beforehand, in words.
    """

    fraction: float
    level: float
    margin: float
    test: Rates
    fresh: Rates | None
    left_out: tuple[str, ...] = ()

    @property
    def exact(self) -> Interval | None:
        """How many points more of the test questions than of fresh ones are written word for word."""
        return independent_difference(self.test.exact, self.fresh.exact) if self.fresh else None

    @property
    def rouge_l(self) -> Interval | None:
        """The difference of the means of ROUGE-L in points."""
        return independent_difference(self.test.rouge_l, self.fresh.rouge_l) if self.fresh else None

    @property
    def verdict(self) -> Verdict:
        """``shown`` where the difference is above 0, ``not shown`` where it is below the margin, else ``open``."""
        if self.exact is None:
            return "open"
        if self.exact.above(0):
            return "shown"
        return "not shown" if self.exact.below(self.margin) else "open"

    @property
    def sentence(self) -> str:
        """What was found, in a sentence or two."""
        known = f"the model writes the rest of {_share(self.test.exact)} of the test questions word for word"
        if self.fresh is None or self.exact is None:
            return f"Contamination is open: {known}, and there are no fresh questions to hold them against."
        told = f"Contamination is {self.verdict}: {known} and of {_share(self.fresh.exact)} of fresh ones"
        apart = f"{told}, a difference of {_points(self.exact)}"
        if self.verdict == "not shown":
            apart += f"; {self.margin:g} points or more are ruled out"
        if self.verdict == "open":
            apart += f"; 0 and {self.margin:g} points are both possible, and more questions would narrow it"
        predictable = self.verdict != "shown" and self.fresh.exact.above(self.margin)
        return apart + (". Such questions are predictable, seen or not." if predictable else ".")

    @property
    def notes(self) -> list[str]:
        """What to bear in mind."""
        sides = {"test": self.test} | ({"fresh": self.fresh} if self.fresh else {})
        notes = [
            *self.left_out,
            *(
                f"{count} of {rates.items + rates.short + rates.long} {name} questions left out: {why}."
                for name, rates in sides.items()
                for count, why in ((rates.short, "too few words"), (rates.long, "too long for the window"))
                if count
            ),
        ]
        if self.fresh:
            words = sorted((self.test.words, self.fresh.words))
            if words[1] > _UNLIKE * words[0]:
                notes.append(
                    f"The rest of a test question has {self.test.words:.1f} words, that of a fresh one {self.fresh.words:.1f}: "
                    "a difference may come from that."
                )
        return notes

    def as_json(self) -> dict[str, Any]:
        """Returns the JSON form; shares, ROUGE-L and differences in percent and points."""
        apart = {"exact": self.exact, "rouge_l": self.rouge_l}
        return {
            "fraction": self.fraction,
            "level": self.level,
            "margin": self.margin,
            "test": asdict(self.test),
            "fresh": asdict(self.fresh) if self.fresh else None,
            "difference": {name: asdict(found) for name, found in apart.items() if found} or None,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "notes": self.notes,
        }


def contamination(
    test: Completions,
    fresh: Completions | None,
    *,
    fraction: float,
    alpha: float = 0.05,
    margin: float = MARGIN,
    left_out: tuple[str, ...] = (),
) -> Contamination:
    """Holds completions of test questions against those of fresh ones.

    Args:
        test: The completions of the test questions.
        fresh: Those of fresh questions of the same family.
        fraction: The share of the words that was shown.
        alpha: One minus the level of the intervals; clusters of items count as one draw.
        margin: In points.
        left_out: What was left out beforehand, in words.
    """
    known = _rates(test, alpha)
    return Contamination(
        fraction, 1 - alpha, margin, known, _rates(fresh, alpha) if fresh else None, left_out
    )


def _rates(found: Completions, alpha: float) -> Rates:
    clusters = [row.cluster for row in found.rows]
    return Rates(
        items=len(found.rows),
        short=found.short,
        long=found.long,
        words=fmean(len(row.rest.split()) for row in found.rows),
        exact=_mean([100.0 * row.exact for row in found.rows], clusters, alpha),
        rouge_l=_mean([row.rouge_l for row in found.rows], clusters, alpha),
    )


def _mean(values: Sequence[float], clusters: Sequence[str], alpha: float) -> Interval:
    return mean_interval(ArmScores("completions", "model", np.array([values])), clusters, alpha)


def _share(found: Interval) -> str:
    return f"{found.estimate:.1f} % ({found.low:.1f} to {found.high:.1f})"


def _points(found: Interval) -> str:
    return f"{found.estimate:+.1f} points ({found.low:+.1f} to {found.high:+.1f})"
