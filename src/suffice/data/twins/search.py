"""The search for twins in a pool, and the folder that holds what it found.

The folder holds ``pairs.parquet`` (all pairs above the floor, with the key of the search), ``clusters.parquet`` (the
rows that have a twin), ``kept.jsonl`` and ``removed.jsonl`` (all rows of the pool, in one or the other) and, written
last, ``twins.json``. Pairs of the same rows found in the same way are taken from there, so that another threshold
only clusters anew, and a search that was cut off after it wrote its pairs goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from suffice.common.errors import UserError
from suffice.common.files import digest, write_json, write_jsonl
from suffice.common.progress import Reporter, Task
from suffice.data.example import Example
from suffice.data.lsa import Vectors, lsa_vectors, unit
from suffice.data.pool import Pool
from suffice.data.tables import write_table
from suffice.data.twins import near, semantic
from suffice.data.twins.clusters import Clusters, cluster
from suffice.data.twins.exact import ExactTwins, said
from suffice.data.twins.pairs import EXACT, KINDS, Pairs

METHODS = ("exact", "near", "semantic")
FLOORS = {"exact": 1.0, "near": near.FLOOR, "semantic": semantic.FLOOR}
THRESHOLDS = {"exact": 1.0, "near": 0.8, "semantic": 0.95}
_BATCH = 4096

Embed = Callable[[list[Example]], Vectors]


@dataclass(frozen=True)
class TwinSearch:
    """How twins are searched for.

    Attributes:
        method: ``exact``, ``near`` or ``semantic``; the latter two find exact twins too.
        threshold: The least similarity of twins.
        seed: Seed of signatures and decompositions.
        vectors: What the vectors of semantic twins are called; part of the key of what is stored.
        embed: Makes those vectors from rows; by default latent semantic analysis does.
    """

    method: str
    threshold: float
    seed: int = 0
    vectors: str = "lsa"
    embed: Embed | None = None

    def __post_init__(self) -> None:
        floor = FLOORS[self.method]
        if not floor <= self.threshold <= 1:
            raise UserError(
                f"the threshold of {self.method} twins is {self.threshold:g}",
                f"give {floor:g} to 1; pairs below are not stored" if floor < 1 else "leave it out: it is 1",
            )

    def key(self, pool: Pool) -> str:
        """Returns what tells stored pairs of this search, at any threshold, from those of others."""
        how = [self.method, FLOORS[self.method], self.seed, self.vectors]
        near_how = [near.RUN, near.BANDS, near.BAND, near.CROWD]
        return digest([how, near_how if self.method == "near" else None, pool.fingerprint])

    def find(self, pool: Pool, reporter: Reporter) -> Pairs:
        """Returns the pairs of similarity `FLOORS` or more."""
        exact = ExactTwins()
        match self.method:
            case "near":
                return self._near(pool, exact, reporter)
            case "semantic":
                return self._semantic(pool, exact, reporter)
        with reporter.track("exact", len(pool), "rows") as task:
            found = [pairs for _, _, pairs in _batches(pool, exact, task)]
            pairs = Pairs.joined(found)
            task.result(f"{len(pairs):,} exact twins")
        return pairs

    def _near(self, pool: Pool, exact: ExactTwins, reporter: Reporter) -> Pairs:
        twins = near.NearTwins(floor=FLOORS["near"], seed=self.seed)
        found = []
        with reporter.track("sketch", len(pool), "rows") as task:
            for rows, examples, pairs in _batches(pool, exact, task):
                twins.add(rows, [said(example) for example in examples])
                found.append(pairs)
        with reporter.track("compare", near.BANDS, "bands") as task:
            pairs = Pairs.joined([*found, twins.pairs(task.advance)])
            task.result(f"{len(pairs):,} pairs of similarity {FLOORS['near']:g} or more")
        if twins.crowded:
            reporter.say(
                f"Some rows are like many others: each was compared with some of them, at least {near.CROWD}, not with all."
            )
        return pairs

    def _semantic(self, pool: Pool, exact: ExactTwins, reporter: Reporter) -> Pairs:
        rows, vectors, texts, found = [], [], [], []
        with reporter.track("embed", len(pool), "rows") as task:
            for numbers, examples, pairs in _batches(pool, exact, task):
                rows += numbers
                found.append(pairs)
                if self.embed:
                    vectors.append(unit(self.embed(examples)))
                else:
                    texts += [said(example) for example in examples]
            made = np.concatenate(vectors) if vectors else lsa_vectors(texts, seed=self.seed)
        with reporter.track("compare", len(rows), "rows") as task:
            near_pairs = semantic.semantic_pairs(
                np.array(rows, np.int64), made, FLOORS["semantic"], task.advance
            )
            pairs = Pairs.joined([*found, near_pairs])
            task.result(f"{len(pairs):,} pairs of similarity {FLOORS['semantic']:g} or more")
        return pairs


def _batches(pool: Pool, exact: ExactTwins, task: Task) -> Iterator[tuple[list[int], list[Example], Pairs]]:
    """Yields the rows that no earlier row says exactly, some at once, and the pairs of those that one does."""
    rows = enumerate(pool)
    while batch := list(islice(rows, _BATCH)):
        firsts = [(row, exact.first(row, example), example) for row, example in batch]
        new = [(row, example) for row, first, example in firsts if first == row]
        pairs = np.array([(first, row) for row, first, _ in firsts if first != row], np.int64).reshape(-1, 2)
        ones = np.ones(len(pairs), np.float32)
        yield [r for r, _ in new], [e for _, e in new], Pairs.of(EXACT, pairs[:, 0], pairs[:, 1], ones)
        task.advance(len(batch))


@dataclass(frozen=True)
class TwinResult:
    """What a search found, clustered at its threshold.

    Attributes:
        pairs: All pairs stored.
        clusters: The rows that have a twin.
        reused: Whether the pairs were found before.
    """

    pairs: Pairs
    clusters: Clusters
    reused: bool

    def counts(self, pool: Pool) -> dict[str, Any]:
        """Returns how many rows stay and go, and why; kept + removed = rows."""
        removed = len(self.clusters.removed)
        same = {kind: int((self.pairs.kind == KINDS.index(kind)).sum()) for kind in KINDS[:2]}
        return {
            "rows": len(pool),
            "kept": len(pool) - removed,
            "removed": removed,
            "exact": same["exact"],
            "same_words": same["same-words"],
            "nearly": removed - sum(same.values()),
            "clusters": len(np.unique(self.clusters.cluster)),
            "pairs": len(self.pairs),
        }


def search(pool: Pool, how: TwinSearch, folder: Path | None, reporter: Reporter) -> TwinResult:
    """Finds the twins of a pool and, where a folder is given, writes all files but ``twins.json`` there."""
    key = how.key(pool)
    stored = Pairs.read(folder / "pairs.parquet", key) if folder else None
    pairs = how.find(pool, reporter) if stored is None else stored
    if folder and stored is None:
        (folder / "twins.json").unlink(missing_ok=True)
        pairs.write(folder / "pairs.parquet", key)
    result = TwinResult(pairs, cluster(pairs, how.threshold), stored is not None)
    if folder:
        _write(folder, pool, result.clusters)
    return result


def write_summary(folder: Path, summary: dict[str, Any]) -> None:
    """Writes ``twins.json``, the last file."""
    write_json(folder / "twins.json", summary)


def _write(folder: Path, pool: Pool, found: Clusters) -> None:
    (folder / "twins.json").unlink(missing_ok=True)
    ids = np.array(pool.ids, object)
    columns: dict[str, Any] = {
        "row": found.rows,
        "id": ids[found.rows],
        "cluster": ids[found.cluster],
        "stays": found.twin == found.rows,
        "twin": ids[found.twin],
        "similarity": found.similarity,
    }
    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    write_table(folder / "clusters.parquet", table)
    gone = np.zeros(len(pool), np.bool_)
    gone[found.removed] = True
    kept = (_row(example) for row, example in enumerate(pool) if not gone[row])
    write_jsonl(folder / "kept.jsonl", kept)
    stays, close = (
        dict(zip(found.rows, found.twin, strict=True)),
        dict(zip(found.rows, found.similarity, strict=True)),
    )
    removed = (
        _row(pool[int(row)])
        | {"twin": _place(pool[int(stays[row])]), "similarity": round(float(close[row]), 4)}
        for row in found.removed
    )
    write_jsonl(folder / "removed.jsonl", removed)


def _place(example: Example) -> dict[str, Any]:
    return {"id": example.id, "file": example.file, "line": example.line}


def _row(example: Example) -> dict[str, Any]:
    """Returns a row in the form in which it is read again, with where it came from."""
    fields = {"messages": list(example.messages), "tools": list(example.tools) if example.tools else None}
    given = fields | {"source": example.source, "license": example.license}
    return {name: value for name, value in given.items() if value is not None} | _place(example)
