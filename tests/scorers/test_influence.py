"""Influence against a loop of one backward pass an example, written out in numpy."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from made_data import chat, make_example, make_pool, make_target
from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.gradients import featurise
from suffice.gradients.layers import body_layers
from suffice.gradients.reference import row_loss
from suffice.gradients.rows import encode
from suffice.scorers.influence import WARNING, Influence
from suffice.scorers.influence_settings import InfluenceSettings
from suffice.scorers.protocol import ScoringContext
from suffice.selectors.protocol import SelectionRequest
from suffice.selectors.round_robin import RoundRobin

COLD = InfluenceSettings(preconditioner="none")
WIDE = InfluenceSettings(preconditioner="none", size=4096, side=0)  # the gradient itself, sketched


@pytest.fixture(scope="module")
def target():
    return make_target(["fact", "sum", "fact", "sum", "fact"])


@pytest.fixture
def small_shards(monkeypatch):
    """Three shards of at most 16 rows, of several batches each."""
    monkeypatch.setattr(featurise, "SHARD_ROWS", 16)
    monkeypatch.setattr(featurise, "TOKEN_BUDGET", {"cpu": 300})
    return make_pool(40)


def gradients(model, conversations):
    """The gradients of the weights of the body's linear layers, one example at a time [examples, weights]."""
    weights = [layer.module.weight for layer in body_layers(model.network)]
    rows = []
    for row in encode(model, conversations):
        parts = torch.autograd.grad(row_loss(model.network, row), weights)
        rows.append(torch.cat([part.flatten() for part in parts]).double().numpy())
    return np.stack(rows)


def cosine(a, b):
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    return a @ b.T


@pytest.fixture(scope="module")
def exact(tiny_model, target):
    """Unprojected cosines of the rows to the dev examples and to the means of the two families."""
    rows = gradients(tiny_model, [(row.messages, None) for row in make_pool(40)])
    dev = gradients(tiny_model, [(item.conversation, None) for item in target.dev])
    means = np.stack([dev[[0, 2, 4]].mean(axis=0), dev[[1, 3]].mean(axis=0)])
    return cosine(rows, dev), cosine(rows, means)


def test_scores_follow_the_unprojected_definition(tiny_model, small_shards, target, tmp_path, exact):
    scores = Influence(WIDE).score(small_shards, ScoringContext(tmp_path, tiny_model, target))
    to_dev, _ = exact
    np.testing.assert_allclose(scores.affinity, to_dev, atol=6 / 4096**0.5)
    by_family = np.stack([to_dev[:, [0, 2, 4]].mean(axis=1), to_dev[:, [1, 3]].mean(axis=1)], axis=1)
    np.testing.assert_allclose(scores.values, by_family.max(axis=1), atol=6 / 4096**0.5)
    assert scores.queries == ["d0", "d1", "d2", "d3", "d4"]
    assert scores.ids == small_shards.ids
    assert scores.notes == {
        "rows_refused": 0,
        "rows_untrained": 0,
        "rows_long": 0,
        "rows_not_finite": 0,
        "rows_zero": 0,
        "rows_held_back": 0,
        "passes": 1.0,
        "window": 256,
        "warning": WARNING,
    }


def test_the_ways_to_sum_up_a_target(tiny_model, small_shards, target, tmp_path, exact):
    context = ScoringContext(tmp_path, tiny_model, target)
    to_dev, to_means = exact
    by_family = np.stack([to_dev[:, [0, 2, 4]].mean(axis=1), to_dev[:, [1, 3]].mean(axis=1)], axis=1)
    for within, wanted in (("mean_of_cosines", by_family), ("cosine_to_mean", to_means)):
        for across in ("max", "mean"):
            settings = dataclasses.replace(WIDE, within=within, across=across)
            found = Influence(settings).score(small_shards, context).values
            np.testing.assert_allclose(found, getattr(np, across)(wanted, axis=1), atol=6 / 4096**0.5)
    assert len(list(tmp_path.iterdir())) == 1  # the store does not depend on the target


