from __future__ import annotations

import dataclasses

import pytest
import torch

from suffice.common.errors import UserError
from suffice.models.generation import continuations, generate


@pytest.fixture(scope="module")
def lively_model(tiny_model_folder):
    """The tiny model with larger weights, so that its replies differ and some of them stop."""
    from suffice.models import load_model

    model = load_model(tiny_model_folder, device="cpu")
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in model.network.parameters():
            if parameter.ndim == 2:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.4)
    return model


def reference(model, prompt, max_new_tokens):
    """Greedy decoding one row at a time, the whole text anew for each token."""
    ids = list(prompt)
    for _ in range(max_new_tokens):
        with torch.no_grad():
            ids.append(int(model.network(torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
        if ids[-1] in model.chat.stop_ids:
            break
    return ids[len(prompt) :]


def some_prompts(model, count=24):
    words = ["river", "stone", "What is 2 + 3?", "Paris", "dog", "x"]
    contents = [" ".join(words[(i + k) % 6] for k in range(i % 5 + 1)) for i in range(count)]
    return [
        model.chat.encode_prompt([{"role": "user", "content": f"{c} {i}"}]) for i, c in enumerate(contents)
    ]


def test_replies_equal_decoding_without_cache_and_batches(lively_model):
    prompts = some_prompts(lively_model)
    done = []
    replies = generate(lively_model, prompts, max_new_tokens=40, token_budget=500, on_done=done.append)
    stops = 0
    for prompt, reply in zip(prompts, replies, strict=True):
        ids = reference(lively_model, prompt, 40)
        stopped = ids[-1] in lively_model.chat.stop_ids
        stops += stopped
        kept = ids[:-1] if stopped else ids
        assert reply.text == lively_model.tokenizer.decode(kept, skip_special_tokens=True)
        assert (reply.tokens, reply.stopped, reply.cut) == (len(kept), stopped, 0)
    assert 0 < stops < len(prompts)  # else the rows that leave a batch early would go untested
    assert sum(done) == len(prompts)
    assert len(done) > 1


def test_a_long_prompt_loses_its_left_end_and_that_is_counted(lively_model):
    prompt = [5 + i % 300 for i in range(300)]
    whole, cut = generate(lively_model, [prompt, prompt[-236:]], max_new_tokens=20)
    assert (whole.cut, cut.cut) == (64, 0)
    assert (whole.text, whole.tokens) == (cut.text, cut.tokens)


def test_no_room_for_a_prompt(lively_model):
    model = dataclasses.replace(lively_model, name="tiny")
    with pytest.raises(UserError) as caught:
        generate(model, [[1]], max_new_tokens=256)
    assert str(caught.value) == (
        "replies of 256 tokens leave no room for a prompt in the window of 256 tokens of 'tiny'; ask for fewer "
        "new tokens"
    )


def test_no_prompts(lively_model):
    assert generate(lively_model, [], max_new_tokens=5) == []


def test_samples_follow_the_models_own_probabilities(tiny_model):
    """The first new token of 4,000 samples against the softmax of the logits, at two temperatures."""
    prompt, count = [5, 6, 7, 8], 4_000
    with torch.no_grad():
        logits = tiny_model.network(input_ids=torch.tensor([prompt])).logits[0, -1]
    for temperature in (1.0, 0.05):
        rows = continuations(tiny_model, [prompt] * count, max_new_tokens=1, temperature=temperature, seed=3)
        found = torch.bincount(torch.tensor([row[0] for row in rows]), minlength=len(logits)) / count
        wanted = torch.softmax(logits / temperature, -1)
        assert (found - wanted).abs().max() < 4 * (0.25 / count) ** 0.5
        assert (found - wanted).abs().sum() < 0.5


def test_a_seed_gives_the_same_samples_and_another_one_others(tiny_model):
    prompts = [[5, 6, 7], [8, 9], [10]]

    def sample(seed):
        return continuations(tiny_model, prompts, max_new_tokens=8, temperature=1.0, seed=seed)

    assert sample(1) == sample(1)
    assert sample(1) != sample(2)
