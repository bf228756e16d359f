"""ICA: how much likelier a row's answer becomes where examples of what is wanted stand before it.

Zhang et al., "Holdout-Loss-Based Data Selection for LLM Finetuning via In-Context Learning" (ICLR 2026, arXiv 2510.14459).
What training on a row (x, y) takes off the loss on held-out examples is, up to terms that all rows share, the loss of the
row itself less its loss under a model that was trained on the held-out examples too (RHO-loss, arXiv 2206.07137). The
paper takes for the latter the model as it is, with the k nearest of the held-out examples in its context:

    s(x, y) = l(y | x; θ) - l(y | nearest examples, x; θ)

with l the negative log-likelihood of the answer. A sum over tokens rewards length, so the plain form here is the mean.

All of it rests on the model's learning in context. Whether it does is told by the held-out examples themselves, each
behind the nearest of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.models.losses import Passage, answer_passage, token_losses
from suffice.scorers.embedding import embed
from suffice.scorers.likelihood import answer_losses, fates, pass_over_answers
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.scorers.shards import TOKEN_BUDGET, Advance, Arrays

if TYPE_CHECKING:
    from suffice.data.example import Message
    from suffice.data.pool import Pool
    from suffice.models.chat import Encoded
    from suffice.models.loading import LanguageModel

Turns = Sequence["Message"]
WARNING = "the target's examples, in the context, make its own answers no likelier: this model tells nothing by them"


@dataclass(frozen=True, slots=True)
class ICASettings:
    """What stands before a row.

    Attributes:
        examples: How many dev examples: those whose prompts are nearest to the row's, the nearest first.
    """

    examples: int = 3


class ICA:
    """By how many nats a token the target's nearest dev examples, as turns before it, make a row's answer likelier.

    Args:
        settings: What stands before a row.
    """

    name = "ica"
    paper = "arXiv 2510.14459"
    cost = "a forward pass of every row, one with examples before it, one of its prompt"
    makes = ("scores",)
    default_selector = "top"
    needs_model = True
    needs_target = True
    Settings = ICASettings

    def __init__(self, settings: ICASettings | None = None) -> None:
        self.settings = settings or ICASettings()

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``, in shards, so that a killed run continues.

        A row has no score where `loss` has none, or where the window has no room for it behind one example. Where
        it has room for some of the examples only, the nearest stand there; ``rows_with_fewer_examples`` counts such
        rows. ``gain_of_dev`` is the mean score of the dev examples, each behind the nearest of the others; where it is
        not above 0, the notes have a ``warning``.

        Raises:
            UserError: There is no model, no target or no dev example, or no example is asked for.
        """
        target = context.target
        if context.model is None or target is None:
            raise UserError(
                f"the scorer '{self.name}' needs a model and a target", "give --model and --target"
            )
        if not target.dev:
            raise UserError("the target has no dev examples, which steer the choice", "add some with --dev")
        if self.settings.examples < 1:
            raise UserError(
                f"{self.settings.examples} examples before a row tell nothing of the target", "give 1 or more"
            )
        plain = answer_losses(self.name, pool, context)
        dev = [item.conversation for item in target.dev]
        work = partial(_losses_behind_examples, dev, self.settings.examples)
        about = {
            "dev": [item.id for item in target.dev],
            "target": target.fingerprint,
            **asdict(self.settings),
        }
        found, notes = pass_over_answers(
            self.name, "losses-behind-examples", work, pool, context, settings=about
        )
        used, gain = found["examples"], gain_of_dev(context.model, dev, self.settings.examples)
        warning: dict[str, str] = {} if gain > 0 else {"warning": WARNING}
        if warning:
            context.reporter.say(f"{self.name}  {WARNING}")
        return plain.scores(
            pool,
            self._values(plain.loss - found["loss"], plain.tokens),
            rows_without_room=int(((used == 0) & ~np.isnan(plain.loss)).sum()),
            rows_with_fewer_examples=int(((used > 0) & (used < min(self.settings.examples, len(dev)))).sum()),
            tokens=int(plain.notes["tokens"]) + int(notes["tokens"]),
            gain_of_dev=round(gain, 4),
            **warning,
        )

    def _values(self, gains: NDArray[np.float64], tokens: NDArray[np.int64]) -> NDArray[np.float64]:
        return gains


class ICASum(ICA):
    """The same as a sum over the answer's tokens, as the paper has it.

    Args:
        settings: What stands before a row.
    """

    name = "ica_sum"

    def _values(self, gains: NDArray[np.float64], tokens: NDArray[np.int64]) -> NDArray[np.float64]:
        return gains * tokens


