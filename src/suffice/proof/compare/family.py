"""A family of comparisons: every arm against the first, on every task, with one error rate for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from suffice.common.errors import UserError
from suffice.proof.arms import UNBOUNDED, ArmScores
from suffice.proof.compare.calls import call, claim_of
from suffice.proof.compare.contrast import Contrast
from suffice.proof.compare.evidence import Evidence, evidence, run_evidence
from suffice.proof.compare.looks import ItemLook, item_look
from suffice.proof.compare.multiplicity import holm
from suffice.proof.intervals import Interval


@dataclass(frozen=True)
class Question:
    """Arms that were scored on the same items of one task by one metric.

    Attributes:
        scores: ``[runs, items]`` of each arm (``[items]`` for one run), the reference first; ``[runs]`` where
            ``items`` is None.
        items: The names of the items; None where only one score a run is known.
        clusters: The cluster of each item; by default each is its own.
        task: The task.
        metric: The metric.
        filter: The filter that found the answer in a reply.
        lower_is_better: Whether less is better.
        bounds: The least and the greatest score there can be; by default 0 and 1 where all scores lie there.
        notes: What a reader should know, such as differing prompts.
    """

    scores: Mapping[str, ArrayLike]
    items: Sequence[str] | None
    clusters: Sequence[str] = ()
    task: str = ""
    metric: str = ""
    filter: str = ""
    lower_is_better: bool = False
    bounds: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.items is None:
            return
        if len(set(self.items)) < len(self.items):
            twice = next(name for name, count in Counter(self.items).items() if count > 1)
            raise UserError(f"the item '{twice}' is there twice", "give every item a name of its own")
        if self.clusters and len(self.clusters) != len(self.items):
            raise UserError(
                f"there are {len(self.clusters)} clusters for {len(self.items)} items",
                "give one cluster for every item",
            )

    @property
    def reference(self) -> str:
        """The first arm."""
        return next(iter(self.scores))

    def matrix(self, arm: str) -> NDArray[np.float64]:
        """Returns the scores of an arm, ``[runs, items]``, or ``[runs]`` without items.

        Raises:
            UserError: The arm has another number of items.
        """
        rows = np.asarray(self.scores[arm], dtype=np.float64)
        if self.items is None:
            return np.atleast_1d(rows)
        rows = np.atleast_2d(rows)
        if rows.shape[1] != len(self.items):
            raise UserError(
                f"arm '{arm}' has {rows.shape[1]} items where {len(self.items)} are expected",
                "score every arm on the same items",
            )
        return rows


@dataclass(frozen=True)
class _Claim:
    """One arm against the reference; ``found`` is oriented so that more is better."""

    question: Question
    arm: str
    found: Evidence


@dataclass(frozen=True)
class _Levels:
    """The two-sided errors at which one claim is judged.

    Attributes:
        own: That at which Holm's method tests the claim; the interval's.
        difference: That at which superiority is called.
        equivalence: That of the interval which must lie inside both margins.
    """

    own: float
    difference: float
    equivalence: float


def compare(
    questions: Sequence[Question], *, margin: float = 0.0, alpha: float = 0.05, looks: Sequence[int] = ()
) -> list[Contrast]:
    """Compares every arm with the first one of its question, as one family of claims.

    With a margin the claims are non-inferiority, else superiority (two-sided). Their p-values are adjusted by Holm's
    step-down method, and every interval has the level at which Holm's method tests its claim, so that intervals
    and adjusted p-values agree (for right or wrong answers of two models, McNemar's p decides on a difference of 0).
    Equivalence, and superiority beside a margin, were not in Holm's order and are called at an equal share of alpha.
    With looks, p values are repeated p values before they are adjusted, and levels are those of the look.

    Args:
        questions: What was scored.
        margin: Non-inferiority margin in the unit of the scores; 0 for superiority.
        alpha: The chance of any false claim in the family, over all looks together.
        looks: Planned numbers of items (clusters), of which there is one now; none for a study judged once.

    Returns:
        One contrast for each question and each arm but the first, in that order.

    Raises:
        UserError: Scores do not fit together, an arm has too few runs for any claim, or the looks do not fit them.
    """
    if not (np.isfinite(margin) and margin >= 0):
        raise UserError(f"the margin is {margin}", "give a margin of 0 or more, in the unit of the scores")
    if not 0 < alpha < 1:
        raise UserError(f"alpha is {alpha}", "give an alpha between 0 and 1, such as 0.05")
    claims = [
        _Claim(question, arm, _evidence(question, arm, margin))
        for question in questions
        for arm in list(question.scores)[1:]
    ]
    if not claims:
        raise UserError("there is nothing to compare", "give a reference and at least one other arm")
    ps = [claim.found.p_margin(margin) if margin > 0 else claim.found.p_zero for claim in claims]
    look = _look(looks, questions) if looks else None
    known = [1.0 if p is None else p for p in ps]
    adjusted = holm([look.repeated(p) for p in known] if look else known, alpha=alpha)
    share = alpha / len(claims)
    contrasts = []
    for claim, p, new, own in zip(claims, ps, adjusted.adjusted, map(float, adjusted.levels), strict=True):
        errors = (own, own if margin == 0 else share, min(2 * share, 0.999))
        levels = _Levels(*(look.level(error) if look else error for error in errors))
        found = _contrast(claim, margin, alpha, p, None if p is None else float(new), levels)
        contrasts.append(replace(found, notes=(*found.notes, look.sentence(alpha))) if look else found)
    return contrasts


def _look(looks: Sequence[int], questions: Sequence[Question]) -> ItemLook:
    """Returns the look that the questions have reached."""
    counts = [None if one.items is None else len(set(one.clusters or one.items)) for one in questions]
    return item_look(looks, counts, max(len(one.matrix(arm)) for one in questions for arm in one.scores))


def _evidence(question: Question, arm: str, margin: float) -> Evidence:
    """Returns what is known of ``arm`` less the reference, turned so that more is better."""
    a, b = (question.matrix(name) for name in (question.reference, arm))
    sign = -1.0 if question.lower_is_better else 1.0
    if question.items is None:
        return run_evidence(sign * a, sign * b)
    low, high = question.bounds or _bounds(question)
    if margin >= high - low:
        raise UserError(
            f"the margin of {margin:g} is as wide as the scores can differ ({low:g} to {high:g})",
            "give it in the unit of the scores, such as 0.02 for shares",
        )
    clusters = list(question.clusters) or list(question.items)
    arms = [
        ArmScores(name, "method", rows, (low, high)) for name, rows in ((question.reference, a), (arm, b))
    ]
    if question.lower_is_better:
        arms = [replace(arm, scores=-arm.scores, bounds=(-high, -low)) for arm in arms]
    return evidence(arms[0], arms[1], clusters)


def _bounds(question: Question) -> tuple[float, float]:
    """Returns 0 and 1 where all scores lie there, else no bounds: other units are not guessed."""
    rows = [question.matrix(arm) for arm in question.scores]
    return (0.0, 1.0) if all(((row >= 0) & (row <= 1)).all() for row in rows) else UNBOUNDED


def _contrast(
    claim: _Claim,
    margin: float,
    alpha: float,
    p: float | None,
    p_adjusted: float | None,
    levels: _Levels,
) -> Contrast:
    """Builds one contrast."""
    question, found = claim.question, claim.found
    wide, narrow = found.interval(levels.own), found.interval(levels.equivalence)
    differs = found.p_zero is not None and found.p_zero <= levels.difference
    verdict = call(wide, narrow, margin, differs=differs)
    second = found.bootstrap(levels.own)
    more = found.settling(margin, levels.own) if verdict == "inconclusive" else None
    return Contrast(
        a=question.reference,
        b=claim.arm,
        task=question.task,
        metric=question.metric,
        filter=question.filter,
        inference=found.inference,
        test=found.test,
        items=found.items,
        runs_a=len(question.matrix(question.reference)),
        runs_b=len(question.matrix(claim.arm)),
        kind=claim_of(margin),
        margin=margin,
        alpha=alpha,
        difference=_mirrored(wide) if question.lower_is_better else wide,
        bootstrap=_mirrored(second) if second and question.lower_is_better else second,
        level=1 - levels.own,
        p=p,
        p_adjusted=p_adjusted,
        verdict=verdict,
        settling=more,
        lower_is_better=question.lower_is_better,
        notes=question.notes,
    )


def _mirrored(found: Interval) -> Interval:
    """Returns the interval of the opposite difference."""
    low, high = (None if end is None else -end for end in (found.high, found.low))
    return Interval(-found.estimate, low, high)
