"""The options of the scorer `influence`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from suffice.common.errors import UserError

if TYPE_CHECKING:
    from suffice.gradients.adam import Definition


@dataclass(frozen=True, slots=True)
class InfluenceSettings:
    """How influence is told.

    Attributes:
        warmup: `none`: gradients of the model as it is; `lora`, as in LESS: of the checkpoints of a short training with
            adapters.
        warmup_share: The share of the pool that the warm-up trains on, drawn at random.
        warmup_epochs: Its passes, and checkpoints.
        warmup_rate: Its highest learning rate.
        warmup_rank: The rank of its adapters.
        checkpoints: A folder of checkpoints to use in place of a warm-up of this pool's own.
        update: Of the pool's rows: `gradient`, or Adam's update as `less` or `torch` defines it; by default `less`,
            without a warm-up `gradient`.
        preconditioner: Without a warm-up, what gradients are preconditioned with: `kfac`, `adafactor` or `none`; by
            default `kfac`.
        fisher: For `kfac`, whether labels are `sampled` from the model or, `empirical`, those of the rows.
        damping: The share of their mean that is added to the preconditioner's eigenvalues or mean squares.
        half: Whether the layers of the last half of the network's blocks are taken alone.
        size: How many numbers a feature has.
        side: To how many numbers inputs and output gradients of a layer are projected first; with checkpoints they
            never are, since adapters' gradients are small.
        bits: How features are kept: `int8`, `1bit` or `fp16`.
        within: In a family of the target: `mean_of_cosines` (LESS's code) or `cosine_to_mean` (its paper).
        across: A row's score over families: `max` (LESS) or `mean`.
        prefilter: The share of the pool that RDS+ lets through to the gradients; the others have no score.
    """

    warmup: Literal["lora", "none"] = "none"
    warmup_share: float = 0.05
    warmup_epochs: int = 4
    warmup_rate: float = 1e-4
    warmup_rank: int = 16
    checkpoints: Path | None = None
    update: Literal["gradient", "less", "torch"] | None = None
    preconditioner: Literal["none", "kfac", "adafactor"] | None = None
    fisher: Literal["sampled", "empirical"] = "sampled"
    damping: float = 0.1
    half: bool = False
    size: int = 7168
    side: int = 64
    bits: Literal["fp16", "int8", "1bit"] = "int8"
    within: Literal["mean_of_cosines", "cosine_to_mean"] = "mean_of_cosines"
    across: Literal["max", "mean"] = "max"
    prefilter: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.prefilter <= 1:
            raise UserError(
                f"a prefilter cannot let through a share of {self.prefilter:g}",
                "give a share above 0 and up to 1",
            )
        if self.adam and not self.warmed:
            raise UserError(
                f"update={self.update} is Adam's, which needs the moments of a warm-up, and with warmup=none there are "
                "none",
                "give warmup=lora or checkpoints=FOLDER, or take update=gradient",
            )
        if self.preconditioner not in (None, "none") and self.warmed:
            raise UserError(
                f"preconditioner={self.preconditioner} is for the model's own weights, and a warm-up has adapters, for "
                "which Adam's update is exact",
                "give warmup=none, or leave out the preconditioner",
            )

    @property
    def conditioned(self) -> Literal["none", "kfac", "adafactor"]:
        """What gradients are preconditioned with: K-FAC where nothing is said and there is no warm-up."""
        return self.preconditioner or ("none" if self.warmed else "kfac")

    @property
    def warmed(self) -> bool:
        """Whether the gradients are of a warm-up's adapters."""
        return self.warmup == "lora" or self.checkpoints is not None

    @property
    def adam(self) -> Definition | None:
        """How Adam's update is defined; `None` for the plain gradient."""
        if self.update is None:
            return "less" if self.warmed else None
        return None if self.update == "gradient" else self.update
