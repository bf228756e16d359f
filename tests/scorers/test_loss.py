from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from made_data import chat, make_example, make_pool
from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.models import load_model
from suffice.scorers import likelihood
from suffice.scorers.loss import Loss
from suffice.scorers.protocol import ScoringContext


@pytest.fixture
def small_shards(monkeypatch):
    """Three shards of at most 10 rows, of several batches each."""
    monkeypatch.setattr(likelihood, "SHARD_ROWS", 10)
    monkeypatch.setattr(likelihood, "TOKEN_BUDGET", {"cpu": 300})


def test_the_mean_over_the_answer_row_by_row(lab, answers_pool, reference, small_shards, tmp_path):
    scores = Loss().score(answers_pool, ScoringContext(tmp_path, lab))
    assert scores.ids == answers_pool.ids
    np.testing.assert_allclose(scores.values, [row.mean() for row in reference], rtol=1e-5)
    lengths = [len(row) for row in reference]
    assert len(set(lengths)) > 10
    linked = spearmanr(scores.values, lengths).statistic
    assert scores.notes["length_correlation"] == pytest.approx(linked, abs=1e-4)
    assert scores.missing == scores.notes["rows_refused"] == scores.notes["rows_unanswered"] == 0
    passed = sum(len(lab.chat.encode(row.messages).ids) for row in answers_pool)
    assert (scores.notes["tokens"], scores.notes["window"]) == (passed, lab.window)


def test_killed_and_resumed_gives_the_same_bits(lab, answers_pool, small_shards, tmp_path, monkeypatch):
    whole = Loss().score(answers_pool, ScoringContext(tmp_path / "a", lab))
    made, passed = likelihood.token_losses, []

    def dies_in_the_second_shard(model, groups, budget, advance):
        if passed:
            raise KeyboardInterrupt
        passed.append(len(groups))
        return made(model, groups, budget, advance)

    context = ScoringContext(tmp_path / "b", lab)
    monkeypatch.setattr(likelihood, "token_losses", dies_in_the_second_shard)
    with pytest.raises(KeyboardInterrupt):
        Loss().score(answers_pool, context)
    assert [path.name for path in (tmp_path / "b").rglob("*.*")] == ["000000.npz"]
    passed.clear()
    monkeypatch.setattr(
        likelihood,
        "token_losses",
        lambda model, groups, *rest: passed.append(len(groups)) or made(model, groups, *rest),
    )
    resumed = Loss().score(answers_pool, context)
    assert passed == [10, 4]
    np.testing.assert_array_equal(resumed.values, whole.values)


def test_workers_give_the_same_bits(tiny_model, tmp_path, monkeypatch):
    # Only the shard's size is patched: it is decided here, whereas workers know the real token budget alone.
    monkeypatch.setattr(likelihood, "SHARD_ROWS", 24)
    pool = make_pool(40)
    alone = Loss().score(pool, ScoringContext(tmp_path / "a", tiny_model))
    together = Loss().score(pool, ScoringContext(tmp_path / "b", tiny_model, workers=2))
    np.testing.assert_array_equal(alone.values, together.values)


def test_rows_that_have_no_loss_are_counted_by_reason(tiny_model_folder, tmp_path):
    template = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system turns') }}{% endif %}"
        "{{ '<|' + m.role + '|>' }}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
        "{% else %}{{ m.content }}{% endif %}{% endfor %}"
    )
    model = load_model(tiny_model_folder, device="cpu", chat_template=template)
    rows = [
        make_example(({"role": "system", "content": "Be brief."}, *chat("a", "b")), 1),
        make_example(chat("Count.", " ".join(str(i) for i in range(400))), 2),
        make_example(chat("Say nothing.", ""), 3),
        make_example(chat("Count.", "1 2"), 4),
    ]
    scores = Loss().score(Pool.from_examples(rows), ScoringContext(tmp_path, model))
    assert np.isnan(scores.values).tolist() == [True, True, True, False]
    assert scores.notes == {
        "rows_refused": 1,
        "rows_too_long": 1,
        "rows_unanswered": 1,
        "tokens": len(model.chat.encode(rows[3].messages).ids),
        "window": 256,
        "length_correlation": 0.0,
    }


def test_what_it_needs(tmp_path):
    with pytest.raises(UserError) as caught:
        Loss().score(make_pool(2), ScoringContext(tmp_path))
    assert str(caught.value) == "the scorer 'loss' needs a model; give --model"


def test_a_template_without_marks(tiny_model, tmp_path):
    """The answer's tokens found by hand, those of ``answer<|end|>`` after ``<|user|>question<|assistant|>``."""
    wanted = []
    for row in make_pool(12):
        question, answer = (turn["content"] for turn in row.messages)
        asked = tiny_model.tokenizer(f"<|user|>{question}<|assistant|>")["input_ids"]
        ids = torch.tensor([asked + tiny_model.tokenizer(f"{answer}<|end|>")["input_ids"]])
        labels = ids.clone()
        labels[0, : len(asked)] = -100
        with torch.no_grad():
            wanted.append(float(tiny_model.network(ids, labels=labels).loss))
    scores = Loss().score(make_pool(12), ScoringContext(tmp_path, tiny_model))
    np.testing.assert_allclose(scores.values, wanted, rtol=1e-5)
