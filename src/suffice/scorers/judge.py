"""AlpaGasus: a chat model rates each answer from 0 to 5.

Chen et al., "AlpaGasus: Training A Better Alpaca with Fewer Data" (ICLR 2024, arXiv 2307.08701). The prompt is that of the
paper's appendix as the public code has it (github.com/gpt4life/alpagasus, ``rating/chatgpt_rating.py``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suffice.models.endpoint.settings import EndpointSettings
from suffice.models.endpoint.wire import Request, chat_request
from suffice.scorers.asked import Questioning, ask_about
from suffice.scorers.exchanges import Exchange, Turns
from suffice.scorers.gathering import gathered
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    from suffice.data.pool import Pool

SYSTEM = (
    "We would like to request your feedback on the performance of AI assistant in response to the instruction and the "
    "given input displayed following."
)
_PROMPT = (
    "###Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n{output}\n\n"
    "Please rate according to the {dimension} of the response to the instruction and the input. Each assistant receives "
    "a score on a scale of 0 to 5, where a higher score indicates higher level of the {dimension}. Please first output a "
    "single line containing value indicating the scores. In the subsequent line, please provide a comprehensive "
    "explanation of your evaluation, avoiding any potential bias. \n\n"
)
# "4.5", "Score: 4", "**4**", "4/5", "4 out of 5": one number, and nothing else but its dress.
_SCORE = re.compile(
    r"\**(?:scores?\s*[:=]?\s*)?\**\s*(?P<value>[0-5](?:\.[0-9]+)?)\s*(?:(?:/|out of)\s*5(?:\.0+)?)?\s*\**\.?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class JudgeSettings(EndpointSettings):
    """Who judges, and by what.

    Attributes:
        dimension: What is rated: ``accuracy`` as in the paper, ``helpfulness``, or any other word.
        turns: ``per_token``, or ``sum`` over the row's exchanges.
        reply_tokens: The most tokens of a reply.
    """

    dimension: str = "accuracy"
    turns: Turns = "per_token"
    reply_tokens: int = 256


class Judge:
    """The rating of each answer by a chat model behind an endpoint.

    Args:
        settings: Who judges, and by what.
    """

    Settings = JudgeSettings
    name = "judge"
    paper = "arXiv 2307.08701"
    cost = "one request for each turn"
    default_selector = "top"
    makes = ("scores",)
    needs = ("endpoint",)
    needs_model = False
    needs_target = False

    def __init__(self, settings: JudgeSettings | None = None) -> None:
        self._settings = settings or JudgeSettings()

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``; one with an exchange that got no rating has no score.

        Raises:
            UserError: The endpoint cannot be used, or a cap was reached.
        """
        how = Questioning(self._request, lambda answer: read_rating(answer.text))
        told = ask_about(self.name, pool, context, self._settings, how)
        return gathered(self.name, pool, context, told, self._settings.turns)

    def _request(self, exchange: Exchange) -> Request:
        settings = self._settings
        prompt = _PROMPT.format(
            instruction=exchange.asked,
            input=exchange.before,
            output=exchange.answered,
            dimension=settings.dimension,
        )
        turns = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": prompt}]
        limits = settings.reply_limits(settings.reply_tokens)
        return chat_request(str(settings.endpoint), str(settings.model), turns, limits)


def read_rating(text: str) -> float:
    """Returns the rating that the first line of a reply states.

    Raises:
        ValueError: It states none from 0 to 5, or says more.
    """
    match = _SCORE.fullmatch(text.strip().partition("\n")[0].strip())
    value = float(match["value"]) if match else -1.0
    if not 0 <= value <= 5:
        raise ValueError("the reply's first line is no score from 0 to 5")
    return value
