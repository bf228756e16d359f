"""Many requests at once, each answered once: those that the cache holds are not sent."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread

from suffice.common.errors import UserError
from suffice.common.progress import Reporter, Task
from suffice.models.endpoint.cache import Cache
from suffice.models.endpoint.client import Client, NoAnswerError
from suffice.models.endpoint.meter import CapError, Meter
from suffice.models.endpoint.pace import Clock
from suffice.models.endpoint.settings import EndpointSettings
from suffice.models.endpoint.wire import Answer, Request

GIVE_UP = 25
"""After so many requests without a single answer the endpoint is taken for dead."""


@dataclass
class Asked:
    """What came of asking.

    Attributes:
        failed: Why a request has no answer, by its key.
        kept: How many of the answers had been there before.
        answered: How many came now.
        meter: What was sent and spent.
    """

    meter: Meter
    failed: dict[str, str] = field(default_factory=dict)
    kept: int = 0
    answered: int = 0


def ask(
    requests: Iterable[Request],
    settings: EndpointSettings,
    cache: Cache,
    asker: str,
    reporter: Reporter,
    clock: Clock | None = None,
) -> Asked:
    """Has every request answered, and the answers kept in ``cache``.

    What it will cost is told before the first request. Requests that get no answer are told and not kept, so
    that they are sent again the next time.

    Args:
        requests: The requests; gone through twice, the same both times.
        settings: The endpoint; see `check_endpoint`.
        cache: Where answers are kept; each is on disk soon after it came.
        asker: What asks, for messages.
        reporter: Where the cost and the progress are told.
        clock: The clock.

    Raises:
        UserError: A cap was reached, with how many requests remain, or the endpoint does not answer at all.
    """
    meter = Meter(settings)
    asked, todo = _plan(requests, settings, cache, asker, reporter, meter)
    if not todo:
        return asked
    with (
        closing(_Work(settings, cache, asker, asked, clock)) as work,
        reporter.track("ask", len(todo), "requests") as task,
    ):
        for request in requests:
            if request.key in todo:
                todo.discard(request.key)
                work.give(request, task)
        work.finish(task)
        task.result(f"{asked.answered:,} answers by {settings.model}")
    return asked


def _plan(
    requests: Iterable[Request],
    settings: EndpointSettings,
    cache: Cache,
    asker: str,
    reporter: Reporter,
    meter: Meter,
) -> tuple[Asked, set[str]]:
    """Tells what asking will cost, and returns the keys of the requests to send."""
    asked, todo, seen = Asked(meter), set[str](), set[str]()
    tokens_in = tokens_out = 0
    for request in requests:
        if request.key in seen:
            continue
        seen.add(request.key)
        if request.key in cache:
            asked.kept += 1
            continue
        todo.add(request.key)
        tokens_in += request.tokens_in
        tokens_out += request.tokens_out
    words = (
        f"{asker} asks {settings.model} at {settings.endpoint} {len(todo):,} times"
        f"{f' ({asked.kept:,} answers are there)' if asked.kept else ''}: about {tokens_in:,} tokens in, "
        f"at most {tokens_out:,} out"
    )
    price = f", at most {settings.cost(tokens_in, tokens_out):,.2f}" if settings.priced else ""
    reporter.say(words + price)
    return asked, todo


class _Work:
    """The requests under way, each in a thread.

    The threads are daemons: those of concurrent.futures would be waited for at the end of Python, for as long as a
    server lets them wait.
    """

    def __init__(
        self, settings: EndpointSettings, cache: Cache, asker: str, asked: Asked, clock: Clock | None
    ) -> None:
        self._settings, self._cache, self._asker, self._asked = settings, cache, asker, asked
        self._client = Client(settings, asked.meter, clock)
        self._given: SimpleQueue[Request | None] = SimpleQueue()
        self._done: SimpleQueue[tuple[Request, Answer | Exception]] = SimpleQueue()
        self._open = self._unsent = 0
        self._cap: str | None = None
        for _ in range(settings.concurrency):
            Thread(target=self._send, daemon=True).start()

    def _send(self) -> None:
        while (request := self._given.get()) is not None:
            try:
                self._done.put((request, self._client.send(request)))
            except Exception as error:  # raised again where it belongs
                self._done.put((request, error))

    def close(self) -> None:
        """Ends the threads, as soon as nothing keeps them."""
        self._client.close()
        for _ in range(self._settings.concurrency):
            self._given.put(None)

    def give(self, request: Request, task: Task) -> None:
        """Sends a request, once there is room for it; after a cap it is only counted."""
        if self._cap:
            self._unsent += 1
            return
        self._given.put(request)
        self._open += 1
        if self._open >= 2 * self._settings.concurrency:
            self._settle(task)

    def finish(self, task: Task) -> None:
        """Waits for all requests under way.

        Raises:
            UserError: See `ask`.
        """
        while self._open:
            self._settle(task)
        if self._cap:
            raise UserError(
                f"{self._asker} stopped at {self._cap} = {getattr(self._settings, self._cap):g}: {self._unsent:,} "
                f"requests remain, {self._asked.answered:,} were answered and are kept",
                f"raise or leave out {self._cap} and run the same command again",
            )
        if self._asked.failed and not self._asked.answered:
            raise self._dead()

    def _settle(self, task: Task) -> None:
        """Waits for an answer, takes in all that are there, and keeps them."""
        done = [self._done.get()]
        with suppress(Empty):
            while True:
                done.append(self._done.get_nowait())
        self._open -= len(done)
        answers = [(request.key, made) for request, made in done if isinstance(made, Answer)]
        self._cache.put(answers)
        self._asked.answered += len(answers)
        task.advance(len(done))
        for request, made in done:
            if isinstance(made, NoAnswerError):
                self._asked.failed[request.key] = str(made)
            elif isinstance(made, CapError):
                self._cap = str(made)
                self._unsent += 1
            elif isinstance(made, Exception):
                raise made
        if len(self._asked.failed) >= GIVE_UP and not self._asked.answered:
            raise self._dead()

    def _dead(self) -> UserError:
        failed = list(self._asked.failed.values())
        return UserError(
            f"the endpoint {self._settings.endpoint} answered none of {len(failed):,} requests; the last: {failed[-1]}",
            "check that it is up and takes such requests",
        )
