"""A folder as a run on one example leaves it, small and made up, its verdict computed as the run computes it."""

import json

import yaml

from suffice.common.draws import Draws
from suffice.common.files import write_json, write_jsonl
from suffice.runs.one_shot.jobs import ArmRun
from suffice.runs.one_shot.recipe import OneShotDesign
from suffice.runs.one_shot.verdict import verdict
from suffice.runs.rewarded.measured import measure

# The share of items that each arm gets right, and how many runs it has.
ARMS = {
    "base": (0.05, 1), "template": (0.2, 1), "format": (0.25, 3), "random": (0.2, 3), "wrong": (0.05, 3),
    "entropy": (0.2, 3), "one": (0.6, 3), "random-one": (0.5, 5), "alike-one": (0.55, 5), "few-2": (0.62, 3),
    "few-16": (0.66, 3), "whole": (0.68, 3),
}  # fmt: skip
SAMPLES = 4


def make_folder(
    out, *, tasks=("",), items=12, steps=6, reply="Answer: {}", question="What is {}?", arms=None
):
    """Writes a finished run folder and the files of examples and items that it was made of."""
    arms = ARMS if arms is None else arms
    out.mkdir(parents=True)
    rows = [
        {"id": f"{task or 'all'}-{n}", "prompt": question.format(n), "answer": str(n), "task": task or "all"}
        for task in tasks
        for n in range(2 * items)
    ]
    for name, kept in (("examples", slice(items, None)), ("target", slice(items))):
        picked = [row for task in tasks for row in [r for r in rows if r["task"] == (task or "all")][kept]]
        more = {"split": "test"} if name == "target" else {}
        write_jsonl(out.parent / f"{name}.jsonl", [row | more for row in picked])
    recipe = {
        "kind": "one-shot",
        "examples": str(out.parent / "examples.jsonl"),
        "target": str(out.parent / "target.jsonl"),
        "tasks": [task for task in tasks if task],
        "templates": ["{question}", "Q: {question}"],
        "choice": {"rollouts": 32, "candidates": items},
        "evaluation": {"samples": SAMPLES, "sampled_items": items // 2},
    }
    (out / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    found = [
        {"task": task, **_task(out / task if task else out, task or "all", items, steps, reply, arms)}
        for task in tasks
    ]
    write_json(out / "verdict.json", {"tasks": found})
    write_json(out / "manifest.json", {"created": "2026-01-02", "seconds": 9.5, "versions": {"suffice": "1"}})
    return out


def _task(folder, task, items, steps, reply, arms):
    runs = []
    for arm, (share, count) in arms.items():
        for index in range(count):
            place = folder / "arms" / arm / str(index)
            draws = Draws(0, arm, index)
            rows = [_outcome(draws, f"{task}-{n}", share, n < items // 2, reply) for n in range(items)]
            write_jsonl(place / "outcomes.jsonl", rows)
            if arm not in ("base", "template"):
                history = [_step(n, steps, share, draws) for n in range(1, steps + 1)]
                write_json(place / "train.json", {"missing": 1, "rollouts": 64, "history": history})
                write_json(place / "missing.json", {"time": 1} if arm == "one" else {})
            runs.append((ArmRun(arm, "few" if arm.startswith("few") else arm, index, index, ""), place))
    ranking = [{"example": f"{task}-{items + n}", "rate": max(0, 12 - n) / 32} for n in range(items)]
    choice = ranking[0] | {"wrong": "Answer: 58", "ranking": ranking}
    about = {"template": "Q: {question}", "choice": choice}
    about["time"] = {"rollout": 0.3, "reward": 0.05, "update": 0.65}
    write_json(folder / "templates.json", {"{question}": 0.1, "Q: {question}": 0.25})
    found = about | verdict(measure(runs, SAMPLES), OneShotDesign())
    write_json(folder / "verdict.json", found)
    return json.loads(json.dumps(found))


def _outcome(draws, item, share, sampled, reply):
    right = draws.chance(share)
    samples = [float(draws.chance(share)) for _ in range(SAMPLES)] if sampled else None
    return {
        "item": item,
        "cluster": item,
        "greedy": float(right),
        "reply": reply.format(item if right else "wrong"),
        "stopped": True,
        "samples": samples,
    }


def _step(number, steps, share, draws):
    level = 0.2 + share * number / steps
    return {
        "step": number,
        "reward": min(1.0, level + 0.1 * draws.below(100) / 100),
        "missing": 0,
        "uniform": min(1.0, level / 2 + 0.2 * draws.below(100) / 100),
        "stopped": 1.0,
        "length": 20 + 5 * level,
        "entropy": 1.5 - level / 2,
        "kl": None,
        "tokens": 64,
        "rollout_seconds": 0.3,
        "reward_seconds": 0.05,
        "update_seconds": 0.65,
    }
