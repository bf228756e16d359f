"""A pass over rows in which the inputs of every layer and the gradients at its outputs are looked at.

What preconditioners are fitted on: statistics of what makes the gradients, without making them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

from suffice.common.draws import stream_key
from suffice.gradients.head import Head
from suffice.gradients.layers import Layer, trained_again
from suffice.gradients.projection import bits
from suffice.models.batching import pad, token_batches
from suffice.models.losses import Passage

# Called with a layer, the name of the first layer that was given the same inputs, the inputs [rows, tokens, inputs],
# the gradient at the outputs [rows, tokens, outputs], which is zero on padding, and what is no padding [rows, tokens].
Look = Callable[[Layer, str, torch.Tensor, torch.Tensor, torch.Tensor], None]


class Observation:
    """The pass.

    Args:
        network: A causal language model of transformers in evaluation mode.
        layers: The layers to look at.
        look: Called for each of them and each batch.
        mean: Whether the loss of a row is the mean over its trained tokens rather than the sum.
        sampled: A seed, to have the trained tokens drawn from the model's own distribution instead of taken from
            the rows; `None` for the rows' own.
    """

    def __init__(
        self, network: Any, layers: Sequence[Layer], look: Look, *, mean: bool, sampled: int | None
    ) -> None:
        self._network, self._layers, self._look = network, list(layers), look
        self._head, self._mean, self._sampled = Head(network), mean, sampled
        self._drawn = 0
        self._real = torch.zeros(0, 0)
        self._leaf: torch.Tensor | None = None
        self._last: tuple[torch.Tensor, str] | None = None

    def over(
        self, rows: Sequence[Passage], token_budget: int, advance: Callable[[float], None] | None = None
    ) -> int:
        """Passes over rows in batches of like length and returns how many tokens there were.

        Args:
            rows: The rows, none longer than the model's window.
            token_budget: The most padded tokens of a batch.
            advance: Called with a number of rows as they are done.
        """
        with self._watched():
            for places in token_batches([len(row.ids) for row in rows], token_budget):
                self._batch([rows[i] for i in places])
                if advance:
                    advance(len(places))
        return sum(len(row.ids) for row in rows)

    def _batch(self, rows: Sequence[Passage]) -> None:
        device = self._network.device
        ids, mask = pad([row.ids for row in rows], device)
        self._real, self._last = mask.bool(), None
        owners = torch.tensor([i for i, row in enumerate(rows) for _ in row.places], device=device)
        places = torch.tensor([place for row in rows for place in row.places], device=device)
        counts = torch.tensor([len(row.places) for row in rows], device=device)
        weights = 1 / counts[owners] if self._mean else torch.ones(len(owners), device=device)
        with torch.enable_grad():
            states = self._network.base_model(input_ids=ids, use_cache=False).last_hidden_state
        given = states[owners, places - 1].detach()
        seeds = torch.zeros_like(states)
        seeds[owners, places - 1] = self._head.gradient(
            given, self._labels(given, ids[owners, places]), weights
        )
        assert self._leaf is not None
        torch.autograd.grad(states, self._leaf, seeds)

    def _labels(self, states: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
        if self._sampled is None:
            return own
        key = stream_key(self._sampled, "sampled labels")
        words = bits(key, self._drawn, self._drawn + len(own), own.device)
        self._drawn += len(own)
        return self._head.sample(states, ((words >> 11) & ((1 << 53) - 1)).double() / (1 << 53))

    @contextmanager
    def _watched(self) -> Iterator[None]:
        hooks = [self._network.get_input_embeddings().register_forward_hook(self._begin)]
        hooks += [layer.module.register_forward_hook(partial(self._forward, layer)) for layer in self._layers]
        try:
            with trained_again(self._network):
                self._network.requires_grad_(False)
                yield
        finally:
            for hook in hooks:
                hook.remove()
            self._leaf = self._last = None

    def _begin(self, module: Any, given: Any, made: torch.Tensor) -> torch.Tensor:
        self._leaf = made.detach().requires_grad_()
        return self._leaf

    def _forward(
        self, layer: Layer, module: Any, given: tuple[torch.Tensor, ...], made: torch.Tensor
    ) -> None:
        (inputs,) = given
        if self._last is None or self._last[0] is not inputs:
            self._last = inputs, layer.name
        leader, real = self._last[1], self._real

        def arrived(gradient: torch.Tensor) -> None:
            with torch.no_grad():
                self._look(layer, leader, inputs.detach(), gradient, real)

        made.register_hook(arrived)  # type: ignore[no-untyped-call]
