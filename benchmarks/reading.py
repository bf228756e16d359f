"""Reading, checking and writing a pool against `datasets.load_dataset` and datatrove's reader, in one run.

Run with ``python benchmarks/reading.py [--rows 10000,30000,100000,300000,1000000] [--repeats N] [--plot FILE.svg]``. Each
measurement is a process of its own on the same cores, ending in a columnar file on the disk: ``suffice check --out``
writes Parquet and validates every row; `load_dataset` starts with an empty cache and writes Arrow; datatrove, where it is
installed, reads JSON Lines and writes Parquet. Rows are chats of about 1 kB. Printed are seconds (the median), CPU seconds
and peak memory of the process and its workers, the ratios of seconds and of CPU seconds to `load_dataset`, and the exponent
of the growth of CPU seconds (1 is linear), which other work on the machine changes least; they are what is plotted.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from suffice.common.draws import Draws
from suffice.scale.local import cores

WORDS = [
    f"{first}{last}"
    for first in ("ba", "ke", "lo", "mi", "su", "ta")
    for last in ("n", "rt", "sk", "lle", "mpo", "d")
]
WAYS = ("suffice", "datasets", "datatrove")
MEMORY = 2e9  # bytes that a million rows may take


def write_rows(path: Path, rows: int) -> None:
    """Writes chats of about 1 kB, every 1,000th without an answer and every 500th with one in another script."""
    draws = Draws(0, "benchmark-reading")
    texts = [" ".join(WORDS[draws.below(len(WORDS))] for _ in range(20)) + "." for _ in range(997)]
    with path.open("w", encoding="utf-8") as file:
        for i in range(rows):
            asked = f"{i} {texts[i % 997]} {texts[i * 7 % 997]}"
            answered = "" if i % 1000 == 999 else " ".join(texts[(i * k + k) % 997] for k in range(1, 7))
            turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
            file.write(json.dumps({"messages": turns, "source": "made"}) + "\n")


def work(way: str, file: Path, folder: Path) -> int:
    """Reads a file to a columnar one by one way; returns how many rows were written."""
    if way == "suffice":
        from suffice.common.progress import Silent
        from suffice.data.terms import Terms
        from suffice.runs.checking import check_files

        return check_files([str(file)], Terms(), Silent(), model=None, out=folder).accepted
    if way == "datasets":
        import datasets

        datasets.disable_progress_bars()
        return len(datasets.load_dataset("json", data_files=str(file), split="train", cache_dir=str(folder)))
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import ParquetWriter

    def adapter(reader: object, row: dict[str, object], path: str, place: int) -> dict[str, object]:
        return {"text": json.dumps(row["messages"]), "id": str(place), "metadata": {"source": row["source"]}}

    steps = [
        JsonlReader(str(file.parent), glob_pattern=file.name, adapter=adapter),
        ParquetWriter(str(folder / "out")),
    ]
    LocalPipelineExecutor(pipeline=steps, tasks=1, logging_dir=str(folder / "logs")).run()
    return sum(1 for _ in file.open("rb"))


def measure(way: str, file: Path) -> tuple[float, float, float]:
    """Returns seconds, CPU seconds and peak bytes of one way, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--work", way, "--file", str(file), "--folder", folder]
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
        found = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    seconds, cpu, peak = json.loads(found.splitlines()[-1])
    return seconds, cpu, peak


def worker(way: str, file: Path, folder: Path) -> None:
    """Does the work and prints seconds, CPU seconds (imports are not counted) and peak bytes."""
    for module in {
        "suffice": ("suffice.runs.checking",),
        "datasets": ("datasets",),
        "datatrove": ("datatrove",),
    }[way]:
        importlib.import_module(module)
    if way == "suffice":
        import pyarrow

        from suffice.data.formats import load_formats

        load_formats()
        pyarrow.array(["its first array imports pandas, as datasets does when it is imported"])
    start, before = time.perf_counter(), sum(os.times()[:4])
    work(way, file, folder)
    seconds, cpu = time.perf_counter() - start, sum(os.times()[:4]) - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak += cores() * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # of the largest worker process
    sys.stdout.write(json.dumps([seconds, cpu, peak * 1024]) + "\n")


