"""Pretraining of the lab's base: Muon for matrices, AdamW for the rest, data parallel over one-thread processes.

The order of the data is the order of the corpus, so a step's batch follows from its number alone and a killed
run resumes from its last checkpoint.
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

from suffice.common.files import atomic_path, digest, write_text
from suffice.common.progress import Reporter
from suffice.lab.corpus import read_tokens
from suffice.scale.local import Workers

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import LlamaForCausalLM

WINDOW = 256  # tokens in a training sequence
CHECKPOINT, LOG = "checkpoint.safetensors", "losses.jsonl"
LOG_STEPS = 10
CHECKPOINT_STEPS = (
    200  # a multiple of `LOG_STEPS`, so that a resumed run averages the losses of the same steps
)
STAGES = (25, 50, 75)  # percent of training; weights of these stages are kept beside the last ones
PROCESSES = min(2, os.cpu_count() or 1)


@dataclass(frozen=True)
class PretrainSettings:
    """Size of the model and course of its training; the defaults made the shipped base."""

    steps: int = 7200
    batch: int = 12  # sequences of `WINDOW` tokens a step
    seed: int = 0
    hidden: int = 128
    layers: int = 5
    heads: int = 4
    mlp: int = 352
    muon_rate: float = 0.02
    adam_rate: float = 3e-3
    weight_decay: float = 0.1
    warmup: int = 80
    decay_share: float = 0.45
    final_share: float = 0.03

    @property
    def tokens(self) -> int:
        """Tokens of the corpus that training reads, each once."""
        return self.steps * self.batch * WINDOW

    @property
    def stages(self) -> dict[int, int]:
        """The steps after which the weights are kept, with the share of training done by then, in percent."""
        return {max(1, self.steps * share // 100): share for share in STAGES}

    def rate(self, step: int) -> float:
        """Returns the learning rate of a step as a share of its peak: warm-up, plateau, linear decay."""
        decay = max(1, round(self.steps * self.decay_share))
        left = (self.steps - step) / decay
        falling = self.final_share + (1 - self.final_share) * min(1.0, left)
        return min((step + 1) / max(1, min(self.warmup, self.steps // 10)), falling)


def build_network(settings: PretrainSettings, vocabulary: int) -> LlamaForCausalLM:
    """Returns the untrained network, in plain transformers form, initialised from the settings' seed."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(settings.seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=settings.hidden,
            intermediate_size=settings.mlp,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            num_key_value_heads=settings.heads,
            max_position_embeddings=2 * WINDOW,
            tie_word_embeddings=True,
            bos_token_id=1,
            eos_token_id=4,
            pad_token_id=0,
        )
    )


def stage_path(work: Path, share: int) -> Path:
    """Returns where the weights are kept that training had after ``share`` percent."""
    return work / f"stage-{share}.safetensors"


def pretrain(settings: PretrainSettings, vocabulary: int, work: Path, reporter: Reporter) -> Path:
    """Trains the base on ``work/tokens.bin``, resuming from a checkpoint there, and returns the checkpoint.

    Args:
        settings: Model and course of training.
        vocabulary: Size of the tokenizer's vocabulary.
        work: Folder of the tokens, the checkpoint and the log (``losses.jsonl``: step, loss, seconds).
        reporter: Where to report.

    Returns:
        The path of the last checkpoint (safetensors).
    """
    with (
        tempfile.TemporaryDirectory() as meeting,
        reporter.track("pretrain", settings.steps, "steps") as task,
        Workers(PROCESSES) as workers,
    ):
        jobs = [_Job(rank, settings, vocabulary, work, f"file://{meeting}/meet") for rank in range(PROCESSES)]
        workers.map(_train, jobs, on_progress=task.advance)
        last = json.loads((work / LOG).read_text(encoding="utf-8").splitlines()[-1])
        task.result(f"{last['step']:,} steps, loss {last['loss']:.3f}")
    return work / CHECKPOINT


@dataclass(frozen=True)
class _Job:
    """The part of one of the data-parallel processes; ``meeting`` is where they find each other."""

    rank: int
    settings: PretrainSettings
    vocabulary: int
    work: Path
    meeting: str


def _train(job: _Job, report: Callable[[int], None]) -> None:
    """Runs one of the data-parallel processes.

    After an error the group is left as it is: closing it would make the others fail too, with less to say.
    """
    import torch.distributed as dist

    dist.init_process_group("gloo", init_method=job.meeting, rank=job.rank, world_size=PROCESSES)
    _take_steps(job, build_network(job.settings, job.vocabulary), report)
    dist.barrier()
    dist.destroy_process_group()


