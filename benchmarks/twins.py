"""Near twins of short rows: Suffice against the MinHash of text-dedup and of datatrove, on the same two cores.

Run with ``python benchmarks/twins.py [--rows N] [--tools NAME ...] [--folder DIR]``; 1,000,000 rows take a few
gigabytes of disk. Rows are made: words drawn by Zipf's law, a third of the rows begin with a common template, a tenth
are copies of another row with some words replaced. Every tool reads the same JSONL, compares runs of three words and
writes the rows that it keeps, in a process of its own that is bound to two cores. text-dedup and datatrove run as
published, with their own numbers of bands, and rivals that are not installed are left out, which is said. datatrove
gets a tokenizer that splits at blanks in place of spaCy's, which is to its advantage.

Told are wall-clock and CPU seconds with starting up (datatrove's workers belong to a server process, whose CPU seconds
are not seen), the peak memory of the largest process, and

- recall: of the planted pairs whose true Jaccard similarity is 0.8 or more, those not both kept;
- precision: of Suffice, the pairs it calls twins that truly are (by plain sets of words); of the others, which give no
  pairs, the removed rows that are one of a planted pair of 0.8 or more.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
RUN, THRESHOLD = 3, 0.8
TOOLS = ("suffice", "text-dedup", "datatrove")


def texts(rows: int) -> Iterator[tuple[str, int | None]]:
    """Yields the rows, each with the row it is a changed copy of, if it is one; the same for each number of rows."""
    draw = random.Random(0)
    vocabulary = [f"{'aeiou'[i % 5]}{i:x}{'nrst'[i % 4]}" for i in range(50_000)]
    weights = [1 / (i + 10) for i in range(len(vocabulary))]
    total, sums = 0.0, []
    for weight in weights:
        sums.append(total := total + weight)

    def words(count: int) -> list[str]:
        return draw.choices(vocabulary, cum_weights=sums, k=count)

    templates = [words(10) for _ in range(500)]
    recent: list[list[str]] = []
    places: list[int] = []
    for row in range(rows):
        if recent and draw.random() < 0.1:
            at = draw.randrange(len(recent))
            found, of = list(recent[at]), places[at]
            for _ in range(draw.randint(0, 4)):
                found[draw.randrange(len(found))] = draw.choice(vocabulary)
        else:
            start = draw.choice(templates) if draw.random() < 1 / 3 else []
            found, of = start + words(draw.randint(15, 60)), None
            if len(recent) < 20_000:
                recent.append(found)
                places.append(row)
            else:
                at = draw.randrange(len(recent))
                recent[at], places[at] = found, row
        yield " ".join(found), of


def jaccard(one: str, other: str) -> float:
    """Returns the similarity of two rows by plain sets of runs of words."""

    def runs(text: str) -> set[tuple[str, ...]]:
        found = text.split()
        return {tuple(found[at : at + RUN]) for at in range(len(found) - RUN + 1)}

    return len(runs(one) & runs(other)) / len(runs(one) | runs(other))


def make(folder: Path, rows: int) -> list[tuple[int, int]]:
    """Writes ``rows.jsonl`` and returns the planted pairs of similarity 0.8 or more."""
    planted, made = [], []
    with (folder / "rows.jsonl").open("w") as file:
        for row, (text, of) in enumerate(texts(rows)):
            made.append(text)
            file.write(json.dumps({"id": f"row-{row}", "text": text}) + "\n")
            if of is not None and jaccard(made[of], text) >= THRESHOLD:
                planted.append((of, row))
    return planted


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the rows of a JSONL file."""
    with path.open() as file:
        for line in file:
            yield json.loads(line)


def suffice(folder: Path) -> None:
    """Finds the near twins as ``suffice twins`` does, and writes pairs, clusters' survivors and kept rows."""
    from suffice.data.twins.clusters import cluster
    from suffice.data.twins.near import NearTwins

    twins, rows = NearTwins(), enumerate(read(folder / "rows.jsonl"))
    while batch := list(islice(rows, 4096)):
        twins.add([row for row, _ in batch], [value["text"] for _, value in batch])
    pairs = twins.pairs()
    gone = set(cluster(pairs, THRESHOLD).removed.tolist())
    pairs.write(folder / "suffice" / "pairs.parquet", "benchmark")
    with (folder / "suffice" / "kept.jsonl").open("w") as file:
        for row, value in enumerate(read(folder / "rows.jsonl")):
            if row not in gone:
                file.write(json.dumps(value) + "\n")


def text_dedup(folder: Path) -> None:
    """Runs ``text_dedup.minhash`` with its own defaults but for the length of runs."""
    options = {"path": "json", "data_files": folder / "rows.jsonl", "split": "train", "column": "text"}
    options |= {"cache_dir": folder / "text-dedup" / "cache", "output": folder / "text-dedup" / "kept"}
    options |= {"ngram": RUN, "min_length": 1, "num_proc": 2, "batch_size": 10_000}
    words = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    sys.argv = ["minhash", *words]
    from text_dedup.minhash import main

    main()


