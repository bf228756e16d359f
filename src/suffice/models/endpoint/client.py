"""One request to an endpoint, tried again where that may help."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.models.endpoint.meter import Meter
from suffice.models.endpoint.pace import Clock, Pace, RealClock
from suffice.models.endpoint.settings import KEY_VARIABLE, EndpointSettings, is_local, read_key
from suffice.models.endpoint.wire import Answer, Request, read_answer

if TYPE_CHECKING:
    import httpx2

LONGEST_WAIT = 300.0
"""Seconds; a server that asks for a longer wait is taken for one that refuses."""

_FIRST_WAIT, _MOST_WAIT = 0.5, 60.0
_MOST_BYTES = 4 * 2**20
_BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_STRANGER = frozenset({401, 403, 404, 405})
_SHOWN = 300


class NoAnswerError(Exception):
    """A request that got no answer; the message says why."""


class _RetryError(Exception):
    """A try that failed, after which another may not.

    Attributes:
        wait: Seconds that the server asks to wait; `None` where it names none.
        crowded: Whether the server has too many requests, so that others had better wait too.
    """

    def __init__(self, reason: str, wait: float | None = None, *, crowded: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.crowded = wait, crowded


class Client:
    """Sends requests, for any number of threads.

    Time outs, broken connections, answers that are none, and the statuses of a busy server are tried again,
    after a wait that doubles each time or the one that the server names (``Retry-After``).

    Args:
        settings: Where the endpoint is, and how hard it may be worked; see `check_endpoint`.
        meter: What counts requests.
        clock: The clock.
    """

    def __init__(self, settings: EndpointSettings, meter: Meter, clock: Clock | None = None) -> None:
        try:
            import httpx2
        except ImportError as error:
            raise UserError("asking an endpoint needs httpx2", "pip install 'suffice[endpoints]'") from error
        self._settings, self._meter = settings, meter
        self._clock = clock or RealClock()
        self._pace = Pace(settings.per_minute, self._clock)
        self._key = read_key()
        self._http = httpx2.Client(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=settings.timeout,
            limits=httpx2.Limits(max_connections=settings.concurrency),
            follow_redirects=False,  # a key goes to the address that was given and to no other
            trust_env=not is_local(settings.endpoint or ""),  # no proxy on the way to this machine itself
        )

    def close(self) -> None:
        """Calls off what waits and closes all connections."""
        self._clock.stop()
        self._http.close()

    def send(self, request: Request) -> Answer:
        """Sends a request until it is answered or its tries are used up.

        Raises:
            NoAnswerError: It got no answer.
            CapError: A cap forbids the next try.
            StoppedError: The client has been closed.
            UserError: The server will answer no request at all: no such address or model, or a wrong key.
        """
        reason = ""
        for attempt in range(self._settings.tries):
            self._pace.take_turn()
            self._meter.open(request)
            try:
                return self._once(request)
            except _RetryError as again:
                reason = str(again)
                if attempt + 1 == self._settings.tries:
                    break
                self._wait(again, request, attempt)
        raise NoAnswerError(f"{reason} ({self._settings.tries} tries)")

    def _wait(self, again: _RetryError, request: Request, attempt: int) -> None:
        if again.wait is not None and again.wait > LONGEST_WAIT:
            raise NoAnswerError(f"{again}, to be tried again after {again.wait:,.0f} seconds")
        jitter = 0.5 + Draws(attempt, request.key).below(1 << 20) / (1 << 21)  # from a half to 1
        wait = min(_FIRST_WAIT * 2**attempt, _MOST_WAIT) * jitter if again.wait is None else again.wait
        if again.crowded:
            self._pace.hold(wait)
        else:
            self._clock.sleep(wait)

    def _once(self, request: Request) -> Answer:
        import httpx2

        try:
            status, headers, text = self._exchange(request)
        except httpx2.TimeoutException as error:
            self._meter.lost(request)
            raise _RetryError(f"no answer within {self._settings.timeout:g} seconds") from error
        except httpx2.HTTPError as error:
            self._meter.lost(request)
            raise _RetryError(
                f"the connection failed: {self._clean(str(error) or type(error).__name__)}"
            ) from error
        if status != 200:
            self._meter.refused(request)
            raise self._refusal(status, headers, text)
        try:
            answer = read_answer(json.loads(text))
        except (ValueError, RecursionError) as error:
            self._meter.lost(request)
            raise _RetryError(f"the reply is no completion: {self._clean(text)}") from error
        self._meter.answered(request, answer)
        return answer

    def _exchange(self, request: Request) -> tuple[int, httpx2.Headers, str]:
        """Returns status, headers and body, of which no more than 4 MiB are taken, nor after the time is over."""
        import httpx2

        over = time.monotonic() + self._settings.timeout
        with self._http.stream("POST", request.url, json=request.body) as response:
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > _MOST_BYTES:
                    raise httpx2.DecodingError("the reply is larger than 4 MiB")
                if time.monotonic() > over:
                    raise httpx2.ReadTimeout("the reply does not end")
        return response.status_code, response.headers, body.decode("utf-8", "replace")

    def _refusal(self, status: int, headers: Mapping[str, str], text: str) -> Exception:
        said = self._clean(_message(text))
        reason = f"status {status}: {said}" if said else f"status {status}"
        if status in _BUSY:
            return _RetryError(reason, _retry_after(headers), crowded=status in (429, 503, 529))
        if status in _STRANGER or 300 <= status < 400:
            return UserError(
                f"the endpoint {self._settings.endpoint} does not serve the model '{self._settings.model}': {reason}",
                f"check the URL, the model's name and the key in {KEY_VARIABLE}",
            )
        return NoAnswerError(reason)

    def _clean(self, text: str) -> str:
        """Returns the beginning of a text by a stranger, on one line and without the key."""
        if self._key:
            text = text.replace(self._key, "(the key)")
        shown = " ".join(text.split())
        return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


def _message(text: str) -> str:
    """Returns the message of an error as OpenAI's servers word it, or the whole text."""
    try:
        found: Any = json.loads(text)["error"]
        return str(found["message"] if isinstance(found, dict) else found)
    except (KeyError, TypeError, ValueError, RecursionError):
        return text


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Returns the seconds of ``Retry-After``, which may be a number or a date; `None` where it is neither."""
    text = headers.get("Retry-After", "").strip()
    try:
        if text.replace(".", "", 1).isdecimal():
            return float(text)
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None