def test_killed_and_resumed_gives_the_same_bytes(tiny_model, small_shards, target, tmp_path, monkeypatch):
    whole = Influence(COLD).score(small_shards, ScoringContext(tmp_path / "a", tiny_model, target))
    write, written = featurise.Store.write, []

    def dies_in_the_second_shard(self, ids, features, reasons):
        if written:
            raise KeyboardInterrupt
        written.append(len(ids))
        write(self, ids, features, reasons)

    context = ScoringContext(tmp_path / "b", tiny_model, target)
    monkeypatch.setattr(featurise.Store, "write", dies_in_the_second_shard)
    with pytest.raises(KeyboardInterrupt):
        Influence(COLD).score(small_shards, context)
    again = []
    monkeypatch.setattr(
        featurise.Store,
        "write",
        lambda self, ids, features, reasons: again.append(len(ids)) or write(self, ids, features, reasons),
    )
    resumed = Influence(COLD).score(small_shards, context)
    assert again == [16, 8]
    np.testing.assert_array_equal(resumed.affinity, whole.affinity)
    made, remade = (
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.safetensors")} for name in "ab"
    )
    assert made == remade


def test_rows_added_at_the_end_leave_whole_shards_as_they_are(tiny_model, small_shards, target, tmp_path):
    context = ScoringContext(tmp_path, tiny_model, target)
    Influence(COLD).score(small_shards.take(range(33)), context)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    Influence(COLD).score(small_shards, context)
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    assert len(before) == 3
    assert len(after) == 4
    assert before.items() <= after.items()


def test_another_seed_or_model_does_not_take_over_the_store(tiny_model, small_shards, target, tmp_path):
    Influence(COLD).score(small_shards, ScoringContext(tmp_path, tiny_model, target))
    Influence(COLD).score(small_shards, ScoringContext(tmp_path, tiny_model, target, seed=1))
    other = dataclasses.replace(tiny_model, fingerprint="other")
    Influence(COLD).score(small_shards, ScoringContext(tmp_path, other, target))
    Influence(COLD).score(small_shards, ScoringContext(tmp_path, tiny_model, make_target(["new"])))
    assert len(list(tmp_path.iterdir())) == 3


def test_rows_without_a_gradient_have_no_score_and_are_counted(tiny_model, target, tmp_path):
    long = make_example(chat("Count.", " ".join(str(i) for i in range(400))), 1)
    empty = make_example(({"role": "user", "content": "Only a question"},), 2)
    pool = Pool.from_examples([long, empty, *make_pool(3)])
    scores = Influence(COLD).score(pool, ScoringContext(tmp_path, tiny_model, target))
    assert np.isnan(scores.values).tolist() == [True, True, False, False, False]
    assert np.isnan(scores.affinity).all(axis=1).tolist() == [True, True, False, False, False]
    assert (scores.missing, scores.notes["rows_long"], scores.notes["rows_untrained"]) == (2, 1, 1)


def test_planted_rows_come_first(tiny_model, target, tmp_path):
    """Rows that say what the dev examples say, among rows that do not."""
    planted = [make_example(chat(f"What is {i}?", f"It is {i}."), 1000 + i) for i in range(5, 9)]
    pool = Pool.from_examples([*make_pool(60), *planted])
    scores = Influence(COLD).score(pool, ScoringContext(tmp_path, tiny_model, target))
    assert set(np.argsort(-scores.values)[:4].tolist()) == {60, 61, 62, 63}
    chosen = RoundRobin().select(SelectionRequest(pool, scores, 4, target=target))
    assert {choice.index for choice in chosen} == {60, 61, 62, 63}


def test_a_dev_example_without_a_gradient_is_refused(tiny_model, target, tmp_path):
    long = dataclasses.replace(target.dev[0], answer=" ".join(str(i) for i in range(400)))
    broken = dataclasses.replace(target, items=(long, *target.items[2:]))
    with pytest.raises(UserError) as caught:
        Influence(COLD).score(make_pool(2), ScoringContext(tmp_path, tiny_model, broken))
    assert str(caught.value) == (
        "the dev example 'd0' has no gradient: it is longer than the model's window; "
        "mend it or take it out of the target"
    )


