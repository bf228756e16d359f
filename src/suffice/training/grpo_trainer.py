"""TRL's GRPOTrainer with Suffice's sampling and judging. Importing this module imports torch and TRL."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from suffice.models import LanguageModel
from suffice.training.rollouts import Sampler, Step
from suffice.training.rows import micro_batch, passes
from suffice.training.settings import GRPOSettings
from suffice.training.trainer import last_checkpoint

Passed = tuple[
    torch.Tensor, torch.Tensor | None, torch.Tensor | None
]  # log-probabilities, entropies, auxiliary loss
ROWS_A_PASS = 16  # replies of like length that go through the network together


def fit(
    model: LanguageModel,
    prompts: Sequence[list[int]],
    sampler: Sampler,
    settings: GRPOSettings,
    *,
    seed: int,
    folder: Path,
    on_step: Callable[[Step], None] | None = None,
) -> list[Step]:
    """Trains the network in place, from the newest checkpoint in ``folder`` where there is one.

    Args:
        model: The base.
        prompts: Token ids of each question's prompt.
        sampler: Samples and judges.
        settings: How to train.
        seed: Of the order of the questions, and of torch.
        folder: Where the checkpoints go.
        on_step: Called after every rollout step.

    Returns:
        Every rollout step.
    """
    dtype = model.network.dtype
    if settings.lora is None:
        model.network.float()  # updates smaller than half precision can hold would be lost
    checkpoint = last_checkpoint(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TRL and PEFT use old names of transformers' options
        warnings.simplefilter("ignore", UserWarning)  # TRL calls the rollout function experimental
        trainer = build_trainer(model, prompts, sampler, settings, seed=seed, folder=folder)
        trainer.add_callback(_Steps(trainer, settings.updates, on_step))
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if settings.lora is not None:
        trainer.model.merge_and_unload()
    model.network.to(dtype).eval()
    return _steps(trainer.state.log_history, settings.updates)


def build_trainer(
    model: LanguageModel,
    prompts: Sequence[list[int]],
    sampler: Sampler,
    settings: GRPOSettings,
    *,
    seed: int,
    folder: Path,
) -> Trainer:
    """Builds the trainer of one run; the arguments are those of `fit`.

    The questions lie in the order of training, so that what a run sees is the same on every machine. Each row is
    a group of its own, copies included. Replies are sampled by Suffice's own generation, or by vLLM where it is
    installed and there is a GPU.
    """
    replies = settings.groups * settings.samples // settings.updates  # of one optimiser step
    budget = settings.token_budget or (8_192 if model.device == "cpu" else 24_000)
    per_pass = micro_batch(replies, max(map(len, prompts)) + settings.max_new_tokens, budget)
    order = list(islice(passes(len(prompts), seed), settings.steps * settings.groups))
    asked = [[dict(turn) for turn in question.messages] for question in sampler.questions]
    trainer = Trainer(
        sampler=sampler,
        prompts=prompts,
        model=model.network,
        args=_config(settings, model.device, str(folder), per_pass, replies // per_pass, seed),
        train_dataset=Dataset.from_dict({"prompt": asked, "row": list(range(len(asked)))}).select(order),
        processing_class=model.tokenizer,
        peft_config=settings.lora
        and LoraConfig(
            r=settings.lora.r,
            lora_alpha=settings.lora.alpha,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
    )
    trainer.remove_callback(PrinterCallback)  # it writes to standard output
    return trainer


def _config(
    settings: GRPOSettings, device: str, folder: str, per_pass: int, passes_a_step: int, seed: int
) -> GRPOConfig:
    """Returns the configuration; every setting is pinned in which TRL's default differs or may come to differ."""
    cpu = device == "cpu"
    return GRPOConfig(
        output_dir=folder,
        seed=seed,
        max_steps=settings.steps * settings.updates,
        per_device_train_batch_size=per_pass,
        gradient_accumulation_steps=passes_a_step,
        steps_per_generation=passes_a_step * settings.updates,
        num_generations=settings.samples,
        num_iterations=1,
        shuffle_dataset=False,
        temperature=settings.temperature,
        top_p=1.0,
        top_k=0,
        repetition_penalty=1.0,
        max_completion_length=settings.max_new_tokens,
        loss_type="dapo",  # the mean over all tokens of the step, as in the paper's code
        scale_rewards="group",
        importance_sampling_level="token",
        epsilon=settings.clip,
        beta=settings.kl,
        use_bias_correction_kl=False,
        entropy_coef=settings.entropy,
        mask_truncated_completions=False,
        disable_dropout=True,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="constant",
        warmup_steps=0,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        use_vllm=not cpu and find_spec("vllm") is not None,
        # TRL's defaults are for GPUs; on a CPU they make training several times slower.
        use_cpu=cpu,
        bf16=not cpu and torch.cuda.is_bf16_supported(),
        gradient_checkpointing=not cpu,
        dataloader_pin_memory=not cpu,
        save_strategy="steps" if settings.checkpoint_steps else "no",
        save_steps=settings.checkpoint_steps * settings.updates or 1,
        save_total_limit=1,
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        log_level="error",
    )


