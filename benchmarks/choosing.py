"""Selectors over vectors against apricot-select and submodlib, and k-center over a million rows.

Run with ``python benchmarks/choosing.py [--rows N] [--budget K] [--width D]``: facility location by
Suffice, apricot and submodlib over the same similarities, (1 + cosine) / 2, on vectors in 200 clusters. A rival that is
not installed is left out (pip install apricot-select submodlib-py). Time counts from the vectors to the choice; apricot's
compilation is done beforehand, on a few rows. The objective is that over all rows, as a share of the best found.

``--million`` chooses 1,000 of 1,000,000 rows of 384 dimensions by k-center, from a file that is mapped into memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CLUSTERS = 200
BLOCK = 4096

Vectors = NDArray[np.float32]


def vectors(rows: int, width: int) -> Vectors:
    """Makes directions in clusters of unequal size, always the same ones."""
    draw = np.random.default_rng(0)
    centres = draw.normal(size=(CLUSTERS, width)).astype(np.float32)
    made = np.empty((rows, width), np.float32)
    for top in range(0, rows, BLOCK):
        some = made[top : top + BLOCK]
        which = (CLUSTERS * draw.random(len(some)) ** 2).astype(int)
        some[:] = centres[which] + 0.7 * draw.normal(size=some.shape).astype(np.float32)
        some /= np.linalg.norm(some, axis=1, keepdims=True)
    return made


def suffice(name: str, made: Vectors, budget: int) -> tuple[list[int], float]:
    """Chooses by a selector of Suffice, reasons and all; returns the rows and the seconds, as the others do."""
    from suffice.common import registry
    from suffice.data.example import Example
    from suffice.data.pool import Pool
    from suffice.scorers.protocol import Scores
    from suffice.selectors.protocol import SelectionRequest

    turns = ({"role": "user", "content": "?"}, {"role": "assistant", "content": "!"})
    rows = (Example(str(i), turns, None, "made", None, "made", i) for i in range(len(made)))
    pool = Pool.from_examples(rows)
    scores = Scores(pool.ids, np.zeros(len(made), np.float32), vectors=made)
    request = SelectionRequest(pool, scores, budget)
    started = time.perf_counter()
    choices = registry.load("selectors", name)().select(request)
    taken = time.perf_counter() - started
    return [choice.index for choice in choices], taken


def apricot(made: Vectors, budget: int) -> tuple[list[int], float]:
    """Chooses by apricot's lazy greedy facility location."""
    from apricot import FacilityLocationSelection

    def choose(some: Vectors, count: int) -> list[int]:
        likeness = (1 + some.astype(np.float64) @ some.T) / 2
        model = FacilityLocationSelection(count, metric="precomputed", optimizer="lazy")
        return [int(index) for index in model.fit(likeness).ranking]

    choose(made[:100], 5)  # compiles
    started = time.perf_counter()
    chosen = choose(made, budget)
    return chosen, time.perf_counter() - started


def submodlib(made: Vectors, budget: int) -> tuple[list[int], float]:
    """Chooses by submodlib's lazy greedy facility location."""
    from submodlib import FacilityLocationFunction

    started = time.perf_counter()
    likeness = (1 + made @ made.T) / 2
    function = FacilityLocationFunction(n=len(made), mode="dense", sijs=likeness, separate_rep=False)
    pairs = function.maximize(
        budget=budget, optimizer="LazyGreedy", stopIfZeroGain=False, stopIfNegativeGain=False, verbose=False,
        show_progress=False,
    )  # fmt: skip
    taken = time.perf_counter() - started
    return [int(index) for index, _ in pairs], taken


def served(made: Vectors, chosen: list[int]) -> float:
    """Returns how well chosen rows serve all, exactly: the mean of the largest (1 + cosine) / 2."""
    parts = [
        (made[top : top + BLOCK] @ made[chosen].T).max(axis=1).sum(dtype=np.float64)
        for top in range(0, len(made), BLOCK)
    ]
    return float(1 + sum(parts) / len(made)) / 2


def compare(rows: int, width: int, budget: int) -> None:
    """Prints times, ratios and objectives of whatever is installed."""
    made = vectors(rows, width)
    ways: dict[str, Callable[[], tuple[list[int], float]]] = {
        "suffice": lambda: suffice("facility_location", made, budget),
        "apricot": lambda: apricot(made, budget),
        "submodlib": lambda: submodlib(made, budget),
    }
    times: dict[str, float] = {}
    reached: dict[str, float] = {}
    for name, way in ways.items():
        try:
            chosen, times[name] = way()
        except ImportError as error:
            print(f"{name}: not installed ({error})")
            continue
        reached[name] = served(made, chosen)
    best = max(reached.values())
    print(
        f"{rows:,} rows of {width} dimensions, budget {budget:,}, {os.environ.get('OMP_NUM_THREADS')} threads"
    )
    for name, taken in times.items():
        ratio = taken / times["suffice"]
        print(
            f"{name:<10} {taken:8.2f} s  {ratio:6.2f} x  objective {reached[name]:.5f} ({reached[name] / best:.4%})"
        )


def million(rows: int, width: int, budget: int) -> None:
    """Prints the time and the memory of k-center over vectors in a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.npy"
        np.save(path, vectors(rows, width))
        _, taken = suffice("k_center", np.load(path, mmap_mode="r"), budget)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{budget:,} of {rows:,} rows of {width} dimensions in {taken:.1f} s; at most {most:.2f} GB, the file's pages included"
    )


def main() -> None:
    """Reads the options and runs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--budget", type=int)
    parser.add_argument("--million", action="store_true", help="k-center over a million rows instead")
    options = parser.parse_args()
    if options.million:
        million(options.rows or 1_000_000, options.width, options.budget or 1000)
    else:
        compare(options.rows or 5000, options.width, options.budget or 200)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
