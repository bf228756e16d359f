"""Rows of tokens whose gradients are wanted, and why a row has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

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


@dataclass(frozen=True, slots=True)
class Row:
    """A row of tokens.

    Attributes:
        ids: Token ids.
        places: Where the tokens stand that are trained on, from 1 (nothing predicts the first), rising; at
            least one. The row's loss is the mean over them.
    """

    ids: list[int]
    places: list[int]


def encode(model: LanguageModel, conversations: Sequence[Conversation]) -> list[Row | Reason]:
    """Encodes conversations by the model's chat template; a row that cannot have a gradient gets its reason."""
    rows: list[Row | Reason] = []
    for encoded in model.chat.encode_many(conversations):
        if encoded is None:
            rows.append(Reason.REFUSED)
            continue
        places = [place for place, trained in enumerate(encoded.trained) if trained and place]
        if not places:
            rows.append(Reason.UNTRAINED)
        elif len(encoded.ids) > model.window:
            rows.append(Reason.LONG)
        else:
            rows.append(Row(encoded.ids, places))
    return rows
