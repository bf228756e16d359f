"""Features of LoRA adapters' weights, with and without Adam's update, against the loop of LESS."""

from __future__ import annotations

import dataclasses

import peft
import pytest
import torch

from suffice.common.errors import UserError
from suffice.common.files import read_json, write_json
from suffice.gradients.adam import Adam, Moments
from suffice.gradients.checkpoints import attached, read_checkpoint, read_moments, write_checkpoint
from suffice.gradients.layers import adapter_layers, body_layers
from suffice.gradients.per_example import FeatureSettings, PerExample
from suffice.gradients.reference import features_one_by_one, row_loss
from tiny_networks import make_rows, network

SETTINGS = FeatureSettings(size=256, side=0, seed=2)


def adapted(shape="llama", *, fresh=False, targets="all-linear", **options):
    """A network with adapters in place, and what PEFT makes of it; A is random, B too unless ``fresh``."""
    net = network(shape)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = peft.LoraConfig(r=3, lora_alpha=6, target_modules=targets, lora_dropout=0.5, **options)
        wrapped = peft.get_peft_model(net, config)
        for name, parameter in net.named_parameters():
            if "lora_B" in name and not fresh:
                parameter.data.normal_(std=0.3)
    return net.eval(), wrapped


def made_moments(net):
    generator = torch.Generator().manual_seed(3)
    return {
        layer.name: Moments(
            1e-2 * torch.randn(layer.module.weight.shape, generator=generator),
            1e-4 * torch.rand(layer.module.weight.shape, generator=generator),
            7,
        )
        for layer in adapter_layers(net)
    }


@pytest.mark.parametrize("shape", ["llama", "gpt2", "neox", "experts"])
@pytest.mark.parametrize("definition", [None, "less", "torch"])
@pytest.mark.parametrize("projection", ["dense", "sketch"])
def test_features_equal_the_loop_with_the_same_projection(shape, definition, projection):
    # PEFT's adapters of fused experts are no linear layers; those of attention beside them are.
    net, _ = adapted(shape, targets=["q_proj", "v_proj"] if shape == "experts" else "all-linear")
    layers, rows = adapter_layers(net), make_rows(9)
    moments = made_moments(net) if definition else None
    adam = Adam(definition) if definition else None
    settings = dataclasses.replace(SETTINGS, projection=projection)
    features, _ = PerExample(net, layers, settings, moments, adam).compute(rows, 60)
    names = [layer.name for layer in layers]
    wanted = features_one_by_one(net, rows, names, settings.make(), moments, adam)
    torch.testing.assert_close(features, wanted, rtol=1e-3, atol=2e-4 * float(wanted.abs().max()))


def test_the_order_is_that_of_named_parameters():
    net, _ = adapted()
    trained = [name for name, parameter in net.named_parameters() if parameter.requires_grad]
    assert [layer.name for layer in adapter_layers(net)] == trained


def test_a_fresh_adapter_is_a_projection_of_the_whole_gradient_on_one_side():
    """B = 0: the gradient of A is zero, that of B is alpha / r x G A^T, with G the whole weight's."""
    net, _ = adapted(fresh=True)
    (row,) = make_rows(1)
    weights = {name: p.requires_grad_() for name, p in net.named_parameters()}
    gradients = dict(
        zip(weights, torch.autograd.grad(row_loss(net, row), list(weights.values())), strict=True)
    )
    for layer in adapter_layers(net):
        if "lora_A" in layer.name:
            assert gradients[layer.name].abs().max() == 0
            continue
        base = layer.name.replace("lora_B.default", "base_layer")
        a = weights[layer.name.replace("lora_B", "lora_A")]
        torch.testing.assert_close(gradients[layer.name], 2 * gradients[base] @ a.T, rtol=1e-4, atol=1e-6)


