"""ICA against its definition: two forward passes of the whole network a row, prompts rendered by transformers."""

from __future__ import annotations

import numpy as np
import pytest

from made_data import chat, make_example, make_pool, make_target
from suffice.common.errors import UserError
from suffice.common.progress import Silent
from suffice.data.pool import Pool
from suffice.data.target import Target
from suffice.scorers.embedding import embed
from suffice.scorers.ica import ICA, WARNING, ICASettings, ICASum, behind_examples, gain_of_dev
from suffice.scorers.protocol import ScoringContext

TARGET = make_target(["a", "b", "a", "b", "a"])


@pytest.fixture(scope="module")
def pool():
    turns = (*chat("What is 7?", "It is 7."), *chat("And 8?", "It is 8."))
    system = ({"role": "system", "content": "Be brief."}, *chat("What is 2?", "Two."))
    return Pool.from_examples([*make_pool(9), make_example(turns, 10), make_example(system, 11)])


def answer_loss(model, turns, tokens=None):
    """Returns the losses of the answer tokens (the last ``tokens`` of them) in one pass of the whole network."""
    import torch

    encoded = model.chat.encode(turns)
    ids = torch.tensor([encoded.ids])
    with torch.no_grad():
        chances = torch.log_softmax(model.network(ids).logits[0].double(), dim=-1)
    places = [i for i, trained in enumerate(encoded.trained) if trained]
    return [-float(chances[i - 1, encoded.ids[i]]) for i in (places[-tokens:] if tokens else places)]


def expected(model, pool, examples):
    dev = [item.conversation for item in TARGET.dev]

    def prompt(turns):
        last = max(i for i, turn in enumerate(turns) if turn["role"] == "assistant")
        return embed(model, [model.chat.encode_prompt(turns[:last])])[0]

    gains = []
    for row in pool:
        cosines = [float(prompt(row.messages) @ prompt(one)) for one in dev]
        nearest = sorted(range(len(dev)), key=lambda k: -cosines[k])[:examples]
        shown = [turn for k in nearest for turn in dev[k]]
        head = [turn for turn in row.messages if turn["role"] == "system"]
        rest = [turn for turn in row.messages if turn["role"] != "system"]
        alone = answer_loss(model, row.messages)
        behind = answer_loss(model, [*head, *shown, *rest], len(alone))
        gains.append((np.mean(alone) - np.mean(behind), len(alone)))
    return gains


@pytest.mark.parametrize("examples", [1, 3])
def test_the_definition(tmp_path, tiny_model, pool, examples):
    context = ScoringContext(tmp_path, model=tiny_model, target=TARGET)
    gains = expected(tiny_model, pool, examples)
    scores = ICA(ICASettings(examples)).score(pool, context)
    np.testing.assert_allclose(scores.values, [gain for gain, _ in gains], atol=2e-5)
    sums = ICASum(ICASettings(examples)).score(pool, context)
    np.testing.assert_allclose(sums.values, [gain * count for gain, count in gains], rtol=1e-3, atol=1e-3)
    assert scores.notes["rows_without_room"] == scores.notes["rows_with_fewer_examples"] == 0


def test_whether_the_model_learns_in_context_is_told_by_the_dev_examples(tmp_path, tiny_model):
    dev = [item.conversation for item in TARGET.dev]
    gains = []
    for i, turns in enumerate(dev):
        others = Pool.from_examples([make_example(turns, 1)])
        one = Target((TARGET.items[0], *(item for k, item in enumerate(TARGET.dev) if k != i)))
        gains.append(
            ICA(ICASettings(2))
            .score(others, ScoringContext(tmp_path, model=tiny_model, target=one))
            .values[0]
        )
    assert gain_of_dev(tiny_model, dev, 2) == pytest.approx(np.mean(gains), abs=1e-5)
    assert gain_of_dev(tiny_model, dev[:1], 2) == 0
    said = []
    reporter = Silent()
    reporter.say = said.append
    context = ScoringContext(tmp_path, model=tiny_model, target=TARGET, reporter=reporter)
    notes = ICA(ICASettings(2)).score(make_pool(2), context).notes
    assert notes["gain_of_dev"] == pytest.approx(np.mean(gains), abs=1e-4)
    assert ("warning" in notes) == (notes["gain_of_dev"] <= 0)
    assert said == ([f"ica  {WARNING}"] if "warning" in notes else [])


def test_where_the_window_is_short_fewer_examples_stand_there(tiny_model):
    row = make_example(chat("long " * 60, "river stone"), 1)
    encoded = tiny_model.chat.encode(row.messages)
    wanted = encoded.ids[-sum(encoded.trained) :]
    dev = [chat("word " * 40, "apple"), chat("word " * 40, "dog"), chat("word " * 40, "ten")]
    sizes = [len(tiny_model.chat.encode(one).ids) for one in dev]
    room = (tiny_model.window - len(encoded.ids)) // sizes[0]
    assert 0 < room < 3, (tiny_model.window, len(encoded.ids), sizes)
    passage, used = behind_examples(tiny_model, row.messages, None, encoded, dev)
    assert used == room
    assert [passage.ids[place] for place in passage.places] == wanted
    assert passage.ids == tiny_model.chat.encode([*dev[0], *(dev[1] if room > 1 else ()), *row.messages]).ids
    full = make_example(chat("long " * (tiny_model.window // 2), "river"), 1)
    encoded = tiny_model.chat.encode(full.messages)
    passage, used = behind_examples(tiny_model, full.messages, None, encoded, dev)
    assert (used, passage.ids) == (0, encoded.ids)


def test_rows_without_room_have_no_score(tmp_path, tiny_model):
    window = tiny_model.window
    rows = [make_example(chat("a" + " river" * n, "stone"), n) for n in range(window - 20, window)]
    near = [row for row in rows if window - 5 <= len(tiny_model.chat.encode(row.messages).ids) <= window]
    scores = ICA().score(
        Pool.from_examples(near[:1]), ScoringContext(tmp_path, model=tiny_model, target=TARGET)
    )
    assert np.isnan(scores.values).all()
    assert scores.notes["rows_without_room"] == 1


@pytest.mark.parametrize(
    ("settings", "context", "message"),
    [
        (None, {}, "the scorer 'ica' needs a model and a target; give --model and --target"),
        (None, {"target": Target(TARGET.items[:1])}, "the target has no dev examples, which steer the choice; add some with --dev"),
        (ICASettings(0), {"target": TARGET}, "0 examples before a row tell nothing of the target; give 1 or more"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path, tiny_model, settings, context, message):
    model = tiny_model if context else None
    with pytest.raises(UserError) as error:
        ICA(settings).score(make_pool(2), ScoringContext(tmp_path, model=model, **context))
    assert str(error.value) == message
