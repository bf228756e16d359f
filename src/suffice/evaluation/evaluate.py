"""Evaluating a model on the items of a target: exact match of the extracted answer, and a clean stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from suffice.common.errors import UserError
from suffice.data.target import TargetItem
from suffice.models import LanguageModel
from suffice.models.generation import generate
from suffice.rewards.answers import EXTRACTORS, extract


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """How a model did on one item.

    Attributes:
        item: The item's id.
        task: Its family.
        cluster: The items that count as one question share it.
        score: 1.0 if the answer is right, else 0.0.
        reply: What the model wrote.
        extracted: The answer found in the reply.
        stopped: Whether the reply ended by itself.
        cut: How many tokens the prompt lost on the left to fit into the window.
    """

    item: str
    task: str
    cluster: str
    score: float
    reply: str
    extracted: str | None
    stopped: bool
    cut: int


def evaluate(
    model: LanguageModel,
    items: Sequence[TargetItem],
    *,
    extractor: str,
    max_new_tokens: int,
    require_stop: bool = True,
    on_done: Callable[[int], None] | None = None,
) -> list[ItemOutcome]:
    """Has the model answer every item greedily and compares with the reference.

    Args:
        model: The model.
        items: The items.
        extractor: What finds the answer in reference and reply, one of `EXTRACTORS`.
        max_new_tokens: The most tokens of a reply.
        require_stop: Whether a reply is right only if it ended by itself.
        on_done: Called after each batch with the number of replies it finished.

    Returns:
        One outcome for each item, in order.

    Raises:
        UserError: There is no such extractor, it finds no answer in a reference, the chat template refuses a
            prompt, or the window has no room for the replies.
    """
    references = [_reference(extractor, item) for item in items]
    prompts = [model.chat.encode_prompt(item.messages) for item in items]
    replies = generate(model, prompts, max_new_tokens=max_new_tokens, on_done=on_done)
    outcomes = []
    for item, reference, reply in zip(items, references, replies, strict=True):
        extracted = extract(extractor, reply.text)
        right = extracted == reference and (reply.stopped or not require_stop)
        outcomes.append(
            ItemOutcome(
                item=item.id,
                task=item.task,
                cluster=item.cluster,
                score=float(right),
                reply=reply.text,
                extracted=extracted,
                stopped=reply.stopped,
                cut=reply.cut,
            )
        )
    return outcomes


def check_references(extractor: str, items: Sequence[TargetItem]) -> None:
    """Checks, before anything is trained, that every reference holds an answer.

    Raises:
        UserError: There is no such extractor, or it finds no answer in a reference.
    """
    for item in items:
        _reference(extractor, item)


def _reference(extractor: str, item: TargetItem) -> str:
    reference = extract(extractor, item.answer)
    if reference is None:
        others = ", ".join(name for name in EXTRACTORS if name != extractor)
        raise UserError(
            f"the extractor '{extractor}' finds no answer in the reference of item '{item.id}': {item.answer!r:.80}",
            f"mend the item or name another extractor ({others})",
        )
    return reference
