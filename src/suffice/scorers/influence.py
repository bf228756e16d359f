"""Influence: how far a row's gradient points where those of the target's examples point.

Xia et al., "LESS: Selecting Influential Data for Targeted Instruction Tuning" (arXiv 2402.04333), section 3:

    Inf(z, z') = sum_i η_i cos(∇l(z'; θ_i), Γ(z, θ_i))

over checkpoints i of a warm-up with mean learning rates η_i, with Γ the update Adam would make of the adapters'
weights. Without a warm-up, which is the default, there is one model, as it is, and the gradients are those of the weights
of all linear layers of its body, preconditioned by K-FAC where nothing else is said. The loss of a row is the mean over its trained tokens, and the cosine takes away
what its length does to the gradient's norm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.scorers.embedding import Embedding
from suffice.scorers.influence_settings import InfluenceSettings
from suffice.scorers.protocol import Scores, ScoringContext

if TYPE_CHECKING:
    import torch

    from suffice.data.pool import Pool
    from suffice.data.target import Target
    from suffice.gradients.checkpoints import Checkpoint
    from suffice.gradients.featurise import PoolSettings
    from suffice.gradients.preconditioning import Fitted
    from suffice.gradients.rows import Reason
    from suffice.models.loading import LanguageModel

WARNING = (
    "no warm-up and no preconditioner: plain gradients of the model as it is, which in the paper of LESS choose hardly "
    "better than chance"
)


class Influence:
    """The cosine between a row's gradient and those of the target's dev examples.

    Affinities are cosines to each dev example, so that the selector ``round_robin`` gives each family its turns;
    a row's score is the largest over families, as in LESS. A score below 0 says that training on the row would
    raise the target's loss.

    Args:
        settings: How influence is told.
    """

    Settings = InfluenceSettings
    tells_harm = True
    name = "influence"
    default_selector = "round_robin"
    makes = ("scores", "affinities")
    needs_model = True
    needs_target = True
    paper = "arXiv 2402.04333"
    cost = "one forward and one backward pass, after a fit of the preconditioner on 1,024 rows"

    def __init__(self, settings: InfluenceSettings | None = None) -> None:
        self.settings = settings or InfluenceSettings()

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``.

        A row has no score where the chat template refuses it, it has no trained token or is longer than the
        model's window, or its gradient is zero or not finite; and where a prefilter holds it back. The notes count
        each.

        Raises:
            UserError: There is no model or no target, a dev example has no gradient, the network has layers whose
                gradients by rows cannot be told, or Adam's update is asked for without moments.
        """
        model, target = context.model, context.target
        if model is None or target is None:
            raise UserError("the scorer 'influence' needs a model and a target", "give --model and --target")
        if not target.dev:
            raise UserError("the target has no dev examples, which steer the choice", "add some with --dev")
        _check_dev(model, target)
        let_through = self._let_through(pool, target, context)
        checkpoints = self._checkpoints(pool, model, context)
        fitted, took = self._preconditioner(pool, model, context)
        shares, notes = _shares(checkpoints, context, plain=fitted is None)
        passes: list[Checkpoint | None] = [*checkpoints] or [None]
        rows = pool if len(let_through) == len(pool) else pool.take(let_through.tolist())
        cosines = np.zeros((len(rows), len(target.dev) + len(_places(target))), dtype=np.float32)
        reasons = np.zeros(len(rows), dtype=np.uint8)
        with context.reporter.track("score", len(rows) * len(passes), "rows") as task:
            for checkpoint, share in zip(passes, shares, strict=True):
                found, why = self._pass(rows, model, target, context, checkpoint, fitted, task.advance)
                cosines += np.float32(share) * found
                reasons = np.where(reasons == 0, why, reasons)
            task.result(f"{len(rows):,} rows by influence")
        everywhere = np.full((len(pool), cosines.shape[1]), np.nan, dtype=np.float32)
        everywhere[let_through] = cosines
        affinity = np.ascontiguousarray(everywhere[:, : len(target.dev)])
        values = self._values(affinity, everywhere[:, len(target.dev) :], target)
        share = len(rows) / len(pool)
        fitting = float(took.get("preconditioner_rows", 0)) / len(pool)
        notes["passes"] = len(passes) * share + fitting + self._extra_passes()
        notes |= took | _notes(reasons, model) | {"rows_held_back": len(pool) - len(rows)}
        return Scores(pool.ids, values, affinity, [item.id for item in target.dev], notes)

    def _let_through(self, pool: Pool, target: Target, context: ScoringContext) -> NDArray[np.int64]:
        """Returns the places of the rows that are to have gradients.

        With a prefilter these are the rows that RDS+ ranks highest for a family of the target, as many of each.
        """
        if self.settings.prefilter == 1:
            return np.arange(len(pool))
        affinity = Embedding().score(pool, context).affinity
        assert affinity is not None
        closest = np.stack([affinity[:, columns].max(axis=1) for columns in _places(target).values()], axis=1)
        ranks = np.argsort(np.argsort(-np.nan_to_num(closest, nan=-2), axis=0, kind="stable"), axis=0)
        best = np.argsort(ranks.min(axis=1), kind="stable")
        return np.sort(best[: max(1, round(self.settings.prefilter * len(pool)))])

    def _extra_passes(self) -> float:
        """Returns what warm-up and prefilter took, in passes of training over the pool."""
        settings = self.settings
        trains = settings.warmup == "lora" and settings.checkpoints is None
        warmup = settings.warmup_share * settings.warmup_epochs if trains else 0.0
        return warmup + (1 / 3 if settings.prefilter < 1 else 0.0)

    def _checkpoints(self, pool: Pool, model: LanguageModel, context: ScoringContext) -> list[Checkpoint]:
        """Returns the checkpoints whose gradients count: those given, or those of a warm-up; none without."""
        settings = self.settings
        if settings.checkpoints is not None:
            from suffice.gradients.checkpoints import read_checkpoints

            return read_checkpoints(settings.checkpoints)
        if settings.warmup == "none":
            return []
        from suffice.gradients.warmup import WarmUp, warm_up  # imports TRL
        from suffice.training.settings import LoRA

        how = WarmUp(
            settings.warmup_share,
            settings.warmup_epochs,
            settings.warmup_rate,
            lora=LoRA(settings.warmup_rank, 2 * settings.warmup_rank),
        )
        return warm_up(model, pool, context.folder, how, seed=context.seed, reporter=context.reporter)

    def _preconditioner(
        self, pool: Pool, model: LanguageModel, context: ScoringContext
    ) -> tuple[Fitted | None, dict[str, int | float | str]]:
        """Returns the preconditioner, where one is asked for, and what there is to tell of it."""
        settings = self.settings
        if settings.conditioned == "none":
            return None, {}
        from suffice.gradients.preconditioning import Preconditioning, fit

        how = Preconditioning(settings.conditioned, damping=settings.damping, fisher=settings.fisher)
        fitted = fit(model, pool, context.folder, how, seed=context.seed, reporter=context.reporter)
        about = fitted.about
        told = ["kind", "damping", "rows", "tokens", "seconds", "bytes"]
        told += ["fisher"] if fitted.kind == "kfac" else []
        return fitted, {f"preconditioner_{name}": about[name] for name in told}

    def _pass(
        self,
        pool: Pool,
        model: LanguageModel,
        target: Target,
        context: ScoringContext,
        checkpoint: Checkpoint | None,
        fitted: Fitted | None,
        advance: Callable[[float], None],
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Returns at one checkpoint the cosines to dev examples and to families' means, and why a row has none."""
        from suffice.gradients.codes import Queries
        from suffice.gradients.featurise import PoolFeatures, PoolSettings
        from suffice.gradients.per_example import FeatureSettings

        side = 0 if checkpoint else self.settings.side
        features = FeatureSettings(self.settings.size, side, seed=context.seed)
        settings = PoolSettings(
            features, self.settings.bits, checkpoint, self.settings.adam, self.settings.half, fitted
        )
        store = PoolFeatures(pool, model, context.folder, settings)
        wanted = _dev_features(model, target, settings.for_target())
        store.compute(context.workers, advance)
        return store.cosines(Queries(wanted))

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

    with engine_for(model, settings) as engine:
        found, reasons = features_of(model, engine, [(item.conversation, None) for item in target.dev])
    _refuse(target, reasons)
    return torch.cat(
        [found, torch.stack([found[columns].mean(dim=0) for columns in _places(target).values()])]
    )


def _check_dev(model: LanguageModel, target: Target) -> None:
    """Refuses dev examples that cannot have a gradient, before anything that takes long."""
    from suffice.gradients.rows import Reason, encode

    encoded = encode(model, [(item.conversation, None) for item in target.dev])
    _refuse(target, [row if isinstance(row, Reason) else Reason.NONE for row in encoded])


def _refuse(target: Target, reasons: Sequence[Reason]) -> None:
    from suffice.gradients.rows import Reason

    for item, reason in zip(target.dev, reasons, strict=True):
        if reason != Reason.NONE:
            raise UserError(
                f"the dev example '{item.id}' has no gradient: {_WORDS[reason.name]}",
                "mend it or take it out of the target",
            )


_WORDS = {
    "REFUSED": "the chat template refuses it",
    "UNTRAINED": "it has no token of an answer",
    "LONG": "it is longer than the model's window",
    "NOT_FINITE": "its gradient is not finite",
    "ZERO": "its gradient is zero",
}


def _shares(
    checkpoints: list[Checkpoint], context: ScoringContext, *, plain: bool
) -> tuple[list[float], dict[str, int | float | str]]:
    """Returns what share of the score each checkpoint has, tells it, and puts it into notes."""
    if not checkpoints:
        if not plain:
            return [1.0], {}
        context.reporter.say(f"influence  {WARNING}")
        return [1.0], {"warning": WARNING}
    total = sum(one.learning_rate for one in checkpoints)
    shares = [one.learning_rate / total for one in checkpoints]
    words = ", ".join(f"{share:.0%}" for share in shares)
    context.reporter.say(f"influence  shares of the checkpoints in the score: {words}")
    notes: dict[str, int | float | str] = {f"share_of_checkpoint_{i}": s for i, s in enumerate(shares, 1)}
    return shares, notes | {"checkpoints": checkpoints[0].folder.parent.name}


def _notes(reasons: NDArray[np.uint8], model: LanguageModel) -> dict[str, int | float | str]:
    """Returns how many rows have no features, by reason, and the window."""
    from suffice.gradients.rows import Reason

    return {
        **{f"rows_{why.name.lower()}": int((reasons == why).sum()) for why in Reason if why != Reason.NONE},
        "window": model.window,
    }
