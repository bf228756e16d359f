"""Features of batches against a loop of one backward pass an example."""

from __future__ import annotations

import pytest
import torch

from suffice.common.errors import UserError
from suffice.gradients.head import Head
from suffice.gradients.layers import body_layers
from suffice.gradients.per_example import FeatureSettings, PerExample
from suffice.gradients.reference import features_one_by_one, row_loss
from suffice.gradients.rows import Reason
from suffice.models.losses import Passage
from tiny_networks import make_rows, network

SHAPES = ["llama", "untied", "gpt2", "neox", "capped"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("projection", ["dense", "sketch"])
def test_whole_gradients_projected_equal_the_loop_with_the_same_projection(shape, projection):
    net, rows = network(shape), make_rows(9)
    settings = FeatureSettings(size=128, side=0, projection=projection, seed=3)
    layers = body_layers(net)
    features, reasons = PerExample(net, layers, settings).compute(rows, 48)
    wanted = features_one_by_one(net, rows, [layer.name for layer in layers], settings.make())
    torch.testing.assert_close(features, wanted, rtol=1e-4, atol=1e-5 * float(wanted.abs().max()))
    assert reasons == [Reason.NONE] * 9
    assert all(parameter.requires_grad for parameter in net.parameters())


@pytest.mark.parametrize("shape", SHAPES)
def test_projected_sides_equal_the_loop_with_the_same_matrix_written_out(shape):
    net, rows = network(shape), make_rows(9, seed=1)
    settings = FeatureSettings(size=64, side=6, seed=1)
    layers = body_layers(net)
    engine = PerExample(net, layers, settings)
    features, _ = engine.compute(rows, 48)
    assert all(engine.sides[layer.name].outputs is not None for layer in layers)
    wanted = torch.zeros(len(rows), 64)
    for i, row in enumerate(rows):
        loss = row_loss(net, row)
        for layer in layers:
            (gradient,) = torch.autograd.grad(loss, layer.module.weight, retain_graph=True)
            inputs, outputs = engine.sides[layer.name].inputs, engine.sides[layer.name].outputs
            whole = torch.kron(inputs, outputs) if layer.turned else torch.kron(outputs, inputs)
            matrix = settings.make().matrix(layer.name, 36) @ whole
            wanted[i] += matrix @ gradient.flatten()
    torch.testing.assert_close(features, wanted, rtol=1e-4, atol=1e-5 * float(wanted.abs().max()))


def test_layers_that_are_given_the_same_input_share_its_matrix():
    net = network("llama")
    sides = PerExample(net, body_layers(net), FeatureSettings(size=64, side=8)).sides
    for i in (0, 1):
        attention, mlp = f"model.layers.{i}.self_attn.", f"model.layers.{i}.mlp."
        q, k, v, o = (sides[f"{attention}{name}_proj.weight"].inputs for name in "qkvo")
        gate, up = (sides[f"{mlp}{name}_proj.weight"].inputs for name in ("gate", "up"))
        assert q is k is v
        assert gate is up
        assert not torch.equal(q, o)
        assert not torch.equal(q, gate)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_has_the_same_features_whatever_stands_beside_it(shape):
    net, rows = network(shape), make_rows(12, seed=2)
    engine = PerExample(net, body_layers(net), FeatureSettings(size=64, side=8))
    together, _ = engine.compute(rows, 4096)
    alone, _ = engine.compute(rows, 1)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5 * float(alone.abs().max()))


def test_the_loss_is_the_mean_over_the_trained_tokens():
    """Twice the same tokens trained on: the gradient of one place and of all, added up by hand."""
    net = network("llama")
    row = make_rows(1, longest=12, seed=5)[0]
    engine = PerExample(net, body_layers(net), FeatureSettings(size=64, side=0))
    single = [type(row)(row.ids, [place]) for place in row.places]
    whole, _ = engine.compute([row], 100)
    parts, _ = engine.compute(single, 100)
    torch.testing.assert_close(whole[0], parts.mean(dim=0), rtol=1e-4, atol=1e-5)


def test_the_last_trained_token_and_what_follows_it_are_given_to_no_layer():
    net, row = network("llama"), Passage(list(range(12)), [3, 7])
    engine, widths = PerExample(net, body_layers(net), FeatureSettings(size=64, side=8)), []
    net.model.layers[0].register_forward_hook(lambda module, given, made: widths.append(given[0].shape[1]))
    whole, _ = engine.compute([row], 100)
    cut, _ = engine.compute([Passage(row.ids[:8], row.places)], 100)
    assert torch.equal(whole, cut)
    assert widths == [7, 7]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("most", [2**24, 300])
def test_the_gradient_through_the_head_is_that_of_autograd(shape, most, monkeypatch):
    monkeypatch.setattr("suffice.gradients.head.LOGITS", {"cpu": most})
    net = network(shape)
    head = Head(net)
    assert head.plain == (shape != "capped")
    states = torch.randn(11, 16, generator=torch.Generator().manual_seed(0))
    labels, weights = torch.arange(11), torch.linspace(0.1, 1, 11)
    leaf = states.clone().requires_grad_()
    logits = net.get_output_embeddings()(leaf)
    if shape == "capped":
        logits = 2 * torch.tanh(logits / 2)
    losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    (wanted,) = torch.autograd.grad((losses * weights).sum(), leaf)
    torch.testing.assert_close(head.gradient(states, labels, weights), wanted, rtol=1e-4, atol=1e-6)


