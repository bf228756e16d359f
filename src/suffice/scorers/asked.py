"""What an endpoint answers about each exchange of a pool's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suffice.models.endpoint.asking import Asked, ask
from suffice.models.endpoint.cache import Cache, open_cache
from suffice.models.endpoint.settings import EndpointSettings, check_endpoint
from suffice.models.endpoint.wire import Answer, Request
from suffice.scorers.exchanges import Exchange, exchanges
from suffice.scorers.gathering import Told
from suffice.scorers.likelihood import Notes
from suffice.scorers.protocol import ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool

ANSWERS = "answers.sqlite"
"""The file of answers in the folder of finished parts; all scorers share it."""

_SHOWN = 500


@dataclass(frozen=True)
class Questioning:
    """How a scorer asks and reads.

    Attributes:
        request: Makes the request about an exchange.
        read: Returns the value that an answer states; raises `ValueError` with the reason where it states none.
    """

    request: Callable[[Exchange], Request]
    read: Callable[[Answer], float]


def ask_about(
    scorer: str, pool: Pool, context: ScoringContext, settings: EndpointSettings, questioning: Questioning
) -> Told:
    """Asks an endpoint about every exchange of every row.

    Args:
        scorer: The scorer's name.
        pool: The rows.
        context: Where answers are kept.
        settings: The endpoint.
        questioning: How to ask and read.

    Raises:
        UserError: The endpoint cannot be used, or a cap was reached; the answers so far are kept.
    """
    asker = f"the scorer '{scorer}'"
    check_endpoint(settings, asker)
    with open_cache(context.folder / ANSWERS) as cache:
        asked = ask(_Requests(pool, questioning), settings, cache, asker, context.reporter)
        values = [[_value(questioning, cache, asked, each) for each in exchanges(row)] for row in pool]
    notes: Notes = {
        "requests_sent": asked.meter.sent,
        "requests_failed": len(asked.failed),
        "answers_kept": asked.kept,
        "tokens_in": asked.meter.tokens_in,
        "tokens_out": asked.meter.tokens_out,
        "cost": round(asked.meter.cost, 6),
    }
    return Told(values, notes, context.model)


@dataclass(frozen=True)
class _Requests:
    """The requests about a pool's exchanges, made anew each time they are gone through."""

    pool: Pool
    questioning: Questioning

    def __iter__(self) -> Iterator[Request]:
        for row in self.pool:
            for exchange in exchanges(row):
                yield self.questioning.request(exchange)


def _value(questioning: Questioning, cache: Cache, asked: Asked, exchange: Exchange) -> float | str:
    """Returns the value of an exchange, or why it has none."""
    key = questioning.request(exchange).key
    answer = cache.get(key)
    if answer is None:
        return asked.failed[key]
    try:
        return questioning.read(answer)
    except ValueError as error:
        return f"{error}: {answer.text[:_SHOWN]!r}"
