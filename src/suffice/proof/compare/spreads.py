"""How far the runs in evaluation logs lie apart, and what a new draw might do, where the logs tell draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suffice.evaluation.logs.align import Aligned
from suffice.proof.draws import by_draw, new_draw, spreads
from suffice.proof.outcomes import RunMean
from suffice.proof.spread import spread_of_unknown

Array = NDArray[np.float64]


def is_drawn(draws: Sequence[str]) -> bool:
    """Tells whether the logs say that an arm was trained on two draws or more."""
    return len(set(draws)) > 1 and all(draws)


def runs_of(aligned: Aligned, arm: str) -> Array:
    """Returns the scores of an arm's runs, ``[runs, items]``; of two draws or more a run is one draw."""
    scores, draws = aligned.arms[arm], aligned.draws[arm]
    return by_draw(scores, draws) if is_drawn(draws) else scores


def averaged(aligned: Aligned) -> list[str]:
    """Returns a sentence for each arm whose trainings on one draw are averaged."""
    return [
        f"'{arm}' has {len(draws)} trainings on {len(set(draws))} draws; those on one draw are averaged, and a draw counts "
        "once."
        for arm, draws in aligned.draws.items()
        if is_drawn(draws) and len(set(draws)) < len(draws)
    ]


def run_means(scores: Array, draws: Sequence[str], *, drawn: bool = False) -> list[RunMean]:
    """Returns the mean score of each run with the numbers of its draw and of its seed on that draw.

    Args:
        scores: ``[runs, items]``.
        draws: The draw of each run; empty where it is not known.
        drawn: Whether, where draws are not known, every run is one of its own; else all are on the same rows.
    """
    known = list(draws) if all(draws) else [str(place) if drawn else "" for place in range(len(draws))]
    places = {draw: place for place, draw in enumerate(dict.fromkeys(known))}
    seeds = {draw: count() for draw in places}
    means = scores.mean(axis=1)
    return [
        RunMean(places[draw], next(seeds[draw]), float(mean)) for draw, mean in zip(known, means, strict=True)
    ]


def log_spreads(aligned: Aligned) -> list[dict[str, Any]]:
    """Returns the spread of each arm with two runs or more, in the logs' unit."""
    found = []
    for arm, scores in aligned.arms.items():
        if len(scores) < 2:
            continue
        draws = aligned.draws[arm]
        if all(draws):
            [one] = spreads({arm: run_means(scores, draws)})
        else:
            one = {"name": arm, **asdict(spread_of_unknown(scores.mean(axis=1)))}
        found.append({"task": aligned.task, "metric": aligned.metric, "filter": aligned.filter, **one})
    return found


def log_new_draws(aligned: Aligned, *, lower_is_better: bool) -> list[dict[str, Any]]:
    """Returns, for every arm held against the first, what one new draw of the one that was drawn would do.

    Args:
        aligned: The scores.
        lower_is_better: Whether less is better, and so beats more.

    Returns:
        ``drawn``, ``against``, ``probability``, ``low`` and ``high`` (of the new draw's score, in the logs' unit).
    """
    sign = -1.0 if lower_is_better else 1.0
    means = {arm: run_means(sign * scores, aligned.draws[arm]) for arm, scores in aligned.arms.items()}
    reference, *others = means
    found = []
    for other in others:
        pair = next(
            (pair for pair in ((reference, other), (other, reference)) if is_drawn(aligned.draws[pair[0]])),
            None,
        )
        told = new_draw(means[pair[0]], means[pair[1]]) if pair else None
        if pair and told:
            ends = sorted(sign * told[end] for end in ("low", "high"))
            where = {"task": aligned.task, "metric": aligned.metric, "filter": aligned.filter}
            names = {"drawn": pair[0], "against": pair[1], "probability": told["probability"]}
            found.append(where | names | {"low": ends[0], "high": ends[1]})
    return found
