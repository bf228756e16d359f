"""A reward at work: many replies judged under a time limit; what cannot be told is missing and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from suffice.rewards.apart import Apart, told
from suffice.rewards.protocol import Reward, Rollout
from suffice.scale.local import cores


class Judge:
    """Judges replies by a reward, as a context manager.

    Args:
        reward: The reward.
        seconds: What one reply may take where the reward is worked out apart.
        require_stop: Whether a reply that did not end by itself is worth 0 whatever it says.

    Attributes:
        judged: How many replies were judged.
        missing: How many of them have no reward, by reason: ``time`` or the name of the error.
    """

    def __init__(self, reward: Reward, *, seconds: float = 10.0, require_stop: bool = False) -> None:
        self.reward, self.seconds, self.require_stop = reward, seconds, require_stop
        self.judged = 0
        self.missing: Counter[str] = Counter()
        self._apart: Apart | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._apart:
            self._apart.end()

    def __call__(self, rollouts: Sequence[Rollout]) -> list[float | None]:
        """Returns what each reply is worth, in order; `None` where it cannot be told."""
        asked = [r for r in rollouts if r.stopped or not self.require_stop]
        found = iter(self._judge(asked))
        values: list[float | None] = []
        for rollout in rollouts:
            worth = next(found) if rollout.stopped or not self.require_stop else 0.0
            if isinstance(worth, str):
                self.missing[worth] += 1
            values.append(None if isinstance(worth, str) else worth)
        self.judged += len(values)
        return values

    def _judge(self, rollouts: Sequence[Rollout]) -> list[float | str]:
        if self.reward.place == "threads":
            with ThreadPoolExecutor(cores()) as pool:
                return list(pool.map(lambda rollout: told(self.reward, rollout), rollouts))
        if self.reward.place == "apart":
            self._apart = self._apart or Apart(self.reward, self.seconds)
            return [self._apart.judge(rollout) for rollout in rollouts]
        return [told(self.reward, rollout) for rollout in rollouts]