class Trainer(GRPOTrainer):  # type: ignore[misc]
    """GRPOTrainer that samples and judges by a `Sampler` and logs what that knows of each rollout step."""

    def __init__(self, *, sampler: Sampler, prompts: Sequence[list[int]], **arguments: Any) -> None:
        self.sampler, self.prompts = sampler, prompts
        vllm = arguments["args"].use_vllm
        super().__init__(reward_funcs=self._judge, rollout_func=None if vllm else _place_holder, **arguments)
        if not vllm:
            self.rollout_func = self._sample

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        self._rows = [example["row"] for example in inputs]
        found: dict[str, Any] = super()._generate_and_score_completions(inputs)
        return found

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        **terms: Any,
    ) -> Passed:
        """Returns what TRL's own returns, passing rows of like length together and without their padding.

        One reply that does not stop pads all others, and on a CPU padding costs as much as words.
        """
        if input_ids.device.type != "cpu":
            whole: Passed = super()._get_per_token_logps_and_entropies(
                model, input_ids, attention_mask, logits_to_keep, **terms
            )
            return whole
        prompt = attention_mask.shape[1] - logits_to_keep
        logps = input_ids.new_zeros(len(input_ids), logits_to_keep, dtype=torch.float32)
        entropies, aux = torch.zeros_like(logps), []
        for rows in torch.split(attention_mask.sum(1).argsort(stable=True), ROWS_A_PASS):
            used = attention_mask[rows].any(0).nonzero()
            first, end = int(used[0]), max(int(used[-1]), prompt) + 1
            kept = end - prompt
            found = super()._get_per_token_logps_and_entropies(
                model, input_ids[rows, first:end], attention_mask[rows, first:end], kept, **terms
            )
            place = (rows[:, None], torch.arange(kept, device=rows.device))
            logps = logps.index_put(place, found[0].float())
            if found[1] is not None:
                entropies = entropies.index_put(place, found[1].float())
            if found[2] is not None:
                aux.append(found[2])
        return (
            logps,
            entropies if terms.get("compute_entropy") else None,
            torch.stack(aux).mean() if aux else None,
        )

    def _sample(self, messages: list[Any], _: Any) -> dict[str, Any]:
        prompts = [self.prompts[row] for row in self._rows]
        with self.accelerator.autocast():
            written = self.sampler.sample(prompts, self._rollout_step)
        return {"prompt_ids": prompts, "completion_ids": written, "logprobs": None}

    def _judge(self, completion_ids: list[list[int]], row: list[int], **_: Any) -> list[float | None]:
        return self.sampler.judge(row, completion_ids, self._rollout_step)

    @property
    def _rollout_step(self) -> int:
        """The number of the rollout step, from 0."""
        updates: int = self.args.steps_per_generation // self.args.gradient_accumulation_steps
        done: int = self.state.global_step
        return done // updates

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Logs a step with what the sampler knows of its rollouts, which checkpoints keep."""
        if "loss" in logs:
            logs |= {f"rollout/{name}": value for name, value in self.sampler.about.items()}
            self.sampler.about.clear()
        super().log(logs, start_time)


def _place_holder(messages: list[Any], trainer: Any) -> dict[str, Any]:
    raise AssertionError("replaced by the trainer")


class _Steps(TrainerCallback):  # type: ignore[misc]
    """Measures how long a rollout step takes and tells the caller of it."""

    def __init__(self, trainer: Trainer, updates: int, on_step: Callable[[Step], None] | None) -> None:
        self.trainer, self.updates, self.on_step = trainer, updates, on_step
        self.started = time.perf_counter()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.started = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step % self.updates == 0:
            now = time.perf_counter()
            self.trainer.sampler.about["seconds"] = now - self.started
            self.started = now

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.on_step and state.global_step % self.updates == 0 and "loss" in state.log_history[-1]:
            self.on_step(_step(state.log_history[-self.updates :], state.global_step // self.updates))


def _steps(logged: list[dict[str, Any]], updates: int) -> list[Step]:
    entries = [entry for entry in logged if "loss" in entry]
    batches = [entries[i : i + updates] for i in range(0, len(entries), updates)]
    return [_step(batch, number) for number, batch in enumerate(batches, start=1)]


def _step(entries: list[dict[str, Any]], number: int) -> Step:
    """Returns a rollout step from the log entries of its updates."""
    about = {
        name.removeprefix("rollout/"): value
        for entry in entries
        for name, value in entry.items()
        if name.startswith("rollout/")
    }
    seconds = about.pop("seconds")
    spent = about.get("rollout_seconds", 0.0) + about["reward_seconds"]
    return Step(
        step=number,
        entropy=entries[0]["entropy"],
        kl=entries[-1].get("kl"),
        update_seconds=max(0.0, seconds - spent),
        **({"rollout_seconds": 0.0} | about),
    )
