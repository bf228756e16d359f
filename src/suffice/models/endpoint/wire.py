"""What is sent to an endpoint and what comes back."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from suffice.common.files import digest

TOP = 20
"""How many of the likeliest tokens are asked for; servers give no more by default."""

_BYTES_A_TOKEN = 4


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
        url: Where it goes.
        body: The JSON it holds.
    """

    url: str
    body: dict[str, Any]

    @cached_property
    def key(self) -> str:
        """A hash of all that decides the answer: the address, the model, the prompt and the settings."""
        return digest([self.url, self.body])

    @property
    def tokens_in(self) -> int:
        """About how many tokens its prompt has: a quarter of its bytes."""
        prompt = self.body.get("prompt") or "".join(turn["content"] for turn in self.body["messages"])
        return -(-len(prompt.encode("utf-8", "surrogatepass")) // _BYTES_A_TOKEN)

    @property
    def tokens_out(self) -> int:
        """The most tokens that the reply may have."""
        return int(self.body.get("max_tokens") or self.body["max_completion_tokens"])


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        text: What the model wrote.
        first: The log-probability of each of the likeliest first tokens, where they were asked for.
        tokens_in: Tokens of the prompt, as the server counts them; `None` where it does not say.
        tokens_out: Tokens of the reply, likewise.
    """

    text: str
    first: dict[str, float] = field(default_factory=dict)
    tokens_in: int | None = None
    tokens_out: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Returns the answer as a JSON value, from which ``Answer(**value)`` makes it again."""
        return asdict(self)


def chat_request(
    base: str, model: str, messages: list[dict[str, str]], limits: dict[str, int | float]
) -> Request:
    """Returns a request for a reply to a conversation.

    Args:
        base: The endpoint's base URL.
        model: What the server calls the model.
        messages: The turns.
        limits: The most tokens of the reply under the server's name for it, and ``temperature``.
    """
    return Request(_url(base, "chat/completions"), {"model": model, "messages": messages, **limits})


def first_token_request(base: str, model: str, prompt: str) -> Request:
    """Returns a request for the likeliest tokens after a text, as no chat template sees it.

    Args:
        base: The endpoint's base URL.
        model: What the server calls the model.
        prompt: The text.
    """
    body = {"model": model, "prompt": prompt, "max_tokens": 1, "temperature": 0.0, "logprobs": TOP}
    return Request(_url(base, "completions"), body)


def _url(base: str, path: str) -> str:
    return f"{base.rstrip('/')}/{path}"


def read_answer(value: Any) -> Answer:
    """Reads a completion or a chat completion.

    Args:
        value: The JSON of a reply.

    Raises:
        ValueError: It is no such thing.
    """
    try:
        choice, usage = value["choices"][0], value.get("usage") or {}
        if "message" in choice:
            text, first = choice["message"]["content"], {}
        else:
            text, first = choice["text"], ((choice.get("logprobs") or {}).get("top_logprobs") or [{}])[0]
        return Answer(
            _text(text),
            {_text(token): _chance(number) for token, number in first.items()},
            _count(usage.get("prompt_tokens")),
            _count(usage.get("completion_tokens")),
        )
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError("the reply is no completion") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _chance(value: Any) -> float:
    """Returns a log-probability, which rounding may put a little above 0."""
    number = float(value)
    if isinstance(value, bool | str) or math.isnan(number) or number > 0.01:
        raise ValueError(value)
    return number


def _count(value: Any) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise ValueError(value)
    return value