def _take_steps(job: _Job, network: LlamaForCausalLM, report: Callable[[int], None]) -> None:
    """Trains from the last checkpoint to the last step; the first process writes log and checkpoints."""
    settings, work, first = job.settings, job.work, job.rank == 0
    optimizers = _optimizers(network, settings)
    start, seconds = _restore(work, network, optimizers, settings)
    if first:
        _cut_log(work, start)
        report(start)
    tokens = read_tokens(work / "tokens.bin")
    began, losses = time.monotonic() - seconds, []
    for step in range(start, settings.steps):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * settings.rate(step)
        batch = _batch(tokens, settings, job.rank, step)
        loss = network(input_ids=batch, labels=batch, use_cache=False).loss
        loss.backward()
        losses.append(_average_gradients(network, loss))
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        finished, ended = step + 1, step + 1 == settings.steps
        if first and (finished % LOG_STEPS == 0 or ended):
            _log(work, finished, sum(losses) / len(losses), time.monotonic() - began)
            report(len(losses))
            losses.clear()
        if first and (finished % CHECKPOINT_STEPS == 0 or ended):
            _save(work, network, optimizers, settings, finished, time.monotonic() - began)
        if first and finished in settings.stages:
            _save_stage(work, network, settings.stages[finished])


def _batch(tokens: NDArray[np.uint16], settings: PretrainSettings, rank: int, step: int) -> torch.Tensor:
    """Returns this process's share of a step's sequences: int64 [batch / processes, window]."""
    import torch

    share = settings.batch // PROCESSES
    first = (step * settings.batch + rank * share) * WINDOW
    return torch.from_numpy(tokens[first : first + share * WINDOW].astype("int64")).view(share, WINDOW)


def _optimizers(network: LlamaForCausalLM, settings: PretrainSettings) -> list[torch.optim.Optimizer]:
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


def _average_gradients(network: LlamaForCausalLM, loss: torch.Tensor) -> float:
    """Averages gradients and loss over the processes in one exchange and returns the loss."""
    import torch
    import torch.distributed as dist

    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat([*(gradient.view(-1) for gradient in gradients), loss.detach().view(1)])
    dist.all_reduce(flat)
    flat /= PROCESSES
    offset = 0
    for gradient in gradients:
        gradient.copy_(flat[offset : offset + gradient.numel()].view_as(gradient))
        offset += gradient.numel()
    return float(flat[-1])


def _state(network: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer]) -> dict[str, torch.Tensor]:
    """Returns every tensor that training carries from step to step, by name (references, not copies)."""
    tensors = {f"model.{name}": tensor for name, tensor in network.named_parameters()}
    names = {parameter: name for name, parameter in network.named_parameters()}
    for optimizer in optimizers:
        for parameter, state in optimizer.state.items():
            tensors |= {f"{key}.{names[parameter]}": tensor for key, tensor in state.items()}
    return tensors


def _save(
    work: Path,
    network: LlamaForCausalLM,
    optimizers: list[torch.optim.Optimizer],
    settings: PretrainSettings,
    step: int,
    seconds: float,
) -> None:
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().contiguous() for name, tensor in _state(network, optimizers).items()}
    about = {"step": str(step), "seconds": f"{seconds:.1f}", "settings": digest(vars(settings))}
    with atomic_path(work / CHECKPOINT) as temporary:
        save_file(tensors, temporary, metadata=about)


def _save_stage(work: Path, network: LlamaForCausalLM, share: int) -> None:
    """Writes the weights alone, as half-precision safetensors."""
    import torch
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().to(torch.float16) for name, tensor in network.named_parameters()}
    with atomic_path(stage_path(work, share)) as temporary:
        save_file(tensors, temporary)


def _restore(
    work: Path,
    network: LlamaForCausalLM,
    optimizers: list[torch.optim.Optimizer],
    settings: PretrainSettings,
) -> tuple[int, float]:
    """Loads the checkpoint of the same settings, if there is one; returns its step and seconds."""
    import torch
    from safetensors import safe_open

    path = work / CHECKPOINT
    if not path.exists():
        return 0, 0.0
    with safe_open(path, framework="pt") as file:
        about = file.metadata()
        if about["settings"] != digest(vars(settings)):
            return 0, 0.0
        names = dict(network.named_parameters())
        owner = {
            p: optimizer for optimizer in optimizers for g in optimizer.param_groups for p in g["params"]
        }
        with torch.no_grad():
            for key in file.keys():  # noqa: SIM118 - a safetensors file is no mapping
                kind, name = key.split(".", 1)
                if kind == "model":
                    names[name].copy_(file.get_tensor(key))
                else:
                    owner[names[name]].state[names[name]][kind] = file.get_tensor(key)
    return int(about["step"]), float(about["seconds"])


def _log(work: Path, step: int, loss: float, seconds: float) -> None:
    with (work / LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": step, "loss": round(loss, 5), "seconds": round(seconds, 1)}) + "\n")


def _cut_log(work: Path, step: int) -> None:
    """Drops what a killed run logged past the checkpoint of ``step``: those steps are taken again."""
    path = work / LOG
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    write_text(path, "".join(lines[: math.ceil(step / LOG_STEPS)]))
