"""IFD in both forms, against single forward passes of the whole network, one for each term and turn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from made_data import chat, make_example, make_pool
from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.models import load_model, losses
from suffice.scorers import likelihood
from suffice.scorers.ifd import IFD
from suffice.scorers.protocol import ScoringContext
from suffice.scorers.superfiltering import Superfiltering


@pytest.fixture(scope="module")
def alone(lab, answers_pool):
    """The loss of each answer token where its turn stands behind ``<|doc|><|assistant|>`` alone, row by row."""
    found = []
    for row in answers_pool:
        parts = []
        for turn in row.messages:
            if turn["role"] != "assistant":
                continue
            lead = lab.tokenizer("<|doc|><|assistant|>", add_special_tokens=False)["input_ids"]
            answer = lab.tokenizer(turn["content"] + "<|end|>", add_special_tokens=False)["input_ids"]
            ids = torch.tensor([lead + answer])
            with torch.no_grad():
                logits = lab.network(ids).logits[0].double()
            chances = torch.log_softmax(logits, dim=-1)
            parts += [-float(chances[i - 1, ids[0, i]]) for i in range(2, ids.shape[1])]
        found.append(np.array(parts))
    return found


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(likelihood, "SHARD_ROWS", 10)
    monkeypatch.setattr(likelihood, "TOKEN_BUDGET", {"cpu": 500})


def below_1(ratios):
    ratios = np.array(ratios)
    return np.where(ratios < 1, ratios, np.nan)


@pytest.mark.parametrize("packed", [True, False])
def test_both_forms_row_by_row(
    lab, answers_pool, reference, alone, small_shards, tmp_path, packed, monkeypatch
):
    assert losses.packs(lab)
    monkeypatch.setattr(losses, "packs", lambda model: packed)
    assert [len(row) for row in alone] == [len(row) for row in reference]
    of_losses = [a.mean() / b.mean() for a, b in zip(reference, alone, strict=True)]
    of_perplexities = [np.exp(a.mean()) / np.exp(b.mean()) for a, b in zip(reference, alone, strict=True)]
    ifd = IFD().score(answers_pool, ScoringContext(tmp_path, lab))
    superfiltering = Superfiltering().score(answers_pool, ScoringContext(tmp_path, lab))
    np.testing.assert_allclose(ifd.values, below_1(of_losses), rtol=1e-4)
    np.testing.assert_allclose(superfiltering.values, below_1(of_perplexities), rtol=1e-4)
    unhelped = sum(ratio >= 1 for ratio in of_losses)
    assert 0 < unhelped < 24
    assert ifd.notes["rows_not_helped"] == superfiltering.notes["rows_not_helped"] == unhelped
    assert ifd.missing == superfiltering.missing == unhelped
    assert len(list(tmp_path.iterdir())) == 1  # computed once for both


def test_the_two_forms_rank_differently(lab, answers_pool, tmp_path):
    ranks = [
        np.argsort(-np.nan_to_num(scorer.score(answers_pool, ScoringContext(tmp_path, lab)).values)).tolist()
        for scorer in (IFD(), Superfiltering())
    ]
    assert ranks[0] != ranks[1]


def test_an_answer_that_nothing_opens_loses_its_first_token_on_both_sides(tiny_model_folder):
    template = (
        "{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %}<|end|>{% endif %}{% endfor %}"
    )
    chat_of = load_model(tiny_model_folder, device="cpu", chat_template=template).chat
    assert chat_of.opening_ids == []
    row = chat_of.encode(chat("dog ", "river stone"))
    whole, answer = likelihood.paired_passages(row, chat_of)
    marked = [i for i, trained in enumerate(row.trained) if trained]
    assert whole.places == marked[1:]
    assert answer.ids == [row.ids[i] for i in marked]
    assert answer.places == list(range(1, len(marked)))


def test_the_opening_stands_before_an_answer_alone(tiny_model):
    row = tiny_model.chat.encode((*chat("dog", "river"), *chat("ten", "stone apple")))
    whole, first, second = likelihood.paired_passages(row, tiny_model.chat)
    opening = tiny_model.tokenizer("<|assistant|>")["input_ids"]
    assert tiny_model.chat.opening_ids == opening
    assert whole.places == [i for i, trained in enumerate(row.trained) if trained]
    assert [ids[: len(opening)] for ids in (first.ids, second.ids)] == [opening, opening]
    told = [part.ids[place] for part in (first, second) for place in part.places]
    assert told == [row.ids[place] for place in whole.places]


@pytest.mark.parametrize("scorer", [IFD, Superfiltering])
def test_what_it_needs(scorer, tmp_path):
    with pytest.raises(UserError) as caught:
        scorer().score(make_pool(2), ScoringContext(tmp_path))
    assert str(caught.value) == f"the scorer '{scorer.name}' needs a model; give --model"


def test_a_row_without_an_answer_has_no_ratio(tiny_model_folder, tmp_path):
    template = (
        "{% for m in messages %}{{ '<|' + m.role + '|>' }}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
        "{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}"
    )
    model = load_model(tiny_model_folder, device="cpu", chat_template=template)
    pool = Pool.from_examples([make_example(chat("Say nothing.", ""), 1), *make_pool(2)])
    scores = IFD().score(pool, ScoringContext(tmp_path, model))
    assert np.isnan(scores.values[0])
    assert scores.notes["rows_unanswered"] == 1