def test_what_it_needs(tiny_model, target, tmp_path):
    for context in (ScoringContext(tmp_path, None, target), ScoringContext(tmp_path, tiny_model, None)):
        with pytest.raises(UserError) as caught:
            Influence(COLD).score(make_pool(2), context)
        assert (
            str(caught.value)
            == "the scorer 'influence' needs a model and a target; give --model and --target"
        )


def made_checkpoints(model_folder, folder):
    """Two checkpoints with random adapters and moments, of mean learning rates 3e-4 and 1e-4, and 5 and 6 steps."""
    import peft

    from suffice.gradients.adam import Moments
    from suffice.gradients.checkpoints import read_checkpoint, write_checkpoint
    from suffice.gradients.layers import adapter_layers
    from suffice.models import load_model

    made = []
    for i, rate in enumerate((3e-4, 1e-4)):
        network = load_model(model_folder, device="cpu").network
        generator = torch.Generator().manual_seed(i)
        wrapped = peft.get_peft_model(network, peft.LoraConfig(r=4, target_modules=["q_proj", "o_proj"]))
        moments = {}
        for layer in adapter_layers(network):
            weight = layer.module.weight
            weight.data = 0.2 * torch.randn(weight.shape, generator=generator)
            first = 1e-2 * torch.randn(weight.shape, generator=generator)
            moments[layer.name] = Moments(first, 1e-3 * torch.rand(weight.shape, generator=generator), 5 + i)
        write_checkpoint(wrapped, moments, folder / str(i), rate, (0.9, 0.999))
        made.append(read_checkpoint(folder / str(i)))
    return made


@pytest.mark.parametrize("update", ["less", "torch", "gradient"])
def test_checkpoints_by_the_literal_loop_of_less(
    update, tiny_model, tiny_model_folder, small_shards, target, tmp_path
):
    """Γ of the row against the plain gradient of the dev example, weighted by the mean learning rates."""
    from scipy.stats import spearmanr

    from suffice.gradients.adam import Adam
    from suffice.gradients.checkpoints import attached, read_moments
    from suffice.gradients.layers import adapter_layers
    from suffice.gradients.projection import Sketch
    from suffice.gradients.reference import features_one_by_one
    from suffice.models import load_model

    checkpoints = made_checkpoints(tiny_model_folder, tmp_path / "warm-up")
    settings = InfluenceSettings(size=1024, update=update, checkpoints=tmp_path / "warm-up")
    scores = Influence(settings).score(small_shards, ScoringContext(tmp_path / "cache", tiny_model, target))
    rows = encode(tiny_model, [(row.messages, None) for row in small_shards])
    dev = encode(tiny_model, [(item.conversation, None) for item in target.dev])
    wanted = np.zeros((40, 5))
    for checkpoint, share in zip(checkpoints, (0.75, 0.25), strict=True):
        network = load_model(tiny_model_folder, device="cpu").network
        with attached(network, checkpoint):
            names = [layer.name for layer in adapter_layers(network)]
            for layer in adapter_layers(network):
                layer.module.weight.requires_grad_()
            moments = read_moments(checkpoint, "cpu") if update != "gradient" else None
            adam = Adam(update) if moments else None
            ours = features_one_by_one(network, rows, names, Sketch(1024, 0), moments, adam)
            theirs = features_one_by_one(network, dev, names, Sketch(1024, 0))
        wanted += share * cosine(ours.numpy(), theirs.numpy())
    np.testing.assert_allclose(scores.affinity, wanted, atol=0.01)
    assert spearmanr(scores.affinity.ravel(), wanted.ravel()).statistic > 0.99
    shares = [scores.notes[f"share_of_checkpoint_{i}"] for i in (1, 2)]
    assert shares == pytest.approx([0.75, 0.25])
    assert "warning" not in scores.notes
    assert len(list((tmp_path / "cache").iterdir())) == 2


