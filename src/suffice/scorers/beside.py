"""A model beside the run's own: a scorer or a reward model, on the same device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suffice.models.loading import Head, load_model
from suffice.scorers.protocol import ScoringContext

if TYPE_CHECKING:
    from suffice.models.loading import LanguageModel


def load_beside(spec: str, context: ScoringContext, head: Head = "words") -> LanguageModel:
    """Loads a model, on the device and in the number format of the run's own where it has one.

    Raises:
        UserError: There is no such model.
    """
    if context.model is None:
        return load_model(spec, head=head)
    source = context.model.source
    return load_model(spec, device=source.device, dtype=source.dtype, head=head)
