"""The warm-up of LESS: a short training with LoRA that leaves checkpoints with Adam's moments.

Xia et al. (arXiv 2402.04333), section 4.1 and appendix: LoRA on a random 5 % of the pool, 4 epochs, one checkpoint
at the end of each. Importing this module imports TRL.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.common.files import digest
from suffice.common.progress import Reporter, Silent, Task
from suffice.gradients.adam import Moments
from suffice.gradients.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from suffice.gradients.layers import trained_again
from suffice.models.batching import torch_threads
from suffice.training.rows import encode_rows, row_order
from suffice.training.settings import LoRA, SFTSettings
from suffice.training.trainer import build_trainer

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.models.loading import LanguageModel

SILENT = Silent()


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How the warm-up trains.

    Attributes:
        share: The share of the pool, drawn at random; at least one batch where the pool has one.
        epochs: Passes over it, and checkpoints.
        learning_rate: The peak, reached after 3 % of the steps; from there it falls linearly to zero.
        batch_size: Rows of an optimiser step.
        lora: The adapters.
    """

    share: float = 0.05
    epochs: int = 4
    learning_rate: float = 1e-4
    batch_size: int = 32
    lora: LoRA = field(default_factory=LoRA)

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1 or self.epochs < 1:
            raise UserError(
                f"a warm-up cannot take a share of {self.share:g} for {self.epochs} epochs",
                "give a share above 0 and up to 1, and 1 epoch or more",
            )


def warm_up(
    model: LanguageModel,
    pool: Pool,
    folder: Path,
    settings: WarmUp,
    *,
    seed: int,
    reporter: Reporter = SILENT,
) -> list[Checkpoint]:
    """Trains adapters, or finds those that were trained before with the same model, rows, settings and seed.

    The model's network is as before in the end.

    Args:
        model: The model.
        pool: The pool.
        folder: Where the checkpoints are kept, in a folder that bears a hash of what decides them.
        settings: How to train.
        seed: Decides the rows, their order and the adapters' start.
        reporter: Where progress is told.

    Raises:
        UserError: None of the rows drawn can be trained on.
    """
    about = [
        model.fingerprint,
        pool.fingerprint,
        repr(settings),
        seed,
        str(model.network.dtype),
        model.device,
    ]
    home = folder / f"warm-up-{digest(about)[:16]}"
    places = [home / f"epoch-{epoch}" for epoch in range(1, settings.epochs + 1)]
    if all((place / "checkpoint.json").is_file() for place in places):
        return [read_checkpoint(place) for place in places]
    count = min(len(pool), max(round(settings.share * len(pool)), settings.batch_size))
    drawn = sorted(Draws(seed, "warm-up").sample(range(len(pool)), count))
    rows = encode_rows(model, list(pool.take(drawn)), model.window)
    if not rows.ids:
        raise UserError(
            f"none of the {count:,} rows drawn for the warm-up can be trained on", "look at the pool"
        )
    batch = min(settings.batch_size, len(rows.ids))
    each = -(-len(rows.ids) // batch)
    steps = each * settings.epochs
    how = SFTSettings(
        settings.learning_rate, steps=steps, batch_size=batch, warmup_ratio=0.03, lora=settings.lora
    )
    order = row_order([len(ids) for ids in rows.ids], batch, steps, seed)
    with (
        TemporaryDirectory() as scratch,
        torch_threads(1),  # the number of threads changes the order of sums
        warnings.catch_warnings(),
        trained_again(model.network),
        reporter.track("warm-up", steps, "steps") as task,
    ):
        warnings.simplefilter("ignore", FutureWarning)  # TRL and PEFT use old names of transformers' options
        trainer = build_trainer(model, rows, order, how, steps=steps, seed=seed, folder=Path(scratch))
        trainer.add_callback(_Keep(places, each, how.betas, task))
        trainer.train()
        trainer.model.unload()
        task.result(f"{len(rows.ids):,} rows, {settings.epochs} epochs, {steps:,} steps")
    model.network.eval()
    return [read_checkpoint(place) for place in places]


class _Keep(TrainerCallback):  # type: ignore[misc]
    """Writes a checkpoint at the end of each epoch, with the mean of the rates that its steps were made with."""

    def __init__(self, places: Sequence[Path], each: int, betas: tuple[float, float], task: Task) -> None:
        self._places, self._each, self._betas, self._task = places, each, betas, task
        self._rates: list[float] = []

    def on_step_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        self._rates.append(float(given["optimizer"].param_groups[0]["lr"]))

    def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        self._task.advance()
        if state.global_step % self._each:
            return
        network, optimiser = given["model"], given["optimizer"]
        moments = {}
        for name, parameter in network.named_parameters():
            if parameter.requires_grad:
                kept = optimiser.state[parameter]
                moments[name] = Moments(kept["exp_avg"], kept["exp_avg_sq"], int(kept["step"]))
        rates, self._rates = self._rates, []
        place = self._places[state.global_step // self._each - 1]
        write_checkpoint(network, moments, place, sum(rates) / len(rates), self._betas)
