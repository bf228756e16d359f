from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from made_data import chat, make_example, make_pool, make_target
from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.scorers import embedding
from suffice.scorers.embedding import Embedding, embed
from suffice.scorers.protocol import ScoringContext


@pytest.fixture
def small_shards(monkeypatch):
    """Three shards of at most 16 rows, of several batches each."""
    monkeypatch.setattr(embedding, "SHARD_ROWS", 16)
    monkeypatch.setattr(embedding, "TOKEN_BUDGET", {"cpu": 300})
    return make_pool(40)


@pytest.fixture(scope="module")
def target():
    return make_target(["fact", "sum", "fact", "sum", "fact"])


def reference(model, ids):
    """The definition, one row at a time and in float64: sum_t t h_t / sum_t t of hidden_states[-1], normed."""
    with torch.no_grad():
        out = model.network(torch.tensor([ids]), output_hidden_states=True)
    states = out.hidden_states[-1][0].double().numpy()
    positions = np.arange(1, len(ids) + 1)
    mean = (positions[:, None] * states).sum(axis=0) / positions.sum()
    return mean / np.linalg.norm(mean)


def test_batches_with_padding_equal_the_definition_row_by_row(tiny_model, small_shards):
    rows = [tiny_model.chat.encode(row.messages).ids for row in small_shards]
    assert len({len(ids) for ids in rows}) > 10
    wanted = np.stack([reference(tiny_model, ids) for ids in rows])
    np.testing.assert_allclose(embed(tiny_model, rows), wanted, atol=2e-6)


def test_the_states_are_those_after_the_final_norm(tiny_model):
    base = tiny_model.network.base_model
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        out = base(ids, output_hidden_states=True)
        before_norm = {}
        handle = base.norm.register_forward_hook(lambda m, args, result: before_norm.update(x=args[0]))
        last = base(ids).last_hidden_state
        handle.remove()
        assert torch.equal(last, base.norm(before_norm["x"]))
    assert torch.equal(out.hidden_states[-1], last)


def test_scores_are_the_largest_cosine_to_a_dev_example(tiny_model, small_shards, target, tmp_path):
    scores = Embedding().score(small_shards, ScoringContext(tmp_path, tiny_model, target))
    rows = np.stack([reference(tiny_model, tiny_model.chat.encode(r.messages).ids) for r in small_shards])
    queries = np.stack(
        [reference(tiny_model, tiny_model.chat.encode(i.conversation).ids) for i in target.dev]
    )
    np.testing.assert_allclose(scores.affinity, rows @ queries.T, atol=5e-6)
    np.testing.assert_array_equal(scores.values, scores.affinity.max(axis=1))
    np.testing.assert_allclose(scores.vectors, rows, atol=2e-6)
    assert scores.queries == ["d0", "d1", "d2", "d3", "d4"]
    assert scores.ids == small_shards.ids
    assert scores.notes["rows_cut"] == scores.notes["rows_refused"] == scores.missing == 0


def test_killed_and_resumed_gives_the_same_bits(tiny_model, small_shards, target, tmp_path, monkeypatch):
    whole = Embedding().score(small_shards, ScoringContext(tmp_path / "a", tiny_model, target))
    made, finished = embed, []

    def dies_in_the_second_shard(model, rows, advance=None):
        if advance:
            if finished:
                raise KeyboardInterrupt
            finished.append(len(rows))
        return made(model, rows, advance)

    context = ScoringContext(tmp_path / "b", tiny_model, target)
    monkeypatch.setattr(embedding, "embed", dies_in_the_second_shard)
    with pytest.raises(KeyboardInterrupt):
        Embedding().score(small_shards, context)
    assert [path.name for path in (tmp_path / "b").rglob("*.*")] == ["000000.npz"]
    again = []
    monkeypatch.setattr(
        embedding, "embed", lambda m, rows, advance=None: again.append(len(rows)) or made(m, rows)
    )
    resumed = Embedding().score(small_shards, context)
    assert again == [5, 16, 8]  # the dev examples and the two shards left
    np.testing.assert_array_equal(resumed.affinity, whole.affinity)
    np.testing.assert_array_equal(resumed.vectors, whole.vectors)


