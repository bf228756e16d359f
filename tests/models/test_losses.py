from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    MistralConfig,
    MistralForCausalLM,
)

from suffice.models import losses
from suffice.models.losses import Passage, packs, token_losses


class Bare:
    """A network without the rest of a model."""

    device = "cpu"
    window = 40

    def __init__(self, network):
        self.network = network.eval()


SMALL = {"vocab_size": 50, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8}


def gpt2():
    return GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=64))


def sliding():
    return MistralForCausalLM(MistralConfig(**SMALL, **HEADS, sliding_window=4))


def capped():
    return Gemma2ForCausalLM(Gemma2Config(**SMALL, **HEADS, final_logit_softcapping=0.05))


@pytest.fixture(scope="module", params=[gpt2, sliding, capped])
def model(request):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = request.param()
        for weights in network.parameters():
            weights.data.mul_(8)  # otherwise all tokens are about as likely, and nothing is told apart
    return Bare(network)


def passages(seed, count):
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        ids = random.integers(1, 50, random.integers(3, 20)).tolist()
        places = sorted(random.choice(np.arange(1, len(ids)), random.integers(1, len(ids)), replace=False))
        made.append(Passage(ids, [int(place) for place in places]))
    return made


def definition(model, passage):
    with torch.no_grad():
        logits = model.network(torch.tensor([passage.ids])).logits[0].double()
    chances = torch.log_softmax(logits, dim=-1)
    return np.array([-float(chances[place - 1, passage.ids[place]]) for place in passage.places])


def check(model, groups, budget):
    found = token_losses(model, groups, budget)
    assert [len(group) for group in found] == [len(group) for group in groups]
    for group, parts in zip(groups, found, strict=True):
        for passage, part in zip(group, parts, strict=True):
            np.testing.assert_allclose(part, definition(model, passage), rtol=2e-4, atol=2e-4)


def test_batches_equal_single_passages(model):
    check(model, [[passage] for passage in passages(1, 30)], 60)


def test_groups_equal_single_passages_packed_or_not(model):
    some = passages(2, 36)
    check(
        model,
        [
            some[:1],
            some[1:3],
            some[3:6],
            *([one, two] for one, two in zip(some[6::2], some[7::2], strict=True)),
        ],
        90,
    )


def test_a_group_beyond_the_window_is_not_packed(tiny_model, monkeypatch):
    assert packs(tiny_model)
    monkeypatch.setattr(losses, "packs", lambda model: True)
    some = [Passage([5] * length, [1, length - 1]) for length in (200, 57, 56)]
    shapes = []
    made = losses.pad
    monkeypatch.setattr(
        losses, "pad", lambda rows, device: shapes.extend(len(row) for row in rows) or made(rows, device)
    )
    done = []
    token_losses(tiny_model, [some[:2], [some[0], some[2]]], 10_000, done.append)
    assert sorted(shapes) == [57, 200, 256]
    assert sum(done) == pytest.approx(2)


def test_only_full_attention_is_packed(tiny_model):
    assert packs(tiny_model)
    assert packs(Bare(gpt2()))
    assert not packs(Bare(sliding()))
    assert not packs(Bare(capped()))


def test_a_network_that_cannot_part_passages_is_not_packed(tiny_model, monkeypatch):
    monkeypatch.setattr(losses, "_block_diagonal", lambda groups, width, model: {})
    assert not packs(tiny_model)


def test_logits_are_no_more_than_allowed(tiny_model, monkeypatch):
    monkeypatch.setattr(losses, "LOGITS", {"cpu": 400 * 25})
    widths = []
    made = losses.pad
    monkeypatch.setattr(
        losses,
        "pad",
        lambda rows, device: widths.append((len(rows), max(map(len, rows)))) or made(rows, device),
    )
    done = []
    token_losses(tiny_model, [[passage] for passage in passages(3, 20)], 10_000, done.append)
    assert max(rows * width for rows, width in widths) <= 25
    assert sum(done) == 20


def test_the_head_is_left_as_it_was(tiny_model):
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        before = tiny_model.network(ids).logits
        with (
            pytest.raises(IndexError),
            losses.head_only_at(tiny_model.network, torch.tensor([3]), torch.tensor([1])),
        ):
            tiny_model.network(ids)
        assert torch.equal(before, tiny_model.network(ids).logits)