def test_the_tied_embedding_and_all_weights_are_asked_for_no_gradient():
    net = network("llama")
    PerExample(net, body_layers(net), FeatureSettings(size=64, side=8)).compute(make_rows(4), 100)
    assert all(parameter.grad is None for parameter in net.parameters())
    assert not any(module._forward_hooks for module in net.modules())


def test_a_row_with_a_gradient_that_is_not_finite_has_no_features_and_harms_no_other():
    net, rows = network("llama"), make_rows(6)
    clean, _ = PerExample(net, body_layers(net), FeatureSettings(size=64, side=8)).compute(rows, 500)
    poisoned = type(rows[0])([99, 98, 97], [1, 2])
    kept = [row for row in rows if 99 not in row.ids]
    net.get_input_embeddings().weight.data[99] = torch.nan  # tied: the head's column is poisoned too
    net.lm_head.weight = torch.nn.Parameter(net.lm_head.weight.detach().nan_to_num())
    features, reasons = PerExample(net, body_layers(net), FeatureSettings(size=64, side=8)).compute(
        [*kept, poisoned], 500
    )
    assert reasons == [Reason.NONE] * len(kept) + [Reason.NOT_FINITE]
    assert features[-1].isnan().all()
    assert features[:-1].isfinite().all()
    assert clean.isfinite().all()


def test_a_zero_gradient_is_no_feature():
    net = network("untied")
    net.lm_head.weight.data.zero_()
    features, reasons = PerExample(net, body_layers(net), FeatureSettings(size=64, side=8)).compute(
        make_rows(2), 500
    )
    assert reasons == [Reason.ZERO] * 2
    assert features.isnan().all()


def test_fused_experts_are_refused_by_name():
    with pytest.raises(UserError) as caught:
        body_layers(network("experts"))
    assert str(caught.value) == (
        "the layer 'model.layers.0.mlp.gate' (MixtralTopKRouter) holds the weight 'weight' of shape [4, 16], which "
        "is no plain linear layer's, so that its gradient by rows cannot be told; use a model whose layers are "
        "torch's Linear or transformers' Conv1D"
    )


def test_a_subclass_of_linear_is_refused_by_name():
    class Linear4bit(torch.nn.Linear):
        pass

    net = network("llama")
    net.model.layers[1].mlp.up_proj = Linear4bit(16, 24, bias=False)
    with pytest.raises(UserError, match=r"the layer 'model\.layers\.1\.mlp\.up_proj' \(Linear4bit\) holds"):
        body_layers(net)


class _Flattening(torch.nn.Module):
    """Gives its layer the tokens of all rows in one line, as routers of experts do."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, states):
        return self.inner(states.flatten(0, 1)).view(*states.shape[:2], -1)


class _Twice(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, states):
        return self.inner(states) + self.inner(2 * states)


@pytest.mark.parametrize(
    ("wrapper", "message"),
    [
        (
            _Flattening,
            (
                "the layer of 'model.layers.1.mlp.up_proj.inner.weight' is given tokens as [22, 16] instead of "
                "[2, 11, 16], so that they cannot be told apart by rows; use another model"
            ),
        ),
        (
            _Twice,
            "the layer of 'model.layers.1.mlp.up_proj.inner.weight' runs twice in one pass; use another model",
        ),
    ],
)
def test_layers_whose_rows_cannot_be_told_apart_are_refused_by_name(wrapper, message):
    net = network("llama")
    net.model.layers[1].mlp.up_proj = wrapper(net.model.layers[1].mlp.up_proj)
    row = type(make_rows(1)[0])(list(range(12)), [3, 11])
    with pytest.raises(UserError) as caught:
        PerExample(net, body_layers(net), FeatureSettings(size=64, side=8)).compute([row, row], 500)
    assert str(caught.value) == message
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_a_layer_that_takes_no_part_is_refused_by_name():
    net = network("llama")
    net.model.idle = torch.nn.Linear(16, 16)
    with pytest.raises(UserError) as caught:
        PerExample(net, body_layers(net), FeatureSettings(size=64, side=8)).compute(make_rows(2), 500)
    assert str(caught.value) == (
        "the layer of 'model.idle.weight' took no part in the loss, so that it has no gradient; leave it out"
    )


def test_half_precision_that_underflows_is_refused():
    with pytest.raises(UserError) as caught:
        PerExample(network("llama").half(), [], FeatureSettings())
    assert str(caught.value) == "gradients underflow in float16; use --dtype bfloat16 or float32"


@pytest.mark.parametrize("given", [{"size": 12}, {"size": 0}, {"side": -1}])
def test_impossible_sizes_are_refused(given):
    with pytest.raises(UserError, match="give a size that is a multiple of 8, and a side of 0 or more"):
        FeatureSettings(**given)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_gives_the_same_features_to_tolerance():
    rows, settings = make_rows(9), FeatureSettings(size=64, side=8)
    here, there = network("llama"), network("llama").cuda()
    wanted, _ = PerExample(here, body_layers(here), settings).compute(rows, 100)
    found, _ = PerExample(there, body_layers(there), settings).compute(rows, 100)
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4 * float(wanted.abs().max()))
