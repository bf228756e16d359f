"""The values of exchanges, gathered into scores of rows; what has no value goes to a file with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from suffice.common.files import write_jsonl
from suffice.scorers.exchanges import Turns, exchanges, of_row
from suffice.scorers.length import lengths
from suffice.scorers.likelihood import Notes, scores_of
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.models.loading import LanguageModel


@dataclass(frozen=True)
class Told:
    """What is told of a pool's exchanges.

    Attributes:
        values: For each row, for each of its exchanges, the value, or why it has none.
        notes: What there is to tell about the telling.
        model: The model in whose tokens answers are measured; words where there is none.
    """

    values: Sequence[Sequence[float | str]]
    notes: Notes
    model: LanguageModel | None


def gathered(scorer: str, pool: Pool, context: ScoringContext, told: Told, turns: Turns) -> Scores:
    """Returns the scores of rows by the values of their exchanges; see `of_row`.

    Why an exchange has no value is written to ``SCORER-failures.jsonl`` in the folder of finished parts.
    """
    values, sizes = np.full(len(pool), np.nan), np.zeros(len(pool), np.int64)
    for index, (row, found) in enumerate(zip(pool, told.values, strict=True)):
        if found:
            long = lengths([exchange.answered for exchange in exchanges(row)], told.model)
            numbers = [float("nan") if isinstance(value, str) else value for value in found]
            values[index], sizes[index] = of_row(numbers, long, turns), sum(long)
    path = context.folder / f"{scorer}-failures.jsonl"
    failures = write_jsonl(path, _failures(pool, told))
    if failures:
        rows = int(np.isnan(values).sum())
        context.reporter.say(f"{rows:,} rows have no score by {scorer}; why stands in {path}")
    else:
        path.unlink()
    notes: Notes = {
        "exchanges": sum(map(len, told.values)),
        "exchanges_without_value": failures,
        "rows_unanswered": sum(not found for found in told.values),
        "unit": "words" if told.model is None else "tokens",
    }
    return scores_of(pool, values, sizes, notes | told.notes)


def _failures(pool: Pool, told: Told) -> Iterator[dict[str, Any]]:
    for row, found in zip(pool, told.values, strict=True):
        for turn, value in enumerate(found, start=1):
            if isinstance(value, str):
                yield {"id": row.id, "file": row.file, "line": row.line, "exchange": turn, "reason": value}
