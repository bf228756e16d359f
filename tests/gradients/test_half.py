"""The last half of a network's blocks, where the backward pass ends at the first of them."""

from __future__ import annotations

import pytest
import torch

from suffice.common.errors import UserError
from suffice.gradients.layers import Layer, body_layers, first_block, last_half
from suffice.gradients.per_example import FeatureSettings, PerExample
from suffice.gradients.reference import features_one_by_one
from tiny_networks import make_rows, network


def named(*names):
    return [Layer(name, None, turned=False, inputs=1, outputs=1) for name in names]


def test_the_last_half_by_the_blocks_numbers():
    layers = named("a.0.q.weight", "a.1.q.weight", "a.2.experts.7.w.weight", "a.10.q.weight", "pooler.weight")
    assert [layer.name for layer in last_half(layers)] == ["a.2.experts.7.w.weight", "a.10.q.weight"]
    assert [layer.name for layer in last_half(layers[:3])] == ["a.2.experts.7.w.weight"]
    assert first_block(last_half(layers)) == "a.2"
    assert first_block(named("a.10.q.weight", "a.9.q.weight")) == "a.9"
    with pytest.raises(UserError) as caught:
        last_half(named("a.0.q.weight", "a.0.k.weight", "pooler.weight"))
    assert str(caught.value) == (
        "1 of the network's blocks have layers whose gradients are told, and half of them are asked for; take all "
        "layers"
    )


@pytest.mark.parametrize("shape", ["llama", "untied", "gpt2", "neox", "capped"])
def test_features_of_the_last_half_are_those_of_the_loop(shape):
    net, rows = network(shape), make_rows(9, seed=4)
    layers = last_half(body_layers(net))
    assert 0 < len(layers) < len(body_layers(net))
    settings = FeatureSettings(size=128, side=0, seed=3)
    begun = []
    first = net.get_submodule(first_block(layers))
    hook = first.register_forward_pre_hook(lambda module, given: begun.append(given[0].requires_grad))
    features, _ = PerExample(net, layers, settings, begin=first_block(layers)).compute(rows, 48)
    hook.remove()
    assert not any(begun)  # no graph before the block
    wanted = features_one_by_one(net, rows, [layer.name for layer in layers], settings.make())
    torch.testing.assert_close(features, wanted, rtol=1e-4, atol=1e-5 * float(wanted.abs().max()))


def test_a_block_that_is_given_its_states_by_name_is_refused():
    net = network("llama")
    layers = last_half(body_layers(net))
    engine = PerExample(net, layers, FeatureSettings(size=64, side=0), begin=first_block(layers))
    block = net.get_submodule(first_block(layers))
    forward = net.model.forward
    net.model.forward = lambda **given: block(hidden_states=forward(**given).last_hidden_state)
    with pytest.raises(UserError) as caught:
        engine.compute(make_rows(2), 48)
    assert str(caught.value) == "the block 'model.layers.1' is not given its states first; take all layers"
