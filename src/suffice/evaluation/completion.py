"""Whether a model can write the rest of a question from its beginning, which it can where it has learned it by heart.

The partial-prompt completion of "Reasoning or Memorization?" (Wu et al. 2025, arXiv 2507.10532): the first 60 % of a
question as raw text, without a chat template; the model goes on greedily, and what it writes is held against the
true rest. What the paper leaves open is settled so: a word is what stands between blanks; as many words of the
continuation are compared as the rest has, since a model goes on after the question; letter case and signs count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from suffice.common.errors import UserError
from suffice.data.target import TargetItem
from suffice.evaluation.rouge_l import rouge_l
from suffice.models import LanguageModel
from suffice.models.generation import generate

FRACTION = 0.6
FEWEST = 5  # words of a question that can be split
_MORE = 4  # tokens beyond those of the rest, so that its last word can be seen to end
_CHUNK = 32  # questions of like length that are continued together


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model made of the beginning of a question.

    Attributes:
        item: The item's id.
        cluster: The items that count as one question share it.
        prefix: The beginning, as the model saw it.
        rest: The true rest, blanks made single.
        written: As many words of what the model wrote as the rest has.
        exact: Whether both are the same.
        rouge_l: How much of the rest was written in its order, in percent.
    """

    item: str
    cluster: str
    prefix: str
    rest: str
    written: str
    exact: bool
    rouge_l: float


@dataclass(frozen=True)
class Completions:
    """What a model made of the beginnings of many questions.

    Attributes:
        rows: The questions that could be asked, in order.
        short: How many had fewer than `FEWEST` words and were left out.
        long: How many did not fit into the model's window and were left out.
    """

    rows: list[Completion]
    short: int
    long: int


def split(question: str, fraction: float = FRACTION) -> tuple[str, str] | None:
    """Returns a question's first words as they stand, and the rest with single blanks; `None` where it is too short.

    The beginning has ``fraction`` of the words, rounded down, but at least one and not all.

    Args:
        question: The text.
        fraction: The share of the beginning, between 0 and 1.
    """
    found = list(re.finditer(r"\S+", question))
    if len(found) < FEWEST:
        return None
    count = min(max(1, int(fraction * len(found) + 1e-9)), len(found) - 1)
    return question[: found[count - 1].end()], " ".join(word[0] for word in found[count:])


def complete(
    model: LanguageModel,
    items: Sequence[TargetItem],
    fraction: float = FRACTION,
    on_done: Callable[[int], None] | None = None,
) -> Completions:
    """Has a model write the rest of each item's last user turn.

    Args:
        model: The model.
        items: The items; their answers play no part.
        fraction: The share of the words that the model is shown.
        on_done: Called with numbers of items that are done, those left out among them.

    Raises:
        UserError: The fraction is not between 0 and 1, or no question can be asked.
    """
    if not 0 < fraction < 1:
        raise UserError(
            f"the fraction is {fraction:g}", "give one between 0 and 1, such as 0.6: the share that is shown"
        )
    asked, short, long = [], 0, 0
    for item in items:
        parts = split(str(item.messages[-1]["content"]), fraction)
        if parts is None:
            short += 1
            continue
        ids, whole = _ids(model, parts[0]), _ids(model, " ".join(parts))
        one = _Asked(item, *parts, ids, len(whole) - len(ids) + _MORE)
        if len(ids) + one.new > model.window:
            long += 1
        else:
            asked.append(one)
    if not asked:
        raise UserError(
            f"of {len(items)} questions {short} have fewer than {FEWEST} words and {long} do not fit into the window "
            f"of '{model.name}', so that none can be completed",
            "give questions of more words, with blanks between them, or a model of a larger window",
        )
    if on_done:
        on_done(short + long)
    written = dict(_written(model, asked, on_done))
    return Completions([_held(one, written[place]) for place, one in enumerate(asked)], short, long)


@dataclass(frozen=True, slots=True)
class _Asked:
    item: TargetItem
    prefix: str
    rest: str
    ids: list[int]
    new: int  # tokens to write


def _ids(model: LanguageModel, text: str) -> list[int]:
    """Returns raw text as tokens, with what the tokenizer puts before a text but not what it may put after."""
    tokenizer: Any = model.tokenizer
    ids = list(tokenizer(text)["input_ids"])
    return ids[:-1] if ids[-1:] == [tokenizer.eos_token_id] and len(ids) > 1 else ids


def _written(
    model: LanguageModel, asked: Sequence[_Asked], on_done: Callable[[int], None] | None
) -> Iterator[tuple[int, str]]:
    """Yields the place of each question and what the model wrote after its beginning, questions of like length together."""
    for places in _chunks(asked, model.window):
        new = max(asked[place].new for place in places)
        replies = generate(model, [asked[place].ids for place in places], max_new_tokens=new)
        yield from zip(places, (reply.text for reply in replies), strict=True)
        if on_done:
            on_done(len(places))


def _chunks(asked: Sequence[_Asked], window: int) -> Iterator[list[int]]:
    """Yields the places of questions that are continued together: none loses tokens to the room another needs."""
    chunk: list[int] = []
    longest = 0
    for place in sorted(range(len(asked)), key=lambda place: asked[place].new):
        one = asked[place]
        if chunk and (len(chunk) == _CHUNK or max(longest, len(one.ids)) + one.new > window):
            yield chunk
            chunk, longest = [], 0
        chunk.append(place)
        longest = max(longest, len(one.ids))
    if chunk:
        yield chunk


def _held(one: _Asked, text: str) -> Completion:
    """Holds what was written against the true rest."""
    wanted = one.rest.split()
    written = text.split()[: len(wanted)]
    return Completion(
        item=one.item.id,
        cluster=one.item.cluster,
        prefix=one.prefix,
        rest=one.rest,
        written=" ".join(written),
        exact=written == wanted,
        rouge_l=rouge_l(written, wanted),
    )