def test_a_checkpoint_comes_back_as_it_was_and_leaves_the_network_as_it_found_it(tmp_path):
    net, wrapped = adapted()
    moments, rows = made_moments(net), make_rows(4)
    engine = PerExample(net, adapter_layers(net), SETTINGS, moments)
    wanted, _ = engine.compute(rows, 100)
    named = {f"base_model.model.{name}": moment for name, moment in moments.items()}
    write_checkpoint(wrapped, named, tmp_path, 1e-4, (0.9, 0.999))
    checkpoint = read_checkpoint(tmp_path)
    assert (checkpoint.learning_rate, checkpoint.step, checkpoint.betas) == (1e-4, 7, (0.9, 0.999))
    plain = network("llama")
    before = [layer.name for layer in body_layers(plain)]
    with attached(plain, checkpoint):
        read = read_moments(checkpoint, "cpu")
        again, _ = PerExample(plain, adapter_layers(plain), SETTINGS, read).compute(rows, 100)
    assert torch.equal(again, wanted)
    assert [layer.name for layer in body_layers(plain)] == before
    assert all(weight.requires_grad for weight in plain.parameters())  # PEFT freezes them


def test_a_checkpoint_without_moments_is_refused_by_name(tmp_path):
    net, wrapped = adapted()
    write_checkpoint(wrapped, made_moments(net), tmp_path, 1e-4, (0.9, 0.999))
    (tmp_path / "moments.safetensors").unlink()
    with pytest.raises(UserError) as caught:
        read_moments(read_checkpoint(tmp_path), "cpu")
    assert str(caught.value) == (
        f"the checkpoint {tmp_path} has no moments.safetensors, which Adam's update needs; save the optimiser's "
        "moments there, or take plain gradients"
    )


@pytest.mark.parametrize("harm", ["moments", "rate", "json", "adapter"])
def test_a_broken_checkpoint_is_refused(tmp_path, harm):
    net, wrapped = adapted()
    write_checkpoint(wrapped, made_moments(net), tmp_path, 1e-4, (0.9, 0.999))
    about = read_json(tmp_path / "checkpoint.json")
    if harm == "moments":
        (tmp_path / "moments.safetensors").write_bytes(b"nothing")
        with pytest.raises(UserError, match=r"the moments in .* cannot be read: .*; save them again"):
            read_moments(read_checkpoint(tmp_path), "cpu")
        return
    if harm == "rate":
        write_json(tmp_path / "checkpoint.json", about | {"learning_rate": 0})
    elif harm == "json":
        (tmp_path / "checkpoint.json").write_text("[]")
    else:
        (tmp_path / "adapter" / "adapter_model.safetensors").unlink()
    with pytest.raises(UserError) as caught:
        read_checkpoint(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} is no checkpoint of a warm-up: it needs checkpoint.json and adapter/adapter_model.safetensors; "
        "give a folder that the warm-up wrote"
    )


def test_an_adapter_of_another_model_is_refused(tmp_path):
    net, wrapped = adapted()
    write_checkpoint(wrapped, made_moments(net), tmp_path, 1e-4, (0.9, 0.999))
    checkpoint = read_checkpoint(tmp_path)
    with (
        pytest.raises(
            UserError, match=r"does not fit the model: .*; give the model that the warm-up began with"
        ),
        attached(network("gpt2"), checkpoint),
    ):
        pass


def test_moments_that_do_not_fit_are_refused_by_name():
    net, _ = adapted()
    layers, moments = adapter_layers(net), made_moments(net)
    first, *_ = layers
    with pytest.raises(UserError) as caught:
        PerExample(net, layers, SETTINGS, {n: m for n, m in moments.items() if n != first.name})
    assert str(caught.value) == (
        f"there are no moments of '{first.name}' for Adam's update; give those of the checkpoint's own optimiser, or "
        "take plain gradients"
    )
    wrong = moments | {first.name: Moments(torch.zeros(2, 2), torch.zeros(2, 2), 1)}
    with pytest.raises(
        UserError, match=r"the moments of '.*' are of shape \[2, 2\], its weight is \[3, 16\]"
    ):
        PerExample(net, layers, SETTINGS, wrong)
    with pytest.raises(UserError, match="Adam's update does not commute with a projection of the sides"):
        PerExample(net, layers, FeatureSettings(size=64, side=8), moments)


def test_networks_without_plain_adapters_are_refused_by_name():
    with pytest.raises(UserError) as caught:
        adapter_layers(network("llama"))
    assert str(caught.value) == "the network has no LoRA adapters; give an adapter that PEFT saved"
    net, _ = adapted(use_dora=True)
    with pytest.raises(
        UserError, match=r"the adapter's weight '.*lora_magnitude_vector.*' is no plain LoRA's"
    ):
        adapter_layers(net)
