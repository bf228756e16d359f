"""What one example did: the gain along one chain, the controls beside it, and whether it reaches the whole set's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from suffice.proof.intervals import Interval
from suffice.runs.one_shot.recipe import OneShotDesign
from suffice.runs.rewarded.measured import Measured, in_words, points

CHAIN = ("base", "template", "format", "one")
FALSE_REWARDS = ("format", "random", "wrong", "entropy")
BESIDE = ("random-one", "alike-one")


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
        tail = f"; {in_words(level)} cannot be told from the right reward" if level else ""
        return [
            f"Rewards that know nothing of what is right lift the base too ({in_words(lifting)}): it is elicited{tail}."
        ]
    held = f", and the right one is beyond {in_words(short)}" if short else ""
    left = in_words([arm for arm in everyone if arm not in short])
    return [f"No false reward is shown to lift the base{held}; against {left} the right one's lead is open."]


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
