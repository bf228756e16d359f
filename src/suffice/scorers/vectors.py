"""The vectors of rows as a file: an array of float32 that is mapped into memory, not read into it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from suffice.common.files import atomic_path

BLOCK = 4096
"""Rows that are worked on at once."""

Vectors = NDArray[np.float32]


def blocks(vectors: Vectors) -> Iterator[Vectors]:
    """Yields vectors in blocks of `BLOCK` rows."""
    for top in range(0, len(vectors), BLOCK):
        yield vectors[top : top + BLOCK]


def write_vectors(path: Path, rows: int, parts: Iterable[Vectors]) -> None:
    """Writes vectors part by part as a ``.npy`` file, atomically.

    Args:
        path: The file.
        rows: How many rows the parts have in all.
        parts: Arrays [rows of the part, width], all of one width; at least one.
    """
    with atomic_path(path) as temporary:
        array, done = None, 0
        for part in parts:
            if array is None:
                array = open_memmap(temporary, mode="w+", dtype=np.float32, shape=(rows, part.shape[1]))
            array[done : done + len(part)] = part
            done += len(part)
        assert array is not None
        assert done == rows, f"{done} of {rows} rows"
        array.flush()


def read_vectors(path: Path) -> Vectors:
    """Returns the vectors of a file [rows, width], mapped into memory and read only.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no array of float32 in two dimensions.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except EOFError as error:
        raise ValueError(str(error)) from error
    if not isinstance(array, np.memmap) or array.dtype != np.float32 or array.ndim != 2:
        raise ValueError(f"{path.name} holds no vectors")
    return array
