"""What one example did: the gain along one chain, the controls beside it, and whether it reaches the whole set's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from suffice.common.errors import UserError
from suffice.evaluation.pass_at_k import pass_at
from suffice.proof.arms import ArmScores, Kind
from suffice.proof.intervals import Interval, contrast_interval, difference_interval, mean_interval
from suffice.runs.one_shot.jobs import ArmRun
from suffice.runs.one_shot.recipe import SINGLES, OneShotDesign

CHAIN = ("base", "template", "format", "one")
FALSE_REWARDS = ("format", "random", "wrong", "entropy")
BESIDE = ("random-one", "alike-one")


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


def measure(runs: Sequence[tuple[ArmRun, Path]], k: int) -> list[Measured]:
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


def verdict(measured: Sequence[Measured], design: OneShotDesign) -> dict[str, Any]:
    """Returns the verdict of one task as a JSON value; all intervals are of one level and not adjusted for their number."""
    tables = [_table(part, design) for part in measured]
    main = tables[0]
    sentences = [
        _chain_sentence(main, "greedy replies"),
        *_share_sentence(main, design),
        *_control_sentence(main),
        *_choice_sentence(main),
    ]
    return {"level": 1 - design.alpha, "metrics": tables, "sentences": sentences}


def _table(part: Measured, design: OneShotDesign) -> dict[str, Any]:
    alpha, arms = design.alpha, part.arms
    chain = [arm for arm in CHAIN if arm in arms]
    table: dict[str, Any] = {
        "metric": part.metric,
        "items": len(part.clusters),
        "dropped": part.dropped,
        "arms": [
            {"arm": arm, "runs": scores.runs, **asdict(part.mean(arm, alpha))} for arm, scores in arms.items()
        ],
        "chain": [
            {"from": before, "to": after, **asdict(part.minus(after, before, alpha))}
            for before, after in pairwise(chain)
        ],
        "gain": asdict(part.minus("one", "base", alpha)),
        "false_rewards": [
            {
                "arm": arm,
                "gain": asdict(part.minus(arm, "template", alpha)),
                "one_beyond": asdict(part.minus("one", arm, alpha)),
            }
            for arm in FALSE_REWARDS
            if arm in arms
        ],
        "choice": [
            {"against": arm, **asdict(part.minus("one", arm, alpha))} for arm in BESIDE if arm in arms
        ],
    }
    if "whole" in arms:
        gain, whole = part.minus("one", "template", alpha), part.minus("whole", "template", alpha)
        table["whole"] = {
            "gain": asdict(whole),
            "share": gain.estimate / whole.estimate if whole.estimate > 0 else None,
            "asked": design.share,
            "beyond": asdict(part.beyond_share("one", "whole", "template", design.share, alpha)),
        }
    return table


def _chain_sentence(table: dict[str, Any], what: str) -> str:
    steps = ", ".join(f"{_STEP[step['to']]} {points(step)}" for step in table["chain"])
    return f"By {what} one example brings {points(table['gain'])} points on unseen problems: {steps}."


_STEP = {
    "template": "of them the best template",
    "format": "a reward for form alone",
    "one": "the right reward",
}


def _share_sentence(table: dict[str, Any], design: OneShotDesign) -> list[str]:
    whole = table.get("whole")
    if not whole:
        return []
    beyond = Interval(**whole["beyond"])
    if whole["share"] is None:
        return ["The whole set brings nothing, so that there is no share of its gain to reach."]
    asked = f"{design.share:.0%} of the whole set's gain"
    head = f"It reaches {whole['share']:.0%} of the whole set's gain"
    if beyond.above(0):
        return [f"{head}: at least {asked} is shown."]
    if beyond.below(0):
        return [f"{head}: less than {asked} is shown."]
    return [f"{head}: whether it is {asked} is open."]


def _control_sentence(table: dict[str, Any]) -> list[str]:
    """Tells learning from eliciting: what rewards that know nothing of what is right bring by themselves."""
    lifting = [row["arm"] for row in table["false_rewards"] if Interval(**row["gain"]).above(0)]
    short = [row["arm"] for row in table["false_rewards"] if Interval(**row["one_beyond"]).above(0)]
    if not table["false_rewards"]:
        return []
    everyone = [row["arm"] for row in table["false_rewards"]]
    if not lifting and short == everyone:
        return [
            "No false reward lifts the base, and the right one is beyond each of them: the reward teaches."
        ]
    if lifting:
        level = [arm for arm in lifting if arm not in short]
        tail = f"; {_and(level)} cannot be told from the right reward" if level else ""
        return [
            f"Rewards that know nothing of what is right lift the base too ({_and(lifting)}): it is elicited{tail}."
        ]
    return ["Whether false rewards lift the base, or the right one is beyond them, is open."]


def _choice_sentence(table: dict[str, Any]) -> list[str]:
    sentences = []
    for row in table["choice"]:
        others = "random examples" if row["against"] == "random-one" else "examples of the same pass rate"
        found = Interval(**{name: row[name] for name in ("estimate", "low", "high")})
        if found.above(0):
            sentences.append(
                f"The chosen example is better than other single {others}: {points(row)} points."
            )
        elif found.below(0):
            sentences.append(f"The chosen example is worse than other single {others}: {points(row)} points.")
        else:
            sentences.append(
                f"Choosing is not shown to matter against single {others}: {points(row)} points."
            )
    return sentences


def points(found: dict[str, Any]) -> str:
    """Returns a difference with its interval, where it has one, in words."""
    ends = "" if found["low"] is None else f" ({found['low']:+.1f} to {found['high']:+.1f})"
    return f"{found['estimate']:+.1f}{ends}"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def gather(
    metric: str, runs: Sequence[ArmRun], values: list[list[float | None]], rows: list[dict[str, Any]]
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
        kinds[run.arm] = _kind(run.kind)
    return Measured(
        metric,
        {
            name: ArmScores(name, kinds[name], np.array(scores, dtype=np.float64))
            for name, scores in arms.items()
        },
        tuple(rows[i]["cluster"] for i in kept),
        len(rows) - len(kept),
    )


def _kind(arm: str) -> Kind:
    if arm in ("base", "template"):
        return "model"
    return "random" if arm in SINGLES else "method"


def _percent(value: float | None) -> float | None:
    return None if value is None else 100.0 * value


def _pass(samples: list[float | None], k: int) -> float | None:
    """Returns pass@k of an item in percent; a sample is right where its reward is 1."""
    told = [value for value in samples if value is not None]
    return pass_at(k, sum(value == 1 for value in told), len(told)) if len(told) >= k else None


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
