"""Sampled replies, against drawing token by token from the whole network, and against their definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from suffice.common.draws import stream_key
from suffice.models import load_model
from suffice.models.sampling import _nucleus, sampled


@pytest.fixture(scope="module")
def lively_model(tiny_model_folder):
    """The tiny model with larger weights, so that its replies differ and some of them stop."""
    model = load_model(tiny_model_folder, device="cpu")
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in model.network.parameters():
            if parameter.ndim == 2:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return model


def by_hand(model, prompt, stream, sample, new, temperature, top_p):
    """One reply, the whole text anew for each token; the draw falls into a share of the likeliest tokens."""
    draws = np.random.Generator(np.random.Philox(key=[stream, sample])).random(new)
    ids = list(prompt)
    for draw in draws:
        with torch.no_grad():
            logits = model.network(torch.tensor([ids]), use_cache=False).logits[0, -1].double().numpy()
        chances = np.exp((logits - logits.max()) / temperature)
        chances /= chances.sum()
        order = sorted(range(len(chances)), key=lambda i: -chances[i])
        kept, total = [], 0.0
        for token in order:
            if total >= top_p:
                break
            kept.append(token)
            total += chances[token]
        reached = 0.0
        for token in kept:
            reached += chances[token] / total
            if reached > draw:
                break
        ids.append(token)
        if token in model.chat.stop_ids:
            break
    return ids[len(prompt) :]


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.6, 0.9)])
def test_each_reply_by_hand(lively_model, temperature, top_p):
    texts = ["river", "What is 2 + 3?", "Paris dog stone apple", "x"]
    prompts = [lively_model.chat.encode_prompt([{"role": "user", "content": text}]) for text in texts]
    streams = [stream_key(1, text) for text in texts]
    done = []
    replies = sampled(
        lively_model,
        prompts,
        streams,
        samples=3,
        max_new_tokens=12,
        token_budget=150,
        temperature=temperature,
        top_p=top_p,
        on_done=done.append,
    )
    assert sum(done) == 4
    assert len(done) > 1
    kinds = set()
    for prompt, stream, made in zip(prompts, streams, replies, strict=True):
        assert len(made) == 3
        for sample, reply in enumerate(made):
            ids = by_hand(lively_model, prompt, stream, sample, 12, temperature, top_p)
            stopped = ids[-1] in lively_model.chat.stop_ids
            kept = ids[:-1] if stopped else ids
            assert reply.text == lively_model.tokenizer.decode(kept, skip_special_tokens=True)
            assert (reply.tokens, reply.stopped) == (len(kept), stopped)
            kinds.add(reply.text)
    assert len(kinds) > 6


def test_a_reply_does_not_depend_on_its_batch(lively_model):
    prompts = [lively_model.chat.encode_prompt([{"role": "user", "content": word}]) for word in "abcdef"]
    settings = {"samples": 2, "max_new_tokens": 6}
    together = sampled(lively_model, prompts, range(6), **settings)
    alone = [sampled(lively_model, [prompts[i]], [i], **settings)[0] for i in reversed(range(6))][::-1]
    assert together == alone
    assert together != sampled(lively_model, prompts, range(6, 12), **settings)


def test_the_shares_of_tokens_are_their_chances():
    logits = torch.log(torch.tensor([[0.1, 0.4, 0.2, 0.3]])).expand(1000, 4)
    draws = (np.arange(1000) + 0.5) / 1000
    counts = np.bincount(_nucleus(logits, draws, 1.0, 1.0).numpy(), minlength=4)
    assert counts.tolist() == [100, 400, 200, 300]
    counts = np.bincount(_nucleus(logits, draws, 1.0, 0.6).numpy(), minlength=4)  # 0.4 and 0.3 of 0.7
    assert abs(counts - np.array([0, 4000 / 7, 0, 3000 / 7])).max() < 1
    counts = np.bincount(_nucleus(logits, draws, 0.5, 1.0).numpy(), minlength=4)  # squares of the chances
    assert abs(counts - np.array([1, 16, 4, 9]) / 30 * 1000).max() < 1
    edge = _nucleus(logits[:2], np.array([0.0, np.nextafter(1, 0)]), 1.0, 1.0)
    assert edge.tolist() == [1, 0]
