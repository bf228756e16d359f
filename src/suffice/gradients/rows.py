"""Rows of tokens whose gradients are wanted, and why a row has none."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from suffice.models.losses import Passage, answer_passage

if TYPE_CHECKING:
    from suffice.models.chat import Conversation
    from suffice.models.loading import LanguageModel


class Reason(IntEnum):
    """Why a row has no gradient; the numbers stand in stores."""

    NONE = 0  # it has one
    REFUSED = 1  # the chat template refuses it
    UNTRAINED = 2  # it has no trained token
    LONG = 3  # it is longer than the model's window
    NOT_FINITE = 4  # its gradient is not finite
    ZERO = 5  # its gradient is zero, so it has no direction


def encode(model: LanguageModel, conversations: Sequence[Conversation]) -> list[Passage | Reason]:
    """Encodes conversations by the model's chat template; a row that cannot have a gradient gets its reason."""
    rows: list[Passage | Reason] = []
    for encoded in model.chat.encode_many(conversations):
        if encoded is None:
            rows.append(Reason.REFUSED)
            continue
        passage = answer_passage(encoded)
        if not passage.places:
            rows.append(Reason.UNTRAINED)
        elif len(encoded.ids) > model.window:
            rows.append(Reason.LONG)
        else:
            rows.append(passage)
    return rows
