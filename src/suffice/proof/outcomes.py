"""The outcome table: one row for each arm, run, item and sample, with the score and the text it was given for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.common.files import atomic_path
from suffice.proof.arms import DRAWN, ArmScores, Kind

SCHEMA = pa.schema(
    [
        ("arm", pa.string()),
        ("kind", pa.string()),
        ("draw", pa.int64()),
        ("seed", pa.int64()),
        ("item", pa.string()),
        ("task", pa.string()),
        ("cluster", pa.string()),
        ("sample", pa.int64()),
        ("score", pa.float64()),
        ("stopped", pa.bool_()),
        ("extracted", pa.string()),
        ("reply", pa.string()),
    ]
)
_OPTIONAL = ("stopped", "extracted", "reply")


@dataclass(frozen=True)
class Scored:
    """The outcome table as the statistics want it.

    Attributes:
        arms: The arms, in percent, in the order of their first row; their runs ordered by draw and seed.
        items: The items in the order of their first row, the columns of every arm's scores.
        clusters: The cluster of each item.
        families: The task of each item.
    """

    arms: list[ArmScores]
    items: list[str]
    clusters: list[str]
    families: list[str]


def outcome_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Returns the outcome table of ``rows``, each a mapping with the columns of ``SCHEMA``."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=SCHEMA)


def write_outcomes(path: Path, table: pa.Table) -> None:
    """Writes an outcome table to ``path`` as Parquet, atomically."""
    with atomic_path(path) as temporary:
        pq.write_table(table.cast(SCHEMA), temporary, compression="zstd")


def read_outcomes(path: Path) -> pa.Table:
    """Reads the outcome table at ``path``.

    Args:
        path: A Parquet file.

    Returns:
        The table, with the columns of ``SCHEMA`` in their order.

    Raises:
        UserError: If there is no such file, it is no Parquet file, or a column is missing or of another type.
    """
    remedy = "run `suffice evaluate` again"
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise UserError(f"there are no outcomes at {path}", remedy) from None
    except pa.ArrowInvalid as error:
        raise UserError(f"{path} is no Parquet file ({error})", remedy) from error
    missing = [name for name in SCHEMA.names if name not in table.column_names]
    if missing:
        raise UserError(f"{path} lacks the columns {', '.join(missing)}", remedy)
    try:
        return table.select(SCHEMA.names).cast(SCHEMA)
    except pa.ArrowInvalid as error:
        raise UserError(f"{path} has a column of another type ({error})", remedy) from error


def scored(table: pa.Table) -> Scored:
    """Returns the scores of an outcome table as one matrix an arm.

    A run is one pair of draw and seed; of ``random`` and its matched kinds a run is one draw, whose trainings are averaged, since trainings
    on one draw are not independent. Samples of one item in one run (repeated generations) are averaged and never
    counted as runs.

    Args:
        table: An outcome table.

    Returns:
        The scores.

    Raises:
        UserError: If the table is empty, a value is missing, a score is NaN, a row is there twice, an item has two
            tasks or clusters, an arm has two kinds, or an item is missing from a run.
    """
    if len(table) == 0:
        raise UserError("the outcome table is empty", "evaluate the arms first")
    _refuse_missing(table)
    _refuse_duplicates(table)
    items, places = _codes(table, "item")
    names, owners = _codes(table, "arm")
    clusters = _one_each(table, "cluster", "item", items, places)
    families = _one_each(table, "task", "item", items, places)
    kinds = _one_each(table, "kind", "arm", names, owners)
    runs = np.stack([_numbers(table, "draw"), _numbers(table, "seed")], axis=1)
    scores = _numbers(table, "score")
    arms = []
    for number, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        mine = owners == number
        keys = runs[mine, :1] if kind in DRAWN else runs[mine]
        matrix = _matrix(name, keys, places[mine], scores[mine], items)
        arms.append(ArmScores(name, cast("Kind", kind), 100 * matrix))
    return Scored(arms, items, clusters, families)


class RunMean(NamedTuple):
    """The mean score of one run over its items, in percent."""

    draw: int
    seed: int
    score: float


def run_means(table: pa.Table) -> dict[str, list[RunMean]]:
    """Returns the mean score of every run of every arm, in percent, arms in the order of their first row.

    Samples of one item are averaged first, so that each item counts once.

    Args:
        table: An outcome table that `scored` accepts.
    """
    run = ["arm", "draw", "seed"]
    items = table.group_by([*run, "item"], use_threads=False).aggregate([("score", "mean")])
    means = items.group_by(run, use_threads=False).aggregate([("score_mean", "mean")])
    found: dict[str, list[RunMean]] = {}
    for row in means.to_pylist():
        found.setdefault(row["arm"], []).append(
            RunMean(row["draw"], row["seed"], 100 * row["score_mean_mean"])
        )
    return {arm: sorted(runs) for arm, runs in found.items()}


def _matrix(
    arm: str, runs: NDArray[Any], places: NDArray[Any], scores: NDArray[Any], items: list[str]
) -> NDArray[np.float64]:
    """Returns the scores [runs, items] of one arm, samples averaged."""
    keys, rows = np.unique(runs, axis=0, return_inverse=True)
    cells = rows.reshape(-1) * len(items) + places
    counts = np.bincount(cells, minlength=len(keys) * len(items)).reshape(len(keys), len(items))
    empty = np.argwhere(counts == 0)
    if len(empty):
        run, place = empty[0]
        which = ", ".join(f"{part} {key}" for part, key in zip(("draw", "seed"), keys[run], strict=False))
        raise UserError(
            f"arm '{arm}' ({which}) lacks item '{items[place]}', one of {len(empty):,} missing",
            "evaluate every run on the same items",
        )
    totals = np.bincount(cells, weights=scores, minlength=counts.size).reshape(counts.shape)
    means: NDArray[np.float64] = totals / counts
    return means


def _codes(table: pa.Table, column: str) -> tuple[list[str], NDArray[np.int64]]:
    """Returns the distinct values of ``column`` by first appearance, and the place of each row's value in them."""
    encoded = table[column].combine_chunks().dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def _numbers(table: pa.Table, column: str) -> NDArray[Any]:
    """Returns ``column`` as an array."""
    numbers: NDArray[Any] = table[column].to_numpy()
    return numbers


