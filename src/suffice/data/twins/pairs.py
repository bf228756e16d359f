"""Pairs of rows with their similarity: what a search for twins finds and a clustering takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from suffice.data.tables import write_table

EXACT, SAME_WORDS, NEAR, SEMANTIC = "exact", "same-words", "near", "semantic"
KINDS = (EXACT, SAME_WORDS, NEAR, SEMANTIC)
SAME = (KINDS.index(EXACT), KINDS.index(SAME_WORDS))
"""Kinds whose later row says the same as the first of its group and is paired with that one alone."""

_SCHEMA = pa.schema(
    [("first", pa.int64()), ("second", pa.int64()), ("similarity", pa.float32()), ("kind", pa.string())]
)
_KEY = b"suffice.twins"


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of rows, each once.

    Attributes:
        first: The earlier row's place in the pool.
        second: The later row's.
        similarity: From 0 to 1; for exact twins and rows of the same words 1.
        kind: Places in `KINDS`.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    similarity: NDArray[np.float32]
    kind: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.first)

    @classmethod
    def of(
        cls, kind: str, one: NDArray[np.int64], other: NDArray[np.int64], similarity: NDArray[np.float32]
    ) -> Pairs:
        """Builds pairs of one kind, the rows of each in any order."""
        first, second = np.minimum(one, other), np.maximum(one, other)
        kinds = np.full(len(first), KINDS.index(kind), np.int8)
        return cls(first, second, similarity.astype(np.float32), kinds)

    @classmethod
    def joined(cls, parts: Iterable[Pairs]) -> Pairs:
        """Returns all pairs of several, by later row and earlier row."""
        found = list(parts) or [cls.none()]
        whole = cls(*(np.concatenate([getattr(part, name) for part in found]) for name in cls.__slots__))
        return whole.at(np.lexsort((whole.first, whole.second)))

    @classmethod
    def none(cls) -> Pairs:
        """Returns no pairs."""
        return cls.of(NEAR, np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))

    def at(self, places: NDArray[np.intp] | NDArray[np.bool_]) -> Pairs:
        """Returns some of the pairs."""
        return Pairs(self.first[places], self.second[places], self.similarity[places], self.kind[places])

    def write(self, path: Path, key: str) -> None:
        """Writes the pairs as Parquet, atomically, with a key that says what they were found in and how."""
        kinds = pa.array(KINDS).take(pa.array(self.kind))
        arrays = [pa.array(column) for column in (self.first, self.second, self.similarity, kinds)]
        schema = _SCHEMA.with_metadata({_KEY: key})
        write_table(path, pa.Table.from_arrays(arrays, schema=schema))

    @classmethod
    def read(cls, path: Path, key: str) -> Pairs | None:
        """Returns the pairs that `write` wrote with a key; `None` where there are none of that key."""
        try:
            table = pq.read_table(path)
        except (OSError, ValueError, pa.ArrowException):
            return None
        if not table.schema.equals(_SCHEMA) or (table.schema.metadata or {}).get(_KEY) != key.encode():
            return None
        kinds = np.array([KINDS.index(kind) for kind in table["kind"].to_pylist()], np.int8)
        first, second, similarity = (table[name].to_numpy() for name in _SCHEMA.names[:3])
        return cls(first, second, similarity, kinds)
