from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from made_data import chat, make_example, make_pool
from suffice.common.draws import stream_key
from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.models import load_model
from suffice.models.sampling import sampled
from suffice.scorers import pass_rate
from suffice.scorers.pass_rate import PassRate, PassRateSettings
from suffice.scorers.protocol import ScoringContext


@pytest.fixture(scope="module")
def counter(tiny_model_folder):
    """A model that says a few numbers at random: what it says does not depend on the prompt."""
    model = load_model(tiny_model_folder, device="cpu")
    stop = next(iter(model.chat.stop_ids))
    bias = torch.full((400,), -1e4)
    bias[model.tokenizer.convert_tokens_to_ids(["1", "2", "3"])] = torch.log(torch.tensor([0.5, 0.3, 0.2]))
    bias[stop] = 0.0
    head = torch.nn.Linear(32, 400)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(bias)
    model.network.set_output_embeddings(head)
    return model


SETTINGS = PassRateSettings(samples=16, temperature=1.0, top_p=1.0, max_new_tokens=3, solved_to=16)
POOL = Pool.from_examples(
    [make_example(chat(f"Say a number, {i}.", str(1 + i % 4)), i + 1) for i in range(12)]
)


def last_digit(settings):
    """The settings with an extractor that takes the last line, here the whole reply."""
    return dataclasses.replace(settings, extractor="last_line", max_new_tokens=2)


def test_the_share_of_wrong_replies(counter, tmp_path, monkeypatch):
    monkeypatch.setattr(pass_rate, "SHARD_ROWS", 5)
    settings = last_digit(SETTINGS)
    right = []
    for row in POOL:
        stream = stream_key(0, "pass_rate", row.id)
        ids = counter.chat.encode_prompt(row.messages[:-1])
        (replies,) = sampled(counter, [ids], [stream], samples=16, max_new_tokens=2)
        right.append(sum(reply.stopped and reply.text == row.messages[-1]["content"] for reply in replies))
    right = np.array(right)
    assert len(set(right)) > 3
    scores = PassRate(settings).score(POOL, ScoringContext(tmp_path, counter))
    wanted = np.where(right > 0, 1 - right / 16, np.nan)
    np.testing.assert_allclose(scores.values, wanted, rtol=1e-6)
    assert scores.notes["rows_never_solved"] == scores.notes["rows_out_of_band"] == (right == 0).sum()
    assert scores.notes["mean_pass_rate"] == pytest.approx(right.mean() / 16, abs=1e-6)
    assert np.isnan(scores.values[3::4]).all()  # it never says 4


def test_the_band_is_laid_over_counts_that_are_kept(counter, tmp_path, monkeypatch):
    settings = last_digit(SETTINGS)
    context = ScoringContext(tmp_path, counter)
    whole = PassRate(dataclasses.replace(settings, solved_from=0)).score(POOL, context)
    right = np.round((1 - whole.values) * 16).astype(int)
    monkeypatch.setattr(pass_rate, "sampled", None)  # nothing is drawn again
    for low, high in ((1, 3), (2, None), (0, 0)):
        band = dataclasses.replace(settings, solved_from=low, solved_to=high)
        scores = PassRate(band).score(POOL, context)
        inside = (right >= low) & (right <= (15 if high is None else high))
        np.testing.assert_array_equal(~np.isnan(scores.values), inside)
        np.testing.assert_allclose(scores.values[inside], 1 - right[inside] / 16, rtol=1e-6)


def test_another_seed_draws_anew_and_rows_left_out_change_nothing(counter, tmp_path):
    settings = dataclasses.replace(last_digit(SETTINGS), solved_from=0)
    whole = PassRate(settings).score(POOL, ScoringContext(tmp_path, counter))
    again = PassRate(settings).score(POOL.take([7, 2]), ScoringContext(tmp_path, counter))
    np.testing.assert_array_equal(again.values, whole.values[[7, 2]])
    other = PassRate(settings).score(POOL, ScoringContext(tmp_path, counter, seed=1))
    assert (other.values != whole.values).any()


def test_a_reply_that_does_not_end_is_wrong(counter, tmp_path):
    settings = dataclasses.replace(last_digit(SETTINGS), max_new_tokens=1, solved_from=0)
    strict = PassRate(settings).score(POOL, ScoringContext(tmp_path, counter))
    assert (strict.values == 1).all()  # one token, and no room for the one that ends the turn
    lenient = PassRate(dataclasses.replace(settings, require_stop=False)).score(
        POOL, ScoringContext(tmp_path, counter)
    )
    assert (lenient.values < 1).any()


def test_rows_that_cannot_be_tried_are_counted(counter, tmp_path):
    rows = [
        make_example(chat("Say.", "no number"), 1),
        make_example(chat("Say.", " "), 2),
        make_example((*chat("Say.", "1"), {"role": "user", "content": "More?"}), 3),
        make_example(chat("x " * 400, "1"), 4),
        make_example((*chat("Say.", "9"), *chat("And?", "It is 1.")), 5),
    ]
    scores = PassRate(dataclasses.replace(SETTINGS, solved_from=0)).score(
        Pool.from_examples(rows), ScoringContext(tmp_path, counter)
    )
    assert np.isnan(scores.values).tolist() == [True] * 4 + [False]
    names = ("rows_refused", "rows_too_long", "rows_unanswered", "rows_without_answer")
    assert [scores.notes[name] for name in names] == [0, 1, 2, 1]


def test_what_it_needs(tmp_path):
    with pytest.raises(UserError) as caught:
        PassRate().score(make_pool(2), ScoringContext(tmp_path))
    assert str(caught.value) == "the scorer 'pass_rate' needs a model; give --model"


RANGES = (
    "samples and max_new_tokens are 1 or more, temperature is above 0, top_p above 0 and at most 1, and 0 <= solved_from <= "
    "solved_to <= samples"
)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"samples": 0}, f"pass_rate: samples is 0; {RANGES}"),
        ({"temperature": 0.0}, f"pass_rate: temperature is 0; {RANGES}"),
        ({"top_p": 1.5}, f"pass_rate: top_p is 1.5; {RANGES}"),
        ({"max_new_tokens": 0}, f"pass_rate: max_new_tokens is 0; {RANGES}"),
        ({"solved_from": 3, "solved_to": 2}, f"pass_rate: solved_from is 3; {RANGES}"),
        ({"extractor": "numbr"}, "unknown extractor 'numbr'; did you mean 'number'?"),
        (
            {"max_new_tokens": 256},
            "replies of 256 tokens leave no room in the window of 256 tokens of 'tiny'; give --set max_new_tokens=N",
        ),
    ],
)
def test_settings_that_are_refused(settings, message, tiny_model, tmp_path):
    model = dataclasses.replace(tiny_model, name="tiny")
    with pytest.raises(UserError) as caught:
        PassRate(PassRateSettings(**({"max_new_tokens": 9} | settings))).score(
            make_pool(2), ScoringContext(tmp_path, model)
        )
    assert str(caught.value) == message
