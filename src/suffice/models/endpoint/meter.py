"""What requests cost, and the cap on it."""

from __future__ import annotations

import threading

from suffice.models.endpoint.settings import EndpointSettings
from suffice.models.endpoint.wire import Answer, Request


class CapError(Exception):
    """The next request would go past a cap, whose name is the message."""


class Meter:
    """Counts what is sent and spent, for any number of threads.

    A request counts with the most it may cost from the moment it is sent until its answer tells what it did
    cost. One that is refused costs nothing; one whose answer never came counts as if it had come.

    Args:
        settings: The caps and the prices.

    Attributes:
        sent: Requests sent, tries counted.
        tokens_in: Tokens of prompts.
        tokens_out: Tokens of replies.
        cost: What those cost.
    """

    def __init__(self, settings: EndpointSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._open = 0.0
        self.sent = self.tokens_in = self.tokens_out = 0
        self.cost = 0.0

    def most(self, request: Request) -> float:
        """Returns the most that a request may cost, its prompt's tokens estimated."""
        return self._settings.cost(request.tokens_in, request.tokens_out)

    def open(self, request: Request) -> None:
        """Counts a request that is about to be sent.

        Raises:
            CapError: It would go past ``max_requests`` or ``max_cost``.
        """
        requests, cost, most = self._settings.max_requests, self._settings.max_cost, self.most(request)
        with self._lock:
            if requests is not None and self.sent >= requests:
                raise CapError("max_requests")
            if cost is not None and self.cost + self._open + most > cost:
                raise CapError("max_cost")
            self.sent += 1
            self._open += most

    def refused(self, request: Request) -> None:
        """Counts a request that the server did not do."""
        with self._lock:
            self._open -= self.most(request)

    def lost(self, request: Request) -> None:
        """Counts a request whose answer never came."""
        self._close(request, request.tokens_in, request.tokens_out)

    def answered(self, request: Request, answer: Answer) -> None:
        """Counts an answer."""
        tokens_in = request.tokens_in if answer.tokens_in is None else answer.tokens_in
        tokens_out = request.tokens_out if answer.tokens_out is None else answer.tokens_out
        self._close(request, tokens_in, tokens_out)

    def _close(self, request: Request, tokens_in: int, tokens_out: int) -> None:
        with self._lock:
            self._open -= self.most(request)
            self.tokens_in += tokens_in
            self.tokens_out += tokens_out
            self.cost += self._settings.cost(tokens_in, tokens_out)
