"""How likely a model finds the answers of a pool: what the scorers by loss, perplexity and their ratios share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.models.losses import Passage, answer_passage, token_losses
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.scorers.ranks import rank_correlation
from suffice.scorers.shards import SHARD_ROWS, TOKEN_BUDGET, Advance, Arrays, Shards, Work

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.models.chat import Chat, Encoded
    from suffice.models.loading import LanguageModel

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Notes = dict[str, int | float | str]
_SCORED, _REFUSED, _TOO_LONG, _UNANSWERED = range(4)


@dataclass(frozen=True)
class Answers:
    """The losses of a pool's answers, in nats, NaN for a row that has none.

    Attributes:
        loss: Mean over the answer's tokens, given what stands before them [rows].
        alone: Mean over the same tokens where each turn stands alone, behind what opens a reply [rows]; NaN
            throughout unless it was asked for.
        tokens: How many tokens the means are over [rows].
        notes: How many rows have none, by reason, and the tokens of all others.
    """

    loss: Floats
    alone: Floats
    tokens: Whole
    notes: Notes

    def scores(self, pool: Pool, values: Floats, **notes: int | float | str) -> Scores:
        """Returns ``values`` as the pool's scores; see `scores_of`."""
        return scores_of(pool, values, self.tokens, self.notes | notes)


def answer_losses(scorer: str, pool: Pool, context: ScoringContext, *, alone: bool = False) -> Answers:
    """Computes the losses of all answers, in shards, so that a killed run continues.

    The tokens are those that training counts: the assistant's content and the token that ends the turn. A row
    that the chat template refuses, that is longer than the model's window, or that has no answer has no loss.

    Args:
        scorer: The scorer's name, for messages.
        pool: The rows.
        context: The model, and where shards are kept. Scorers that need the same losses share them.
        alone: Whether the losses without the prompt are wanted too.

    Raises:
        UserError: There is no model.
    """
    kind, work = ("losses-alone", _with_and_without_prompt) if alone else ("losses", _with_prompt)
    found, notes = pass_over_answers(scorer, kind, work, pool, context)
    return Answers(found["loss"], found["alone"], found["tokens"], notes)


def pass_over_answers(
    scorer: str, kind: str, work: Work, pool: Pool, context: ScoringContext, *, settings: Any = None
) -> tuple[Arrays, Notes]:
    """Computes something of all answers, in shards.

    Args:
        scorer: The scorer's name, for messages.
        kind: What is computed; scorers with the same ``kind`` and ``work`` share shards.
        work: As for `Shards`; among its arrays are ``fate`` and ``passed`` (see `fates`), the tokens that went
            through the network.
        pool: The rows.
        context: The model, and where shards are kept.
        settings: What else decides the result, as JSON values.

    Returns:
        The arrays over all rows, and notes: how many rows could not be scored, by reason, and the tokens passed.

    Raises:
        UserError: There is no model.
    """
    model = context.model
    if model is None:
        raise UserError(f"the scorer '{scorer}' needs a model", "give --model")
    about = TOKEN_BUDGET[model.device] if settings is None else [TOKEN_BUDGET[model.device], settings]
    shards = Shards(kind, work, pool, model, context.folder, rows=SHARD_ROWS, settings=about)
    with context.reporter.track("score", len(pool), "rows") as task:
        shards.compute(context.workers, task.advance)
        task.result(f"{len(pool):,} rows by {scorer}")
    found = shards.joined()
    return found, notes_of(found, model.window)


def notes_of(found: Arrays, window: int) -> Notes:
    """Returns how many rows could not be scored, by reason, and the tokens passed; see `pass_over_answers`."""
    counts = np.bincount(found["fate"], minlength=4)
    return {
        "rows_refused": int(counts[_REFUSED]),
        "rows_too_long": int(counts[_TOO_LONG]),
        "rows_unanswered": int(counts[_UNANSWERED]),
        "tokens": int(found["passed"].sum()),
        "window": window,
    }


def scores_of(pool: Pool, values: Floats, tokens: Whole, notes: Notes) -> Scores:
    """Returns values as the pool's scores; the notes get their rank correlation with the answers' length."""
    known = ~np.isnan(values)
    linked = rank_correlation(values[known], tokens[known])
    return Scores(pool.ids, values.astype(np.float32), notes=notes | {"length_correlation": round(linked, 4)})


def _with_prompt(model: LanguageModel, pool: Pool, advance: Advance) -> Arrays:
    return _mean_losses(model, pool, advance, lambda row: [answer_passage(row)])


def _with_and_without_prompt(model: LanguageModel, pool: Pool, advance: Advance) -> Arrays:
    return _mean_losses(model, pool, advance, lambda row: paired_passages(row, model.chat))


def _mean_losses(
    model: LanguageModel, pool: Pool, advance: Advance, passages_of: Callable[[Encoded], list[Passage]]
) -> Arrays:
    """Returns the mean losses of one shard; the first passage of a row is the conversation, others its turns alone."""
    rows = model.chat.encode_many([(row.messages, row.tools) for row in pool])
    groups = [passages_of(row) if row and len(row.ids) <= model.window else [] for row in rows]
    kept = [i for i, group in enumerate(groups) if group and group[0].places]
    advance(len(rows) - len(kept))
    loss, alone = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    tokens, passed = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    found = token_losses(model, [groups[i] for i in kept], TOKEN_BUDGET[model.device], advance)
    for i, losses in zip(kept, found, strict=True):
        loss[i] = losses[0].mean(dtype=np.float64)
        if len(losses) > 1:
            alone[i] = np.concatenate(losses[1:]).mean(dtype=np.float64)
        tokens[i] = len(losses[0])
        passed[i] = sum(len(passage.ids) for passage in groups[i])
    fate = fates(rows, kept, model.window)
    return {"loss": loss, "alone": alone, "tokens": tokens, "passed": passed, "fate": fate}


def fates(rows: Sequence[Encoded | None], scored: Sequence[int], window: int) -> NDArray[np.int8]:
    """Returns what became of each row: scored, refused by the template, longer than the window, without an answer."""
    fate = np.full(len(rows), _UNANSWERED, np.int8)
    fate[[i for i, row in enumerate(rows) if row is None]] = _REFUSED
    fate[[i for i, row in enumerate(rows) if row and len(row.ids) > window]] = _TOO_LONG
    fate[list(scored)] = _SCORED
    return fate


def paired_passages(row: Encoded, chat: Chat) -> list[Passage]:
    """Returns a conversation and after it each of its answers alone, with the places of the same tokens.

    An answer alone stands behind the token that begins every text, where the conversation has one, and what
    opens a reply in the template. Where the template has neither, nothing predicts an answer's first token,
    and it is left out on both sides.
    """
    begins = row.ids[:1] if row.ids[:1] == [chat.bos_id] else []
    lead = begins + chat.opening_ids
    whole, answers = Passage(row.ids, []), []
    for start, end in _runs(row.trained):
        counted = [i for i in range(start, end) if i and (lead or i > start)]
        if counted:
            whole.places.extend(counted)
            places = [len(lead) + i - start for i in counted]
            answers.append(Passage(lead + row.ids[start:end], places))
    return [whole, *answers]


def _runs(marks: list[bool]) -> list[tuple[int, int]]:
    """Returns where each run of marked tokens starts and ends."""
    edges = np.flatnonzero(np.diff(np.array([False, *marks, False]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
