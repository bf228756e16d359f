"""What judges say of models, from annotations of AlpacaEval: win rates, at equal lengths too, and how far to trust them.

A win rate is the share of prompts on which a judge prefers the model's reply to the reference's, a tie counting half.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from suffice.common.errors import UserError
from suffice.evaluation.logs import Log, LogRow, read_log
from suffice.proof.judging.judges import Rate, agreement, leaning, order_bias, swapped, win_rate
from suffice.proof.judging.length_control import LengthControlled, length_controlled


@dataclass(frozen=True)
class Position:
    """What the order of the replies does to a judge.

    Attributes:
        bias: How much more often than in half of all cases the reply shown first is preferred, -1/2 to 1/2.
        consistency: The share of pairs with the same verdict in both orders; None where each was judged in one.
    """

    bias: Rate
    consistency: Rate | None


@dataclass(frozen=True)
class Judged:
    """One model before one judge.

    Attributes:
        model: The model.
        reference: The model whose replies it was held against.
        judge: The judge.
        wins: The win rate.
        controlled: The win rate at equal lengths; None where it cannot be fitted.
        uncontrolled: Why it cannot be fitted, in words.
        position: What the order of the replies does; None where the annotations do not tell.
    """

    model: str
    reference: str
    judge: str
    wins: Rate
    controlled: LengthControlled | None
    uncontrolled: str
    position: Position | None

    def as_json(self) -> dict[str, Any]:
        """Returns the numbers as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class JudgesAgree:
    """Two judges on the same pairs of replies.

    Attributes:
        model: The model.
        reference: The model whose replies it was held against.
        a: A judge.
        b: The other.
        rate: Their tie-discounted agreement.
    """

    model: str
    reference: str
    a: str
    b: str
    rate: Rate

    def as_json(self) -> dict[str, Any]:
        """Returns the numbers as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class JudgedLogs:
    """What judges say in some annotations.

    Attributes:
        judged: Every model before every judge, in the order of the files.
        agreements: Every two judges of one model and reference that share two prompts or more.
        notes: What the reader left out.
    """

    judged: list[Judged]
    agreements: list[JudgesAgree]
    notes: list[str]


@dataclass(frozen=True)
class _Verdict:
    """A judge's word on one pair of replies (the model's, the reference's), in the one or both orders it was asked in."""

    cluster: str
    replies: tuple[str, str]
    difficulty: float | None
    by_order: dict[str, float]

    @property
    def both(self) -> bool:
        return {"model", "reference"} <= self.by_order.keys()

    @property
    def value(self) -> float:
        """The verdict; asked in both orders, a win only where both say so, else a tie."""
        if not self.both:
            return next(iter(self.by_order.values()))
        one, other = leaning([self.by_order["model"], self.by_order["reference"]])
        return float(one) if one == other else 0.5


_Verdicts = dict[tuple[str, str, str], dict[str, _Verdict]]


def judge_logs(paths: Sequence[str | Path], alpha: float = 0.05) -> JudgedLogs:
    """Returns what judges say of models.

    Args:
        paths: Files of annotations. Several may be about one model: by other judges, or in the other order.
        alpha: One minus the level of the intervals.

    Returns:
        The win rates, agreements and notes.

    Raises:
        UserError: A file cannot be read, holds no annotations, or repeats a verdict of another.
    """
    logs = [_annotations(path) for path in paths]
    verdicts = _verdicts(row for log in logs for row in log.rows)
    return JudgedLogs(
        judged=[_judged(*key, list(found.values()), alpha) for key, found in verdicts.items()],
        agreements=_agreements(verdicts, alpha),
        notes=list(dict.fromkeys(note for log in logs for note in log.notes)),
    )


def _annotations(path: str | Path) -> Log:
    log = read_log(path)
    if log.format != "alpaca_eval":
        raise UserError(
            f"{log.path} holds no judge's preferences between two replies",
            "give annotations of AlpacaEval, or suffice compare for scores",
        )
    return log


def _verdicts(rows: Iterable[LogRow]) -> _Verdicts:
    """Returns the verdicts by model, reference and judge, then by item."""
    found: _Verdicts = {}
    for row in rows:
        key = (row.arm, row.task.removeprefix("against "), row.filter)
        replies = (row.reply, row.answer)
        verdict = found.setdefault(key, {}).setdefault(
            row.item, _Verdict(row.cluster, replies, row.difficulty, {})
        )
        again = {"", row.order} & verdict.by_order.keys() or (verdict.by_order and not row.order)
        if again or verdict.replies != replies:
            raise UserError(
                f"'{row.filter}' judges '{row.arm}' twice on {row.prompt[:40]!r}, and not one pair of replies in both "
                "orders",
                "give every annotation once; several runs of a method are compared by suffice compare",
            )
        verdict.by_order[row.order] = row.score
    return found


def _judged(model: str, reference: str, judge: str, verdicts: list[_Verdict], alpha: float) -> Judged:
    values, clusters = [one.value for one in verdicts], [one.cluster for one in verdicts]
    hard = [one.difficulty for one in verdicts if one.difficulty is not None]
    controlled, why = None, ""
    try:
        controlled = length_controlled(
            values,
            [len(reply) - len(other) for reply, other in (one.replies for one in verdicts)],
            clusters,
            hard if len(hard) == len(verdicts) else None,
            alpha,
        )
    except UserError as error:
        why = error.message
    wins = win_rate(values, clusters, alpha)
    return Judged(model, reference, judge, wins, controlled, why, _position(verdicts, alpha))


def _position(verdicts: list[_Verdict], alpha: float) -> Position | None:
    """Returns what the order does: from pairs judged in both orders where there are some, else from all."""
    twice = [one for one in verdicts if one.both]
    if len({one.cluster for one in twice}) > 1:
        first, second = (leaning([one.by_order[order] for one in twice]) for order in ("model", "reference"))
        found = swapped(first, second, [one.cluster for one in twice], alpha)
        return Position(found.bias, found.consistency)
    first, second = (
        np.array([one.by_order[order] for one in verdicts if order in one.by_order])
        for order in ("model", "reference")
    )
    bias = order_bias(first, second, alpha)
    return Position(bias, None) if bias else None


def _agreements(verdicts: _Verdicts, alpha: float) -> list[JudgesAgree]:
    found = []
    for (one, mine), (other, theirs) in combinations(verdicts.items(), 2):
        if one[:2] != other[:2]:
            continue
        shared = [item for item in mine if item in theirs and mine[item].replies == theirs[item].replies]
        clusters = [mine[item].cluster for item in shared]
        if len(set(clusters)) > 1:
            ours, others = (leaning([each[item].value for item in shared]) for each in (mine, theirs))
            found.append(JudgesAgree(*one, other[2], agreement(ours, others, clusters, alpha)))
    return found
