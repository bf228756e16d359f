"""When the next request may go: so many a minute, and none while the server has asked to wait."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class StoppedError(Exception):
    """The work has been called off."""


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> float:
        """Returns seconds since some moment."""

    def sleep(self, seconds: float) -> None:
        """Waits.

        Raises:
            StoppedError: The work has been called off meanwhile.
        """

    def stop(self) -> None:
        """Wakes all who wait."""


class RealClock:
    """The clock of this machine, whose waits can be broken off."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def now(self) -> float:
        """See `Clock.now`."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        if self._stopped.wait(max(seconds, 0)):
            raise StoppedError

    def stop(self) -> None:
        """See `Clock.stop`."""
        self._stopped.set()


class Pace:
    """Spaces requests evenly, for any number of threads.

    Args:
        per_minute: The most requests a minute; `None` for no limit.
        clock: The clock.
    """

    def __init__(self, per_minute: float | None, clock: Clock) -> None:
        self._interval = 60 / per_minute if per_minute else 0.0
        self._clock = clock
        self._lock = threading.Lock()
        self._next = clock.now()

    def take_turn(self) -> None:
        """Waits until a request may go.

        Raises:
            StoppedError: The work has been called off.
        """
        with self._lock:
            turn = max(self._next, self._clock.now())
            self._next = turn + self._interval
        self._clock.sleep(turn - self._clock.now())

    def hold(self, seconds: float) -> None:
        """Lets no further request go for a while."""
        with self._lock:
            self._next = max(self._next, self._clock.now() + seconds)
