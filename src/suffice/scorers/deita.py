"""What DEITA's two scorers share: asking a trained scorer here or behind an endpoint, or a chat model in words.

Liu et al., "What Makes Good Data for Alignment? A Comprehensive Study of Automatic Data Selection in Instruction
Tuning" (ICLR 2024, arXiv 2312.15685). A row's score is the sum over its turns in the paper; see `of_row` for the
form that does not reward length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from suffice.common.errors import UserError
from suffice.models.endpoint.settings import EndpointSettings
from suffice.models.endpoint.wire import Answer, Request, chat_request, first_token_request
from suffice.scorers.asked import Questioning, ask_about
from suffice.scorers.beside import load_beside
from suffice.scorers.digits import mean_digit, mean_digits
from suffice.scorers.exchanges import Exchange, Turns, exchanges
from suffice.scorers.gathering import Told, gathered
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.scorers.shards import SHARD_ROWS, TOKEN_BUDGET, Advance, Arrays, Shards

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.models.loading import LanguageModel

# The paper's form "[1] Score: 4", and what chat models make of it.
_SCORE = re.compile(r"(?:\[1\]:?\s*)?(?:score\s*:?\s*)?([1-6])(?:\s*/\s*[56])?\.?", re.IGNORECASE)


@dataclass(frozen=True)
class DeitaSettings(EndpointSettings):
    """Who is asked, and how.

    Attributes:
        model: With an endpoint, what the server calls the model; else the folder or hub id of a trained scorer,
            such as ``hkust-nlp/deita-complexity-scorer``.
        reply: ``logprobs`` reads the likelihood of the digits 1 to 6 after the prompt that the trained scorers
            know, from the server's completions; ``text`` has a chat model rate in words, by the prompt that the paper
            gave to ChatGPT.
        turns: ``per_token``, or ``sum`` as in the paper.
        reply_tokens: The most tokens of a reply in words.
    """

    reply: Literal["logprobs", "text"] = "logprobs"
    turns: Turns = "per_token"
    reply_tokens: int = 16


class Deita:
    """A score of each exchange from 1 to 6.

    Args:
        settings: Who is asked, and how.
    """

    Settings = DeitaSettings
    name: str
    trained: str  # the prompt of the trained scorers
    rating: str  # the prompt in words
    paper = "arXiv 2312.15685"
    cost = "one forward pass of the scorer for each turn, or one request"
    default_selector = "top"
    makes = ("scores",)
    needs = ("scorer or endpoint",)
    needs_model = False
    needs_target = False

    def __init__(self, settings: DeitaSettings | None = None) -> None:
        self._settings = settings or DeitaSettings()

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``; one with an exchange that got no score has none.

        Raises:
            UserError: See `told`.
        """
        return gathered(self.name, pool, context, self.told(pool, context), self._settings.turns)

    def told(self, pool: Pool, context: ScoringContext) -> Told:
        """Scores every exchange.

        Raises:
            UserError: There is no scorer, or it cannot be used.
        """
        settings = self._settings
        if settings.endpoint:
            how = Questioning(self._request, _read_text if settings.reply == "text" else _read_logprobs)
            return ask_about(self.name, pool, context, settings, how)
        if settings.reply == "text":
            raise UserError(
                f"the scorer '{self.name}' has only an endpoint rate in words", "give --set endpoint=URL"
            )
        if not settings.model:
            raise UserError(
                f"the scorer '{self.name}' needs a trained scorer",
                "give --set model=FOLDER, or --set endpoint=URL --set model=NAME",
            )
        return self._told_here(settings.model, pool, context)

    def _request(self, exchange: Exchange) -> Request:
        settings = self._settings
        base, model = str(settings.endpoint), str(settings.model)
        if settings.reply == "logprobs":
            return first_token_request(base, model, _filled(self.trained, exchange))
        turns = [{"role": "user", "content": _filled(self.rating, exchange)}]
        return chat_request(base, model, turns, settings.reply_limits(settings.reply_tokens))

    def _told_here(self, spec: str, pool: Pool, context: ScoringContext) -> Told:
        model = load_beside(spec, context)
        budget = TOKEN_BUDGET[model.device]
        shards = Shards(
            self.name,
            partial(_rate_rows, template=self.trained, budget=budget),
            pool,
            model,
            context.folder,
            rows=SHARD_ROWS,
            settings=[self.trained, budget],
        )
        with context.reporter.track("score", len(pool), "rows") as task:
            shards.compute(context.workers, task.advance)
            task.result(f"{len(pool):,} rows by {self.name}")
        too_long = f"the prompt is longer than the window of {model.window:,} tokens"
        found: list[list[float | str]] = []
        for _, arrays in shards:
            for values in np.split(arrays["values"], np.cumsum(arrays["exchanges"])[:-1]):
                found.append([too_long if np.isnan(value) else float(value) for value in values])
        return Told(found, {"scorer": spec, "window": model.window}, model)


def _rate_rows(model: LanguageModel, pool: Pool, advance: Advance, *, template: str, budget: int) -> Arrays:
    """Returns how many exchanges each row has [rows], and the value of each, row by row [exchanges]."""
    found = [exchanges(row) for row in pool]
    prompts = [_filled(template, exchange) for row in found for exchange in row]
    values = mean_digits(model, prompts, budget)
    advance(len(pool))
    return {"exchanges": np.array([len(row) for row in found], np.int64), "values": values}


def _filled(template: str, exchange: Exchange) -> str:
    return template.format(instruction=exchange.asked, output=exchange.answered)


def _read_logprobs(answer: Answer) -> float:
    if not answer.first:
        raise ValueError("the server tells no likelihoods of tokens")
    return mean_digit(answer.first)


def _read_text(answer: Answer) -> float:
    return read_rating(answer.text)


def read_rating(text: str) -> float:
    """Returns the score that the first line of a reply states.

    Raises:
        ValueError: It states none from 1 to 6, or says more.
    """
    match = _SCORE.fullmatch(text.strip().partition("\n")[0].strip())
    if match is None:
        raise ValueError("the reply's first line is no score from 1 to 6")
    return float(match[1])
