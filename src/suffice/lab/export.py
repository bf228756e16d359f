"""`suffice lab export`: the lab's pool and target as ordinary files."""

from __future__ import annotations

from pathlib import Path

from suffice.common.draws import Draws
from suffice.common.files import write_jsonl
from suffice.lab.families import STEPWISE, draw_problem
from suffice.lab.pool import ROWS, PoolName, pool_rows
from suffice.lab.target import TEST, target_rows
from suffice.lab.world import build_world


def export_lab(
    out: Path, *, rows: int = ROWS, items: int = TEST, pool: PoolName = "plain"
) -> dict[str, Path]:
    """Writes ``pool.jsonl`` and ``target.jsonl`` to ``out``.

    Args:
        out: The folder; made where it is missing.
        rows: Rows of the pool.
        items: Test items of each family.
        pool: Which of the two pools.

    Returns:
        The two paths by name.
    """
    world = build_world()
    paths = {"pool": out / "pool.jsonl", "target": out / "target.jsonl"}
    write_jsonl(paths["pool"], pool_rows(world, rows, pool))
    write_jsonl(paths["target"], target_rows(world, items))
    return paths


EXAMPLES, DEV_ITEMS = 200, 40  # of each family that is trained on by reward


def export_stepwise(out: Path, *, items: int = TEST) -> dict[str, Path]:
    """Writes ``examples.jsonl`` and ``target.jsonl``: the two families that are trained on by reward.

    Args:
        out: The folder; made where it is missing.
        items: Test items of each family.

    Returns:
        The two paths by name.
    """
    world = build_world()
    paths = {"examples": out / "examples.jsonl", "target": out / "target.jsonl"}
    rows = []
    for family in STEPWISE:
        draws = Draws(world.seed, "rewarded", family)
        keys: set[str] = set()
        while len(keys) < EXAMPLES:
            problem = draw_problem(world, family, draws)
            if problem.key not in keys:
                keys.add(problem.key)
                answer = f"Answer: {problem.answer}"
                rows.append({"prompt": problem.question, "answer": answer, "task": family})
    write_jsonl(paths["examples"], rows)
    write_jsonl(paths["target"], target_rows(world, items, DEV_ITEMS, STEPWISE))
    return paths
