"""Gradient features of single examples from one forward and one backward pass over a whole batch.

The gradient of a linear layer's weight for one example is G = sum_t g_t a_t^T over its tokens, with a the
layer's inputs and g the gradient at its outputs. Both pass by in a batch, row by row, so no weight's gradient
is ever asked of autograd: all weights are frozen, and the backward pass makes activations' gradients alone.

Either G is projected on both sides, P_out G P_in^T = sum_t (P_out g_t) (P_in a_t)^T, at a cost of a few
hundredths of the layer's own for wide layers, and then sketched. Or (sides of 0) G is made as it is, which small
weights such as adapters' can afford and Adam needs, since Γ does not commute with a projection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

import torch

from suffice.common.errors import UserError
from suffice.gradients.adam import Adam, Moments, update
from suffice.gradients.head import Head
from suffice.gradients.layers import Layer, trained_again
from suffice.gradients.projection import Dense, Projection, Sketch, multiplier, side
from suffice.gradients.rows import Reason
from suffice.models.batching import pad, token_batches
from suffice.models.losses import Passage


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """How features are made.

    Attributes:
        size: How many numbers a feature has; a multiple of 8.
        side: To how many numbers inputs and output gradients are projected before they are multiplied; 0 for
            no such projection.
        projection: ``sketch``, or ``dense`` as in LESS.
        seed: Decides all random numbers.
    """

    size: int = 7168
    side: int = 64
    projection: Literal["sketch", "dense"] = "sketch"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size < 8 or self.size % 8 or self.side < 0:
            raise UserError(
                f"features cannot have {self.size} numbers from sides of {self.side}",
                "give a size that is a multiple of 8, and a side of 0 or more",
            )

    def make(self) -> Projection:
        """Returns the projection of a block."""
        return (Dense if self.projection == "dense" else Sketch)(self.size, self.seed)


@dataclass(frozen=True)
class Sides:
    """The matrices of a layer's two sides, [side, numbers] each; `None` where there is none."""

    inputs: torch.Tensor | None
    outputs: torch.Tensor | None

    @cached_property
    def project_inputs(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """What projects a layer's inputs [rows, tokens, inputs]."""
        return _projector(self.inputs)

    @cached_property
    def project_outputs(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """What projects the gradient at its outputs [rows, tokens, outputs]."""
        return _projector(self.outputs)


def _projector(matrix: torch.Tensor | None) -> Callable[[torch.Tensor], torch.Tensor]:
    return multiplier(matrix) if matrix is not None else lambda values: values


class PerExample:
    """Computes features of a network's layers.

    Layers that are given the same input (query, key and value) share the matrix of that side, so that it is
    projected once.

    Args:
        network: A causal language model of transformers in evaluation mode, with or without adapters.
        layers: Its layers, from `body_layers` or `adapter_layers`.
        settings: How features are made.
        moments: Adam's moments by the layers' names: features are then of Γ instead of the gradient.
        adam: How Γ is defined.
        begin: The name of the block at whose input the backward pass ends; by default it ends at the embeddings.

    Raises:
        UserError: The network's gradients by rows cannot be told, or moments are missing.
    """

    def __init__(
        self,
        network: Any,
        layers: Sequence[Layer],
        settings: FeatureSettings,
        moments: Mapping[str, Moments] | None = None,
        adam: Adam | None = None,
        begin: str | None = None,
    ) -> None:
        if network.dtype == torch.float16:
            raise UserError("gradients underflow in float16", "use --dtype bfloat16 or float32")
        self.network, self.layers, self.settings = network, list(layers), settings
        self._projection, self._head = settings.make(), Head(network)
        self._adam, self._moments = adam or Adam(), _checked(moments, layers, settings)
        self._begins = begin
        self._features = torch.zeros(0)
        self._width = 0
        self._received: set[str] = set()
        self._seen: set[str] = set()
        self._last: tuple[torch.Tensor, torch.Tensor] | None = None
        self._leaf: torch.Tensor | None = None
        self.sides = self._draw_sides()

    def compute(
        self,
        rows: Sequence[Passage],
        token_budget: int,
        advance: Callable[[float], None] | None = None,
    ) -> tuple[torch.Tensor, list[Reason]]:
        """Computes the features of rows in batches of like length.

        Args:
            rows: The rows, none longer than the model's window.
            token_budget: The most padded tokens of a batch.
            advance: Called with a number of rows as they are done.

        Returns:
            Features on the CPU, float32 [rows, size], not scaled; NaN where the gradient is not finite or zero.
            And for each row, which of these it is.
        """
        features = torch.zeros(len(rows), self.settings.size)
        with self._watched():
            for places in token_batches([row.places[-1] for row in rows], token_budget):
                features[places] = self._batch([rows[i] for i in places]).cpu()
                if advance:
                    advance(len(places))
        finite, zero = features.isfinite().all(dim=1), (features == 0).all(dim=1)
        features[~finite | zero] = torch.nan
        reasons = [
            Reason.ZERO if nothing else Reason.NONE if whole else Reason.NOT_FINITE
            for whole, nothing in zip(finite.tolist(), zero.tolist(), strict=True)
        ]
        return features, reasons

    def _batch(self, rows: Sequence[Passage]) -> torch.Tensor:
        # The last trained token and what follows it predict nothing, so they are left out. Padding on the right
        # is seen by no real token and has no loss, so its gradient is zero: no mask is needed, and attention stays
        # plainly causal.
        device = self.network.device
        ids, _ = pad([row.ids[: row.places[-1]] for row in rows], device)
        owners = torch.tensor([i for i, row in enumerate(rows) for _ in row.places], device=device)
        before = torch.tensor([place - 1 for row in rows for place in row.places], device=device)
        labels = torch.tensor([row.ids[place] for row in rows for place in row.places], device=device)
        weights = torch.tensor([1 / len(row.places) for row in rows], device=device)[owners]
        self._features = torch.zeros(len(rows), self.settings.size, device=device)
        self._width = ids.shape[1]
        self._forget()
        with torch.enable_grad():
            states = self.network.base_model(input_ids=ids, use_cache=False).last_hidden_state
        seeds = torch.zeros_like(states)
        seeds[owners, before] = self._head.gradient(states[owners, before].detach(), labels, weights)
        assert self._leaf is not None
        torch.autograd.grad(states, self._leaf, seeds)
        self._check_received()
        return self._features

    def _forget(self) -> None:
        self._received.clear()
        self._seen.clear()
        self._last = None

    def _check_received(self) -> None:
        missing = next((layer for layer in self.layers if layer.name not in self._received), None)
        if missing:
            raise UserError(
                f"the layer of '{missing.name}' took no part in the loss, so that it has no gradient",
                "leave it out",
            )

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Freezes all weights and watches the layers."""
        hooks = [self._watch_beginning()]
        hooks += [layer.module.register_forward_hook(partial(self._forward, layer)) for layer in self.layers]
        try:
            with trained_again(self.network):
                self.network.requires_grad_(False)
                yield
        finally:
            for hook in hooks:
                hook.remove()
            self._leaf = None
            self._forget()

    def _watch_beginning(self) -> Any:
        """Has the backward pass end at the embeddings, or at the input of the block that was named."""
        if self._begins is None:
            embeddings = self.network.get_input_embeddings()
            return embeddings.register_forward_hook(lambda module, given, made: self._leaf_of(made))
        block = self.network.get_submodule(self._begins)
        return block.register_forward_pre_hook(self._begin_block)

    def _begin_block(self, module: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
        if not given:
            raise UserError(f"the block '{self._begins}' is not given its states first", "take all layers")
        return self._leaf_of(given[0]), *given[1:]

    def _leaf_of(self, states: torch.Tensor) -> torch.Tensor:
        self._leaf = states.detach().requires_grad_()
        return self._leaf

    def _forward(
        self, layer: Layer, module: Any, given: tuple[torch.Tensor, ...], made: torch.Tensor
    ) -> None:
        """Projects a layer's inputs as they pass, and waits for the gradient at its outputs."""
        (inputs,) = given
        rows = len(self._features)
        if inputs.shape != (rows, self._width, layer.inputs):
            raise UserError(
                f"the layer of '{layer.name}' is given tokens as {list(inputs.shape)} instead of "
                f"{[rows, self._width, layer.inputs]}, so that they cannot be told apart by rows",
                "use another model",
            )
        if layer.name in self._seen:
            raise UserError(f"the layer of '{layer.name}' runs twice in one pass", "use another model")
        self._seen.add(layer.name)
        if self._last is None or self._last[0] is not inputs:
            self._last = inputs, self.sides[layer.name].project_inputs(inputs.detach())
        made.register_hook(partial(self._backward, layer, self._last[1]))  # type: ignore[no-untyped-call]

    def _backward(self, layer: Layer, inputs: torch.Tensor, gradient: torch.Tensor) -> None:
        """Adds a layer's share to the features of the batch."""
        with torch.no_grad():
            outputs = self.sides[layer.name].project_outputs(gradient)
            one, other = (inputs, outputs) if layer.turned else (outputs, inputs)
            block = (one.mT @ other).float()  # as the weight has it [rows, ...]
            if self._moments:
                block = update(block, self._moments[layer.name], self._adam)
            self._projection.add(self._features, layer.name, block.flatten(1))
            self._received.add(layer.name)

    def _draw_sides(self) -> dict[str, Sides]:
        """Draws the matrices of both sides, the layers' inputs by who shares them."""
        size, seed, device = self.settings.side, self.settings.seed, self.network.device
        shared = self._shared_inputs() if size else {}

        def drawn(name: str, numbers: int) -> torch.Tensor | None:
            matrix = side(name, numbers, size, seed, device) if size else None
            return None if matrix is None else matrix.to(self.network.dtype)

        inputs: dict[str, torch.Tensor | None] = {}
        sides = {}
        for layer in self.layers:
            leader = shared.get(layer.name, layer.name)
            if leader not in inputs:
                inputs[leader] = drawn(f"inputs of {leader}", layer.inputs)
            sides[layer.name] = Sides(inputs[leader], drawn(f"outputs of {layer.name}", layer.outputs))
        return sides

    def _shared_inputs(self) -> dict[str, str]:
        """Returns for each layer the first that was given the same input right before it, in a pass of four tokens."""
        order: list[tuple[str, torch.Tensor]] = []
        hooks = [
            layer.module.register_forward_hook(
                lambda module, given, made, name=layer.name: order.append((name, given[0]))
            )
            for layer in self.layers
        ]
        try:
            with torch.no_grad():
                ids = torch.arange(4, device=self.network.device)[None]
                self.network.base_model(input_ids=ids, use_cache=False)
        finally:
            for hook in hooks:
                hook.remove()
        leaders: dict[str, str] = {}
        before: tuple[str, torch.Tensor] | None = None
        for name, inputs in order:
            if before is None or before[1] is not inputs:
                before = name, inputs
            leaders[name] = before[0]
        return leaders


def _checked(
    moments: Mapping[str, Moments] | None, layers: Sequence[Layer], settings: FeatureSettings
) -> Mapping[str, Moments] | None:
    """Refuses moments that do not fit the layers."""
    if moments is None:
        return None
    if settings.side:
        raise UserError("Adam's update does not commute with a projection of the sides", "give a side of 0")
    for layer in layers:
        found = moments.get(layer.name)
        if found is None:
            raise UserError(
                f"there are no moments of '{layer.name}' for Adam's update",
                "give those of the checkpoint's own optimiser, or take plain gradients",
            )
        if not found.first.shape == found.second.shape == layer.module.weight.shape:
            raise UserError(
                f"the moments of '{layer.name}' are of shape {list(found.first.shape)}, its weight is "
                f"{list(layer.module.weight.shape)}",
                "give those of the checkpoint's own optimiser",
            )
    return moments
