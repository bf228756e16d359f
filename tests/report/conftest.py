"""A report as a run of the lab would give it."""

from __future__ import annotations

import pytest

from suffice.report import (
    ArmRow,
    BudgetCurve,
    ChosenRow,
    CurvePoint,
    FamilyScore,
    ItemPair,
    ReportData,
    Spread,
)

FAMILIES = ("fact", "list", "arith", "chain")
EDGES = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0]


def arm(
    name, kind, rows, runs, families, *, half=2.0, epochs=4.0, steps=128, seconds=84.0, losses=(2.4, 0.2)
):
    score = sum(runs) / len(runs)
    start, end = losses
    trained = kind != "base"
    curve = [(step, end + (start - end) * 0.97**step) for step in range(8, steps + 1, 8)] if trained else []
    return ArmRow(
        name=name,
        kind=kind,
        rows=rows,
        score=score,
        low=max(0.0, score - half),
        high=min(100.0, score + half),
        runs=runs,
        items=1200,
        families={
            family: FamilyScore(value, max(0.0, value - 1.8 * half), min(100.0, value + 1.8 * half), 300)
            for family, value in zip(FAMILIES, families, strict=True)
        },
        epochs=epochs if trained else None,
        steps=steps if trained else None,
        train_seconds=seconds if trained else None,
        flops=2.1e13 if trained else None,
        losses=[[(step, loss + 0.02 * run) for step, loss in curve] for run in range(len(runs))]
        if trained
        else (),
    )


def arms():
    return [
        arm("base", "base", 0, [0.2], [0.0, 0.0, 0.7, 0.0], half=0.3),
        arm(
            "random-1000", "random", 1000, [28.1, 33.0, 30.2, 34.4, 29.3], [35.0, 41.2, 22.0, 25.8], half=7.0
        ),
        arm("longest-1000", "longest", 1000, [12.2, 11.0, 13.9], [8.1, 20.3, 10.0, 11.0], half=3.2),
        arm("selected-1000", "selected", 1000, [79.4, 80.9, 79.9], [92.3, 88.1, 61.0, 79.0], half=2.3),
        arm("full", "full", 15204, [78.2, 79.9, 78.5], [90.7, 85.0, 63.0, 76.7], half=2.4, epochs=0.27),
    ]


def verdict():
    return {
        "outcome": "sufficient",
        "yardstick": "full",
        "selector": "better than random",
        "sentence": "1,000 of 15,204 rows are enough (80.1 % against 78.9 % for all; margin 2).",
        "comparisons": [
            {"against": "full", "kind": "non-inferiority", "difference": 1.2, "low": -0.4, "high": 2.8, "margin": 2.0},
            {"against": "base", "kind": "superiority", "difference": 79.9, "low": 77.0, "high": 82.3, "margin": 0.0},
            {"against": "random", "kind": "superiority", "difference": 49.1, "low": 41.0, "high": 57.2, "margin": 0.0},
        ],
    }  # fmt: skip


def chosen():
    people = ["Ada Brook", "Nils Varga", "Mira Okafor", "Tom Lindqvist", "Rosa Petrov"]
    rows = []
    for index in range(12):
        if index % 2:
            prompt = (
                f"{people[index % 5]} has {index + 3} apples and buys {index} bags of 4. How many apples now?"
            )
            answer = (
                f"{index + 3} + {index} × 4 = {index + 3 + 4 * index}\nThe answer is {index + 3 + 4 * index}."
            )
        else:
            prompt = f"Where does {people[index % 5]} work? Answer with one word."
            answer = "Bakery."
        rows.append(
            ChosenRow(
                id=f"{index:016x}",
                messages=[{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}],
                source="good-workbook" if index % 2 else "good-short",
                license="CC-BY-4.0" if index % 3 else None,
                reason=f'serves "{FAMILIES[index % 4]}" (dev dev-{index:04d}); 99th percentile; beat '
                f'"{4000 + index:016x}" by 0.03',
            )
        )
    return rows


def rejected():
    kinds = [
        ("E101 empty-answer", "the answer is empty", "write an answer, or remove the row"),
        ("E003 not-json", "Expecting ',' delimiter: column 81", "mend the line; one JSON object a line"),
        ("E204 test-item", 'asks what the test item "fact-0031" asks', "keep test items out of the pool"),
    ]
    return [
        {
            "file": "pool/malformed.jsonl",
            "line": 17 * n + 3,
            "rule": rule,
            "message": says,
            "remedy": remedy,
            "row": {},
        }
        for n, (rule, says, remedy) in enumerate(kinds * 4)
    ]


