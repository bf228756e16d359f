"""What lies in the arms' folders of a run on one example, for its page: scores of runs, steps of trainings, replies."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from suffice.common.files import read_json
from suffice.data.target import TargetItem
from suffice.report.data import ItemPair
from suffice.report.one_shot import Steps, Training
from suffice.runs.one_shot.jobs import ArmRun
from suffice.runs.one_shot.recipe import ARMS
from suffice.runs.rewarded.measured import measure

_HISTORY = ("step", "reward", "uniform", "entropy", "length")


def read_where_there(path: Path) -> Any:
    """Returns the JSON value of a file; None where there is no such file."""
    return read_json(path) if path.exists() else None


def runs_of(folder: Path, found: dict[str, Any]) -> dict[str, list[Path]]:
    """Returns the folders of each arm's runs, in the verdict's order; none is looked for outside ``arms``."""
    arms = folder / "arms"
    there = {path.name: path for path in arms.iterdir()} if arms.is_dir() else {}
    runs = {}
    for row in found["metrics"][0]["arms"]:
        inside = there[row["arm"]].iterdir() if row["arm"] in there else ()
        numbered = [path for path in inside if path.name.isdecimal()]
        runs[row["arm"]] = sorted(numbered, key=lambda path: int(path.name))
    return runs


def kind_of_arm(arm: str) -> str:
    """Returns the kind of an arm by its name, such as ``few`` of ``few-4``."""
    return next((kind for kind in ARMS if arm == kind), arm.split("-", maxsplit=1)[0])


def run_scores(runs: dict[str, list[Path]], samples: int) -> dict[str, dict[str, list[float]]]:
    """Returns the score of each run in percent, by metric and arm; none where outcomes are missing."""
    named = [
        (ArmRun(arm, kind_of_arm(arm), index, 0, ""), path)
        for arm, paths in runs.items()
        for index, path in enumerate(paths)
    ]
    if not named or not all((path / "outcomes.jsonl").exists() for _, path in named):
        return {}
    return {
        part.metric: {name: [float(run.mean()) for run in arm.scores] for name, arm in part.arms.items()}
        for part in measure(named, samples)
    }


def trainings(runs: dict[str, list[Path]]) -> list[Training]:
    """Returns the steps of every arm that was trained, and its missing rewards."""
    found = []
    for arm, paths in runs.items():
        trained = [told for path in paths if (told := read_where_there(path / "train.json"))]
        reasons: Counter[str] = Counter()
        for path in paths:
            reasons.update(read_where_there(path / "missing.json") or {})
        if trained:
            found.append(
                Training(
                    name=arm,
                    kind=kind_of_arm(arm),
                    runs=[_steps(run["history"]) for run in trained if run["history"]],
                    missing=sum(run.get("missing", 0) for run in trained),
                    rollouts=sum(run.get("rollouts", 0) for run in trained),
                    reasons=dict(reasons.most_common()),
                )
            )
    return found


def _steps(history: list[dict[str, Any]]) -> Steps:
    return Steps(*([step[name] for step in history] for name in _HISTORY))


def item_pairs(runs: dict[str, list[Path]], items: Mapping[str, TargetItem]) -> list[ItemPair]:
    """Returns each test item under one and base, by greedy replies; items that miss a reward are left out."""
    base, one = ([_rows(path / "outcomes.jsonl") for path in runs.get(arm, ())] for arm in ("base", "one"))
    if not base or not one or not all([*base, *one]):
        return []
    pairs = []
    for place, row in enumerate(base[0]):
        own = [run[place]["greedy"] for run in one]
        if row["greedy"] is None or None in own:
            continue
        item = items.get(row["item"])
        pairs.append(
            ItemPair(
                id=row["item"],
                task=item.task if item else "",
                messages=item.messages if item else (),
                answer=item.answer if item else "",
                own_score=fmean(own),
                other_score=row["greedy"],
                own_reply=one[0][place]["reply"],
                other_reply=row["reply"],
            )
        )
    return pairs


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
