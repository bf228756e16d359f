"""Preconditioned features against gradients written out and multiplied with explicit matrices."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy.linalg import fractional_matrix_power

from made_data import make_example, make_pool
from suffice.common.errors import UserError
from suffice.common.progress import Silent
from suffice.data.pool import Pool
from suffice.gradients import preconditioning
from suffice.gradients.adafactor import fit_adafactor
from suffice.gradients.checkpoints import Checkpoint
from suffice.gradients.featurise import PoolFeatures, PoolSettings, engine_for, features_of
from suffice.gradients.head import Head
from suffice.gradients.kfac import fit_kfac, inverse_root
from suffice.gradients.layers import body_layers
from suffice.gradients.per_example import FeatureSettings, PerExample
from suffice.gradients.preconditioning import Factors, Preconditioning, fit, fold, read_factors, write_factors
from suffice.gradients.reference import row_loss
from suffice.models.batching import torch_threads
from tiny_networks import make_rows, network

SHAPES = ["llama", "gpt2", "neox", "capped"]


def weight_gradients(net, row):
    """The gradient of each layer's weight as [outputs, inputs], by one backward pass."""
    layers = body_layers(net)
    found = torch.autograd.grad(row_loss(net, row), [layer.module.weight for layer in layers])
    return {
        layer.name: gradient.T if layer.turned else gradient
        for layer, gradient in zip(layers, found, strict=True)
    }


def tokens_of(net, row, labels):
    """Inputs of each layer and gradients at its outputs for the summed loss of a row: lists of vectors."""
    seen, hooks = {}, []
    for layer in body_layers(net):

        def keep(module, given, made, name=layer.name):
            made.retain_grad()
            seen[name] = given[0], made

        hooks.append(layer.module.register_forward_hook(keep))
    logits = net(input_ids=torch.tensor([row.ids]), use_cache=False).logits[0]
    places = torch.tensor(row.places)
    torch.nn.functional.cross_entropy(logits[places - 1], labels, reduction="sum").backward()
    for hook in hooks:
        hook.remove()
    return {name: (given[0].detach().double(), made.grad[0].double()) for name, (given, made) in seen.items()}


def kfac_by_hand(net, rows, damping):
    """A^-1/2 and S^-1/2 of each layer from sums over tokens, one row and one token at a time."""
    moments = {layer.name: [0, 0] for layer in body_layers(net)}
    tokens = 0
    for row in rows:
        labels = torch.tensor([row.ids[place] for place in row.places])
        for name, (given, gradient) in tokens_of(net, row, labels).items():
            for a, g in zip(given, gradient, strict=True):
                moments[name][0] = moments[name][0] + torch.outer(a, a)
                moments[name][1] = moments[name][1] + torch.outer(g, g)
        tokens += len(row.ids)
    return {
        name: [damped_root((total / tokens).numpy(), damping) for total in both]
        for name, both in moments.items()
    }


def damped_root(covariance, damping):
    mean = np.trace(covariance) / len(covariance)
    root = fractional_matrix_power(covariance + damping * mean * np.eye(len(covariance)), -0.5)
    return torch.tensor(root.real).float()


def expected(net, rows, settings, transform):
    """Features of gradients that were transformed one by one, with the same projection."""
    layers = {layer.name: layer for layer in body_layers(net)}
    features = torch.zeros(len(rows), settings.size)
    for i, row in enumerate(rows):
        for name, gradient in weight_gradients(net, row).items():
            made = transform(name, gradient)
            made = made.T if layers[name].turned else made
            settings.make().add(features[i : i + 1], name, made.flatten()[None])
    return features


@pytest.mark.parametrize("shape", SHAPES)
def test_kfac_by_explicit_inverse_roots(shape):
    net, rows, settings = network(shape), make_rows(7, longest=9), FeatureSettings(size=2048, side=0)
    layers = body_layers(net)
    by_hand = kfac_by_hand(net, rows, damping=0.1)
    factors = fit_kfac(net, layers, rows, damping=0.1, sampled=None, token_budget=30)
    for name, (a, s) in by_hand.items():
        torch.testing.assert_close(factors[name].inputs, a, rtol=1e-3, atol=1e-4 * float(a.abs().max()))
        torch.testing.assert_close(factors[name].outputs, s, rtol=1e-3, atol=1e-4 * float(s.abs().max()))
    engine = PerExample(net, layers, settings)
    fold(engine, factors)
    features, _ = engine.compute(rows, 30)
    wanted = expected(net, rows, settings, lambda name, g: by_hand[name][1] @ g @ by_hand[name][0])
    torch.testing.assert_close(features, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))
    cosines = torch.nn.functional.cosine_similarity
    torch.testing.assert_close(
        cosines(features[:, None], features[None], dim=2),
        cosines(wanted[:, None], wanted[None], dim=2),
        atol=1e-4,
        rtol=0,
    )


