"""What a run will cost and what it can show, told before the first training."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.models.batching import torch_threads
from suffice.proof.design.power import Design, power
from suffice.runs.arms import ArmRun
from suffice.runs.looks import designs
from suffice.runs.recipe import Recipe
from suffice.scale.local import cores

if TYPE_CHECKING:
    from suffice.models import LanguageModel

_SAMPLE = 16  # rows in the measured step
_TRAINING_BYTES = 16  # a parameter in training: weight, gradient and two moments, each in float32
_WORKER_BYTES = 1.2e9  # a worker's libraries and activations


@dataclass(frozen=True)
class Estimate:
    """What the arms will cost.

    Attributes:
        runs: Training runs to be done.
        seconds: Wall time of training, from one measured step.
        flops: 6 x parameters x tokens, over all runs.
        bytes: Disk for the weights that are kept, and for those under way.
        free: Free disk.
    """

    runs: int
    seconds: float
    flops: float
    bytes: float
    free: float

    @property
    def sentence(self) -> str:
        """One line for the terminal."""
        return (
            f"Cost: {self.runs} training runs, about {duration(self.seconds)} beside evaluating, {self.flops:.1e} FLOPs, "
            f"{self.bytes / 1e6:,.0f} MB of disk ({self.free / 1e9:,.0f} GB free)."
        )


def estimate(
    model: LanguageModel, pool: Pool, runs: Sequence[ArmRun], recipe: Recipe, out: Path, jobs: int
) -> Estimate:
    """Measures one small training step and scales it to ``runs``, those still to be done.

    Raises:
        UserError: The disk is too small for the weights.
    """
    trained = [run for run in runs if run.kind != "base"]
    rows, rate = _measure(model, pool, recipe)
    tokens = sum(run.steps * run.batch for run in trained) * rows
    parameters = model.network.num_parameters()
    keep = {"all": len(trained), "none": 0}.get(
        recipe.execution.keep_weights, sum(run.kind == "selected" and not run.curve for run in trained)
    )
    size = sum(parameter.nbytes for parameter in model.network.parameters())
    found = Estimate(
        runs=len(trained),
        seconds=tokens / rate / min(jobs, max(1, len(trained))),
        flops=6.0 * parameters * tokens,
        bytes=float(size * (keep + min(jobs, len(trained)))),
        free=float(shutil.disk_usage(out).free),
    )
    if found.bytes > found.free:
        raise UserError(
            f"the weights need {found.bytes / 1e6:,.1f} MB and {out} has {found.free / 1e6:,.1f} MB free",
            "free space, choose another --out, or give --keep-weights none",
        )
    return found


def _measure(model: LanguageModel, pool: Pool, recipe: Recipe) -> tuple[float, float]:
    """Returns the mean tokens of a row and the tokens a second of one training step on a few random rows."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    limit = min(recipe.training.max_length or model.window, model.window)
    sample = Draws(recipe.seed, "cost").sample(range(len(pool)), min(_SAMPLE, len(pool)))
    encoded = model.chat.encode_many([(pool[i].messages, pool[i].tools) for i in sample])
    ids = [torch.tensor(row.ids[:limit]) for row in encoded if row and row.ids]
    if not ids:
        raise UserError("the chat template refuses every row of the pool", "give another --chat-template")
    batch = pad_sequence(ids, batch_first=True).to(model.network.device)
    try:
        with torch_threads(threads_of(recipe)), torch.enable_grad():
            for _ in range(2):  # the first warms up
                started = time.monotonic()
                model.network(input_ids=batch, labels=batch, use_cache=False).loss.backward()
                seconds = time.monotonic() - started
    finally:
        model.network.zero_grad(set_to_none=True)
    tokens = sum(len(row) for row in ids)
    return tokens / len(ids), tokens / seconds


def threads_of(recipe: Recipe) -> int:
    """Returns the threads of each worker: one, unless the recipe asks for a single worker."""
    return cores() if recipe.execution.jobs == 1 else 1


def worker_count(model: LanguageModel, wanted: int | None) -> int:
    """Returns how many workers run side by side: one on a GPU, else as many as cores and memory allow.

    Args:
        model: The network that each worker trains a copy of.
        wanted: What the user asked for, which decides.
    """
    if wanted:
        return wanted
    if model.device != "cpu":
        return 1
    each = model.network.num_parameters() * _TRAINING_BYTES + _WORKER_BYTES
    return max(1, min(cores(), int(psutil.virtual_memory().available / each)))


def power_sentence(recipe: Recipe, clusters: int) -> str:
    """Returns what the design can show, as one line; with looks, at the last of them."""
    design = designs(recipe.design)[-1]
    return power(
        Design(
            items=clusters,
            runs=design.seeds,
            random_runs=design.draws if "random" in design.arms else 0,
            margin=design.margin,
            alpha=design.alpha,
        )
    ).sentence


def duration(seconds: float) -> str:
    """Returns a time in words."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