@pytest.mark.parametrize("update", ["less", "torch"])
def test_adam_without_a_warm_up_is_refused_by_name(update):
    with pytest.raises(UserError) as caught:
        InfluenceSettings(update=update)
    assert str(caught.value) == (
        f"update={update} is Adam's, which needs the moments of a warm-up, and with warmup=none there are none; "
        "give warmup=lora or checkpoints=FOLDER, or take update=gradient"
    )


def test_a_folder_without_checkpoints_is_refused(tiny_model, target, tmp_path):
    with pytest.raises(UserError) as caught:
        Influence(InfluenceSettings(checkpoints=tmp_path)).score(
            make_pool(2), ScoringContext(tmp_path, tiny_model, target)
        )
    assert str(caught.value) == (
        f"{tmp_path} holds no checkpoint of a warm-up; give a folder warm-up-… that a warm-up wrote"
    )


@pytest.fixture(scope="module")
def warmed(tiny_model_folder, target, tmp_path_factory):
    """A pool of 40 rows scored by default after a warm-up of two epochs: folder, model, settings and scores."""
    from suffice.models import load_model

    folder, model = tmp_path_factory.mktemp("warmed"), load_model(tiny_model_folder, device="cpu")
    settings = InfluenceSettings(warmup="lora", size=512, warmup_share=0.5, warmup_epochs=2, warmup_rank=2)
    scores = Influence(settings).score(make_pool(40), ScoringContext(folder, model, target))
    return folder, model, settings, scores


def test_the_default_is_k_fac_without_a_warm_up():
    assert (InfluenceSettings().conditioned, InfluenceSettings().adam) == ("kfac", None)
    assert InfluenceSettings(preconditioner="none").conditioned == "none"


def test_a_warm_up_is_with_adams_update_and_no_preconditioner(warmed):
    folder, _, settings, scores = warmed
    assert (settings.adam, settings.conditioned) == ("less", "none")
    (home,) = folder.glob("warm-up-*")
    assert scores.notes["checkpoints"] == home.name
    # 20 rows are one batch: two steps, at the full rate (3 % of 2 steps warm up nothing) and at half of it.
    assert [scores.notes[f"share_of_checkpoint_{i}"] for i in (1, 2)] == pytest.approx([2 / 3, 1 / 3])
    assert scores.notes["passes"] == 3.0  # two checkpoints, and two epochs over a half
    assert np.isfinite(scores.values).all()
    assert len(list(folder.glob("gradients-*"))) == 2


@pytest.fixture
def rows_computed(monkeypatch):
    """Counts the rows that features are computed of, call by call."""
    from suffice.gradients.per_example import PerExample

    compute, counted = PerExample.compute, []

    def counting(self, rows, *others):
        counted.append(len(rows))
        return compute(self, rows, *others)

    monkeypatch.setattr(PerExample, "compute", counting)
    return counted


def test_a_new_target_is_scored_without_a_pass_over_the_pool(warmed, rows_computed):
    folder, model, settings, scores = warmed
    context = ScoringContext(folder, model, make_target(["new", "new", "other"]))
    found = Influence(settings).score(make_pool(40), context)
    assert rows_computed == [3, 3]  # the new target's dev examples, at each checkpoint
    assert found.affinity.shape == (40, 3)
    assert not np.array_equal(found.values, scores.values)


def test_a_pool_that_gained_and_lost_rows_computes_the_new_ones_alone(warmed, rows_computed, target):
    folder, model, settings, scores = warmed
    home = next(folder.glob("warm-up-*"))
    settings = dataclasses.replace(settings, checkpoints=home)
    context = ScoringContext(folder, model, target)
    pool = make_pool(44)
    found = Influence(settings).score(pool.take([43, *range(5, 40), 40, 41]), context)
    assert rows_computed == [5, 3, 5, 3]
    np.testing.assert_array_equal(found.affinity[1:36], scores.affinity[5:])
    rows_computed.clear()
    whole = Influence(settings).score(pool, context)
    assert rows_computed == [5, 1, 5, 1]
    np.testing.assert_array_equal(whole.affinity[[43, 40, 41]], found.affinity[[0, 36, 37]])


