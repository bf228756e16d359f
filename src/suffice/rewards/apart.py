"""A reward worked out in a process of its own, which is ended when it takes too long.

The process is no child of `multiprocessing`, since workers of a run may have none of those.
"""

from __future__ import annotations

import ctypes
import math
import os
import pickle
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

from suffice.rewards.protocol import NotTold, Reward, Rollout

STARTING = 120.0  # seconds in which the process has imported what the reward needs
_MAIN = "import sys; sys.path[:] = eval(sys.argv[2]); from suffice.rewards.apart import serve; serve(int(sys.argv[1]))"
_PDEATHSIG = 1


def told(reward: Reward, rollout: Rollout) -> float | str:
    """Returns what a reply is worth, or why it cannot be told."""
    try:
        value = float(reward(rollout))
    except NotTold as error:
        return str(error)
    except Exception as error:
        return type(error).__name__
    return value if math.isfinite(value) else "no number"


class Apart:
    """A process that works out a reward, reply by reply, and is replaced when it takes too long or dies.

    Args:
        reward: The reward; it must be picklable.
        seconds: What one reply may take.
    """

    def __init__(self, reward: Reward, seconds: float) -> None:
        self.reward, self.seconds = reward, seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def judge(self, rollout: Rollout) -> float | str:
        """Returns what a reply is worth, or why it cannot be told."""
        connection = self._connection or self._start()
        try:
            connection.send(rollout)
            if connection.poll(self.seconds):
                worth: float | str = connection.recv()
                return worth
        except (EOFError, OSError):
            self.end()
            return "died"
        self.end()
        return "time"

    def end(self) -> None:
        """Ends the process; the next reply starts a new one."""
        if self._process and self._connection:
            self._process.kill()
            self._process.wait()
            self._connection.close()
        self._process = self._connection = None

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", _MAIN, str(theirs.fileno()), repr(sys.path)],
                stdin=subprocess.DEVNULL,
                stdout=2,  # standard output belongs to the parent's JSON
                pass_fds=[theirs.fileno()],
            )
        self._connection = connection = Connection(ours.detach())
        try:
            connection.send_bytes(pickle.dumps(self.reward))
            if not connection.poll(STARTING):
                raise EOFError
            connection.recv()
        except (EOFError, OSError):
            self.end()
            raise RuntimeError(
                f"the process of the reward {type(self.reward).__name__} did not start"
            ) from None
        return connection


def serve(descriptor: int) -> None:
    """Judges replies from a socket until it closes: the main function of the process."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    connection = Connection(descriptor)
    reward = pickle.loads(connection.recv_bytes())  # noqa: S301  # from our own parent
    prepare = getattr(reward, "prepare", None)
    if prepare:
        prepare()  # imports what the reward needs, outside the time of a single reply
    connection.send("ready")
    with suppress(EOFError):
        while True:
            connection.send(told(reward, connection.recv()))
    os._exit(0)