@pytest.mark.parametrize("shape", ["llama", "gpt2"])
def test_the_matrices_of_the_sides_take_the_factors_in(shape):
    net, rows, settings = network(shape), make_rows(7, longest=9), FeatureSettings(size=64, side=6)
    layers = body_layers(net)
    factors = fit_kfac(net, layers, rows, damping=0.1, sampled=None, token_budget=30)
    engine = PerExample(net, layers, settings)
    plain = {layer.name: engine.sides[layer.name] for layer in layers}
    fold(engine, factors)
    features, _ = engine.compute(rows, 30)
    wanted = expected(
        net,
        rows,
        settings,
        lambda name, g: (
            plain[name].outputs @ factors[name].outputs @ g @ factors[name].inputs @ plain[name].inputs.T
        ),
    )
    torch.testing.assert_close(features, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))
    if shape == "llama":
        attention = "model.layers.0.self_attn."
        q, k, v = (engine.sides[f"{attention}{name}_proj.weight"].inputs for name in "qkv")
        assert q is k is v  # projected once


@pytest.mark.parametrize("shape", SHAPES)
def test_adafactor_by_its_definition(shape):
    net, rows, settings = network(shape), make_rows(7, longest=9), FeatureSettings(size=2048, side=0)
    layers = body_layers(net)
    factors = fit_adafactor(net, layers, rows, damping=0.05, token_budget=30)
    gradients = [weight_gradients(net, row) for row in rows]
    squares = {
        layer.name: sum(each[layer.name].double() ** 2 for each in gradients) / len(rows) for layer in layers
    }
    scales = {}
    for layer in layers:
        group = [name for name in squares if factors[name].leader == factors[layer.name].leader]
        r, c = squares[layer.name].sum(dim=1), sum(squares[name].sum(dim=0) for name in group)
        r, c = r + 0.05 * r.mean(), c + 0.05 * c.mean()
        scales[layer.name] = (1 / (torch.outer(r, c) / c.sum()).sqrt()).float()
    engine = PerExample(net, layers, settings)
    fold(engine, factors)
    features, _ = engine.compute(rows, 30)
    wanted = expected(net, rows, settings, lambda name, g: g * scales[name])
    torch.testing.assert_close(features, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))


def test_a_second_moment_of_rank_one_is_fitted_exactly():
    """Where V = r c^T / sum(r), the fit is 1 / sqrt(V): two outputs and three inputs by hand."""
    r, c = torch.tensor([1.0, 4.0]), torch.tensor([2.0, 2.0, 1.0])
    v = torch.outer(r, c) / 5
    rows, columns = v.sum(dim=1), v.sum(dim=0)
    torch.testing.assert_close(torch.outer(rows.rsqrt(), (columns / columns.sum()).rsqrt()), v.rsqrt())


def test_layers_with_the_same_input_have_one_leader():
    net = network("llama")
    factors = fit_adafactor(net, body_layers(net), make_rows(3), damping=0.1, token_budget=100)
    leaders = {
        name.split(".", 3)[3]: each.leader.split(".", 3)[3] for name, each in factors.items() if ".0." in name
    }
    q, gate = "self_attn.q_proj.weight", "mlp.gate_proj.weight"
    assert leaders == {
        q: q,
        "self_attn.k_proj.weight": q,
        "self_attn.v_proj.weight": q,
        "self_attn.o_proj.weight": "self_attn.o_proj.weight",
        gate: gate,
        "mlp.up_proj.weight": gate,
        "mlp.down_proj.weight": "mlp.down_proj.weight",
    }


