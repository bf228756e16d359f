"""The scores of all arms by each metric, read from the outcomes of their runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from suffice.common.errors import UserError
from suffice.evaluation.pass_at_k import pass_at
from suffice.proof.arms import ArmScores, Kind
from suffice.proof.intervals import Interval, contrast_interval, difference_interval, mean_interval


class Run(Protocol):
    """One run of an arm."""

    @property
    def arm(self) -> str:
        """The arm's name."""

    @property
    def proof_kind(self) -> Kind:
        """What the arm is to the statistics."""


@dataclass(frozen=True)
class Measured:
    """The scores of all arms by one metric.

    Attributes:
        metric: ``greedy``, or ``pass@k``.
        arms: The scores of each arm, ``[runs, items]`` in percent.
        clusters: The cluster of each item.
        dropped: Items left out since their reward is missing in some run.
    """

    metric: str
    arms: dict[str, ArmScores]
    clusters: tuple[str, ...]
    dropped: int

    def mean(self, arm: str, alpha: float) -> Interval:
        """Returns an arm's mean."""
        return mean_interval(self.arms[arm], self.clusters, alpha)

    def minus(self, arm: str, other: str, alpha: float) -> Interval:
        """Returns the difference of two arms, paired over items."""
        return difference_interval(self.arms[arm], self.arms[other], self.clusters, alpha)

    def beyond_share(self, arm: str, whole: str, start: str, share: float, alpha: float) -> Interval:
        """Returns gain(arm) − share × gain(whole), both gains from ``start``."""
        arms = [self.arms[arm], self.arms[whole], self.arms[start]]
        return contrast_interval(arms, [1.0, -share, share - 1.0], self.clusters, alpha)


def measure(runs: Sequence[tuple[Run, Path]], k: int) -> list[Measured]:
    """Reads the outcomes of all runs.

    Args:
        runs: The runs, and the folder of each.
        k: Samples of each sampled item; 0 where none is sampled.

    Returns:
        The scores by greedy replies, and where items were sampled by pass@1 and pass@k.
    """
    rows = [_read(folder / "outcomes.jsonl") for _, folder in runs]
    names = [run for run, _ in runs]
    found = [gather("greedy", names, [[_percent(row["greedy"]) for row in part] for part in rows], rows[0])]
    sampled = [[row for row in part if row["samples"] is not None] for part in rows]
    if k and sampled[0]:
        for size in dict.fromkeys((1, k)):
            values = [[_pass(row["samples"], size) for row in part] for part in sampled]
            found.append(gather(f"pass@{size}", names, values, sampled[0]))
    return found


def points(found: dict[str, Any]) -> str:
    """Returns a difference in points with the ends of its interval."""
    ends = "" if found["low"] is None else f" ({found['low']:+.1f} to {found['high']:+.1f})"
    return f"{found['estimate']:+.1f}{ends}"


def in_words(names: Sequence[str]) -> str:
    """Returns names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def gather(
    metric: str, runs: Sequence[Run], values: list[list[float | None]], rows: list[dict[str, Any]]
) -> Measured:
    """Puts runs together by arm, without the items that miss a value in any run.

    Args:
        metric: The metric's name.
        runs: The runs.
        values: The scores of each run, in percent.
        rows: What is known of each item, its ``cluster`` at least.

    Raises:
        UserError: Every item misses a value.
    """
    kept = [i for i in range(len(rows)) if all(run[i] is not None for run in values)]
    if not kept:
        raise UserError(
            f"by {metric}, every test item misses its reward in some run",
            "see missing.json in the arms' folders",
        )
    arms: dict[str, list[list[float | None]]] = {}
    kinds: dict[str, Kind] = {}
    for run, scores in zip(runs, values, strict=True):
        arms.setdefault(run.arm, []).append([scores[i] for i in kept])
        kinds[run.arm] = run.proof_kind
    return Measured(
        metric,
        {
            name: ArmScores(name, kinds[name], np.array(scores, dtype=np.float64))
            for name, scores in arms.items()
        },
        tuple(rows[i]["cluster"] for i in kept),
        len(rows) - len(kept),
    )


def _percent(value: float | None) -> float | None:
    return None if value is None else 100.0 * value


def _pass(samples: list[float | None], k: int) -> float | None:
    """Returns pass@k of an item in percent; a sample is right where its reward is 1."""
    told = [value for value in samples if value is not None]
    return pass_at(k, sum(value == 1 for value in told), len(told)) if len(told) >= k else None


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
