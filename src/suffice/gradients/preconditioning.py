"""Preconditioners: matrices that both sides of a layer's gradient are multiplied with, folded into its projection.

P_out (F_out G F_in) P_in^T = (P_out F_out) G (P_in F_in)^T: a preconditioned feature costs no more than a plain one,
once F is fitted on a sample of the pool. It is kept as safetensors, with what it took in the file's metadata.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from suffice.common.draws import Draws
from suffice.common.errors import UserError
from suffice.common.files import atomic_path, digest, digest_file
from suffice.common.progress import Reporter
from suffice.gradients.layers import Layer, body_layers
from suffice.models.batching import torch_threads
from suffice.models.losses import Passage

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.gradients.per_example import PerExample
    from suffice.models.loading import LanguageModel

Kind = Literal["kfac", "adafactor"]
TOKEN_BUDGET = {"cpu": 2048, "cuda": 16_384}


@dataclass(frozen=True, slots=True)
class Preconditioning:
    """How a preconditioner is fitted.

    Attributes:
        kind: ``kfac`` or ``adafactor``.
        rows: How many rows of the pool it is fitted on, drawn at random.
        damping: The share of their mean that is added to eigenvalues (K-FAC) or mean squares (Adafactor).
        fisher: For K-FAC, whether labels are ``sampled`` from the model or, ``empirical``, those of the rows.
    """

    kind: Kind
    rows: int = 1024
    damping: float = 0.1
    fisher: Literal["sampled", "empirical"] = "sampled"

    def __post_init__(self) -> None:
        if self.rows < 1 or self.damping <= 0:
            raise UserError(
                f"a preconditioner cannot be fitted on {self.rows} rows with a damping of {self.damping:g}",
                "give 1 row or more and a damping above 0",
            )


@dataclass(frozen=True)
class Factors:
    """What the two sides of a layer's gradient are multiplied with: a symmetric matrix, or a vector for a diagonal one.

    Attributes:
        leader: The first layer that is given the same inputs, whose ``inputs`` are these.
        inputs: [inputs, inputs] or [inputs].
        outputs: [outputs, outputs] or [outputs].
    """

    leader: str
    inputs: torch.Tensor
    outputs: torch.Tensor


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted preconditioner on the disk.

    Attributes:
        file: Where it is.
        kind: Its kind.
        fingerprint: Changes when the file does.
    """

    file: Path
    kind: Kind
    fingerprint: str

    @property
    def about(self) -> dict[str, Any]:
        """How it was fitted and what that took: ``rows``, ``tokens``, ``seconds``, ``bytes`` and the settings."""
        from safetensors import safe_open

        with safe_open(self.file, framework="pt") as tensors:
            return {**json.loads(tensors.metadata()["about"]), "bytes": self.file.stat().st_size}


def fit(
    model: LanguageModel,
    pool: Pool,
    folder: Path,
    settings: Preconditioning,
    *,
    seed: int,
    reporter: Reporter,
) -> Fitted:
    """Fits a preconditioner, or finds the one that was fitted before with the same model, rows, settings and seed.

    Args:
        model: The model.
        pool: The rows, of which some are drawn.
        folder: Where it is kept, in a file whose name bears a hash of what decides it.
        settings: How to fit it.
        seed: Decides which rows, and sampled labels.
        reporter: Where progress is told.

    Raises:
        UserError: None of the rows drawn has a gradient, or the network's layers are none that can be told apart.
    """
    from suffice.gradients.rows import encode

    drawn = sorted(Draws(seed, "preconditioner").sample(range(len(pool)), min(settings.rows, len(pool))))
    sample = pool.take(drawn)
    about = {**asdict(settings), "seed": seed, "model": model.fingerprint, "pool": digest(sample.ids)[:16]}
    about |= {"dtype": str(model.network.dtype), "device": model.device, "window": model.window}
    path = folder / f"{settings.kind}-{digest(about)[:16]}.safetensors"
    if not path.is_file():
        encoded = encode(model, [(row.messages, row.tools) for row in sample])
        rows = [row for row in encoded if isinstance(row, Passage)]
        if not rows:
            raise UserError(
                f"none of the {len(drawn):,} rows drawn for the preconditioner '{settings.kind}' has a gradient",
                "look at the pool",
            )
        layers, started = body_layers(model.network), time.monotonic()
        with reporter.track("precondition", len(rows), "rows") as task, torch_threads(1):
            factors = _fitted(model, layers, rows, settings, seed, task.advance)
            took = {
                "rows": len(rows),
                "tokens": sum(len(row.ids) for row in rows),
                "seconds": round(time.monotonic() - started, 2),
            }
            task.result(f"{settings.kind} of {len(layers)} layers, from {len(rows):,} rows")
        write_factors(path, factors, {**about, **took})
    return Fitted(path, settings.kind, digest_file(path)[:16])


