"""Pretraining of the lab's base: Muon for matrices, AdamW for the rest.

On a CPU, one-thread processes share each batch and average their gradients; on a GPU, one process computes in
bfloat16 over weights in float32. The order of the data is the order of the corpus, so a step's batch follows
from its number alone and a killed run resumes from its last checkpoint.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from suffice.common.files import write_text
from suffice.common.progress import Reporter
from suffice.lab.checkpoint import CHECKPOINT, restore, save, save_stage
from suffice.lab.corpus import read_tokens
from suffice.lab.settings import WINDOW, PretrainSettings, build_network
from suffice.scale.local import Workers

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import LlamaForCausalLM

LOG = "losses.jsonl"
LOG_STEPS = 10
CHECKPOINT_STEPS = (
    200  # a multiple of `LOG_STEPS`, so that a resumed run averages the losses of the same steps
)
PROCESSES = min(2, os.cpu_count() or 1)  # on a CPU
HALF_PRECISION = ("cuda",)  # devices that multiply in bfloat16


@dataclass(frozen=True)
class PretrainJob:
    """The part of one process.

    Attributes:
        settings: Model and course of training.
        vocabulary: Size of the tokenizer's vocabulary.
        work: Folder of the tokens, the checkpoint and the log.
        meeting: Where the processes find each other, as torch.distributed writes it.
        rank: Which of the processes this is.
        processes: How many there are.
        device: ``cpu`` or ``cuda``.
    """

    settings: PretrainSettings
    vocabulary: int
    work: Path
    meeting: str
    rank: int = 0
    processes: int = 1
    device: str = "cpu"


def pretrain(
    settings: PretrainSettings, vocabulary: int, work: Path, reporter: Reporter, *, device: str = "cpu"
) -> Path:
    """Trains the base on ``work/tokens.bin``, resuming from a checkpoint there, and returns the checkpoint.

    Args:
        settings: Model and course of training.
        vocabulary: Size of the tokenizer's vocabulary.
        work: Folder of the tokens, the checkpoint, the weights of the stages and the log (``losses.jsonl``:
            step, loss, seconds).
        reporter: Where to report.
        device: ``cpu`` or ``cuda``. A run may go on from a checkpoint that the other device wrote.

    Returns:
        The path of the last checkpoint (safetensors).
    """
    count = 1 if device == "cuda" else PROCESSES
    with (
        tempfile.TemporaryDirectory() as folder,
        reporter.track("pretrain", settings.steps, "steps") as task,
        Workers(count) as workers,
    ):
        meeting = f"file://{folder}/meet"
        jobs = [
            PretrainJob(settings, vocabulary, work, meeting, rank, count, device) for rank in range(count)
        ]
        workers.map(train, jobs, on_progress=task.advance)
        last = json.loads((work / LOG).read_text(encoding="utf-8").splitlines()[-1])
        task.result(f"{last['step']:,} steps, loss {last['loss']:.3f}")
    return work / CHECKPOINT


def train(job: PretrainJob, report: Callable[[int], None]) -> None:
    """Runs one process.

    After an error the group is left as it is: closing it would make the others fail too, with less to say.
    """
    import torch.distributed as dist

    if job.processes > 1:
        dist.init_process_group("gloo", init_method=job.meeting, rank=job.rank, world_size=job.processes)
    take_steps(job, build_network(job.settings, job.vocabulary), report)
    if job.processes > 1:
        dist.barrier()
        dist.destroy_process_group()


def take_steps(job: PretrainJob, network: LlamaForCausalLM, report: Callable[[int], None]) -> None:
    """Trains from the last checkpoint to the last step; the first process writes log and checkpoints."""
    settings, work, first = job.settings, job.work, job.rank == 0
    network.to(job.device)
    optimizers = build_optimizers(network, settings)
    start, seconds = restore(work, network, optimizers, settings)
    if first:
        _cut_log(work, start)
        report(start)
    tokens = read_tokens(work / "tokens.bin")
    began, losses = time.monotonic() - seconds, []
    for step in range(start, settings.steps):
        losses.append(_take_step(job, network, optimizers, tokens, step))
        finished, ended = step + 1, step + 1 == settings.steps
        if first and (finished % LOG_STEPS == 0 or ended):
            _log(work, finished, sum(losses) / len(losses), time.monotonic() - began)
            report(len(losses))
            losses.clear()
        # Stages come before the checkpoint: a run killed in between takes the step, and writes them, again.
        for share, last in settings.stages.items():
            if first and finished == last:
                save_stage(work, network, share)
        if first and (finished % CHECKPOINT_STEPS == 0 or ended):
            save(work, network, optimizers, settings, finished, time.monotonic() - began)


def _take_step(
    job: PretrainJob,
    network: LlamaForCausalLM,
    optimizers: list[torch.optim.Optimizer],
    tokens: NDArray[np.uint16],
    step: int,
) -> float:
    """Takes one step and returns the mean loss of all processes in nats a token."""
    import torch

    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * job.settings.rate(step)
    batch = read_batch(tokens, job, step)
    with torch.autocast(job.device, dtype=torch.bfloat16, enabled=job.device in HALF_PRECISION):
        loss = network(input_ids=batch, labels=batch, use_cache=False).loss
    loss.backward()
    mean = _average_gradients(network, loss, job.processes) if job.processes > 1 else loss.item()
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    return mean


def read_batch(tokens: NDArray[np.uint16], job: PretrainJob, step: int) -> torch.Tensor:
    """Returns this process's share of a step's sequences: int64 [batch / processes, window]."""
    import torch

    share = job.settings.batch // job.processes
    first = (step * job.settings.batch + job.rank * share) * WINDOW
    rows = tokens[first : first + share * WINDOW].astype("int64")
    return torch.from_numpy(rows).view(share, WINDOW).to(job.device)


def build_optimizers(network: LlamaForCausalLM, settings: PretrainSettings) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers; AdamW for the (tied) embedding and the norms."""
    import torch

    from suffice.lab.muon import Muon

    matrices = [p for name, p in network.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in network.named_parameters() if p.ndim != 2 or "embed" in name]
    return [
        Muon(
            [{"params": matrices, "peak": settings.muon_rate}],
            lr=settings.muon_rate,
            weight_decay=settings.weight_decay,
        ),
        torch.optim.AdamW(
            [{"params": others, "peak": settings.adam_rate}],
            lr=settings.adam_rate,
            betas=(0.9, 0.95),
            weight_decay=0.0,
            fused=True,
        ),
    ]


def _average_gradients(network: LlamaForCausalLM, loss: torch.Tensor, processes: int) -> float:
    """Averages gradients and loss over the processes in one exchange and returns the loss."""
    import torch
    import torch.distributed as dist

    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat([*(gradient.view(-1) for gradient in gradients), loss.detach().view(1)])
    dist.all_reduce(flat)
    flat /= processes
    offset = 0
    for gradient in gradients:
        gradient.copy_(flat[offset : offset + gradient.numel()].view_as(gradient))
        offset += gradient.numel()
    return float(flat[-1])


def _log(work: Path, step: int, loss: float, seconds: float) -> None:
    with (work / LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": step, "loss": round(loss, 5), "seconds": round(seconds, 1)}) + "\n")


def _cut_log(work: Path, step: int) -> None:
    """Drops what a killed run logged past the checkpoint of ``step``: those steps are taken again."""
    path = work / LOG
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    write_text(path, "".join(lines[: math.ceil(step / LOG_STEPS)]))
