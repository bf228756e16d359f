"""Rewards that know nothing of what is right: what training does without a signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from suffice.common.draws import Draws
from suffice.rewards.protocol import Place, Rollout


@dataclass(frozen=True, slots=True)
class RandomSettings:
    """How the coin falls.

    Attributes:
        share: How often the reward is 1.
        seed: Of the draws.
    """

    share: float = 0.5
    seed: int = 0


class Random:
    """1 or 0 by a coin for each reply, whatever it says (the same again when a killed training goes on)."""

    Settings = RandomSettings
    paper: ClassVar[str] = "arXiv 2506.10947 (spurious rewards)"
    place: ClassVar[Place] = "here"

    def __init__(self, settings: RandomSettings | None = None) -> None:
        self.settings = settings or RandomSettings()

    def check(self, answer: str) -> None:
        """Takes any reference: it plays no part."""

    def __call__(self, rollout: Rollout) -> float:
        """Returns the coin of the reply's number."""
        return float(Draws(self.settings.seed, "reward", rollout.number).chance(self.settings.share))


class Nothing:
    """Always 0: what the terms of the loss beside the reward do by themselves, such as the entropy bonus."""

    paper: ClassVar[str] = "Wang et al. 2025 (1-shot RLVR), entropy alone"
    place: ClassVar[Place] = "here"

    def check(self, answer: str) -> None:
        """Takes any reference: it plays no part."""

    def __call__(self, rollout: Rollout) -> float:
        """Returns 0."""
        return 0.0