def test_an_inverse_root_by_hand():
    damped = inverse_root(torch.tensor([[3.0, 0.0], [0.0, 1.0]]), 0.5)  # mean eigenvalue 2, so + 1
    torch.testing.assert_close(damped, torch.tensor([[0.5, 0.0], [0.0, 2**-0.5]]))
    assert inverse_root(torch.zeros(2, 2), 0.1).isfinite().all()


@pytest.mark.parametrize("shape", ["llama", "capped"])
@pytest.mark.parametrize("most", [2**24, 300])
def test_sampled_labels_have_the_probabilities_of_the_model(shape, most, monkeypatch):
    monkeypatch.setattr("suffice.gradients.head.LOGITS", {"cpu": most})
    net = network(shape)
    head, state = Head(net), torch.randn(1, 16, generator=torch.Generator().manual_seed(0))
    uniforms = (
        torch.arange(20_000, dtype=torch.float64) + 0.5
    ) / 20_000  # evenly: shares are exact to 1 / 20,000
    drawn = head.sample(state.expand(20_000, 16), uniforms) if most > 300 else None
    logits = net.get_output_embeddings()(state)
    wanted = torch.softmax(2 * torch.tanh(logits / 2) if shape == "capped" else logits, dim=-1)[0]
    if drawn is None:
        drawn = head.sample(state.expand(200, 16), uniforms[::100])
    shares = torch.bincount(drawn, minlength=100) / len(drawn)
    torch.testing.assert_close(shares, wanted, atol=2 / len(drawn), rtol=0)


def test_the_true_fisher_matrix_of_one_place_is_the_mean_over_the_models_own_tokens():
    """Over many draws, S of the last layer comes near sum_y p(y) g_y g_y^T."""
    net, row = network("untied"), type(make_rows(1)[0])([3, 5, 8], [2])
    layers = [layer for layer in body_layers(net) if layer.name.endswith("layers.1.mlp.down_proj.weight")]
    probabilities = torch.softmax(net(input_ids=torch.tensor([row.ids])).logits[0, 1].double(), dim=-1)
    wanted = torch.zeros(16, 16, dtype=torch.float64)
    for label in range(100):
        (_, gradients) = tokens_of(net, row, torch.tensor([label]))[layers[0].name]
        wanted += probabilities[label] * gradients.T @ gradients
    wanted = wanted.detach()
    damped = wanted + 0.1 * wanted.trace() / 16 * torch.eye(16)
    factors = fit_kfac(net, layers, [row] * 4000, damping=0.1, sampled=3, token_budget=3000)
    root = factors[layers[0].name].outputs.double()
    found = 3 * torch.linalg.inv(root @ root)  # a mean over three tokens a row
    assert float((found - damped).norm() / damped.norm()) < 0.1  # 4,000 draws
    root = fit_kfac(net, layers, [row], damping=0.1, sampled=None, token_budget=9)[layers[0].name].outputs
    own = 3 * torch.linalg.inv(root.double() @ root.double())
    assert float((own - damped).norm() / damped.norm()) > 0.5  # its own label alone is something else
    other = fit_kfac(net, layers, [row] * 20, damping=0.1, sampled=3, token_budget=3000)
    again = fit_kfac(net, layers, [row] * 20, damping=0.1, sampled=3, token_budget=3000)
    moved = fit_kfac(net, layers, [row] * 20, damping=0.1, sampled=4, token_budget=3000)
    assert torch.equal(other[layers[0].name].outputs, again[layers[0].name].outputs)
    assert not torch.equal(other[layers[0].name].outputs, moved[layers[0].name].outputs)


@pytest.mark.parametrize("kind", ["kfac", "adafactor"])
def test_a_fit_is_kept_found_again_and_tells_what_it_took(kind, tiny_model, tmp_path, monkeypatch):
    settings, pool = Preconditioning(kind, rows=6), make_pool(9)
    fitted = fit(tiny_model, pool, tmp_path, settings, seed=0, reporter=Silent())
    about = fitted.about
    assert (about["kind"], about["rows"], about["damping"], about["fisher"]) == (kind, 6, 0.1, "sampled")
    assert about["bytes"] == fitted.file.stat().st_size
    assert about["tokens"] > 0
    assert about["seconds"] >= 0
    read = read_factors(fitted, "cpu")
    assert set(read) == {layer.name for layer in body_layers(tiny_model.network)}
    other = fit(
        tiny_model, pool, tmp_path, dataclasses.replace(settings, damping=0.2), seed=0, reporter=Silent()
    )
    assert other.fingerprint != fitted.fingerprint
    monkeypatch.setattr(preconditioning, "_fitted", None)  # found again, not fitted again
    assert fit(tiny_model, pool, tmp_path, settings, seed=0, reporter=Silent()) == fitted
    with (
        torch_threads(1),
        engine_for(tiny_model, PoolSettings(FeatureSettings(), preconditioner=fitted)) as engine,
    ):
        features, _ = features_of(tiny_model, engine, [(row.messages, None) for row in pool])
    assert features.isfinite().all()


