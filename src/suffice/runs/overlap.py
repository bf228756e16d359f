"""How far several selections choose the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from scipy.stats import hypergeom

from suffice.common.errors import UserError
from suffice.data.example import content_id
from suffice.data.pool import Pool
from suffice.runs.folder import RunFolder
from suffice.runs.selection import read_selection

MOST = 6


@dataclass(frozen=True)
class Pair:
    """Two selections.

    Attributes:
        a: The name of one.
        b: The name of the other.
        shared: How many rows are in both.
        jaccard: Of the rows that are in one at least, the share that is in both.
        overlap: Of the rows of the smaller one, the share that is in both.
        chance: How many rows two selections of their sizes would share on average if one of them were drawn at random;
            `None` where they are not of one pool.
        low: The 2.5th percentile of that number.
        high: The 97.5th percentile.
    """

    a: str
    b: str
    shared: int
    jaccard: float
    overlap: float
    chance: float | None = None
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Overlap:
    """How far several selections choose the same rows.

    Attributes:
        rows: How many rows each selection has, by name.
        pairs: Every two of them.
        regions: How many rows are in exactly so many of them; the largest first.
        pool: How many rows could be chosen; `None` where the selections are not of one pool.
    """

    rows: dict[str, int]
    pairs: list[Pair]
    regions: list[tuple[tuple[str, ...], int]]
    pool: int | None

    @property
    def union(self) -> int:
        """How many rows are in one selection at least."""
        return sum(count for _, count in self.regions)

    def as_json(self) -> dict[str, Any]:
        """Returns it as one JSON object."""
        return {
            "selections": [
                {"name": name, "rows": rows, "only": dict(self.regions).get((name,), 0)}
                for name, rows in self.rows.items()
            ],
            "pairs": [asdict(pair) for pair in self.pairs],
            "regions": [{"of": list(names), "rows": rows} for names, rows in self.regions],
            "union": self.union,
            "pool": self.pool,
        }


def overlap(paths: Sequence[str]) -> Overlap:
    """Compares selections.

    Args:
        paths: Folders with a ``selection.jsonl``, or such files; ``NAME=PATH`` where the folder's name does not do.

    Raises:
        UserError: There are fewer than two or too many, one has no selection, or two have the same name.
    """
    if not 2 <= len(paths) <= MOST:
        raise UserError(f"{len(paths)} of 2 to {MOST} selections are given", "name folders or files")
    chosen: dict[str, set[str]] = {}
    pools = set()
    for given in paths:
        name, path = _named(given)
        if name in chosen:
            raise UserError(f"two selections are called '{name}'", "name them: NAME=DIR")
        chosen[name] = _ids(path)
        pools.add(_pool(path))
    [pool] = pools if len(pools) == 1 else [None]
    return compare(chosen, pool[1] if pool else None)


def compare(chosen: Mapping[str, set[str]], pool: int | None) -> Overlap:
    """Compares sets of rows.

    Args:
        chosen: The ids of the rows of each selection.
        pool: How many rows could be chosen; `None` where that is not the same for all.
    """
    members = Counter(
        tuple(name for name, rows in chosen.items() if row in rows) for row in set().union(*chosen.values())
    )
    regions = sorted(members.items(), key=lambda region: (-region[1], len(region[0])))
    pairs = [_pair(a, b, chosen[a], chosen[b], pool) for a, b in combinations(chosen, 2)]
    return Overlap({name: len(rows) for name, rows in chosen.items()}, pairs, regions, pool)


def _pair(a: str, b: str, one: set[str], other: set[str], pool: int | None) -> Pair:
    shared = len(one & other)
    jaccard, part = shared / len(one | other), shared / min(len(one), len(other))
    if pool is None:
        return Pair(a, b, shared, jaccard, part)
    low, high = (int(hypergeom.ppf(share, pool, len(one), len(other))) for share in (0.025, 0.975))
    return Pair(a, b, shared, jaccard, part, len(one) * len(other) / pool, low, high)


def _named(given: str) -> tuple[str, Path]:
    name, sign, path = given.partition("=")
    if sign and name and not Path(given).exists():
        return name, Path(path)
    found = Path(given)
    return (found.stem if found.is_file() else found.resolve().name), found


def _file(path: Path) -> Path:
    return RunFolder(path).selection if path.is_dir() else path


def _ids(path: Path) -> set[str]:
    rows = read_selection(_file(path))
    found = {str(row.get("id") or content_id(row.get("messages") or [], row.get("tools"))) for row in rows}
    if not found:
        raise UserError(f"{_file(path)} chooses no row", "give another selection")
    return found


def _pool(path: Path) -> tuple[str, int] | None:
    """Returns what tells the pool of a folder, and its rows; `None` where it does not lie there."""
    file = RunFolder(path).pool
    if not (path.is_dir() and file.is_file()):
        return None
    pool = Pool.read(file)
    return pool.fingerprint, len(pool)
