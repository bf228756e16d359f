"""The stores of gradient features: bytes a row, rows a second against a target, and memory as a store grows."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from suffice.gradients.codes import KINDS, Queries, code_norms, encode
from suffice.gradients.rows import Reason
from suffice.gradients.store import SHARD_ROWS, Store

ROWS = 4096


def seconds(work: Callable[[], object]) -> float:
    """Times one call in CPU seconds, which other programs on the machine disturb least."""
    start = time.process_time()
    work()
    return time.process_time() - start


def in_turns(
    ways: dict[str, Callable[[], object]], repeats: int, *, warm: bool = True
) -> dict[str, list[float]]:
    """Times ways in turns, each once beforehand to warm up."""
    for work in ways.values() if warm else ():
        work()
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, work in ways.items():
            times[name].append(seconds(work))
    return times


def scoring(size: int, queries: int, repeats: int) -> None:
    """Prints how many rows a second of each kind meet a target's features, on one core, from memory."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(ROWS, size, generator=generator)
    wanted = torch.randn(queries, size, generator=generator)
    target = Queries(wanted)
    stored = {kind: encode(features, kind) for kind in KINDS}
    norms = {kind: code_norms(codes, kind) for kind, codes in stored.items()}
    bare, other = torch.from_numpy(stored["int8"]), torch.from_numpy(encode(wanted, "int8")).T
    halves, wide = stored["fp16"], wanted.numpy().T.copy()
    ways: dict[str, Callable[[], object]] = {
        "bare int8 product (torch)": lambda: torch._int_mm(bare, other),
        "bare float32 product": lambda: features @ wanted.T,
        "fp16 widened by numpy": lambda: halves.astype(np.float32) @ wide,
        "fp16 widened by torch": lambda: torch.from_numpy(halves).float() @ wanted.T,
    } | {
        f"scoring, {kind}": lambda kind=kind: target.cosines(stored[kind], norms[kind], kind)
        for kind in KINDS
    }
    print(f"\nscoring, {size:,} numbers, {queries} targets, {ROWS:,} rows, medians of {repeats} in turns")
    times = in_turns(ways, repeats)
    ours = statistics.median(times["scoring, int8"])
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(f"  {name:<26} {ROWS / middle:>10,.0f} rows/s   int8 is {middle / ours:5.2f} times as fast")


def store_bytes(size: int, rival: int) -> None:
    """Prints the bytes of a shard of each kind, against a rival's bytes a row where there are any."""
    features = torch.randn(SHARD_ROWS, size, generator=torch.Generator().manual_seed(0))
    ids = [str(i) for i in range(SHARD_ROWS)]
    print("\nstores, bytes of the files a row")
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            store = Store(Path(folder), {"bits": kind})
            store.write(ids, features, [Reason.NONE] * SHARD_ROWS)
            bytes_a_row = store.path(ids).stat().st_size / SHARD_ROWS
            versus = f"   1/{rival / bytes_a_row:.1f} of bergson's {rival:,}" if rival else ""
            print(f"  {kind:<6} {bytes_a_row:>10,.1f}{versus}")


def memory(size: int, queries: int) -> None:
    """Prints the most memory of a process that scores stores of more and more rows."""
    print(f"\nmemory, int8, {size:,} numbers, {queries} targets")
    for rows in (10_240, 102_400):
        with tempfile.TemporaryDirectory() as folder:
            ids = _fill(Path(folder), size, rows)
            command = [sys.executable, __file__, folder, str(size), str(queries), str(len(ids))]
            print(f"  {rows:>8,} rows: {subprocess.check_output(command, text=True).strip()}")


def _fill(folder: Path, size: int, rows: int) -> list[list[str]]:
    shards = [[f"{i}"] * SHARD_ROWS for i in range(rows // SHARD_ROWS)]
    features = torch.randn(SHARD_ROWS, size, generator=torch.Generator().manual_seed(0))
    store = Store(folder, {"bits": "int8"})
    for ids in shards:
        store.write(ids, features, [Reason.NONE] * SHARD_ROWS)
    return shards


def _score(folder: Path, size: int, queries: int, shards: int) -> None:
    """Scores a store and says what that took; runs in a process of its own."""
    torch.set_num_threads(1)
    target = Queries(torch.randn(queries, size, generator=torch.Generator().manual_seed(1)))
    before, started, rows = _most_memory(), time.process_time(), 0
    ids = [[f"{i}"] * SHARD_ROWS for i in range(shards)]
    for cosines, _ in Store(folder, {"bits": "int8"}).cosines(ids, target):
        rows += len(cosines)
    taken = time.process_time() - started
    print(f"{before:,.0f} MiB before, {_most_memory():,.0f} at most, {rows / taken:,.0f} rows a CPU second")


def _most_memory() -> float:
    """Returns the most MiB that this process ever had resident, mapped files among them (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    _score(Path(sys.argv[1]), *map(int, sys.argv[2:]))
