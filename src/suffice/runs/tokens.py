"""Budgets of tokens instead of rows: the largest budget of rows whose selection holds no more than so many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.common.progress import Reporter
from suffice.data.pool import Pool
from suffice.data.tables import write_table

if TYPE_CHECKING:
    from suffice.models import ChatTokenizer, LanguageModel

T = TypeVar("T")
_CHUNK = 1024


@dataclass(frozen=True)
class Lengths:
    """How long each row is for training.

    Attributes:
        values: Tokens that are trained on, or words of the answers [rows].
        unit: ``tokens`` or ``words``.
    """

    values: NDArray[np.int64]
    unit: str

    def write(self, path: Path) -> None:
        """Writes them as Parquet, atomically."""
        table = pa.table({"length": pa.array(self.values)}).replace_schema_metadata({"unit": self.unit})
        write_table(path, table)

    @classmethod
    def read(cls, path: Path) -> Lengths:
        """Reads what `write` wrote."""
        table = pq.read_table(path)
        return cls(table["length"].to_numpy(), table.schema.metadata[b"unit"].decode())

    def total(self, rows: Sequence[int]) -> int:
        """Returns how long some rows are together."""
        return int(self.values[list(rows)].sum())


def lengths_of(
    pool: Pool, model: LanguageModel | ChatTokenizer | None, reporter: Reporter, most: int | None = None
) -> Lengths:
    """Returns how many tokens of each row are trained on; how many words its answers have where there is no model.

    What lies beyond the model's window is not trained on; a row that the chat template refuses has none.

    Args:
        pool: The rows.
        model: The model.
        reporter: Where progress is told.
        most: The longest row that is trained on, in tokens; by default the window.
    """
    window = None if model is None else min((n for n in (most, model.window) if n), default=None)
    values: list[int] = []
    rows = iter(pool)
    with reporter.track("measure", len(pool), "rows") as task:
        while some := list(islice(rows, _CHUNK)):
            if model is None:
                values += [len(row.answer.split()) for row in some]
            else:
                encoded = model.chat.encode_many([(row.messages, row.tools) for row in some])
                values += [0 if one is None else sum(one.trained[:window]) for one in encoded]
            task.advance(len(some))
        unit = "words" if model is None else "tokens"
        task.result(f"{sum(values):,} {unit} in {len(pool):,} rows")
    return Lengths(np.array(values, np.int64), unit)


def within(
    choose: Callable[[int], list[T]],
    place: Callable[[T], int],
    lengths: Lengths,
    limit: int,
    extent: tuple[int, int],
) -> list[T]:
    """Returns a selection of so many rows that it holds no more than a limit, and one of one row more holds more.

    For a selector whose choices do not change as the budget grows, that is the longest beginning of its order that
    fits. Whatever the selector, the result is what it chooses for some budget of rows, within the constraints.

    Args:
        choose: Chooses so many rows.
        place: Takes a choice to its row.
        lengths: How long rows are.
        limit: The budget.
        extent: The fewest and the most rows that constraints allow.

    Raises:
        UserError: Not even the fewest rows fit, or nothing can be chosen at all.
    """
    fewest, most = extent
    found = choose(fewest)
    took = lengths.total([place(choice) for choice in found])
    if took > limit:
        held = (
            "the first row chosen holds" if fewest == 1 else f"the {fewest:,} rows that must be chosen hold"
        )
        raise UserError(
            f"{held} {took:,} {lengths.unit}, more than the budget of {limit:,}",
            f"give --budget-tokens {took} or more",
        )
    low, high, tries = fewest, most + 1, 0
    guess = limit // max(1, int(lengths.values.mean()))
    while high - low > 1:
        tries += 1
        rows = (low + high) // 2 if tries % 4 == 0 else min(max(guess, low + 1), high - 1)
        try:
            chosen = choose(rows)
        except UserError:  # a selector of its own limits, such as deita, has no more to give
            high, guess = rows, low + 1
            continue
        ends = np.cumsum(lengths.values[[place(choice) for choice in chosen]])
        fitting = int(np.searchsorted(ends, limit, side="right"))
        if fitting == rows:
            low, found, guess = (
                rows,
                chosen,
                rows + max(1, int((limit - ends[-1]) * rows // max(1, ends[-1]))),
            )
        else:
            high, guess = rows, fitting
    return found
