"""TRL's SFTTrainer, fed with finished tokens and labels. Importing this module imports torch and TRL."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from suffice.models import LanguageModel
from suffice.training.rows import Rows, micro_batch
from suffice.training.settings import SFTSettings

_LOGS = 64  # about this many points of the loss curve are kept


def fit(
    model: LanguageModel,
    rows: Rows,
    order: list[int],
    settings: SFTSettings,
    *,
    steps: int,
    seed: int,
    folder: Path,
    on_step: Callable[[int], None] | None = None,
) -> list[tuple[int, float]]:
    """Trains the network in place, from the newest checkpoint in ``folder`` where there is one.

    Args:
        model: The base.
        rows: The encoded rows.
        order: Row indices in the order of training, ``steps`` equal batches.
        settings: How to train.
        steps: Optimiser steps.
        seed: Seeds torch, and so the adapters' start and a network's dropout.
        folder: Where the checkpoints go.
        on_step: Called after every optimiser step with the number of steps done.

    Returns:
        The loss curve: step, and mean loss per trained token since the entry before.
    """
    dtype = model.network.dtype
    if settings.lora is None:
        model.network.float()  # updates smaller than half precision can hold would be lost
    checkpoint = last_checkpoint(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TRL and PEFT use old names of transformers' options
        trainer = build_trainer(model, rows, order, settings, steps=steps, seed=seed, folder=folder)
        trainer.add_callback(_Watch(on_step))
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if settings.lora is not None:
        trainer.model.merge_and_unload()
    model.network.to(dtype).eval()
    return [(entry["step"], entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]


def build_trainer(
    model: LanguageModel,
    rows: Rows,
    order: list[int],
    settings: SFTSettings,
    *,
    steps: int,
    seed: int,
    folder: Path,
) -> SFTTrainer:
    """Builds the trainer of one run; the arguments are those of `fit`.

    The rows come as tokens and labels in the order of training, which SFTTrainer takes as they are
    (``skip_prepare_dataset``, sequential sampling). The loss of an optimiser step is the mean over all its
    trained tokens, however many forward passes it takes.
    """
    batch_size = len(order) // steps
    budget = settings.token_budget or (1_024 if model.device == "cpu" else 16_384)
    per_pass = micro_batch(batch_size, max(map(len, rows.ids)), budget)
    lora = settings.lora and LoraConfig(
        r=settings.lora.r,
        lora_alpha=settings.lora.alpha,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    trainer = SFTTrainer(
        model=model.network,
        args=_config(
            settings,
            cpu=model.device == "cpu",
            output_dir=str(folder),
            max_steps=steps,
            per_device_train_batch_size=per_pass,
            gradient_accumulation_steps=batch_size // per_pass,
            seed=seed,
        ),
        train_dataset=Dataset.from_dict({"input_ids": rows.ids, "labels": rows.labels}).select(order),
        processing_class=model.tokenizer,
        peft_config=lora,
    )
    trainer.remove_callback(PrinterCallback)  # it writes to standard output
    return trainer


def _config(settings: SFTSettings, *, cpu: bool, max_steps: int, **arguments: Any) -> SFTConfig:
    return SFTConfig(
        max_steps=max_steps,
        train_sampling_strategy="sequential",
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=round(settings.warmup_ratio * max_steps),
        weight_decay=settings.weight_decay,
        adam_beta1=settings.betas[0],
        adam_beta2=settings.betas[1],
        max_grad_norm=settings.max_grad_norm,
        # TRL's defaults are for GPUs; on a CPU they make training 3.5 times slower.
        use_cpu=cpu,
        bf16=not cpu and torch.cuda.is_bf16_supported(),
        gradient_checkpointing=not cpu,
        dataloader_pin_memory=not cpu,
        save_strategy="steps" if settings.checkpoint_steps else "no",
        save_steps=settings.checkpoint_steps or 1,
        save_total_limit=1,
        logging_steps=max(1, max_steps // _LOGS),
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        log_level="error",
        **arguments,
    )


def last_checkpoint(folder: Path) -> Path | None:
    """Returns the newest whole checkpoint. The trainer's state is what a checkpoint gets last."""
    whole = [path for path in folder.glob("checkpoint-*") if _is_json(path / "trainer_state.json")]
    return max(whole, key=lambda path: int(path.name.split("-")[1]), default=None)


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Tells the caller of every step, and has the last one logged."""

    def __init__(self, on_step: Callable[[int], None] | None) -> None:
        self.on_step = on_step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.on_step:
            self.on_step(state.global_step)
        if state.global_step == state.max_steps:
            control.should_log = True
