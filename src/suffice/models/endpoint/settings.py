"""Where an endpoint is, how hard it may be worked, and what that may cost."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from suffice.common.errors import UserError

KEY_VARIABLE = "SUFFICE_API_KEY"
"""The one environment variable that a key is read from. Its name is no setting: a recipe by somebody else could
otherwise name any secret of this machine and the server to send it to."""


@dataclass(frozen=True)
class EndpointSettings:
    """An OpenAI-compatible server.

    Attributes:
        endpoint: Its base URL, such as ``https://api.openai.com/v1``. A key is read from the environment variable
            ``SUFFICE_API_KEY``.
        model: What the server calls the model.
        concurrency: The most requests under way at once.
        per_minute: The most requests a minute; no limit where it is left out.
        timeout: Seconds after which a request without an answer is given up, and tried again.
        tries: The most times that a request is sent.
        max_requests: The most requests that one command sends, tries counted; no limit where it is left out. With 0
            the cost is told and nothing sent.
        max_cost: The most that one command spends, in the currency of the prices.
        input_price: What a million tokens of prompts cost.
        output_price: What a million tokens of replies cost.
        reasoning: Whether the model is one that reasons first: requests then say ``max_completion_tokens`` instead
            of ``max_tokens``, and no temperature (else 0).
    """

    endpoint: str | None = None
    model: str | None = None
    concurrency: int = 8
    per_minute: float | None = None
    timeout: float = 60.0
    tries: int = 6
    max_requests: int | None = None
    max_cost: float | None = None
    input_price: float | None = None
    output_price: float | None = None
    reasoning: bool = False

    @property
    def priced(self) -> bool:
        """Whether both prices are known."""
        return self.input_price is not None and self.output_price is not None

    def reply_limits(self, tokens: int) -> dict[str, int | float]:
        """Returns what a request for a reply of so many tokens says about the reply."""
        if self.reasoning:
            return {"max_completion_tokens": tokens}
        return {"max_tokens": tokens, "temperature": 0.0}

    def cost(self, tokens_in: float, tokens_out: float) -> float:
        """Returns what tokens cost; 0 where a price is not known."""
        if self.input_price is None or self.output_price is None:
            return 0.0
        return (tokens_in * self.input_price + tokens_out * self.output_price) / 1e6


def check_endpoint(settings: EndpointSettings, asker: str) -> None:
    """Refuses settings that no request could be made with.

    Args:
        settings: The settings.
        asker: What needs the endpoint, for messages, such as ``the scorer 'judge'``.

    Raises:
        UserError: There is no endpoint, its URL is none or holds a secret, a number is out of range, or a key
            would travel in the clear.
    """
    if not settings.endpoint or not settings.model:
        raise UserError(f"{asker} needs an endpoint and a model", "give --set endpoint=URL --set model=NAME")
    parts = _parts(settings.endpoint)
    if parts.username is not None or parts.query or parts.fragment:
        raise UserError(
            f"the endpoint {parts.scheme}://{parts.hostname} has a user, a query or a fragment in its URL",
            f"give the bare URL, and the key in the environment variable {KEY_VARIABLE}",
        )
    if parts.scheme == "http" and not is_local(settings.endpoint) and read_key():
        raise UserError(
            f"{KEY_VARIABLE} is set, and to {settings.endpoint} the key would travel in the clear",
            "give an https:// URL, or unset the variable",
        )
    for name in ("concurrency", "per_minute", "timeout", "tries"):
        value = getattr(settings, name)
        if value is not None and not value > 0:
            raise UserError(f"{name} is {value:g}", "give a number above 0")
    for name in ("max_requests", "max_cost", "input_price", "output_price"):
        value = getattr(settings, name)
        if value is not None and not value >= 0:
            raise UserError(f"{name} is {value:g}", "give 0 or more")
    if settings.max_cost is not None and not settings.priced:
        raise UserError(
            "max_cost is given, but not what tokens cost", "give input_price and output_price as well"
        )


def _parts(url: str) -> SplitResult:
    """Returns the parts of a URL.

    Raises:
        UserError: It is none.
    """
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # such as a port that is no number
        known = False
    if not known:
        raise UserError(f"the endpoint {url} is no URL", "give one such as http://localhost:8000/v1")
    return parts


def is_local(url: str) -> bool:
    """Tells whether a URL is of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def read_key() -> str | None:
    """Returns the key of the environment; `None` where there is none."""
    return os.environ.get(KEY_VARIABLE, "").strip() or None