def _fitted(
    model: LanguageModel,
    layers: Sequence[Layer],
    rows: Sequence[Passage],
    settings: Preconditioning,
    seed: int,
    advance: Any,
) -> dict[str, Factors]:
    from suffice.gradients.adafactor import fit_adafactor
    from suffice.gradients.kfac import fit_kfac

    network, budget, damping = model.network, TOKEN_BUDGET[model.device], settings.damping
    if settings.kind == "adafactor":
        return fit_adafactor(network, layers, rows, damping=damping, token_budget=budget, advance=advance)
    sampled = seed if settings.fisher == "sampled" else None
    return fit_kfac(
        network, layers, rows, damping=damping, sampled=sampled, token_budget=budget, advance=advance
    )


def write_factors(path: Path, factors: Mapping[str, Factors], about: Mapping[str, Any]) -> None:
    """Writes factors; inputs that layers share are written once."""
    from safetensors.torch import save_file

    tensors = {}
    for name, each in factors.items():
        tensors[f"{each.leader}.inputs"] = each.inputs.cpu().contiguous()
        tensors[f"{name}.outputs"] = each.outputs.cpu().contiguous()
    leaders = {name: each.leader for name, each in factors.items()}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, {"about": json.dumps(about), "leaders": json.dumps(leaders)})


def read_factors(fitted: Fitted, device: torch.device | str) -> dict[str, Factors]:
    """Reads what `write_factors` wrote.

    Raises:
        UserError: The file cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(fitted.file, framework="pt", device=str(device)) as tensors:
            leaders: dict[str, str] = json.loads(tensors.metadata()["leaders"])
            inputs = {leader: tensors.get_tensor(f"{leader}.inputs") for leader in set(leaders.values())}
            return {
                name: Factors(leader, inputs[leader], tensors.get_tensor(f"{name}.outputs"))
                for name, leader in leaders.items()
            }
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"the preconditioner in {fitted.file} cannot be read: {error}", "remove it and run again"
        ) from error


def fold(engine: PerExample, factors: Mapping[str, Factors]) -> None:
    """Multiplies the matrices of an engine's sides with the factors of its layers.

    Raises:
        UserError: There are none for a layer, or they are of another size.
    """
    from suffice.gradients.per_example import Sides

    inputs: dict[str, torch.Tensor] = {}
    for layer in engine.layers:
        found = factors.get(layer.name)
        if found is None or (len(found.inputs), len(found.outputs)) != (layer.inputs, layer.outputs):
            raise UserError(
                f"the preconditioner does not fit the layer of '{layer.name}'",
                "give the one that was fitted on this model",
            )
        sides, dtype = engine.sides[layer.name], engine.network.dtype
        if found.leader not in inputs:  # shared by the layers that are given the same inputs
            inputs[found.leader] = _times(sides.inputs, found.inputs, dtype)
        engine.sides[layer.name] = Sides(inputs[found.leader], _times(sides.outputs, found.outputs, dtype))


def _times(matrix: torch.Tensor | None, factor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Returns the product of a side's matrix (`None` for that of ones on the diagonal) and a factor, [side, numbers]."""
    if matrix is None:
        return (torch.diag(factor) if factor.ndim == 1 else factor).to(dtype)
    product = matrix.float() * factor if factor.ndim == 1 else matrix.float() @ factor
    return product.to(dtype)
