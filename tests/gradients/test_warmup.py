from __future__ import annotations

import pytest
import torch

from made_data import make_pool
from suffice.common.errors import UserError
from suffice.gradients import warmup
from suffice.gradients.checkpoints import attached, read_moments
from suffice.gradients.layers import adapter_layers, body_layers
from suffice.gradients.warmup import WarmUp, warm_up
from suffice.models import load_model
from suffice.training.settings import LoRA

SETTINGS = WarmUp(share=0.5, epochs=3, learning_rate=1e-3, batch_size=4, lora=LoRA(4, 8))


def test_a_warm_up_leaves_checkpoints_with_moments_and_the_rates_of_the_scheduler(
    tiny_model_folder, tmp_path, monkeypatch
):
    model = load_model(tiny_model_folder, device="cpu")
    before = [(layer.name, layer.module.weight.clone()) for layer in body_layers(model.network)]
    checkpoints = warm_up(model, make_pool(40), tmp_path, SETTINGS, seed=0)
    # 20 rows in batches of 4: 5 steps an epoch, 15 in all, none of them to warm up (3 % of 15 is 0.45).
    rates = [1e-3 * (1 - step / 15) for step in range(15)]
    means = [sum(rates[i : i + 5]) / 5 for i in (0, 5, 10)]
    assert [checkpoint.learning_rate for checkpoint in checkpoints] == pytest.approx(means)
    assert [checkpoint.step for checkpoint in checkpoints] == [5, 10, 15]
    after = [(layer.name, layer.module.weight) for layer in body_layers(model.network)]
    assert [name for name, _ in after] == [name for name, _ in before]
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(before, after, strict=True))
    assert all(weight.requires_grad for weight in model.network.parameters())
    with attached(model.network, checkpoints[0]):
        moments = read_moments(checkpoints[0], "cpu")
        assert set(moments) == {layer.name for layer in adapter_layers(model.network)}
        assert all((moment.second >= 0).all() and moment.second.any() for moment in moments.values())
    monkeypatch.setattr(warmup, "build_trainer", None)  # found again, not trained again
    assert warm_up(model, make_pool(40), tmp_path, SETTINGS, seed=0) == checkpoints


@pytest.mark.parametrize("given", [{"share": 0}, {"share": 1.5}, {"epochs": 0}])
def test_impossible_settings_are_refused(given):
    with pytest.raises(UserError, match="give a share above 0 and up to 1, and 1 epoch or more"):
        WarmUp(**given)