def datatrove(folder: Path) -> None:
    """Runs datatrove's four stages with two workers and its own defaults but for the length of runs."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Split(WordTokenizer):
        """Splits at blanks, here into words alone."""

        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

        def sent_tokenize(self, text: str) -> list[str]:
            return [text]

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            return [(0, len(text))]

    own, config = folder / "datatrove", MinhashConfig(n_grams=RUN)
    own.joinpath("in").mkdir(parents=True)
    halves = [own.joinpath("in", f"{half}.jsonl").open("w") for half in (0, 1)]
    total = sum(1 for _ in (folder / "rows.jsonl").open())
    for row, line in enumerate((folder / "rows.jsonl").open()):
        halves[row * 2 // total].write(line)
    for half in halves:
        half.close()

    sign = MinhashDedupSignature(str(own / "signatures"), config=config, language=Split())
    buckets = MinhashDedupBuckets(
        str(own / "signatures"), str(own / "buckets"), config=config, lines_to_buffer=1000
    )
    cluster = MinhashDedupCluster(
        str(own / "buckets"), str(own / "remove"), config=config, lines_to_buffer=1000
    )
    stages = [
        ([JsonlReader(str(own / "in")), sign], 2),
        ([buckets], config.num_buckets),
        ([cluster], 1),
        (
            [
                JsonlReader(str(own / "in")),
                MinhashDedupFilter(str(own / "remove")),
                JsonlWriter(str(own / "kept"), compression=None),
            ],
            2,
        ),
    ]
    for number, (steps, tasks) in enumerate(stages):
        log = str(own / f"log{number}")
        LocalPipelineExecutor(pipeline=steps, tasks=tasks, workers=2, logging_dir=log).run()


def kept_rows(tool: str, folder: Path) -> set[int]:
    """Returns the rows that a tool kept."""
    if tool == "text-dedup":
        from datasets import load_from_disk

        names = load_from_disk(str(folder / tool / "kept"))["id"]
        return {int(name.removeprefix("row-")) for name in names}
    files = (
        [folder / tool / "kept.jsonl"]
        if tool == "suffice"
        else sorted((folder / tool / "kept").glob("*.jsonl"))
    )
    return {int(value["id"].removeprefix("row-")) for file in files for value in read(file)}


def precision(tool: str, folder: Path, gone: set[int], planted: list[tuple[int, int]]) -> float:
    """Returns the share of what a tool called twins that is (see above)."""
    if tool != "suffice":
        of: dict[int, set[int]] = {}
        for one, other in planted:
            of.setdefault(one, set()).add(other)
        true = {row for one, others in of.items() for row in (one, *others)}
        return len(gone & true) / max(len(gone), 1)
    import pyarrow.parquet as pq

    found = pq.read_table(folder / tool / "pairs.parquet").to_pandas()
    found = found[found.similarity >= THRESHOLD]
    rows = [value["text"] for value in read(folder / "rows.jsonl")]
    sample = found.sample(min(len(found), 20_000), random_state=0)
    right = [
        jaccard(rows[a], rows[b]) >= THRESHOLD - 1e-6
        for a, b in zip(sample["first"], sample["second"], strict=True)
    ]
    return sum(right) / max(len(right), 1)


def measure(tool: str, folder: Path) -> tuple[float, float, float] | None:
    """Runs a tool in a process of its own; returns wall and CPU seconds and GiB, or None where it failed."""
    (folder / tool).mkdir()
    log = (folder / f"{tool}.log").open("w")
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    words = [sys.executable, __file__, "--work", tool, "--folder", str(folder)]
    quiet = os.environ | {"HF_HUB_OFFLINE": "1", "RAYON_NUM_THREADS": "2"}
    done = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, env=quiet)
    _, status, used = os.wait4(done.pid, 0)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if status:
        print(f"{tool} did not run: see {log.name}")
        return None
    cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return wall, cpu, used.ru_maxrss / 2**20


def compare(folder: Path, rows: int, tools: list[str]) -> None:
    """Prints a line for each tool."""
    planted = make(folder, rows)
    size = (folder / "rows.jsonl").stat().st_size / 2**20
    print(f"{rows:,} rows, {size:,.0f} MiB, {len(planted):,} planted pairs of similarity {THRESHOLD} or more")
    print(
        f"{'':<12}{'wall s':>9}{'CPU s':>9}{'rows/s':>10}{'GiB':>7}{'removed':>10}{'recall':>9}{'precision':>11}"
    )
    walls = {}
    for tool in tools:
        taken = measure(tool, folder)
        if taken is None:
            continue
        kept = kept_rows(tool, folder)
        gone = set(range(rows)) - kept
        recall = sum(one in gone or other in gone for one, other in planted) / max(len(planted), 1)
        exact = precision(tool, folder, gone, planted)
        walls[tool] = taken[0]
        print(
            f"{tool:<12}{taken[0]:>9.1f}{taken[1]:>9.1f}{rows / taken[0]:>10,.0f}{taken[2]:>7.2f}{len(gone):>10,}"
            f"{recall:>9.4f}{exact:>11.4f}"
        )
    others = [wall for tool, wall in walls.items() if tool != "suffice"]
    if others and "suffice" in walls:
        print(f"Suffice is {min(others) / walls['suffice']:.1f} times as fast as the faster of the others.")


def main() -> None:
    """Prints the table, or does one tool's work."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument(
        "--folder", type=Path, help="where to work; by default a folder that is removed at the end"
    )
    parser.add_argument("--work", choices=TOOLS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        cores = sorted(os.sched_getaffinity(0))[:2]
        os.sched_setaffinity(0, cores)
        {"suffice": suffice, "text-dedup": text_dedup, "datatrove": datatrove}[options.work](options.folder)
        return
    with tempfile.TemporaryDirectory() as temporary:
        compare(options.folder or Path(temporary), options.rows, options.tools)


if __name__ == "__main__":
    main()
