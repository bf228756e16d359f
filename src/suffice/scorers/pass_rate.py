"""How often the model already solves a row, told from samples: the difficulty of LIMO and s1.

Ye et al., "LIMO: Less is More for Reasoning" (arXiv 2502.03387) keep problems that a strong model solves a few times in 32;
Muennighoff et al., "s1: Simple test-time scaling" (arXiv 2501.19393) drop those that either of two models solves.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from suffice.common.draws import stream_key
from suffice.common.errors import UserError, unknown_name
from suffice.data.example import Example
from suffice.models.batching import torch_threads
from suffice.models.sampling import sampled
from suffice.rewards.answers import EXTRACTORS, extract
from suffice.scorers.length import lengths
from suffice.scorers.likelihood import Notes, scores_of
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.scorers.shards import Advance, Arrays, Shards

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.models.loading import LanguageModel

SHARD_ROWS = 256
_SAMPLED, _REFUSED, _TOO_LONG, _UNANSWERED, _NO_ANSWER = range(5)


@dataclass(frozen=True, slots=True)
class PassRateSettings:
    """How a row is tried, and which rows count.

    Attributes:
        samples: Replies to each row.
        temperature: What logits are divided by before a token is drawn.
        top_p: Draw from the likeliest tokens that together have at least this probability.
        max_new_tokens: The most tokens of a reply.
        extractor: What of a reply and of the row's own answer is compared: number, exact, choice or last_line.
        require_stop: Whether a reply is right only if it ended by itself.
        solved_from: The fewest right replies of a row that gets a score.
        solved_to: The most; by default one less than ``samples``.
    """

    samples: int = 8
    temperature: float = 0.6
    top_p: float = 0.95
    max_new_tokens: int = 256
    extractor: str = "number"
    require_stop: bool = True
    solved_from: int = 1
    solved_to: int | None = None


class PassRate:
    """The share of replies that are wrong, for rows that are solved sometimes; others have no score.

    The hardest of the rows that the model can solve come first.

    Args:
        settings: How a row is tried, and which rows count.
    """

    Settings = PassRateSettings
    name = "pass_rate"
    paper = "arXiv 2502.03387"
    cost = "samples replies to each row"
    default_selector = "top"
    makes = ("scores",)
    needs_model = True
    needs_target = False

    def __init__(self, settings: PassRateSettings | None = None) -> None:
        self._settings = settings or PassRateSettings()

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``.

        The last turn of the assistant is the answer, and all before it the prompt. A row that the template refuses,
        that has no room for a reply in the window, that does not end with the assistant, or in whose answer the
        extractor finds nothing, has no score.

        Raises:
            UserError: There is no model, or a setting is out of range.
        """
        settings, model = self._settings, context.model
        if model is None:
            raise UserError("the scorer 'pass_rate' needs a model", "give --model")
        _check(settings, model)
        tried = asdict(settings)  # without the band, which is laid over the counts afterwards
        tried = {name: value for name, value in tried.items() if not name.startswith("solved_")}
        shards = Shards(
            self.name,
            partial(_count_right, settings=settings, seed=context.seed),
            pool,
            model,
            context.folder,
            rows=SHARD_ROWS,
            settings=[tried, context.seed],
        )
        with context.reporter.track("score", len(pool), "rows") as task:
            shards.compute(context.workers, task.advance)
            task.result(f"{len(pool):,} rows by pass_rate")
        found = shards.joined()
        right, fate = found["right"], found["fate"]
        most = settings.samples - 1 if settings.solved_to is None else settings.solved_to
        counted = (fate == _SAMPLED) & (right >= settings.solved_from) & (right <= most)
        values = np.where(counted, 1 - right / settings.samples, np.nan)
        return scores_of(pool, values, found["tokens"], _notes(found, counted, settings.samples))


