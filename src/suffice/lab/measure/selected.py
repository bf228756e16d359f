"""Job: the rows of a pool that RDS+ chooses."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suffice.common.files import write_jsonl
from suffice.data.example import content_id
from suffice.data.pool import read_pool
from suffice.data.target import read_target
from suffice.lab.pool import PoolName, labelled_rows
from suffice.lab.target import target_rows
from suffice.lab.world import build_world
from suffice.models import load_model
from suffice.scorers.embedding import Embedding
from suffice.scorers.protocol import ScoringContext
from suffice.selectors.protocol import SelectionRequest
from suffice.selectors.round_robin import RoundRobin


@dataclass(frozen=True)
class Selected:
    """RDS+ with round robin over the dev examples of the target.

    Attributes:
        model: The folder of the base.
        pool: The name of the pool.
        content: The hash of the pool's rows, so that a result stands for these rows alone.
        budget: Rows to choose.
    """

    model: str
    pool: PoolName
    content: str
    budget: int

    def run(self) -> dict[str, Any]:
        """Returns the chosen ``rows`` and how many of them are ``good``."""
        world = build_world()
        labelled = list(labelled_rows(world, name=self.pool))
        good = {content_id(row["messages"]) for style, row in labelled if style == "target"}
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_jsonl(folder / "pool.jsonl", (row for _, row in labelled))
            write_jsonl(folder / "target.jsonl", target_rows(world, test=1))
            pool = read_pool([str(folder / "pool.jsonl")]).pool
            target = read_target(folder / "target.jsonl")
            model = load_model(self.model, device="cpu")
            scores = Embedding().score(pool, ScoringContext(folder, model=model, target=target))
        request = SelectionRequest(pool, scores, self.budget, target=target)
        chosen = [pool[choice.index] for choice in RoundRobin().select(request)]
        return {
            "rows": [{"messages": list(row.messages)} for row in chosen],
            "good": sum(content_id(row.messages) in good for row in chosen),
        }
