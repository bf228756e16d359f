"""Pretraining of the lab's base against a bare PyTorch loop.

Run with ``python benchmarks/lab_training.py [--steps N] [--repeats N]``. Both loops have the same network, optimisers,
tokens, processes and threads, and are run in turns in the same processes. The bare loop averages gradients by
DistributedDataParallel and does nothing else; Suffice's also logs and writes its checkpoint and the stages, which in
so short a run weigh more than in a whole one.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from suffice.lab.corpus import read_tokens
from suffice.lab.pretrain import PROCESSES, PretrainJob, build_optimizers, read_batch, take_steps
from suffice.lab.settings import PretrainSettings, build_network
from suffice.lab.tokenizer import VOCABULARY
from suffice.scale.local import Workers

TARGET = 0.9


@dataclass(frozen=True)
class Turns:
    """What one process does: each loop as often as ``repeats`` says, in turns."""

    job: PretrainJob
    repeats: int


def bare(job: PretrainJob) -> None:
    """Trains as a short script would."""
    import torch

    network = build_network(job.settings, job.vocabulary)
    model = torch.nn.parallel.DistributedDataParallel(network) if job.processes > 1 else network
    optimizers = build_optimizers(network, job.settings)
    tokens = read_tokens(job.work / "tokens.bin")
    for step in range(job.settings.steps):
        batch = read_batch(tokens, job, step)
        model(input_ids=batch, labels=batch, use_cache=False).loss.backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()


def suffice(job: PretrainJob) -> None:
    """Trains as `suffice lab build` does, in a folder of its own so that nothing is resumed."""
    work = job.work / "work"
    if job.rank == 0:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        (work / "tokens.bin").symlink_to(job.work / "tokens.bin")
    meet(job)
    network = build_network(job.settings, job.vocabulary)
    take_steps(replace(job, work=work), network, lambda _: None)


def meet(job: PretrainJob) -> None:
    """Waits until all processes are here."""
    import torch.distributed as dist

    if job.processes > 1:
        dist.barrier()


def take_turns(turns: Turns) -> dict[str, list[float]]:
    """Runs both loops in turns and returns the wall-clock seconds of each, which all processes share."""
    import torch.distributed as dist

    job = turns.job
    if job.processes > 1:
        dist.init_process_group("gloo", init_method=job.meeting, rank=job.rank, world_size=job.processes)
    ways: dict[str, Callable[[PretrainJob], None]] = {"bare loop": bare, "suffice": suffice}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way(replace(job, settings=replace(job.settings, steps=2)))  # warm up
    for _ in range(turns.repeats):
        for name, way in ways.items():
            meet(job)
            start = time.perf_counter()
            way(job)
            meet(job)
            taken[name].append(time.perf_counter() - start)
    return taken


def main() -> None:
    """Prints tokens per second of each loop and the ratio, turn by turn and in the median."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    settings = PretrainSettings(steps=options.steps)
    with tempfile.TemporaryDirectory() as folder, Workers(PROCESSES) as workers:
        work = Path(folder)
        tokens = np.random.default_rng(0).integers(VOCABULARY, size=settings.tokens, dtype=np.uint16)
        tokens.tofile(work / "tokens.bin")
        job = PretrainJob(settings, VOCABULARY, work, f"file://{work}/meet", processes=PROCESSES)
        jobs = [Turns(replace(job, rank=rank), options.repeats) for rank in range(PROCESSES)]
        taken = workers.map(take_turns, jobs)[0]
    print(f"{options.steps} steps a turn, {options.repeats} turns each, {PROCESSES} processes of one thread")
    for name, seconds in taken.items():
        print(f"{name:<10} {settings.tokens / np.median(seconds):>8,.0f} tokens/s in the median")
    ratios = np.divide(taken["bare loop"], taken["suffice"])
    print(
        f"suffice at {np.median(ratios):.3f} of the bare loop in the median (target {TARGET}); turn by turn:"
    )
    print("  ".join(f"{ratio:.3f}" for ratio in ratios))


if __name__ == "__main__":
    main()
