"""Training by reward on one example or many: GRPO (Shao et al. 2024, arXiv 2402.03300) with TRL's GRPOTrainer."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from suffice.common.errors import UserError
from suffice.common.files import digest, write_json
from suffice.models import LanguageModel
from suffice.training.rollouts import Question, Reward, Sampler, Step
from suffice.training.saving import checkpoints_of, save_model
from suffice.training.settings import GRPOSettings


@dataclass(frozen=True, slots=True)
class GRPOResult:
    """What a training by reward did; ``train.json`` holds the same.

    Attributes:
        questions: Examples trained on.
        steps: Rollout steps.
        rollouts: Replies sampled.
        missing: Replies without a reward.
        seconds: Wall time; after a resumption, of the last part alone.
        rollout_share: The share of the steps' time that went into sampling.
        reward_share: The share that went into judging.
        tokens: Tokens sampled.
        history: Every rollout step.
        flops: 2 x parameters for each token sampled and 6 x for each trained on, prompts not counted.
    """

    questions: int
    steps: int
    rollouts: int
    missing: int
    seconds: float
    rollout_share: float
    reward_share: float
    tokens: int
    history: list[Step]
    flops: float


def train_grpo(
    model: LanguageModel,
    questions: Sequence[Question],
    reward: Reward,
    settings: GRPOSettings,
    *,
    seed: int,
    out: Path,
    reward_key: str,
    save: bool = True,
    on_step: Callable[[Step], None] | None = None,
) -> GRPOResult:
    """Trains a model by the rewards of what it writes.

    Args:
        model: The base. Its network is trained in place, so it must be loaded anew for another run.
        questions: What is asked. Fewer than a step's groups are repeated; every copy is a group of its own.
        reward: What judges the replies.
        settings: How to train.
        seed: Of the order of the questions, of sampling and, with LoRA, of the adapters' start.
        out: Gets ``model/`` and last ``train.json``: a folder without it is unfinished. A checkpoint that a killed
            run of the same model, questions, reward, settings and seed left there is gone on from.
        reward_key: Says which reward it is, so that no other's checkpoint is gone on from.
        save: Whether to write ``model/``.
        on_step: Called after every rollout step.

    Returns:
        The result, as in ``train.json``.

    Raises:
        UserError: A prompt leaves no room for replies, the training diverged, or the model cannot be written.
    """
    from suffice.training.grpo_trainer import fit  # imports torch and TRL

    started = time.monotonic()
    (out / "train.json").unlink(missing_ok=True)
    prompts = [model.chat.encode_prompt(list(question.messages)) for question in questions]
    _check_room(model, prompts, settings.max_new_tokens)
    asked = [[list(question.messages), question.answer] for question in questions]
    key = digest([model.fingerprint, asdict(settings), seed, reward_key, asked])
    checkpoints = checkpoints_of(out, key)
    parameters = model.network.num_parameters()
    sampler = Sampler(
        model, questions, reward, settings.samples, settings.temperature, settings.max_new_tokens, seed
    )
    history = fit(model, prompts, sampler, settings, seed=seed, folder=checkpoints, on_step=on_step)
    if not all(math.isfinite(step.entropy) for step in history):
        raise UserError(
            f"the training in {out} diverged: the entropy is no longer a finite number",
            f"give a learning rate below {settings.learning_rate:g}",
        )
    if save:
        save_model(model, out / "model")
    seconds = sum(step.rollout_seconds + step.reward_seconds + step.update_seconds for step in history)
    tokens = sum(step.tokens for step in history)
    result = GRPOResult(
        questions=len(questions),
        steps=len(history),
        rollouts=len(history) * settings.groups * settings.samples,
        missing=sum(step.missing for step in history),
        seconds=time.monotonic() - started,
        rollout_share=sum(step.rollout_seconds for step in history) / seconds,
        reward_share=sum(step.reward_seconds for step in history) / seconds,
        tokens=tokens,
        history=history,
        flops=8.0 * parameters * tokens,
    )
    write_json(out / "train.json", asdict(result))
    return result


def _check_room(model: LanguageModel, prompts: Sequence[list[int]], new: int) -> None:
    longest = max(map(len, prompts))
    if longest + new > model.window:
        raise UserError(
            f"a prompt of {longest} tokens and replies of {new} do not fit into the window of {model.window} tokens of "
            f"'{model.name}'",
            "ask for fewer new tokens or leave out the prompt",
        )
