"""The bootstraps against scipy.stats.bootstrap and arch, and the large two-level case with its time and memory.

Run with ``python benchmarks/bootstrap.py [--items N] [--resamples N] [--repeats N] [--large-items N]``. One level:
means of 10,000 items, 1,000 resamples, in turns, best of the repeats. Ratios are of CPU seconds on one thread, which
other programs on the machine disturb least; the last column is wall-clock seconds with two threads. scipy resamples
in batches; `arch` is left out where it is not installed. Two levels: 10 arms of 10 runs on 100,000 items.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import time
from collections.abc import Callable
from functools import cache
from types import ModuleType

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from suffice.proof.bootstrap import item_bootstrap, run_bootstrap

Array = NDArray[np.float64]
Work = Callable[[], object]


def best(ways: dict[str, Work], repeats: int, clock: Callable[[], float]) -> dict[str, float]:
    """Returns the least seconds of each way; they are run in turns, since other load only ever adds time."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, work in ways.items():
            start = clock()
            work()
            taken[name].append(clock() - start)
    return {name: min(times) for name, times in taken.items()}


@cache
def load_arch() -> ModuleType | None:
    """Returns arch's bootstrap, or None where it is not installed, and says so once."""
    try:
        return importlib.import_module("arch.bootstrap")
    except ImportError:
        print("arch is not installed: its lines are left out (pip install arch)")
        return None


def rivals(rows: Array, resamples: int) -> dict[str, Work]:
    """Returns the ways others do it on ``rows`` ([rows, items])."""
    rng = np.random.default_rng

    def theirs(method: str) -> Work:
        # Batches that stay in the cache were the fastest of 10, 100 and 1,000 resamples at once.
        return lambda: stats.bootstrap(
            (rows,), np.mean, n_resamples=resamples, batch=100, axis=-1, method=method, rng=rng(0)
        )

    ways: dict[str, Work] = {"scipy BCa": theirs("BCa"), "scipy percentile": theirs("percentile")}
    arch, columns = load_arch(), np.ascontiguousarray(rows.T)
    for method in ("bca", "percentile") if arch else ():
        ways[f"arch {method}"] = lambda method=method: arch.IIDBootstrap(columns, seed=0).conf_int(
            lambda x: x.mean(axis=0), resamples, method=method
        )
    return ways


def one_level(name: str, rows: Array, resamples: int, repeats: int) -> None:
    """Prints the seconds of each way on ``rows`` and how many times as fast ours is."""
    clusters = [str(place) for place in range(rows.shape[1])]

    def ours(threads: int) -> Work:
        return lambda: item_bootstrap(rows, clusters, resamples=resamples, seed=0, threads=threads)

    ours(1)()  # warm up
    others = rivals(rows, resamples)
    cpu = best({"ours, BCa": ours(1), **others}, repeats, time.process_time)
    wall = best({"ours, BCa": ours(2), **others}, repeats, time.perf_counter)
    print(f"\n{name}: {rows.shape[0]} x {rows.shape[1]:,} items, {resamples:,} resamples, best of {repeats}")
    print(f"{'':<18} {'CPU s':>9} {'ours is':>9} {'wall s':>9} {'ours is':>9}")
    for way, seconds in cpu.items():
        times, walls = seconds / cpu["ours, BCa"], wall[way] / wall["ours, BCa"]
        print(f"{way:<18} {seconds:>9.4f} {times:>8.1f}x {wall[way]:>9.4f} {walls:>8.1f}x")


def two_levels(items: int, resamples: int) -> None:
    """Prints the time and the peak memory of ten arms of ten runs."""
    rng = np.random.default_rng(0)
    arms = [rng.random((10, items)) for _ in range(10)]
    clusters = [str(place) for place in range(items)]
    start, cpu = time.perf_counter(), time.process_time()
    found = run_bootstrap(arms, clusters, resamples=resamples, seed=0, threads=2)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    interval = found.difference(0, 1)
    print(f"\ntwo levels: {items:,} items x 10 arms x 10 runs, {resamples:,} resamples, two threads")
    print(f"{wall:.1f} s wall, {cpu:.1f} s CPU, peak memory {peak:.2f} GiB with the scores")
    print(f"first difference {interval.estimate:.5f} ({interval.low:.5f} to {interval.high:.5f})")


def main() -> None:
    """Prints one table for each kind of data, then the large case."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--resamples", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large-items", type=int, default=100_000)
    parser.add_argument("--large-resamples", type=int, default=10_000)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    graded = rng.exponential(size=(10, options.items))
    one_level("graded", graded[:1], options.resamples, options.repeats)
    one_level("right or wrong", (graded[:1] < 1).astype(np.float64), options.resamples, options.repeats)
    one_level("graded, ten arms", graded, options.resamples, 1)
    two_levels(options.large_items, options.large_resamples)


if __name__ == "__main__":
    main()
