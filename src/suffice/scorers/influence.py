"""Influence: how far a row's gradient points where those of the target's examples point.

Xia et al., "LESS: Selecting Influential Data for Targeted Instruction Tuning" (arXiv 2402.04333), section 3:

    Inf(z, z') = sum_i η_i cos(∇l(z'; θ_i), Γ(z, θ_i))

over checkpoints i of a warm-up with mean learning rates η_i. Here there is one checkpoint, the model as it is,
and Γ is the plain gradient with respect to the weights of all linear layers of the body. The loss of a row is
the mean over its trained tokens, and the cosine takes away what its length does to the gradient's norm.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    import torch

    from suffice.data.pool import Pool
    from suffice.data.target import Target
    from suffice.models.loading import LanguageModel

WARNING = (
    "no warm-up: gradients of the model as it is, which in the paper of LESS choose hardly better than chance"
)


@dataclass(frozen=True, slots=True)
class InfluenceSettings:
    """How influence is told.

    Attributes:
        within: In a family of the target: ``mean_of_cosines`` (LESS's code) or ``cosine_to_mean`` (its paper).
        across: Over families: ``max`` (LESS) or ``mean``.
        size: How many numbers a feature has.
        side: To how many numbers inputs and output gradients of a layer are projected first.
        bits: How features are kept: ``int8``, ``1bit`` or ``fp16``.
    """

    within: Literal["mean_of_cosines", "cosine_to_mean"] = "mean_of_cosines"
    across: Literal["max", "mean"] = "max"
    size: int = 7168
    side: int = 64
    bits: Literal["fp16", "int8", "1bit"] = "int8"


class Influence:
    """The cosine between a row's gradient and those of the target's dev examples.

    Affinities are cosines to each dev example, so that the selector ``round_robin`` gives each family its turns;
    a row's score is the largest over families, as in LESS.

    Args:
        settings: How influence is told.
    """

    name = "influence"
    default_selector = "round_robin"
    needs_model = True
    needs_target = True

    def __init__(self, settings: InfluenceSettings | None = None) -> None:
        self.settings = settings or InfluenceSettings()

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``.

        A row has no score where the chat template refuses it, it has no trained token or is longer than the
        model's window, or its gradient is zero or not finite. The notes count each.

        Raises:
            UserError: There is no model or no target, a dev example has no gradient, or the network has layers
                whose gradients by rows cannot be told.
        """
        from suffice.gradients.codes import Queries
        from suffice.gradients.featurise import PoolFeatures, PoolSettings
        from suffice.gradients.per_example import FeatureSettings

        model, target = context.model, context.target
        if model is None or target is None:
            raise UserError("the scorer 'influence' needs a model and a target", "give --model and --target")
        if not target.dev:
            raise UserError("the target has no dev examples, which steer the choice", "add some with --dev")
        features = FeatureSettings(self.settings.size, self.settings.side, seed=context.seed)
        wanted = _dev_features(model, target, features)
        store = PoolFeatures(pool, model, context.folder, PoolSettings(features, self.settings.bits))
        with context.reporter.track("score", len(pool), "rows") as task:
            store.compute(context.workers, task.advance)
            task.result(f"{len(pool):,} rows by influence")
        parts = list(store.store.cosines(store.shards, Queries(wanted)))
        cosines = np.concatenate([cosines for cosines, _ in parts])
        reasons = Counter(np.concatenate([why for _, why in parts]).tolist())
        dev = len(target.dev)
        affinity = np.ascontiguousarray(cosines[:, :dev])
        values = self._values(affinity, cosines[:, dev:], target)
        return Scores(pool.ids, values, affinity, [item.id for item in target.dev], _notes(reasons, model))

    def _values(
        self, affinity: NDArray[np.float32], to_means: NDArray[np.float32], target: Target
    ) -> NDArray[np.float32]:
        """Returns one score a row [rows] from the cosines to dev examples and to the families' means."""
        by_family = to_means
        if self.settings.within == "mean_of_cosines":
            places = _places(target).values()
            by_family = np.stack([affinity[:, columns].mean(axis=1) for columns in places], axis=1)
        over = np.max if self.settings.across == "max" else np.mean
        return np.asarray(over(by_family, axis=1), dtype=np.float32)


def _places(target: Target) -> dict[str, list[int]]:
    """Returns where each family's dev examples stand, families without any left out."""
    places: dict[str, list[int]] = {}
    for place, item in enumerate(target.dev):
        places.setdefault(item.task, []).append(place)
    return places


def _dev_features(model: LanguageModel, target: Target, settings: Any) -> torch.Tensor:
    """Returns the dev examples' features, then the mean of each family [dev examples + families, size].

    Raises:
        UserError: A dev example has no gradient; a target that lost examples would ask for something else.
    """
    import torch

    from suffice.gradients.featurise import target_features
    from suffice.gradients.rows import Reason

    found, reasons = target_features(model, settings, [(item.conversation, None) for item in target.dev])
    for item, reason in zip(target.dev, reasons, strict=True):
        if reason != Reason.NONE:
            raise UserError(
                f"the dev example '{item.id}' has no gradient: {_WORDS[reason.name]}",
                "mend it or take it out of the target",
            )
    return torch.cat(
        [found, torch.stack([found[columns].mean(dim=0) for columns in _places(target).values()])]
    )


_WORDS = {
    "REFUSED": "the chat template refuses it",
    "UNTRAINED": "it has no token of an answer",
    "LONG": "it is longer than the model's window",
    "NOT_FINITE": "its gradient is not finite",
    "ZERO": "its gradient is zero",
}


def _notes(reasons: Counter[int], model: LanguageModel) -> dict[str, int | float | str]:
    from suffice.gradients.rows import Reason

    counted = {f"rows_{reason.name.lower()}": reasons[reason] for reason in Reason if reason != Reason.NONE}
    return {**counted, "window": model.window, "warning": WARNING}
