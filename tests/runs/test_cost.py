"""What a run is said to cost before its first training."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from made_data import make_pool
from suffice.common.errors import UserError
from suffice.runs.arms import plan_arms
from suffice.runs.cost import estimate, power_sentence, threads_of, worker_count
from suffice.runs.recipe import read_recipe

GIVEN = {"pool": ["p"], "target.file": "t", "training.steps": 3, "training.batch_size": 4}
POOL = make_pool(20)


def cost(model, tmp_path, jobs=2, **overrides):
    given = GIVEN | {"design.arms": ["base", "random", "selected"], "design.draws": 2, "design.seeds": 2}
    recipe = read_recipe(
        "lima", given | {name.replace("__", "."): value for name, value in overrides.items()}
    )
    return estimate(model, POOL, plan_arms(recipe, POOL, range(8), None), recipe, tmp_path, jobs)


def test_flops_are_six_times_parameters_times_tokens(tiny_model, tmp_path):
    found = cost(tiny_model, tmp_path)
    lengths = [len(tiny_model.chat.encode(row.messages).ids) for row in POOL]
    tokens = found.flops / 6 / tiny_model.network.num_parameters() / (4 * 3 * 4)  # runs x steps x batch
    assert min(lengths) < tokens < max(lengths)
    assert found.runs == 4
    assert found.seconds > 0
    assert all(parameter.grad is None for parameter in tiny_model.network.parameters())


@pytest.mark.parametrize(("keep", "copies"), [("selected", 4), ("all", 6), ("none", 2)])
def test_disk_is_for_what_is_kept_and_what_is_under_way(tiny_model, tmp_path, keep, copies):
    size = 4 * sum(parameter.numel() for parameter in tiny_model.network.parameters())
    assert cost(tiny_model, tmp_path, execution__keep_weights=keep).bytes == copies * size


def test_a_disk_that_is_too_small_is_refused_before_the_training(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=100_000))
    with pytest.raises(UserError) as caught:
        cost(tiny_model, Path("run"))
    need = 16 * sum(parameter.numel() for parameter in tiny_model.network.parameters()) / 1e6
    assert str(caught.value) == (
        f"the weights need {need:.1f} MB and run has 0.1 MB free; "
        "free space, choose another --out, or give --keep-weights none"
    )


def test_workers_are_as_many_as_asked_for_or_as_fit(tiny_model, monkeypatch):
    assert worker_count(tiny_model, 7) == 7
    monkeypatch.setattr("suffice.runs.cost.cores", lambda: 4)
    for free, workers in ((100e9, 4), (2.5e9, 2), (0.1e9, 1)):
        monkeypatch.setattr("psutil.virtual_memory", lambda free=free: SimpleNamespace(available=free))
        assert worker_count(tiny_model, None) == workers
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=100e9))
    gpu = SimpleNamespace(device="cuda", network=tiny_model.network)
    assert worker_count(gpu, None) == 1
    assert threads_of(read_recipe("lima", GIVEN)) == 1
    assert threads_of(read_recipe("lima", GIVEN | {"execution.jobs": 1})) == 4


def test_power_counts_clusters_and_only_the_arms_there_are():
    recipe = read_recipe("lima", GIVEN)
    assert power_sentence(recipe, 300).startswith("Power with 300 independent items and 3 runs per arm: ")
    assert "over random (5 draws)" in power_sentence(recipe, 300)
    without = read_recipe("lima", GIVEN | {"design.arms": ["base", "selected"]})
    assert "random is left out" in power_sentence(without, 300)
