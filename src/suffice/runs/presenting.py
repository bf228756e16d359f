"""A finished run as the plain values of a report."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from suffice.common.draws import Draws
from suffice.common.files import read_json
from suffice.data.reading import read_rows
from suffice.report import ArmRow, BudgetCurve, ChosenRow, CurvePoint, FamilyScore, ReportData, Spread
from suffice.report.data import ORDER
from suffice.runs.context import Run
from suffice.runs.lengths import answer_lengths
from suffice.runs.manifest import manifest
from suffice.runs.notes import notes
from suffice.runs.pairs import item_pairs
from suffice.runs.selection import read_selection
from suffice.runs.summary import costs

SHOWN = 10


def report_data(run: Run) -> ReportData:
    """Returns what the report of a run shows."""
    found = read_json(run.folder.verdict)
    edges, lengths = answer_lengths(run)
    rejected = [row.value for row in read_rows(run.folder.rejected)]
    names = {arm["kind"]: arm["name"] for arm in found["arms"]}
    other = names.get(found["verdict"]["yardstick"], "")
    return ReportData(
        title=f"Suffice: {run.recipe.name}",
        subtitle=f"{run.recipe.model}, {len(run.pool):,} usable rows, {len(run.target.test):,} test items",
        created=datetime.now(UTC).date().isoformat(),
        command=f"suffice run {run.folder.recipe_file} --out NEW",
        verdict=found["verdict"],
        arms=[_arm(run, arm) for arm in found["arms"]],
        costs=costs(run.folder),
        chosen=_chosen(run),
        rejected=_sample(run, rejected),
        rules=Counter(row["rule"] for row in rejected),
        lengths=lengths,
        length_edges=edges,
        length_unit="words",
        notes=notes(run, found["arms"]),
        manifest=manifest(run),
        level=100 * (1 - run.recipe.design.alpha),
        curve=_curve(found),
        pairs=item_pairs(run, names["selected"], other) if other else (),
        pairs_against=other,
        spreads=[_spread(found["arms"], one) for one in found["spreads"]],
        new_draw=found["new_draw"]["probability"] if found["new_draw"] else None,
    )


def _arm(run: Run, arm: dict[str, Any]) -> ArmRow:
    tasks = Counter(item.task for item in run.target.test)
    trained = bool(arm["steps"])
    records = sorted((run.folder.arms / arm["name"]).glob("*/trained.json"))
    return ArmRow(
        name=arm["name"],
        kind=arm["kind"],
        rows=arm["rows"],
        score=arm["score"],
        low=arm["low"],
        high=arm["high"],
        runs=arm["runs"],
        items=arm["items"],
        families={
            name: _family(score, arm["family_intervals"][name], tasks[name])
            for name, score in arm["families"].items()
        },
        epochs=arm["epochs"] if trained else None,
        steps=arm["steps"] if trained else None,
        train_seconds=arm["train_seconds"] if trained else None,
        flops=arm["flops"] if trained else None,
        losses=[read_json(path)["losses"] for path in records],
    )


def _curve(found: dict[str, Any]) -> BudgetCurve | None:
    """Returns the budget curve, told by the selection's own way of choosing."""
    curve = found["curve"]
    if curve is None:
        return None
    own = next(method for method in curve["methods"] if method["method"] == "selected")
    scores = {arm["kind"]: arm for arm in found["arms"]}
    points = [
        CurvePoint(
            method=method["method"],
            kind=method["method"] if method["method"] in ORDER else "other",
            **point,
        )
        for method in curve["methods"]
        for point in method["points"]
    ]
    if "full" in scores:
        full = scores["full"]
        points.append(
            CurvePoint("full", "full", *(full[name] for name in ("rows", "score", "low", "high", "runs")))
        )
    return BudgetCurve(
        points=points,
        base=scores["base"]["score"] if "base" in scores else None,
        margin=curve["margin"],
        yardstick_score=curve["yardstick_score"],
        refuted=own["refuted"],
        shown=own["shown"],
        sentence=own["sentence"],
        yardstick=curve["yardstick"],
        smooth={method["method"]: method.get("smooth", []) for method in curve["methods"]},
    )


def _spread(arms: list[dict[str, Any]], found: dict[str, Any]) -> Spread:
    kind = next(arm["kind"] for arm in arms if arm["name"] == found["name"])
    known = {name: found[name] for name in ("name", "total_sd", "draw_sd", "seed_sd", "sentence")}
    return Spread(kind=kind, **known)


def _family(score: float, ends: list[float | None], items: int) -> FamilyScore:
    return FamilyScore(score=score, low=ends[0], high=ends[1], items=items)


def _chosen(run: Run) -> list[ChosenRow]:
    """Returns some chosen rows, spread over the selection, in its order."""
    rows = list(enumerate(read_selection(run.folder.selection)))
    return [
        ChosenRow(
            id=row["id"],
            messages=row["messages"],
            source=row["source"],
            license=row["license"],
            reason=row["reason"],
            origin=f"{row['file']}, line {row['line']}",
        )
        for _, row in sorted(_sample(run, rows), key=lambda numbered: numbered[0])
    ]


def _sample(run: Run, rows: list[Any]) -> list[Any]:
    return Draws(run.recipe.seed, "report").sample(rows, min(SHOWN, len(rows)))