def _losses_behind_examples(
    dev: Sequence[Turns], count: int, model: LanguageModel, pool: Pool, advance: Advance
) -> Arrays:
    """Returns the mean losses of one shard's answers behind ``count`` of the dev examples, and how many were used."""
    rows = model.chat.encode_many([(row.messages, row.tools) for row in pool])
    nearest = nearest_examples(model, dev, [row.messages for row in pool])
    groups: list[list[Passage]] = []
    kept, used = [], np.zeros(len(rows), np.int64)
    for i, (row, encoded) in enumerate(zip(pool, rows, strict=True)):
        if encoded is None or len(encoded.ids) > model.window:
            continue
        shown = [dev[k] for k in nearest[i][:count]]
        passage, used[i] = behind_examples(model, row.messages, row.tools, encoded, shown)
        if used[i]:
            kept.append(i)
            groups.append([passage])
    advance(len(rows) - len(kept))
    loss = np.full(len(rows), np.nan)
    tokens, passed = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    found = token_losses(model, groups, TOKEN_BUDGET[model.device], advance)
    for i, (passage,), (losses,) in zip(kept, groups, found, strict=True):
        loss[i] = losses.mean(dtype=np.float64)
        tokens[i], passed[i] = len(losses), len(passage.ids)
    fate = fates(rows, kept, model.window)
    return {"loss": loss, "tokens": tokens, "passed": passed, "fate": fate, "examples": used}


def gain_of_dev(model: LanguageModel, dev: Sequence[Turns], count: int) -> float:
    """Returns the mean over dev examples of what the nearest ``count`` of the others take off the loss of each.

    0 where none has another before it.
    """
    nearest = nearest_examples(model, dev, dev)
    groups: list[list[Passage]] = []
    for i, turns in enumerate(dev):
        others = [dev[k] for k in nearest[i] if k != i][:count]
        encoded = model.chat.encode(turns)
        passage, used = behind_examples(model, turns, None, encoded, others)
        if used:
            groups += [[answer_passage(encoded)], [passage]]
    losses = [
        found[0].mean(dtype=np.float64) for found in token_losses(model, groups, TOKEN_BUDGET[model.device])
    ]
    return float(np.mean(np.subtract(losses[::2], losses[1::2]))) if losses else 0.0


def behind_examples(
    model: LanguageModel,
    turns: Turns,
    tools: Sequence[dict[str, Any]] | None,
    encoded: Encoded,
    examples: Sequence[Turns],
) -> tuple[Passage, int]:
    """Returns a conversation behind as many examples as the window has room for, from the first, and how many that are.

    Args:
        model: The model.
        turns: The conversation; what a system turn of its own says stays in front.
        tools: The tools it offers.
        encoded: Its tokens.
        examples: Whole conversations; what their system turns say is left out.

    Returns:
        The passage, whose places are those of the conversation's own answer tokens, and the number of examples; 0, and
        the conversation alone, where there is room for none or the template renders it otherwise behind them.
    """
    alone = answer_passage(encoded)
    wanted = [encoded.ids[place] for place in alone.places]
    system = [turn for turn in turns[:1] if turn["role"] == "system"]
    own = turns[len(system) :]
    for used in range(len(examples) if wanted else 0, 0, -1):
        shown = [turn for example in examples[:used] for turn in example if turn["role"] != "system"]
        try:
            whole = answer_passage(model.chat.encode([*system, *shown, *own], tools))
        except UserError:
            continue
        places = whole.places[-len(wanted) :]
        if len(whole.ids) <= model.window and [whole.ids[place] for place in places] == wanted:
            return Passage(whole.ids, places), used
    return alone, 0


def nearest_examples(model: LanguageModel, dev: Sequence[Turns], rows: Sequence[Turns]) -> NDArray[np.int64]:
    """Returns for each row the dev examples in falling order of the cosine of their prompts' embeddings [rows, dev].

    A prompt is what stands before the last answer, embedded as `embedding` does. Of equals the first comes first; so
    do all, in order, for a row whose prompt the template refuses.
    """
    prompts = [_prompt_ids(model, turns) for turns in [*dev, *rows]]
    vectors = np.nan_to_num(embed(model, prompts))
    cosines = vectors[len(dev) :] @ vectors[: len(dev)].T
    return np.argsort(-cosines, axis=1, kind="stable")


def _prompt_ids(model: LanguageModel, turns: Turns) -> list[int]:
    answers = [place for place, turn in enumerate(turns) if turn["role"] == "assistant"]
    try:
        return model.chat.encode_prompt(turns[: answers[-1]]) if answers else []
    except UserError:
        return []