def test_workers_give_the_same_bits(tiny_model, target, tmp_path, monkeypatch):
    # Only the shard's size is patched: it is decided here, whereas workers know the real token budget alone.
    monkeypatch.setattr(embedding, "SHARD_ROWS", 24)
    pool, done = make_pool(40), []
    alone = Embedding().score(pool, ScoringContext(tmp_path / "a", tiny_model, target))
    reporter = _Counting(done)
    together = Embedding().score(
        pool, ScoringContext(tmp_path / "b", tiny_model, target, reporter=reporter, workers=2)
    )
    np.testing.assert_array_equal(alone.affinity, together.affinity)
    assert sum(done) == len(pool)


class _Counting:
    def __init__(self, done):
        self.done = done

    def track(self, name, total, unit):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return None

    def advance(self, count=1):
        self.done.append(count)

    def result(self, text):
        pass


def test_other_settings_do_not_take_over_the_shards(tiny_model, small_shards, target, tmp_path):
    Embedding().score(small_shards, ScoringContext(tmp_path, tiny_model, target))
    other = dataclasses.replace(tiny_model, fingerprint="other")
    Embedding().score(small_shards, ScoringContext(tmp_path, other, target))
    Embedding().score(small_shards.take(range(39)), ScoringContext(tmp_path, tiny_model, target))
    Embedding().score(small_shards, ScoringContext(tmp_path, tiny_model, make_target(["new"])))
    assert len(list(tmp_path.iterdir())) == 3


def test_rows_past_the_window_are_cut_and_counted(tiny_model, target, tmp_path):
    long = make_example(chat("Count.", " ".join(str(i) for i in range(400))), 1)
    short = make_example(chat("Count.", "1 2"), 2)
    scores = Embedding().score(
        Pool.from_examples([long, short]), ScoringContext(tmp_path, tiny_model, target)
    )
    ids = tiny_model.chat.encode(long.messages).ids[:256]
    queries = np.stack(
        [reference(tiny_model, tiny_model.chat.encode(i.conversation).ids) for i in target.dev]
    )
    np.testing.assert_allclose(scores.affinity[0], queries @ reference(tiny_model, ids), atol=5e-6)
    kept = 256 + len(tiny_model.chat.encode(short.messages).ids)
    assert scores.notes == {"rows_cut": 1, "rows_refused": 0, "tokens": kept, "window": 256}


def test_a_row_that_the_template_refuses_has_no_score(tiny_model_folder, target, tmp_path):
    from suffice.models import load_model

    template = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system turns') }}{% endif %}"
        "{{ m.content + '<|end|>' }}{% endfor %}"
    )
    model = load_model(tiny_model_folder, device="cpu", chat_template=template)
    bad = make_example(({"role": "system", "content": "Be brief."}, *chat("a", "b")), 1)
    pool = Pool.from_examples([bad, *make_pool(3)])
    scores = Embedding().score(pool, ScoringContext(tmp_path, model, target))
    assert np.isnan(scores.values).tolist() == [True, False, False, False]
    assert np.isnan(scores.affinity).all(axis=1).tolist() == [True, False, False, False]
    assert np.isnan(scores.vectors).all(axis=1).tolist() == [True, False, False, False]
    assert (scores.missing, scores.notes["rows_refused"]) == (1, 1)


def test_what_it_needs(tiny_model, target, tmp_path):
    for context in (ScoringContext(tmp_path, None, target), ScoringContext(tmp_path, tiny_model, None)):
        with pytest.raises(UserError) as caught:
            Embedding().score(make_pool(2), context)
        assert (
            str(caught.value)
            == "the scorer 'embedding' needs a model and a target; give --model and --target"
        )