def compare(rows: int, repeats: int, costs: dict[str, list[float]]) -> None:
    """Measures all ways on one file, in turns, adds their CPU seconds to ``costs`` and prints a line of each."""
    found: dict[str, list[tuple[float, float, float]]] = {way: [] for way in costs}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pool.jsonl"
        write_rows(file, rows)
        megabytes = file.stat().st_size / 1e6
        for _ in range(repeats):
            for way, runs in found.items():
                runs.append(measure(way, file))
    walls = {way: statistics.median(seconds for seconds, _, _ in runs) for way, runs in found.items()}
    for way, runs in found.items():
        costs[way].append(statistics.median(cpu for _, cpu, _ in runs))
    for way, runs in found.items():
        seconds, cpu, peak = walls[way], costs[way][-1], max(peak for _, _, peak in runs)
        ratio, cost = seconds / walls.get("datasets", math.nan), cpu / costs.get("datasets", [math.nan])[-1]
        over = "  more than 2 GB" if way == "suffice" and peak > MEMORY else ""
        print(
            f"{rows:>9,} rows {megabytes:7.1f} MB  {way:<10} {seconds:7.2f} s  CPU {cpu:7.2f} s  "
            f"peak {peak / 1e6:6.0f} MB  {ratio:5.2f} and {cost:5.2f} x load_dataset{over}"
        )


def exponent(sizes: list[int], seconds: list[float]) -> float:
    """Returns the slope of CPU seconds over rows, both in logarithms, by least squares."""
    slope = statistics.linear_regression(
        [math.log(size) for size in sizes], [math.log(s) for s in seconds]
    ).slope
    return float(slope)


def plot(path: Path, sizes: list[int], costs: dict[str, list[float]]) -> None:
    """Draws CPU seconds over rows, both logarithmic."""
    top, right = max(max(values) for values in costs.values()), max(sizes)
    low, left = min(min(values) for values in costs.values()), min(sizes)

    def at(rows: float, seconds: float) -> tuple[float, float]:
        x = 60 + 480 * math.log(rows / left) / max(math.log(right / left), 1e-9)
        return x, 300 - 260 * math.log(seconds / low) / max(math.log(top / low), 1e-9)

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="680" height="350" font-family="sans-serif" font-size="13">'
    ]
    parts.append(
        '<text x="60" y="18">CPU seconds to read, check and write, by rows (both logarithmic)</text>'
    )
    for rows in sizes:
        parts.append(f'<text x="{at(rows, low)[0]:.0f}" y="335" text-anchor="middle">{rows:,}</text>')
    for (way, values), colour in zip(costs.items(), ("#0072b2", "#888", "#d55e00"), strict=False):
        points = [at(rows, seconds) for rows, seconds in zip(sizes, values, strict=True)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        for (x, y), value in list(zip(points, values, strict=True))[:-1]:
            parts.append(
                f'<text x="{x:.0f}" y="{y - 8:.0f}" text-anchor="middle" fill="{colour}">{value:.2g}</text>'
            )
        x, y = points[-1]
        parts.append(f'<text x="{x + 8:.0f}" y="{y + 4:.0f}" fill="{colour}">{way} {values[-1]:.1f} s</text>')
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", default="10000,30000,100000,300000,1000000")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--plot", type=Path)
    for hidden in ("--work", "--file", "--folder"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        worker(options.work, Path(options.file), Path(options.folder))
        return
    ways = [way for way in WAYS if importlib.util.find_spec(way)]
    sizes = sorted(int(word) for word in options.rows.split(","))
    costs: dict[str, list[float]] = {way: [] for way in ways}
    for rows in sizes:
        compare(rows, options.repeats, costs)
    if len(sizes) > 1:
        for way in ways:
            print(f"growth of {way}: rows to the power {exponent(sizes, costs[way]):.2f}")
    if options.plot:
        plot(options.plot, sizes, costs)


if __name__ == "__main__":
    main()
