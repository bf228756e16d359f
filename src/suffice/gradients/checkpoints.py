"""Checkpoints of a warm-up: LoRA adapters, Adam's moments by the parameters' names, and the mean learning rate.

A checkpoint is a folder: ``adapter/`` as PEFT saves it, ``moments.safetensors`` with ``NAME.first`` and
``NAME.second`` for each adapter weight (which may be missing: then there is no Adam's update), and
``checkpoint.json``, written last, with ``learning_rate`` (the mean over the steps since the checkpoint before),
``step`` and ``betas``. Names are those of the network itself, without PEFT's prefix.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from suffice.common.errors import UserError
from suffice.common.files import digest, digest_file, read_json, write_json
from suffice.gradients.adam import Moments
from suffice.gradients.layers import trained_again

_PREFIX = "base_model.model."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint of a warm-up.

    Attributes:
        folder: Where it is.
        learning_rate: The mean learning rate of its epoch.
        step: How many updates the optimiser had made.
        betas: The decay of Adam's moments.
        fingerprint: Changes when one of its files does.
    """

    folder: Path
    learning_rate: float
    step: int
    betas: tuple[float, float]
    fingerprint: str


def read_checkpoint(folder: Path) -> Checkpoint:
    """Reads what `write_checkpoint` wrote.

    Raises:
        UserError: The folder is no whole checkpoint.
    """
    try:
        about = read_json(folder / "checkpoint.json")
        rate, step, (beta1, beta2) = float(about["learning_rate"]), int(about["step"]), about["betas"]
        betas = float(beta1), float(beta2)
        if not (rate > 0 and step > 0 and (folder / "adapter" / "adapter_model.safetensors").is_file()):
            raise ValueError
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{folder} is no checkpoint of a warm-up: it needs checkpoint.json and adapter/adapter_model.safetensors",
            "give a folder that the warm-up wrote",
        ) from error
    files = sorted(path for path in folder.rglob("*") if path.suffix in {".json", ".safetensors"})
    parts = {str(path.relative_to(folder)): digest_file(path) for path in files}
    return Checkpoint(folder, rate, step, betas, digest(parts)[:16])


def read_checkpoints(folder: Path) -> list[Checkpoint]:
    """Reads the checkpoints of a warm-up, in the order of their steps.

    Args:
        folder: The folder that holds them, or one of them.

    Raises:
        UserError: There is none, or one is not whole.
    """
    places = (
        [folder]
        if (folder / "checkpoint.json").is_file()
        else sorted(path.parent for path in folder.glob("*/checkpoint.json"))
    )
    if not places:
        raise UserError(
            f"{folder} holds no checkpoint of a warm-up", "give a folder warm-up-… that a warm-up wrote"
        )
    return sorted(map(read_checkpoint, places), key=lambda one: one.step)


def write_checkpoint(
    network: Any,
    moments: Mapping[str, Moments],
    folder: Path,
    learning_rate: float,
    betas: tuple[float, float],
) -> None:
    """Saves adapters and moments.

    Args:
        network: The network by PEFT.
        moments: Adam's moments by the parameters' names, with PEFT's prefix or without.
        folder: Where to.
        learning_rate: The mean learning rate since the checkpoint before.
        betas: The decay of the moments.
    """
    from safetensors.torch import save_file

    network.save_pretrained(folder / "adapter")
    tensors = {}
    for name, moment in moments.items():
        own = name.removeprefix(_PREFIX)
        tensors[f"{own}.first"] = moment.first.detach().cpu().contiguous()
        tensors[f"{own}.second"] = moment.second.detach().cpu().contiguous()
    save_file(tensors, folder / "moments.safetensors")
    step = max(moment.step for moment in moments.values())
    write_json(
        folder / "checkpoint.json", {"learning_rate": learning_rate, "step": step, "betas": list(betas)}
    )


def read_moments(checkpoint: Checkpoint, device: torch.device | str) -> dict[str, Moments]:
    """Returns the moments of a checkpoint by name, in float32.

    Raises:
        UserError: It has none, or they cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = checkpoint.folder / "moments.safetensors"
    if not path.is_file():
        raise UserError(
            f"the checkpoint {checkpoint.folder} has no moments.safetensors, which Adam's update needs",
            "save the optimiser's moments there, or take plain gradients",
        )
    try:
        found = {name: tensor.float().to(device) for name, tensor in load_file(path).items()}
        names = {name.removesuffix(".first") for name in found if name.endswith(".first")}
        return {
            name: Moments(found[f"{name}.first"], found[f"{name}.second"], checkpoint.step) for name in names
        }
    except (SafetensorError, KeyError) as error:
        raise UserError(f"the moments in {path} cannot be read: {error}", "save them again") from error


@contextmanager
def attached(network: Any, checkpoint: Checkpoint) -> Iterator[None]:
    """Puts a checkpoint's adapters into a network, and takes them out in the end.

    Raises:
        UserError: They do not fit the network.
    """
    with trained_again(network):
        adapted = _adapted(network, checkpoint)
        try:
            network.eval()
            yield
        finally:
            adapted.unload()


def _adapted(network: Any, checkpoint: Checkpoint) -> Any:
    """Returns the network with a checkpoint's adapters in it."""
    from peft import PeftModel

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # PEFT uses old names of transformers' options
            return PeftModel.from_pretrained(network, checkpoint.folder / "adapter", use_safetensors=True)
    except Exception as error:  # whatever is wrong with files that strangers wrote
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise UserError(
            f"the adapter in {checkpoint.folder} does not fit the model: {reason}",
            "give the model that the warm-up began with",
        ) from error