def test_a_prefilter_lets_the_rows_through_that_rds_ranks_highest(tiny_model, target, tmp_path):
    from suffice.scorers.embedding import Embedding

    pool, context = make_pool(40), ScoringContext(tmp_path, tiny_model, target)
    found = Influence(dataclasses.replace(COLD, prefilter=0.3)).score(pool, context)
    kept = np.flatnonzero(~np.isnan(found.values))
    assert len(kept) == 12
    assert (found.missing, found.notes["rows_held_back"]) == (28, 28)
    assert found.notes["passes"] == pytest.approx(0.3 + 1 / 3)
    close = Embedding().score(pool, context).affinity
    best = [set(np.argsort(-close[:, columns].max(axis=1))[:6]) for columns in ([0, 2, 4], [1, 3])]
    assert set(kept) >= best[0] | best[1]
    full = Influence(COLD).score(pool, context)
    np.testing.assert_allclose(found.affinity[kept], full.affinity[kept], atol=0.02)
    with pytest.raises(UserError, match=r"share of 0; give a share above 0 and up to 1"):
        InfluenceSettings(prefilter=0)


def test_several_workers_give_what_one_gives(tiny_model, small_shards, target, tmp_path, monkeypatch):
    from tiny_run import Here

    made = []
    for name, workers in (("one", 1), ("many", 3)):
        if workers > 1:
            monkeypatch.setattr(featurise, "Workers", Here)  # jobs as workers do them, in this process
        context = ScoringContext(tmp_path / name, tiny_model, target, workers=workers)
        Influence(COLD).score(small_shards, context)
        made.append({path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.safetensors")})
    assert len(made[0]) == 3
    assert made[0] == made[1]


@pytest.mark.parametrize("kind", ["kfac", "adafactor"])
def test_a_preconditioner_by_gradients_that_are_multiplied_out(
    kind, tiny_model, small_shards, target, tmp_path
):
    """K-FAC holds for both sides of the cosine; Adafactor, like Adam's update, for the pool's rows alone."""
    from suffice.gradients.preconditioning import Fitted, read_factors

    settings = dataclasses.replace(WIDE, preconditioner=kind, fisher="empirical")
    scores = Influence(settings).score(small_shards, ScoringContext(tmp_path, tiny_model, target))
    (file,) = tmp_path.glob(f"{kind}-*.safetensors")
    factors = read_factors(Fitted(file, kind, ""), "cpu")
    sizes = [(layer.name, layer.outputs, layer.inputs) for layer in body_layers(tiny_model.network)]

    def multiplied(rows):
        made, start = [], 0
        for name, outputs, inputs in sizes:
            part = torch.from_numpy(rows[:, start : start + outputs * inputs]).view(-1, outputs, inputs)
            start += outputs * inputs
            left, right = factors[name].outputs.double(), factors[name].inputs.double()
            part = left @ part @ right if kind == "kfac" else part * torch.outer(left, right)
            made.append(part.flatten(1))
        return torch.cat(made, dim=1).numpy()

    rows = multiplied(gradients(tiny_model, [(row.messages, None) for row in small_shards]))
    dev = gradients(tiny_model, [(item.conversation, None) for item in target.dev])
    wanted = cosine(rows, multiplied(dev) if kind == "kfac" else dev)
    np.testing.assert_allclose(scores.affinity, wanted, atol=6 / 4096**0.5)
    told = {name for name in scores.notes if name.startswith("preconditioner_")}
    assert {
        "preconditioner_kind",
        "preconditioner_damping",
        "preconditioner_rows",
        "preconditioner_seconds",
    } <= told
    assert ("preconditioner_fisher" in told) == (kind == "kfac")


@pytest.mark.parametrize("given", [{}, {"update": "less"}, {"update": "gradient"}])
def test_a_preconditioner_of_a_warm_ups_adapters_is_refused_by_name(given):
    with pytest.raises(UserError) as caught:
        InfluenceSettings(warmup="lora", preconditioner="kfac", **given)
    assert str(caught.value) == (
        "preconditioner=kfac is for the model's own weights, and a warm-up has adapters, for which Adam's update is "
        "exact; give warmup=none, or leave out the preconditioner"
    )