def test_factors_come_back_as_they_were(tmp_path):
    shared = torch.randn(3, 3)
    factors = {"a": Factors("a", shared, torch.ones(2)), "b": Factors("a", shared, torch.randn(4, 4))}
    write_factors(tmp_path / "f.safetensors", factors, {"rows": 1})
    read = read_factors(preconditioning.Fitted(tmp_path / "f.safetensors", "kfac", ""), "cpu")
    assert read["a"].inputs is read["b"].inputs
    for name, each in factors.items():
        assert torch.equal(read[name].inputs, each.inputs)
        assert torch.equal(read[name].outputs, each.outputs)


def test_a_store_of_another_preconditioner_is_another_store_and_the_targets_side_is_told(
    tiny_model, tmp_path
):
    pool = make_pool(5)
    folders = set()
    for kind in (None, "kfac", "adafactor"):
        fitted = kind and fit(tiny_model, pool, tmp_path, Preconditioning(kind), seed=0, reporter=Silent())
        settings = PoolSettings(FeatureSettings(), preconditioner=fitted)
        folders.add(PoolFeatures(pool, tiny_model, tmp_path, settings).store.folder)
        # K-FAC is a metric for both sides; Adafactor stands for Adam's update, which the pool's rows alone have.
        assert settings.for_target().preconditioner == (fitted if kind == "kfac" else None)
    assert len(folders) == 3


def test_what_does_not_fit_is_refused_by_name(tiny_model, tmp_path):
    pool = make_pool(5)
    fitted = fit(tiny_model, pool, tmp_path, Preconditioning("kfac", rows=3), seed=0, reporter=Silent())
    net = network("llama")
    with pytest.raises(UserError) as caught:
        fold(PerExample(net, body_layers(net), FeatureSettings()), read_factors(fitted, "cpu"))
    assert str(caught.value) == (
        "the preconditioner does not fit the layer of 'model.layers.0.self_attn.q_proj.weight'; give the one that was "
        "fitted on this model"
    )
    fitted.file.write_bytes(b"nothing")
    with pytest.raises(
        UserError, match=r"the preconditioner in .* cannot be read: .*; remove it and run again"
    ):
        read_factors(fitted, "cpu")


def test_rows_without_a_gradient_and_impossible_settings_are_refused(tiny_model, tmp_path):
    empty = Pool.from_examples(make_example(row.messages[:1], row.line) for row in make_pool(3))
    with pytest.raises(UserError) as caught:
        fit(tiny_model, empty, tmp_path, Preconditioning("kfac"), seed=0, reporter=Silent())
    assert str(caught.value) == (
        "none of the 3 rows drawn for the preconditioner 'kfac' has a gradient; look at the pool"
    )
    for given in ({"rows": 0}, {"damping": 0}):
        with pytest.raises(UserError, match=r"give 1 row or more and a damping above 0"):
            Preconditioning("kfac", **given)


def test_checkpoints_of_adapters_are_refused_by_name(tiny_model, tmp_path):
    fitted = preconditioning.Fitted(tmp_path / "f", "adafactor", "x")
    checkpoint = Checkpoint(tmp_path, 1e-4, 1, (0.9, 0.999), "y")
    settings = PoolSettings(
        FeatureSettings(side=0), checkpoint=checkpoint, update="less", preconditioner=fitted
    )
    with pytest.raises(UserError) as caught, engine_for(tiny_model, settings):
        pass
    assert str(caught.value) == (
        "the preconditioner 'adafactor' is for the model's own weights, and checkpoints have adapters, for which "
        "Adam's update is exact; leave out one of the two"
    )
