"""Influence: how far a row's gradient points where those of the target's examples point.

Xia et al., "LESS: Selecting Influential Data for Targeted Instruction Tuning" (arXiv 2402.04333), section 3:

    Inf(z, z') = sum_i η_i cos(∇l(z'; θ_i), Γ(z, θ_i))

over checkpoints i of a warm-up with mean learning rates η_i, with Γ the update Adam would make of the adapters'
weights. Without checkpoints it is the plain gradient of the model as it is, with respect to the weights of all
linear layers of the body. The loss of a row is the mean over its trained tokens, and the cosine takes away
what its length does to the gradient's norm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    import torch

    from suffice.data.pool import Pool
    from suffice.data.target import Target
    from suffice.gradients.checkpoints import Checkpoint
    from suffice.gradients.featurise import PoolSettings
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
        side: To how many numbers inputs and output gradients of a layer are projected first; with checkpoints
            they never are, since adapters' gradients are small.
        update: Of the pool's rows: ``gradient``, or Adam's update as ``less`` or ``torch`` define it, which needs
            checkpoints with moments.
        bits: How features are kept: ``int8``, ``1bit`` or ``fp16``.
    """

    within: Literal["mean_of_cosines", "cosine_to_mean"] = "mean_of_cosines"
    across: Literal["max", "mean"] = "max"
    size: int = 7168
    side: int = 64
    update: Literal["gradient", "less", "torch"] = "gradient"
    bits: Literal["fp16", "int8", "1bit"] = "int8"


class Influence:
    """The cosine between a row's gradient and those of the target's dev examples.

    Affinities are cosines to each dev example, so that the selector ``round_robin`` gives each family its turns;
    a row's score is the largest over families, as in LESS.

    Args:
        settings: How influence is told.
        checkpoints: Those of a warm-up; none for the model as it is, with a warning in the notes.
    """

    name = "influence"
    default_selector = "round_robin"
    makes = ("scores", "affinities")
    needs_model = True
    needs_target = True
    paper = "arXiv 2402.04333"
    cost = "one forward and one backward pass"

    def __init__(
        self, settings: InfluenceSettings | None = None, checkpoints: Sequence[Checkpoint] = ()
    ) -> None:
        self.settings = settings or InfluenceSettings()
        self.checkpoints = list(checkpoints)

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``.

        A row has no score where the chat template refuses it, it has no trained token or is longer than the
        model's window, or its gradient is zero or not finite. The notes count each.

        Raises:
            UserError: There is no model or no target, a dev example has no gradient, the network has layers whose
                gradients by rows cannot be told, or Adam's update is asked for without moments.
        """
        model, target = context.model, context.target
        if model is None or target is None:
            raise UserError("the scorer 'influence' needs a model and a target", "give --model and --target")
        if not target.dev:
            raise UserError("the target has no dev examples, which steer the choice", "add some with --dev")
        passes: list[Checkpoint | None] = [*self.checkpoints] or [None]
        rates = np.array([one.learning_rate if one else 1.0 for one in passes])
        shares = rates / rates.sum()
        cosines = np.zeros((len(pool), len(target.dev) + len(_places(target))), dtype=np.float32)
        reasons = np.zeros(len(pool), dtype=np.uint8)
        with context.reporter.track("score", len(pool) * len(passes), "rows") as task:
            for checkpoint, share in zip(passes, shares, strict=True):
                found, why = self._pass(pool, model, target, context, checkpoint, task.advance)
                cosines += np.float32(share) * found
                reasons = np.where(reasons == 0, why, reasons)
            task.result(f"{len(pool):,} rows by influence")
        affinity = np.ascontiguousarray(cosines[:, : len(target.dev)])
        values = self._values(affinity, cosines[:, len(target.dev) :], target)
        notes = notes_of(reasons, model)
        if self.checkpoints:
            notes |= {f"share_of_checkpoint_{i}": float(share) for i, share in enumerate(shares, 1)}
        else:
            notes["warning"] = WARNING
            context.reporter.say(f"influence  {WARNING}")
        return Scores(pool.ids, values, affinity, [item.id for item in target.dev], notes)

    def _pass(
        self,
        pool: Pool,
        model: LanguageModel,
        target: Target,
        context: ScoringContext,
        checkpoint: Checkpoint | None,
        advance: Callable[[float], None],
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Returns at one checkpoint the cosines to dev examples and to families' means, and why a row has none."""
        from suffice.gradients.codes import Queries
        from suffice.gradients.featurise import PoolFeatures, PoolSettings
        from suffice.gradients.per_example import FeatureSettings

        side = 0 if checkpoint else self.settings.side
        features = FeatureSettings(self.settings.size, side, seed=context.seed)
        update = None if self.settings.update == "gradient" else self.settings.update
        settings = PoolSettings(features, self.settings.bits, checkpoint, update)
        store = PoolFeatures(pool, model, context.folder, settings)
        wanted = _dev_features(model, target, replace(settings, update=None))
        store.compute(context.workers, advance)
        parts = list(store.store.cosines(store.shards, Queries(wanted)))
        return np.concatenate([cosines for cosines, _ in parts]), np.concatenate([why for _, why in parts])

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


def _dev_features(model: LanguageModel, target: Target, settings: PoolSettings) -> torch.Tensor:
    """Returns the dev examples' features, then the mean of each family [dev examples + families, size].

    Raises:
        UserError: A dev example has no gradient; a target that lost examples would ask for something else.
    """
    import torch

    from suffice.gradients.featurise import engine_for, features_of
    from suffice.gradients.rows import Reason

    with engine_for(model, settings) as engine:
        found, reasons = features_of(model, engine, [(item.conversation, None) for item in target.dev])
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


def notes_of(reasons: NDArray[np.uint8], model: LanguageModel) -> dict[str, int | float | str]:
    """Returns how many rows have no features, by reason, and the window."""
    from suffice.gradients.rows import Reason

    return {
        **{f"rows_{why.name.lower()}": int((reasons == why).sum()) for why in Reason if why != Reason.NONE},
        "window": model.window,
    }
