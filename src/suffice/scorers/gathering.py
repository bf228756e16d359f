"""The values of exchanges, gathered into scores of rows; what has no value goes to a file with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from suffice.common.files import jsonl_writer
from suffice.data.example import Example
from suffice.scorers.exchanges import Exchange, Turns, of_row
from suffice.scorers.length import lengths
from suffice.scorers.likelihood import Notes, scores_of
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.models.loading import LanguageModel


class Gathering:
    """Takes the rows of a pool one after the other, as a context.

    Args:
        scorer: The scorer's name; the file of failures is ``SCORER-failures.jsonl``.
        pool: The rows.
        context: Where the file is written.
        turns: How the values of a row's exchanges make its score.
        model: The model in whose tokens answers are measured; words where there is none.
    """

    def __init__(
        self, scorer: str, pool: Pool, context: ScoringContext, turns: Turns, model: LanguageModel | None
    ) -> None:
        self._scorer, self._pool, self._context = scorer, pool, context
        self._turns, self._model = turns, model
        self._path = context.folder / f"{scorer}-failures.jsonl"
        self._values = np.full(len(pool), np.nan)
        self._lengths = np.zeros(len(pool), np.int64)
        self._without = self._exchanges = self._failures = 0

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self._write = self._stack.enter_context(jsonl_writer(self._path))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        if kind is None and not self._failures:
            self._path.unlink()

    def add(self, index: int, row: Example, found: Sequence[Exchange], values: Sequence[float | str]) -> None:
        """Takes a row.

        Args:
            index: Its place in the pool.
            row: The row.
            found: Its exchanges.
            values: The value of each, or why it has none.
        """
        self._exchanges += len(found)
        self._without += not found
        for turn, value in enumerate(values, start=1):
            if isinstance(value, str):
                self._failures += 1
                self._write(
                    {"id": row.id, "file": row.file, "line": row.line, "exchange": turn, "reason": value}
                )
        if not found:
            return
        long = lengths([exchange.answered for exchange in found], self._model)
        numbers = [float("nan") if isinstance(value, str) else value for value in values]
        self._values[index] = of_row(numbers, long, self._turns)
        self._lengths[index] = sum(long)

    def scores(self, notes: Notes) -> Scores:
        """Returns the scores, once the context has ended."""
        if self._failures:
            self._context.reporter.say(
                f"{int(np.isnan(self._values).sum()):,} rows have no score by {self._scorer}; why stands in {self._path}"
            )
        own: Notes = {
            "exchanges": self._exchanges,
            "exchanges_without_value": self._failures,
            "rows_unanswered": self._without,
            "unit": "words" if self._model is None else "tokens",
        }
        return scores_of(self._pool, self._values, self._lengths, own | notes)