def _one_each(
    table: pa.Table, column: str, owner: str, owners: list[str], places: NDArray[np.int64]
) -> list[str]:
    """Returns the one value of ``column`` that each owner has."""
    values, codes = _codes(table, column)
    first = np.unique(places, return_index=True)[1]
    found = codes[first]
    other = np.flatnonzero(codes != found[places])
    if len(other):
        place = places[other[0]]
        raise UserError(
            f"{owner} '{owners[place]}' has the {column} '{values[found[place]]}' in one row and "
            f"'{values[codes[other[0]]]}' in another",
            f"give every {owner} one {column}",
        )
    return [values[code] for code in found]


def _refuse_missing(table: pa.Table) -> None:
    """Refuses a missing value in the columns that are needed, and a score that is NaN."""
    for name in SCHEMA.names:
        if name in _OPTIONAL:
            continue
        column = table[name].combine_chunks()
        missing = column.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
        if missing.any():
            row = int(np.flatnonzero(missing)[0])
            raise UserError(
                f"{_where(table, row)} has no {name} ({int(missing.sum()):,} such rows)",
                "evaluate it again; a reply that cannot be judged scores 0",
            )


def _refuse_duplicates(table: pa.Table) -> None:
    """Refuses a second row of the same arm, draw, seed, item and sample."""
    keys = ["arm", "draw", "seed", "item", "sample"]
    counts = table.group_by(keys).aggregate([([], "count_all")])
    twice = counts.filter(pc.greater(counts["count_all"], 1))
    if len(twice):
        raise UserError(
            f"{_where(twice, 0)} has {twice['count_all'][0].as_py()} outcomes for sample {twice['sample'][0].as_py()}",
            "number repeated generations by `sample`, or keep one outcome",
        )


def _where(table: pa.Table, row: int) -> str:
    """Returns where a row belongs, in words."""
    place = table.slice(row, 1).to_pylist()[0]
    return f"arm '{place['arm']}' (draw {place['draw']}, seed {place['seed']}), item '{place['item']}',"
