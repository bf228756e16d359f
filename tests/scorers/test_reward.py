"""The reward model's number, against transformers one row at a time."""

from __future__ import annotations

import pickle
import shutil

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, LlamaForSequenceClassification

from made_data import chat, make_example, make_pool
from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.models import load_model
from suffice.scorers import reward
from suffice.scorers.protocol import ScoringContext
from suffice.scorers.reward import Reward, RewardSettings


def build(tiny_model_folder, folder, *, labels=1, pad_token=None):
    """Writes a reward model of the tiny model's shape; its conversations end in what may be the padding token."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_model_folder)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = LlamaForSequenceClassification.from_pretrained(tiny_model_folder, num_labels=labels)
        network.score.weight.data.normal_()
    network.config.pad_token_id = None if pad_token is None else tokenizer.convert_tokens_to_ids(pad_token)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("pad_token", [None, "<|end|>", "z"])
def test_the_number_that_transformers_gives_the_row_alone(
    pad_token, tiny_model_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(reward, "SHARD_ROWS", 12)
    monkeypatch.setattr(reward, "TOKEN_BUDGET", {"cpu": 300})
    folder = build(tiny_model_folder, tmp_path / "model", pad_token=pad_token)
    pool = Pool.from_examples(
        [*make_pool(20), make_example((*chat("One?", "2"), *chat("Two?", "3 zzz")), 21)]
    )
    scores = Reward(RewardSettings(model=str(folder))).score(pool, ScoringContext(tmp_path / "parts"))
    network = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    wanted, passed = [], 0
    for row in pool:
        ids = tokenizer.apply_chat_template(list(row.messages), return_tensors="pt")["input_ids"]
        with torch.no_grad():
            wanted.append(float(network(ids).logits[0, 0]))
        passed += ids.shape[1]
    assert np.std(wanted) > 0.1
    np.testing.assert_allclose(scores.values, wanted, rtol=1e-4, atol=1e-5)
    assert scores.notes["tokens"] == passed
    assert scores.missing == 0


def test_a_worker_loads_it_with_its_head(tiny_model_folder, tmp_path):
    model = load_model(build(tiny_model_folder, tmp_path / "model"), head="reward", device="cpu")
    again = pickle.loads(pickle.dumps(model.source)).load()
    assert isinstance(again.network, LlamaForSequenceClassification)
    assert again.fingerprint == model.fingerprint


def test_rows_without_a_number_are_counted(tiny_model_folder, tmp_path):
    folder = str(build(tiny_model_folder, tmp_path / "model"))
    rows = [
        make_example(chat("Count.", " ".join(str(i) for i in range(400))), 1),
        make_example(({"role": "user", "content": "Anyone?"},), 2),
        make_example(chat("Count.", "1 2"), 3),
    ]
    scores = Reward(RewardSettings(folder)).score(
        Pool.from_examples(rows), ScoringContext(tmp_path / "parts")
    )
    assert np.isnan(scores.values).tolist() == [True, True, False]
    names = ("rows_refused", "rows_too_long", "rows_unanswered", "window")
    assert [scores.notes[name] for name in names] == [0, 1, 1, 256]


def test_models_that_are_none(tiny_model_folder, tmp_path):
    folder = build(tiny_model_folder, tmp_path / "two", labels=2)
    shutil.copytree(tiny_model_folder, tmp_path / "base")
    for settings, message in (
        (RewardSettings(), "the scorer 'reward' needs a reward model; give --set model=FOLDER or a hub id"),
        (
            RewardSettings(str(folder)),
            f"'{folder}' has 2 outputs, and a reward model has one; give a reward model",
        ),
        (
            RewardSettings(str(tmp_path / "base")),
            (
                f"the weights in {tmp_path / 'base'} lack 1 tensors that its config.json asks for, first score.weight; give a "
                "reward model, saved with its head"
            ),
        ),
    ):
        with pytest.raises(UserError) as caught:
            Reward(settings).score(make_pool(2), ScoringContext(tmp_path / "parts"))
        assert str(caught.value) == message
