"""What training keeps on disk: a checkpoint to go on from, and the weights of the stages on the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from suffice.common.files import atomic_path, digest
from suffice.lab.settings import PretrainSettings

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM

CHECKPOINT = "checkpoint.safetensors"


def stage_path(work: Path, share: int) -> Path:
    """Returns where the weights are kept that training had after ``share`` percent."""
    return work / f"stage-{share}.safetensors"


def save_stage(work: Path, network: LlamaForCausalLM, share: int) -> None:
    """Writes the weights alone, as half-precision safetensors under the names that transformers uses."""
    import torch
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().to(torch.float16) for name, tensor in network.named_parameters()}
    with atomic_path(stage_path(work, share)) as temporary:
        save_file(tensors, temporary, metadata={"format": "pt"})


def save(
    work: Path,
    network: LlamaForCausalLM,
    optimizers: list[torch.optim.Optimizer],
    settings: PretrainSettings,
    step: int,
    seconds: float,
) -> None:
    """Writes weights and optimiser state after ``step`` steps, which took ``seconds``."""
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().contiguous() for name, tensor in _state(network, optimizers).items()}
    about = {"step": str(step), "seconds": f"{seconds:.1f}", "settings": digest(vars(settings))}
    with atomic_path(work / CHECKPOINT) as temporary:
        save_file(tensors, temporary, metadata=about)


def restore(
    work: Path,
    network: LlamaForCausalLM,
    optimizers: list[torch.optim.Optimizer],
    settings: PretrainSettings,
) -> tuple[int, float]:
    """Loads the checkpoint of the same settings, if there is one; returns its step and seconds."""
    import torch
    from safetensors import safe_open

    path = work / CHECKPOINT
    if not path.exists():
        return 0, 0.0
    with safe_open(path, framework="pt") as file:
        about = file.metadata()
        if about["settings"] != digest(vars(settings)):
            return 0, 0.0
        names = dict(network.named_parameters())
        owner = {
            p: optimizer for optimizer in optimizers for g in optimizer.param_groups for p in g["params"]
        }
        with torch.no_grad():
            for key in file.keys():  # noqa: SIM118 - a safetensors file is no mapping
                kind, name = key.split(".", 1)
                parameter, tensor = names[name], file.get_tensor(key)
                if kind == "model":
                    parameter.copy_(tensor)
                else:
                    owner[parameter].state[parameter][kind] = tensor.to(parameter.device)
    return int(about["step"]), float(about["seconds"])


def _state(network: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer]) -> dict[str, torch.Tensor]:
    """Returns every tensor that training carries from step to step, by name (references, not copies)."""
    tensors = {f"model.{name}": tensor for name, tensor in network.named_parameters()}
    names = {parameter: name for name, parameter in network.named_parameters()}
    for optimizer in optimizers:
        for parameter, state in optimizer.state.items():
            tensors |= {f"{key}.{names[parameter]}": tensor for key, tensor in state.items()}
    return tensors
