"""The budget curve of a run: every way of choosing over its budgets, held against one yardstick."""

from __future__ import annotations

from typing import Any

from suffice.proof.arms import ArmScores
from suffice.proof.curve import Curve, budget_curve, curve_yardstick
from suffice.proof.outcomes import Scored
from suffice.runs.context import Run


def run_curve(run: Run, data: Scored) -> dict[str, Any] | None:
    """Returns the curve as JSON values, or None where the recipe asks for none.

    Args:
        run: A run whose arms are evaluated.
        data: Their scores.

    Returns:
        ``yardstick`` (the name of an arm), ``yardstick_score``, ``margin``, and ``methods``: one entry for each way of choosing with its
        ``points`` (``rows``, ``score``, ``low``, ``high``, ``runs``), ``refuted``, ``shown``, ``monotone``, ``smooth`` (pairs of rows and
        score) and ``sentence``.
    """
    if not run.recipe.design.budgets:
        return None
    scores = {arm.name: arm for arm in data.arms}
    by_method: dict[str, dict[int, ArmScores]] = {}
    for arm in run.arms:
        if arm.kind not in ("base", "full", "length-matched", "compute-matched"):
            by_method.setdefault(arm.method, {})[arm.pool_rows] = scores[arm.arm]
    design = run.recipe.design
    points = [arm for by in by_method.values() for arm in by.values()]
    yardstick = curve_yardstick(points, scores.get("full"), scores.get("base"), data.clusters, design.alpha)
    curves = [
        budget_curve(
            method,
            list(by.items()),
            yardstick,
            data.clusters,
            margin=design.margin,
            alpha=design.alpha,
            candidates=1 if yardstick.kind == "full" else len(points),
        )
        for method, by in by_method.items()
        if method != "longest" or "length" in design.scorers
    ]
    return {
        "yardstick": yardstick.name,
        "yardstick_score": yardstick.mean,
        "margin": design.margin,
        "methods": [_as_json(curve) for curve in curves],
    }


def _as_json(curve: Curve) -> dict[str, Any]:
    return {
        "method": curve.method,
        "points": [
            {
                "rows": point.rows,
                "score": point.score.estimate,
                "low": point.score.low,
                "high": point.score.high,
                "runs": list(point.runs),
            }
            for point in curve.points
        ],
        "refuted": curve.refuted,
        "shown": curve.shown,
        "monotone": curve.monotone,
        "smooth": [list(place) for place in curve.smooth],
        "sentence": curve.sentence,
    }
