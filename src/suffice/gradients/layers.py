"""The linear layers of a network whose weights' gradients make the features."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from suffice.common.errors import UserError


@dataclass(frozen=True, slots=True)
class Layer:
    """A linear layer.

    Attributes:
        name: The name of its weight, as the network's ``named_parameters`` has it.
        module: The layer.
        turned: Whether its weight is [inputs, outputs] (Conv1D of GPT-2) rather than [outputs, inputs].
        inputs: How many numbers go in.
        outputs: How many come out.
    """

    name: str
    module: Any
    turned: bool
    inputs: int
    outputs: int


def body_layers(network: Any) -> list[Layer]:
    """Returns the linear layers of a network's body, in the order of ``named_modules``.

    Embeddings, the language-model head, norms and biases are left out.

    Args:
        network: A causal language model of transformers.

    Raises:
        UserError: A layer has a weight that is neither a linear layer's nor an embedding, or is quantised.
    """
    layers = []
    head = network.get_output_embeddings()
    for name, module in network.named_modules():
        if module is head or isinstance(module, torch.nn.Embedding):
            continue
        if is_linear(module):
            layers.append(_layer(name, module))
            continue
        for own, parameter in module.named_parameters(recurse=False):
            if parameter.ndim > 1 or not parameter.is_floating_point():
                raise UserError(
                    f"the layer '{name}' ({type(module).__name__}) holds the weight '{own}' of shape "
                    f"{list(parameter.shape)}, which is no plain linear layer's, so that its gradient by rows "
                    "cannot be told",
                    "use a model whose layers are torch's Linear or transformers' Conv1D",
                )
    if not layers:
        raise UserError(
            f"{type(network).__name__} has no linear layer", "use a causal language model of transformers"
        )
    return layers


def adapter_layers(network: Any) -> list[Layer]:
    """Returns the layers of LoRA adapters (A and B) in the order of ``named_modules``.

    What the base's own layers are is all the same: they may be quantised.

    Args:
        network: A network with adapters by PEFT.

    Raises:
        UserError: It has none, or some of another kind.
    """
    layers = [
        _layer(name, module)
        for name, module in network.named_modules()
        if type(module) is torch.nn.Linear and {"lora_A", "lora_B"} & set(name.split("."))
    ]
    if not layers:
        raise UserError("the network has no LoRA adapters", "give an adapter that PEFT saved")
    known = {layer.name for layer in layers}
    for name, _ in network.named_parameters():
        if ".lora_" in name and name not in known:
            raise UserError(
                f"the adapter's weight '{name}' is no plain LoRA's, so that its gradient by rows cannot be told",
                "use LoRA on linear layers, without bias, magnitudes or embeddings",
            )
    return layers


def last_half(layers: Sequence[Layer]) -> list[Layer]:
    """Returns the layers of the last half of a network's blocks, in the same order.

    Blocks are told by the first number in a layer's name; of an odd number of blocks the one in the middle belongs
    to the first half. Layers outside of blocks are left out.

    Raises:
        UserError: There are fewer than two blocks.
    """
    numbers = sorted({number for layer in layers if (number := _block(layer)[1]) is not None})
    if len(numbers) < 2:
        raise UserError(
            f"{len(numbers)} of the network's blocks have layers whose gradients are told, and half of them are asked for",
            "take all layers",
        )
    kept = set(numbers[-(-len(numbers) // 2) :])
    return [layer for layer in layers if _block(layer)[1] in kept]


def first_block(layers: Sequence[Layer]) -> str:
    """Returns the name of the first block that has one of these layers, as ``get_submodule`` takes it."""
    places = [(number, name) for name, number in map(_block, layers) if number is not None]
    return min(places)[1]


def _block(layer: Layer) -> tuple[str, int | None]:
    """Returns name and number of the block that a layer stands in."""
    found = re.match(r"(?:.*?\.)?(\d+)(?=\.)", layer.name)
    return (found[0], int(found[1])) if found else ("", None)


def is_linear(module: Any) -> bool:
    """Tells whether a module is a plain linear layer; subclasses (quantised, sharded) are not."""
    from transformers.pytorch_utils import Conv1D

    return type(module) in (torch.nn.Linear, Conv1D) and module.weight.is_floating_point()


def _layer(name: str, module: Any) -> Layer:
    turned = type(module) is not torch.nn.Linear
    sizes = tuple(module.weight.shape)
    inputs, outputs = sizes if turned else sizes[::-1]
    return Layer(f"{name}.weight", module, turned, inputs, outputs)


@contextmanager
def trained_again(network: Any) -> Iterator[None]:
    """Lets the block freeze weights, as PEFT does: those that could be trained before can be again in the end."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_()
