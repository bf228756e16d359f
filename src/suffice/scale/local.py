"""Worker processes on this machine: persistent, with a fixed number of threads each, never orphaned.

Two one-thread processes train two small models faster than one two-thread process trains them in turn, and
the number of threads changes the order of floating-point sums. So every job of a stage runs in a worker with
the same number of threads, however many workers there are, and gives the same bytes.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Self, TypeVar, cast

from suffice.common.errors import UserError

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "RAYON_NUM_THREADS",
)


Job = TypeVar("Job")
Result = TypeVar("Result")


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class JobError(RuntimeError):
    """A job failed by a fault of the program; a note on the error holds the traceback of the worker."""


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    job: int | None = None  # the index of the job it is at


class Workers:
    """A crew of worker processes, as a context manager.

    Workers start when the first jobs need them and stay for later calls of `map`, so that heavy imports are
    paid once. They end with the context, with a failed job, with Ctrl-C, and when the parent dies, even by
    ``kill -9``.

    Args:
        count: The most worker processes at a time.
        threads: The threads of each, set before the worker imports any library that counts cores.
    """

    def __init__(self, count: int, threads: int = 1) -> None:
        if count < 1 or threads < 1:
            raise UserError(f"{count} workers of {threads} threads cannot work", "give --jobs 1 or more")
        self.count, self.threads = count, threads
        self._crew: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def map(
        self,
        function: Callable[..., Any],
        jobs: Sequence[Any],
        on_result: Callable[[int, Any], None] | None = None,
        on_progress: Callable[[Any], None] | None = None,
    ) -> list[Any]:
        """Calls ``function`` on every job and returns the results in the order of the jobs.

        Args:
            function: A function that the worker can import. It is called as ``function(job)``, or, where
                ``on_progress`` is given, as ``function(job, report)``; the job calls ``report(x)`` to pass
                ``x`` on to ``on_progress``.
            jobs: What it is called on; jobs and results must be picklable.
            on_result: Called in this process as each job finishes, with its index and its result. A later
                failure does not take back what was handed over here.
            on_progress: Called in this process with each amount, or anything else, that a job reports.

        Returns:
            The results, in the order of the jobs.

        Raises:
            UserError: A job raised it, or a worker was killed. As with every error, and with Ctrl-C, the jobs
                still under way are ended.
            OSError: A job met an error of the system, such as a full disk.
            JobError: A job raised anything else.
        """
        reports = on_progress is not None
        waiting = iter(enumerate((function, job, reports) for job in jobs))
        results: list[Any] = [None] * len(jobs)
        try:
            self._muster(min(self.count, len(jobs)))
            for worker in self._crew:
                _hand_out(worker, waiting)
            while busy := {w.connection: w for w in self._crew if w.job is not None}:
                for connection in wait(list(busy)):
                    worker = busy[cast("Connection", connection)]
                    kind, value = _receive(worker)
                    if kind == "progress":
                        cast("Callable[[Any], None]", on_progress)(value)
                        continue
                    index = cast("int", worker.job)
                    results[index] = value
                    if on_result:
                        on_result(index, value)
                    _hand_out(worker, waiting)
        except BaseException:
            self.close()
            raise
        return results

    def stream(self, function: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
        """Yields what ``function`` makes of each job, in the order of the jobs, which may go on for ever.

        Jobs are taken as workers come free, and no more than two results a worker wait for their turn.

        Args:
            function: A function that the worker can import.
            jobs: What it is called on; jobs and results must be picklable.

        Raises:
            UserError, OSError, JobError: As `map` does.
        """
        waiting = iter(enumerate((function, job, False) for job in jobs))
        ready: dict[int, Any] = {}
        try:
            self._muster(self.count)
            for place in count():
                while place not in ready:
                    for worker in self._crew:
                        if worker.job is None and len(ready) < 2 * self.count:
                            _hand_out(worker, waiting)
                    busy = {w.connection: w for w in self._crew if w.job is not None}
                    if not busy:
                        return
                    for connection in wait(list(busy)):
                        worker = busy[cast("Connection", connection)]
                        _, value = _receive(worker)
                        ready[cast("int", worker.job)], worker.job = value, None
                yield ready.pop(place)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends all workers at once; the next `map` starts new ones."""
        for worker in self._crew:
            worker.process.kill()
        for worker in self._crew:
            worker.process.join()
            worker.connection.close()
        self._crew = []

    def _muster(self, count: int) -> None:
        """Starts workers until there are ``count``; where one has died, all of them anew."""
        if not all(worker.process.is_alive() for worker in self._crew):
            self.close()
        with _environment(dict.fromkeys(_THREAD_VARIABLES, str(self.threads))):
            while len(self._crew) < count:
                self._crew.append(_start())


def _hand_out(worker: _Worker, waiting: Iterator[tuple[int, Any]]) -> None:
    """Gives ``worker`` the next job, if one is left."""
    worker.job, call = next(waiting, (None, None))
    if worker.job is not None:
        try:
            worker.connection.send(call)
        except BrokenPipeError:
            raise _death(worker) from None


def _start() -> _Worker:
    """Starts one worker, with the environment of this moment."""
    # Spawn, not fork: a forked child inherits the locks and thread pools of torch and Arrow half-way.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    # Ctrl-C on a terminal reaches every process; only this one shall hear it, and end its workers. A child
    # inherits the signals blocked at its start (and the start of multiprocessing's tracker unblocks them).
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()  # so that a dead worker reads as the end of its pipe
    return _Worker(process, ours)


def _receive(worker: _Worker) -> tuple[str, Any]:
    """Returns the next message of a worker, raising what its job raised."""
    try:
        kind, value = worker.connection.recv()
    except (EOFError, ConnectionResetError):
        raise _death(worker) from None
    if kind == "failure":
        error, trace = value
        if not isinstance(error, UserError):
            error.add_note(f"In the worker:\n{trace}")
        raise error
    return kind, value


def _death(worker: _Worker) -> UserError:
    """Builds the error for a worker that ended in the middle of a job."""
    worker.process.join()
    code = worker.process.exitcode or 0
    how = f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"
    return UserError(
        f"a worker process {how}; the memory may be too small",
        "run again with --jobs 1 (finished work is kept)",
    )


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Sets environment variables for the block, for processes started in it to inherit."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(connection: Connection) -> None:
    """Runs jobs from ``connection`` until it closes: the main function of a worker."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # standard output belongs to the parent's JSON
    while True:
        try:
            message = connection.recv_bytes()
        except EOFError:
            return
        try:
            function, job, reports = pickle.loads(message)  # noqa: S301  # from our own parent
            report = [_reporter(connection)] if reports else []
            result = function(job, *report)
            # The newest protocol takes an Arrow batch as it stands; `send` would copy it once more.
            connection.send_bytes(pickle.dumps(("result", result), pickle.HIGHEST_PROTOCOL))
        except Exception as error:
            connection.send(("failure", (_portable(error), traceback.format_exc())))


def _portable(error: Exception) -> Exception:
    """Returns the error in a form that any process can unpickle.

    The user's mistakes and the system's errors (a full disk) stay what they are.
    """
    if isinstance(error, UserError):
        return error
    if isinstance(error, OSError) and error.errno is not None:
        return OSError(error.errno, error.strerror, error.filename)
    return JobError(f"{type(error).__name__}: {error}")


def _reporter(connection: Connection) -> Callable[[Any], None]:
    return lambda news: connection.send(("progress", news))


def _end_with_parent() -> None:
    """Ends this process when its parent has ended, however that came about."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
