"""One arm against the reference on one task: what was found, in numbers and in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from suffice.proof.compare.calls import Call
from suffice.proof.compare.evidence import Inference
from suffice.proof.comparison import Claim
from suffice.proof.intervals import Interval
from suffice.proof.settle import Settling, rounded_up

_WORDS: dict[Call, str] = {
    "superior": "{b} is better than {a}",
    "equivalent": "{b} is level with {a}, within {margin} either way",
    "non-inferior": "{b} is not worse than {a} by {margin} or more",
    "inferior": "{b} is worse than {a}{by_margin}",
    "inconclusive": "Cannot tell yet whether {b} is {claim} {a}",
}


@dataclass(frozen=True)
class Contrast:
    """One arm against the reference on one question.

    Attributes:
        a: The reference.
        b: The other arm.
        task: The task.
        metric: The metric.
        filter: The filter that found the answer in a reply.
        inference: Whether it is about two models or about methods.
        test: The name of the test and of the interval.
        items: The number of items; None where only one score a run is known.
        runs_a: Runs of the reference.
        runs_b: Runs of the other arm.
        kind: The claim.
        margin: In the unit of the scores.
        alpha: The error rate of the family.
        difference: ``b - a`` in the unit of the scores, with its interval.
        level: The level of the interval, from 0 to 1, raised for the number of claims (Holm).
        p: The p-value of the claim; None where the scores give none.
        p_adjusted: Holm's, at most alpha exactly where the claim is shown.
        verdict: What is shown.
        bootstrap: A bootstrap interval of the same level as a second opinion, which decides nothing; None where
            there are too few clusters or runs for one.
        settling: What would settle an open verdict, where that is known.
        lower_is_better: Whether less is better.
        notes: What a reader should know.
    """

    a: str
    b: str
    task: str
    metric: str
    filter: str
    inference: Inference
    test: str
    items: int | None
    runs_a: int
    runs_b: int
    kind: Claim
    margin: float
    alpha: float
    difference: Interval
    level: float
    p: float | None
    p_adjusted: float | None
    verdict: Call
    bootstrap: Interval | None
    settling: Settling | None
    lower_is_better: bool
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Returns the contrast in its stable JSON form."""
        named = {
            name: getattr(self, name)
            for name in (
                *("a", "b", "task", "metric", "filter", "items", "runs_a", "runs_b", "inference", "test"),
                *("kind", "margin", "alpha"),
            )
        }
        return named | {
            "difference": self.difference.estimate,
            "low": self.difference.low,
            "high": self.difference.high,
            "level": self.level,
            "p": self.p,
            "p_adjusted": self.p_adjusted,
            "verdict": self.verdict,
            "bootstrap": self.bootstrap and {"low": self.bootstrap.low, "high": self.bootstrap.high},
            "lower_is_better": self.lower_is_better,
            "sentence": self.sentence,
            "notes": list(self.notes),
        }

    @property
    def sentence(self) -> str:
        """What is shown, and about what, in one sentence."""
        margin = f"{self.margin:g}"
        words = _WORDS[self.verdict].format(
            a=self.a,
            b=self.b,
            margin=margin,
            by_margin=f" by more than {margin}" if self.margin else "",
            claim=f"no worse by {margin} than" if self.margin else "better or worse than",
        )
        where = f" on {self.task}" if self.task else ""
        return f"{words}{where}: {self._numbers()}; {self._about()}{self._settled_by()}."

    def _numbers(self) -> str:
        found = self.difference
        less = ", less is better" if self.lower_is_better else ""
        p = "" if self.p_adjusted is None else f", p = {self.p_adjusted:.2g}"
        if found.low is None or found.high is None:
            return (
                f"difference {found.estimate:+.4g}{p}{less}, without an interval, since the differences vary too "
                "little and nothing bounds the scores"
            )
        level = f"{100 * self.level:.4g} %"
        return f"difference {found.estimate:+.4g} ({level}: {found.low:+.4g} to {found.high:+.4g}){p}{less}"

    def _about(self) -> str:
        if self.items is None:
            return (
                f"over {self.runs_a} and {self.runs_b} runs, for these very items (without scores by item, "
                "nothing is shown about others like them)"
            )
        items = f"{self.items:,} {'item' if self.items == 1 else 'items'}"
        if self.inference == "models":
            return f"over {items}, for these two models and not for the methods that made them"
        if self.runs_a == 1:
            return f"over {items} and {self.runs_b} runs, against {self.a} as one fixed model"
        return f"over {items}, {self.runs_a} and {self.runs_b} runs"

    def _settled_by(self) -> str:
        more = self.settling
        if self.verdict != "inconclusive" or more is None:
            return ""
        counts = {
            "run": more.runs if self.inference == "procedure" else None,
            "item": self.items and more.items,
        }
        ways = [
            f"about {rounded_up(count)} more {what}{'' if count == 1 else 's'}{' an arm' if what == 'run' else ''}"
            for what, count in counts.items()
            if count
        ]
        if ways:
            return f"; {' or '.join(ways)} would settle it"
        what = "number of items" if self.inference == "models" else "number of runs or items"
        return f"; no {what} alone would settle it"
