from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from made_data import chat, make_example, make_pool
from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.scorers import gradient_norm, likelihood
from suffice.scorers.gradient_norm import GradientNorm
from suffice.scorers.protocol import ScoringContext


def definition(model, row):
    """The loss as transformers computes it from labels, in float64, and the gradients it leaves in the weights."""
    made = model.tokenizer.apply_chat_template(
        list(row.messages), return_dict=True, return_assistant_tokens_mask=True
    )
    network = copy.deepcopy(model.network).double()
    ids = torch.tensor([made["input_ids"]])
    labels = torch.where(torch.tensor([made["assistant_masks"]]) == 1, ids, -100)
    network(ids, labels=labels).loss.backward()
    return float(torch.cat([weight.grad.flatten() for weight in network.parameters()]).norm())


def test_the_norm_over_all_weights_row_by_row(lab, answers_pool, tmp_path):
    pool = answers_pool.take([0, 3, 8, 14, 20, 21, 23])
    scores = GradientNorm().score(pool, ScoringContext(tmp_path, lab))
    np.testing.assert_allclose(scores.values, [definition(lab, row) for row in pool], rtol=1e-4)
    assert scores.missing == 0
    assert scores.notes["tokens"] == sum(len(lab.chat.encode(row.messages).ids) for row in pool)


def test_the_model_stays_as_it_is(lab, answers_pool, tmp_path):
    before = {name: weight.clone() for name, weight in lab.network.state_dict().items()}
    GradientNorm().score(answers_pool.take([0, 1]), ScoringContext(tmp_path, lab))
    assert all(torch.equal(before[name], weight) for name, weight in lab.network.state_dict().items())
    assert all(weight.grad is None for weight in lab.network.parameters())


def test_killed_and_resumed_gives_the_same_bits(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(likelihood, "SHARD_ROWS", 4)
    pool = make_pool(10)
    whole = GradientNorm().score(pool, ScoringContext(tmp_path / "a", tiny_model))
    made, done = gradient_norm.gradient_norm, []

    def dies_in_the_second_shard(model, passage):
        if len(done) == 5:
            raise KeyboardInterrupt
        done.append(passage)
        return made(model, passage)

    monkeypatch.setattr(gradient_norm, "gradient_norm", dies_in_the_second_shard)
    with pytest.raises(KeyboardInterrupt):
        GradientNorm().score(pool, ScoringContext(tmp_path / "b", tiny_model))
    done.clear()
    monkeypatch.setattr(
        gradient_norm, "gradient_norm", lambda model, passage: done.append(1) or made(model, passage)
    )
    resumed = GradientNorm().score(pool, ScoringContext(tmp_path / "b", tiny_model))
    assert len(done) == 6
    np.testing.assert_array_equal(resumed.values, whole.values)


def test_a_row_longer_than_the_window_has_no_norm(tiny_model, tmp_path):
    long = make_example(chat("Count.", " ".join(str(i) for i in range(400))), 1)
    scores = GradientNorm().score(
        Pool.from_examples([long, *make_pool(2)]), ScoringContext(tmp_path, tiny_model)
    )
    assert np.isnan(scores.values).tolist() == [True, False, False]
    assert scores.notes["rows_too_long"] == 1


def test_what_it_needs(tmp_path):
    with pytest.raises(UserError) as caught:
        GradientNorm().score(make_pool(2), ScoringContext(tmp_path))
    assert str(caught.value) == "the scorer 'gradient_norm' needs a model; give --model"