def report(**changes):
    """Returns a report like the demo's, with fields replaced."""
    fields = {
        "title": "Suffice: demo",
        "subtitle": "1.2M-parameter lab base, 15,204 rows",
        "created": "2026-11-23",
        "command": "suffice run runs/demo/recipe.yaml --out NEW --seed 0",
        "verdict": verdict(),
        "arms": arms(),
        "costs": {
            "choose_seconds": 31.0,
            "train_seconds": 340.0,
            "evaluate_seconds": 60.0,
            "total_seconds": 350.0,
            "choose_flops": 1.9e12,
            "train_flops": 2.9e14,
        },
        "chosen": chosen(),
        "rejected": rejected(),
        "rules": {"E101 empty-answer": 61, "E003 not-json": 55, "E204 test-item": 40},
        "lengths": {
            "pool": [120, 900, 2400, 4100, 4300, 2300, 900, 184],
            "random-1000": [9, 61, 160, 270, 280, 150, 60, 10],
            "longest-1000": [0, 0, 0, 0, 0, 0, 816, 184],
            "selected-1000": [250, 300, 180, 200, 60, 10, 0, 0],
        },
        "length_edges": EDGES,
        "notes": [
            "3 training runs an arm are few: how much runs vary is known poorly, and the intervals are wide on purpose.",
            "In its 128 steps, full saw 27% of its 15,204 rows, once (equal steps for all arms).",
        ],
        "manifest": {
            "counts": {"read": 15360, "chosen": 1000, "unchosen": 14204, "rejected": 156},
            "model": "sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9",
            "seed": 0,
            "checkpoint_rule": "the last optimiser step of every run; no checkpoint is picked by a score",
            "versions": {"suffice": "0.1.0", "python": "3.12.3", "torch": "2.13.0+cpu"},
            "recipe": {"name": "demo", "budget": 1000},
        },
    }
    return ReportData(**fields | changes)


@pytest.fixture
def make_report():
    return report


def curve(**changes):
    """Returns the curve of a sweep over budgets, with fields replaced."""
    methods = {
        ("embedding", "selected"): {100: 52.1, 200: 66.0, 500: 74.8, 1000: 80.1, 2000: 79.6},
        ("random", "random"): {100: 8.0, 500: 22.8, 2000: 44.5},
        ("longest", "longest"): {100: 4.0, 500: 9.8, 2000: 30.5},
        ("full", "full"): {15204: 78.9},
    }
    fields = {
        "points": [
            CurvePoint(method, kind, rows, score, score - 2.5, score + 2.5, [score - 1, score + 1])
            for (method, kind), scores in methods.items()
            for rows, score in scores.items()
        ],
        "base": 0.2,
        "margin": 2.0,
        "yardstick_score": 78.9,
        "refuted": 200,
        "shown": 1000,
        "sentence": "200 rows are too few, 1,000 are enough; 500 is open.",
    }
    return BudgetCurve(**fields | changes)


def pair(number=0, own=1.0, other=0.0, **changes):
    """Returns a test item that the selected arm has right and the other wrong, with fields replaced."""
    fields = {
        "id": f"item-{number:04d}",
        "task": FAMILIES[number % 4],
        "messages": [{"role": "user", "content": f"What is {number} plus 4?"}],
        "answer": str(number + 4),
        "own_score": own,
        "other_score": other,
        "own_reply": f"The answer is {number + 4}.",
        "other_reply": f"The answer is {number}.",
    }
    return ItemPair(**fields | changes)


def spreads():
    return [
        Spread("full", "full", 0.9, None, 0.9, "The rows are the same in every run."),
        Spread("random-1000", "random", 2.66, 2.1, 1.6, "Two seeds on two draws tell the two apart."),
        Spread("selected-1000", "selected", 0.76, None, 0.76, "The rows are the same in every run."),
    ]


def whole_report(**changes):
    """Returns a report in which every part is filled, with fields replaced."""
    filled = {
        "curve": curve(),
        "pairs": [pair(0), pair(1, 0.0, 1.0), pair(2, 2 / 3, 1 / 3), pair(3, 1.0, 1.0), pair(4)],
        "pairs_against": "full",
        "spreads": spreads(),
        "new_draw": 0.004,
    }
    return report(**filled | changes)


@pytest.fixture
def make_whole():
    return whole_report


@pytest.fixture
def make_curve():
    return curve


@pytest.fixture
def make_pair():
    return pair