def _check(settings: PassRateSettings, model: LanguageModel) -> None:
    if settings.extractor not in EXTRACTORS:
        raise unknown_name("extractor", settings.extractor, EXTRACTORS)
    most = settings.samples - 1 if settings.solved_to is None else settings.solved_to
    for fine, name in (
        (settings.samples >= 1, "samples"),
        (settings.temperature > 0, "temperature"),
        (0 < settings.top_p <= 1, "top_p"),
        (settings.max_new_tokens >= 1, "max_new_tokens"),
        (0 <= settings.solved_from <= most <= settings.samples, "solved_from"),
    ):
        if not fine:
            raise UserError(
                f"pass_rate: {name} is {getattr(settings, name):g}",
                "samples and max_new_tokens are 1 or more, temperature is above 0, top_p above 0 and at most 1, and 0 <= "
                "solved_from <= solved_to <= samples",
            )
    if settings.max_new_tokens >= model.window:
        raise UserError(
            f"replies of {settings.max_new_tokens} tokens leave no room in the window of {model.window} tokens of "
            f"'{model.name}'",
            "give --set max_new_tokens=N",
        )


def _notes(found: Arrays, counted: np.ndarray, samples: int) -> Notes:
    fate, right = found["fate"], found["right"]
    tried = fate == _SAMPLED
    kinds = np.bincount(fate, minlength=5)
    rate = {"mean_pass_rate": round(float(right[tried].mean()) / samples, 6)} if tried.any() else {}
    return {
        "rows_refused": int(kinds[_REFUSED]),
        "rows_too_long": int(kinds[_TOO_LONG]),
        "rows_unanswered": int(kinds[_UNANSWERED]),
        "rows_without_answer": int(kinds[_NO_ANSWER]),
        "rows_never_solved": int((tried & (right == 0)).sum()),
        "rows_always_solved": int((tried & (right == samples)).sum()),
        "rows_out_of_band": int((tried & ~counted).sum()),
        **rate,
    }


def _count_right(
    model: LanguageModel, pool: Pool, advance: Advance, *, settings: PassRateSettings, seed: int
) -> Arrays:
    """Returns how many replies to each row are right, the tokens of its answer, and its fate [rows]."""
    right, fate = np.zeros(len(pool), np.int64), np.full(len(pool), _SAMPLED, np.int8)
    prompts: dict[int, list[int]] = {}
    answers: dict[int, str] = {}
    rows = list(pool)
    for i, row in enumerate(rows):
        found = _prompt(model, row, settings)
        if isinstance(found, int):
            fate[i] = found
        else:
            prompts[i], answers[i] = found
    advance(len(rows) - len(prompts))
    with torch_threads(1):
        replies = sampled(
            model,
            list(prompts.values()),
            [stream_key(seed, PassRate.name, rows[i].id) for i in prompts],
            samples=settings.samples,
            max_new_tokens=settings.max_new_tokens,
            temperature=settings.temperature,
            top_p=settings.top_p,
            on_done=advance,
        )
    for i, made in zip(prompts, replies, strict=True):
        right[i] = sum(
            extract(settings.extractor, reply.text) == answers[i]
            and (reply.stopped or not settings.require_stop)
            for reply in made
        )
    tokens = lengths([row.answer for row in rows], model)
    return {"right": right, "tokens": np.array(tokens, np.int64), "fate": fate}


def _prompt(model: LanguageModel, row: Example, settings: PassRateSettings) -> tuple[list[int], str] | int:
    """Returns a row's prompt as tokens and its answer, or the fate of a row that has no such things."""
    last = row.messages[-1]
    if last["role"] != "assistant" or not last["content"].strip():
        return _UNANSWERED
    answer = extract(settings.extractor, last["content"])
    if answer is None:
        return _NO_ANSWER
    try:
        ids = model.chat.encode_prompt(row.messages[:-1], row.tools)
    except UserError:
        return _REFUSED
    return (ids, answer) if len(ids) + settings.max_new_tokens <= model.window else _TOO_LONG
