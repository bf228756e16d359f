"""`suffice lab export`: the lab's pool and target as ordinary files."""

from __future__ import annotations

from pathlib import Path

from suffice.common.files import write_jsonl
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
