"""The gradient of rows' losses with respect to the last hidden states, through the language-model head.

Only the places that predict a trained token go through the head, some at a time, so that logits [tokens,
vocabulary] never stand in memory with a graph over them, and no gradient of the head's weight is computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from suffice.common.errors import UserError

LOGITS = {"cpu": 2**24, "cuda": 2**28}  # the most logits at a time: 64 MiB of float32, and 1 GiB


class Head:
    """What a network does to its last hidden states, and the gradient through it.

    A network whose logits are its head's output and nothing else gets the gradient of the cross entropy in
    closed form: (softmax - one-hot) W. One that does more (caps or scales its logits) is asked itself: its
    forward pass runs with its body replaced by one that returns the states.

    Args:
        network: A causal language model of transformers.

    Raises:
        UserError: The network's logits are not made from its body's last hidden states.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self._head = network.get_output_embeddings()
        width = network.config.get_text_config().hidden_size
        probe = torch.linspace(-3, 3, 3 * width, device=network.device, dtype=network.dtype).view(3, width)
        ids = torch.arange(4, device=network.device)[None]
        with torch.no_grad():
            made = network.base_model(input_ids=ids, use_cache=False)
            self._output, states = type(made), made.last_hidden_state[0]
            plain = isinstance(self._head, torch.nn.Linear)
            self.plain = plain and torch.equal(self._head(probe), self._logits(probe))
            wanted = network(input_ids=ids, use_cache=False).logits[0]
            if not torch.allclose(self._logits(states), wanted, atol=1e-3, rtol=1e-2, equal_nan=True):
                raise UserError(
                    f"the logits of {type(network).__name__} are not made from the last hidden states of its body",
                    "use another causal language model",
                )

    def gradient(self, states: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Returns the gradient of sum_i weights_i x cross entropy_i with respect to the states.

        Args:
            states: Hidden states [places, width].
            labels: The tokens they should predict, int64 [places].
            weights: The weight of each place, float32 [places].
        """
        one = self._in_closed_form if self.plain else self._by_autograd
        chunks = self._chunks(len(labels), states.device)
        return torch.cat([one(states[chunk], labels[chunk], weights[chunk]) for chunk in chunks])

    def sample(self, states: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
        """Returns a token for each place, drawn from the network's distribution, int64 [places].

        Args:
            states: Hidden states [places, width].
            uniforms: A number from 0 to 1 for each place, float64 [places]: where in the distribution it falls.
        """
        drawn = []
        for chunk in self._chunks(len(uniforms), states.device):
            with torch.no_grad():
                sums = torch.softmax(self._logits(states[chunk]).double(), dim=-1).cumsum(dim=-1)
            drawn.append((sums < uniforms[chunk, None]).sum(dim=-1).clamp_max(sums.shape[1] - 1))
        return torch.cat(drawn)

    def _chunks(self, places: int, device: torch.device) -> list[slice]:
        size = max(LOGITS[device.type] // self._network.config.get_text_config().vocab_size, 1)
        return [slice(start, start + size) for start in range(0, places, size)]

    def _in_closed_form(
        self, states: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        with torch.no_grad():
            errors = torch.softmax(self._head(states).float(), dim=-1)
            errors[torch.arange(len(labels), device=labels.device), labels] -= 1
            gradient: torch.Tensor = errors.to(states.dtype) @ self._head.weight
        return gradient * weights[:, None].to(states.dtype)

    def _by_autograd(self, states: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        states = states.detach().requires_grad_()
        with torch.enable_grad():
            losses = torch.nn.functional.cross_entropy(self._logits(states).float(), labels, reduction="none")
            return torch.autograd.grad((losses * weights).sum(), states)[0]

    def _logits(self, states: torch.Tensor) -> torch.Tensor:
        """Returns what the whole network makes of the states [places, width]: logits [places, vocabulary]."""
        ids = torch.zeros(1, len(states), dtype=torch.long, device=states.device)
        with _body_that_returns(self._network, self._output(last_hidden_state=states[None])):
            logits: torch.Tensor = self._network(input_ids=ids, use_cache=False).logits[0]
        return logits


@contextmanager
def _body_that_returns(network: Any, output: Any) -> Iterator[None]:
    network.base_model.forward = lambda *_, **__: output
    try:
        yield
    finally:
        del network.base_model.forward
