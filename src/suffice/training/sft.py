"""Supervised fine-tuning of one arm, on the assistant's tokens only, with TRL's SFTTrainer."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

from suffice.common.errors import UserError
from suffice.common.files import digest, write_json
from suffice.data.example import Example
from suffice.models import LanguageModel
from suffice.training.rows import encode_rows, row_order
from suffice.training.saving import checkpoints_of, save_model
from suffice.training.settings import SFTSettings

_trained: WeakSet[Any] = WeakSet()


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training run did; ``train.json`` holds the same.

    Attributes:
        rows: Rows given; ``refused`` and ``dropped`` ones were not trained on.
        refused: Rows that the chat template refuses.
        dropped: Rows without an assistant token within the window.
        cut: Rows that lost tokens at their end.
        steps: Optimiser steps.
        epochs: Passes over the rows that were trained on.
        seconds: Wall time of encoding and training; after a resumption, of the last part alone.
        tokens: Tokens that went through the network, padding not counted.
        final_loss: The last of ``losses``.
        losses: Step and mean loss per trained token since the entry before.
        flops: 6 x parameters x tokens (Kaplan et al. 2020, arXiv 2001.08361), an upper estimate for LoRA.
    """

    rows: int
    refused: int
    dropped: int
    cut: int
    steps: int
    epochs: float
    seconds: float
    tokens: int
    final_loss: float
    losses: list[tuple[int, float]]
    flops: float


def train_sft(
    model: LanguageModel,
    examples: Sequence[Example],
    settings: SFTSettings,
    *,
    seed: int,
    out: Path,
    on_step: Callable[[int], None] | None = None,
) -> TrainResult:
    """Trains a model on examples and saves it.

    Args:
        model: The base. Its network is trained in place, so it must be loaded anew for another run.
        examples: The rows.
        settings: How to train.
        seed: Of the order of the rows and, with LoRA, of the adapters' start.
        out: Gets ``model/`` (weights in safetensors, tokenizer, chat template), and last ``train.json``: a
            folder without it is unfinished. A checkpoint that a killed run of the same model, rows, settings
            and seed left there is gone on from.
        on_step: Called after every optimiser step with the number of steps done.

    Returns:
        The result, as in ``train.json``.

    Raises:
        UserError: No row can be trained on, the training diverged, or the model cannot be written.
        ValueError: The model has been trained before.
    """
    from suffice.training.trainer import fit  # imports torch and TRL

    if model.network in _trained:
        raise ValueError(f"the model '{model.name}' has been trained already; load it anew for another run")
    started = time.monotonic()
    (out / "train.json").unlink(missing_ok=True)
    limit = min(settings.max_length or model.window, model.window)
    rows = encode_rows(model, examples, limit)
    if not rows.ids:
        raise UserError(
            f"none of the {len(examples)} training rows has an answer within the first {limit} tokens",
            "give shorter rows or a larger max_length",
        )
    batch_size = min(settings.batch_size, len(rows.ids))
    steps = settings.steps or math.ceil((settings.epochs or 0) * len(rows.ids) / batch_size)
    lengths = [len(ids) for ids in rows.ids]
    order = row_order(lengths, batch_size, steps, seed)
    key = digest([model.fingerprint, settings.as_json(), seed, [example.id for example in examples]])
    checkpoints = checkpoints_of(out, key)
    parameters = model.network.num_parameters()

    _trained.add(model.network)
    losses = fit(model, rows, order, settings, steps=steps, seed=seed, folder=checkpoints, on_step=on_step)
    seconds = time.monotonic() - started
    if not all(math.isfinite(loss) for _, loss in losses):
        raise UserError(
            f"the training in {out} diverged: the loss is no longer a finite number",
            f"give a learning rate below {settings.learning_rate:g}",
        )
    save_model(model, out / "model")
    tokens = sum(lengths[row] for row in order)
    result = TrainResult(
        rows=len(examples),
        refused=rows.refused,
        dropped=rows.dropped,
        cut=rows.cut,
        steps=steps,
        epochs=len(order) / len(rows.ids),
        seconds=seconds,
        tokens=tokens,
        final_loss=losses[-1][1],
        losses=losses,
        flops=6.0 * parameters * tokens,
    )
    write_json(out / "train.json", asdict(result))
    shutil.rmtree(checkpoints, ignore_errors=True)
    return result
