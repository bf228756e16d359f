"""A reward at work: many replies judged under a time limit; what cannot be told is missing and counted."""

from __future__ import annotations

import math
import multiprocessing
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Self

from suffice.rewards.protocol import NotTold, Reward, Rollout
from suffice.scale.local import cores

STARTING = 120.0  # seconds in which a process of its own has imported what the reward needs


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
        self._apart: _Apart | None = None

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
            told = next(found) if rollout.stopped or not self.require_stop else 0.0
            if isinstance(told, str):
                self.missing[told] += 1
            values.append(None if isinstance(told, str) else told)
        self.judged += len(values)
        return values

    def _judge(self, rollouts: Sequence[Rollout]) -> list[float | str]:
        if self.reward.place == "threads":
            with ThreadPoolExecutor(cores()) as pool:
                return list(pool.map(lambda rollout: _told(self.reward, rollout), rollouts))
        if self.reward.place == "apart":
            self._apart = self._apart or _Apart(self.reward, self.seconds)
            return [self._apart.judge(rollout) for rollout in rollouts]
        return [_told(self.reward, rollout) for rollout in rollouts]


def _told(reward: Reward, rollout: Rollout) -> float | str:
    """Returns what a reply is worth, or why it cannot be told."""
    try:
        value = float(reward(rollout))
    except NotTold as error:
        return str(error)
    except Exception as error:
        return type(error).__name__
    return value if math.isfinite(value) else "no number"


class _Apart:
    """A process that works out a reward, reply by reply, and is replaced when it takes too long or dies."""

    def __init__(self, reward: Reward, seconds: float) -> None:
        self.reward, self.seconds = reward, seconds
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    def judge(self, rollout: Rollout) -> float | str:
        """Returns what a reply is worth, or why it cannot be told."""
        connection = self._connection or self._start()
        try:
            connection.send(rollout)
            if connection.poll(self.seconds):
                told: float | str = connection.recv()
                return told
        except (EOFError, OSError):
            self.end()
            return "died"
        self.end()
        return "time"

    def end(self) -> None:
        """Ends the process; the next reply starts a new one."""
        if self._process and self._connection:
            self._process.kill()
            self._process.join()
            self._connection.close()
        self._process = self._connection = None

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")  # a forked child inherits the locks of torch half-way
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self.reward), daemon=True)
        self._process.start()
        theirs.close()
        self._connection = ours
        if not ours.poll(STARTING):
            raise RuntimeError(f"the process of a reward did not start within {STARTING:g} seconds")
        ours.recv()
        return ours


def _serve(connection: Connection, reward: Reward) -> None:
    """Judges replies from ``connection`` until it closes: the main function of the process."""
    prepare = getattr(reward, "prepare", None)
    if prepare:
        prepare()  # imports what the reward needs, outside the time of a single reply
    connection.send("ready")
    while True:
        try:
            rollout = connection.recv()
        except EOFError:
            return
        connection.send(_told(reward, rollout))
