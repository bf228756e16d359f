"""The items of a comparison side by side, for looking at what was won and lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from suffice.common.files import write_jsonl
from suffice.evaluation.logs.align import Aligned


def write_items(path: Path, comparisons: Iterable[Aligned]) -> int:
    """Writes a line for each item of each comparison, those on which the arms differ most first.

    Each holds ``task``, ``metric``, ``filter``, ``item``, ``cluster``, ``prompt``, ``answer``, ``scores`` (the mean over
    runs and samples, by arm) and ``replies`` (of the first run and sample, by arm).

    Args:
        path: A JSON Lines file.
        comparisons: What was compared; averages of whole runs have no items and are left out.

    Returns:
        The number of lines.
    """
    return write_jsonl(path, (row for one in comparisons if not one.aggregates for row in _rows(one)))


def _rows(one: Aligned) -> Iterator[dict[str, Any]]:
    scores = {arm: matrix.mean(axis=0).tolist() for arm, matrix in one.arms.items()}
    apart = [max(values) - min(values) for values in zip(*scores.values(), strict=True)]
    for place in sorted(range(len(one.items)), key=lambda place: -apart[place]):
        yield {
            "task": one.task,
            "metric": one.metric,
            "filter": one.filter,
            "item": one.items[place],
            "cluster": one.clusters[place],
            "prompt": one.prompts[place],
            "answer": one.answers[place],
            "scores": {arm: values[place] for arm, values in scores.items()},
            "replies": {arm: replies[place] for arm, replies in one.replies.items()},
        }
