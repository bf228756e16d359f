"""Rollouts: replies sampled and judged, and what a step of training by reward is told of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from suffice.common.draws import stream_key
from suffice.data.example import Message
from suffice.models import LanguageModel
from suffice.models.generation import continuations, reply_of
from suffice.rewards.protocol import Rollout

Reward = Callable[[Sequence[Rollout]], list[float | None]]
"""What judges replies: `suffice.rewards.judge.Judge`, or a function like it."""

PATIENCE = 3  # rollout steps in a row without a group whose rewards differ, before a warning


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is trained on by reward: a prompt, and the reference that replies are judged by."""

    messages: tuple[Message, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Step:
    """One rollout step.

    Attributes:
        step: Its number, from 1.
        reward: The mean reward of the replies that have one; `None` where none has.
        missing: Replies without a reward.
        uniform: The share of groups whose rewards are all the same, from which nothing is learned.
        stopped: The share of replies that ended by themselves.
        length: Mean tokens of a reply.
        entropy: Mean entropy of a token of the replies, in nats.
        kl: Mean divergence from the base a token; `None` where it has no coefficient.
        tokens: Tokens sampled.
        rollout_seconds: Spent on sampling.
        reward_seconds: Spent on judging.
        update_seconds: Spent on everything else: forward and backward passes and the optimiser.
    """

    step: int
    reward: float | None
    missing: int
    uniform: float
    stopped: float
    length: float
    entropy: float
    kl: float | None
    tokens: int
    rollout_seconds: float
    reward_seconds: float
    update_seconds: float

    def words(self) -> str:
        """Returns the step in one short line."""
        told = "no reward" if self.reward is None else f"reward {self.reward:.2f}"
        parts = [
            told,
            f"{self.uniform:.0%} uniform",
            f"entropy {self.entropy:.2f}",
            f"{self.length:.0f} tokens",
        ]
        return ", ".join([*parts, *([f"{self.missing} missing"] if self.missing else [])])


@dataclass
class Sampler:
    """Samples and judges for one training.

    Attributes:
        model: What is trained; its network changes meanwhile.
        questions: What is asked.
        reward: What judges replies.
        samples: Replies of a group.
        temperature: Of sampling.
        max_new_tokens: The longest reply.
        seed: Of the draws: the same step samples the same of the same weights, whatever came before.
        about: What is known of the step under way.
    """

    model: LanguageModel
    questions: Sequence[Question]
    reward: Reward
    samples: int
    temperature: float
    max_new_tokens: int
    seed: int
    about: dict[str, Any] = field(default_factory=dict)

    def sample(self, prompts: Sequence[list[int]], step: int) -> list[list[int]]:
        """Returns the new tokens after each prompt (token ids), in one batch where they fit."""
        started = time.perf_counter()
        network = self.model.network
        training = network.training
        network.eval()
        try:
            written = continuations(
                self.model,
                prompts,
                max_new_tokens=self.max_new_tokens,
                temperature=self.temperature,
                seed=stream_key(self.seed, "rollout", step) >> 1,
            )
        finally:
            network.train(training)
        self.about["rollout_seconds"] = time.perf_counter() - started
        return written

    def judge(self, rows: Sequence[int], written: Sequence[list[int]], step: int) -> list[float | None]:
        """Returns the rewards of replies (token ids) to the questions ``rows``, group by group."""
        started = time.perf_counter()
        rollouts = []
        for place, (row, ids) in enumerate(zip(rows, written, strict=True)):
            question, reply = self.questions[row], reply_of(self.model, list(ids))
            number = step * len(rows) + place
            rollouts.append(Rollout(question.messages, reply.text, question.answer, reply.stopped, number))
        rewards = self.reward(rollouts)
        told = [reward for reward in rewards if reward is not None]
        groups = [rewards[i : i + self.samples] for i in range(0, len(rewards), self.samples)]
        self.about |= {
            "reward": fmean(told) if told else None,
            "missing": len(rewards) - len(told),
            "uniform": fmean(len({reward for reward in group if reward is not None}) < 2 for group in groups),
            "stopped": fmean(rollout.stopped for rollout in rollouts),
            "length": fmean(map(len, written)),
            "tokens": sum(map(len, written)),
            "reward_seconds": time.perf_counter() - started,
        }
        return rewards


@dataclass
class Watch:
    """Warns early where nothing can be learned: when no group of several steps in a row has rewards that differ.

    Attributes:
        warn: Where to say so; it is said once.
    """

    warn: Callable[[str], None]
    _in_a_row: int = 0
    _warned: bool = False

    def see(self, step: Step) -> None:
        """Takes note of a step."""
        self._in_a_row = 0 if step.uniform < 1 else self._in_a_row + 1
        if self._in_a_row == PATIENCE and not self._warned:
            self._warned = True
            self.warn(
                f"nothing is learned: in {PATIENCE} rollout steps up to step {step.step} every group has one and the "
                f"same reward{_why(step)}"
            )


def _why(step: Step) -> str:
    if step.reward is None:
        return " (all are missing: see what the reward raises)"
    if step.reward == 0:
        return " (all 0: the example may be too hard, the replies cut off, or the reward for another format)"
    return " (all 1: the example is solved every time)" if step.reward == 1 else ""
