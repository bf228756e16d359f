"""Evaluation: right means the reference's answer and a clean stop, item by item, in order."""

import pytest

from suffice.common.errors import UserError
from suffice.data.example import Example
from suffice.data.target import TargetItem
from suffice.evaluation.evaluate import evaluate
from suffice.models import load_model
from suffice.training import SFTSettings, train_sft

SUMS = {"What is two and three?": "It is five.\nAnswer: 5", "Say ten.": "Answer: 10", "One?": "Answer: 1"}


def item(question, answer, task="sum"):
    messages = ({"role": "user", "content": question},)
    return TargetItem(
        id=question,
        messages=messages,
        answer=answer,
        task=task,
        split="test",
        cluster=f"cluster of {question}",
    )


@pytest.fixture(scope="module")
def trained(tiny_model_folder, tmp_path_factory):
    """A tiny model that knows three answers by heart."""
    rows = [
        Example(
            q, ({"role": "user", "content": q}, {"role": "assistant", "content": a}), None, "t", None, "f", 1
        )
        for q, a in SUMS.items()
    ]
    out = tmp_path_factory.mktemp("trained")
    settings = SFTSettings(learning_rate=2e-2, steps=60, batch_size=3)
    train_sft(load_model(tiny_model_folder, device="cpu"), rows, settings, seed=0, out=out)
    return load_model(out / "model", device="cpu")


def test_outcomes_come_in_item_order_with_what_was_written(trained):
    items = [item("Say ten.", "10"), item("What is two and three?", "#### 5", "add"), item("One?", "2")]
    done = []
    outcomes = evaluate(trained, items, extractor="number", max_new_tokens=40, on_done=done.append)
    assert [(o.item, o.task, o.cluster) for o in outcomes] == [(i.id, i.task, i.cluster) for i in items]
    assert [o.reply for o in outcomes] == [SUMS[i.id] for i in items]
    assert [o.extracted for o in outcomes] == ["10", "5", "1"]
    assert [o.score for o in outcomes] == [1.0, 1.0, 0.0]
    assert all(o.stopped and o.cut == 0 for o in outcomes)
    assert sum(done) == 3
    assert evaluate(trained, items, extractor="number", max_new_tokens=40) == outcomes


def test_the_form_counts_where_the_extractor_asks_for_it(trained):
    [right] = evaluate(
        trained, [item("Say ten.", "So:\nAnswer: 10")], extractor="last_line", max_new_tokens=40
    )
    [wrong] = evaluate(trained, [item("Say ten.", "10")], extractor="last_line", max_new_tokens=40)
    assert (right.score, wrong.score) == (1.0, 0.0)


def test_a_reply_that_does_not_stop_is_right_only_where_that_is_allowed(trained):
    ids = trained.tokenizer(SUMS["Say ten."], add_special_tokens=False)["input_ids"]
    common = {"extractor": "number", "max_new_tokens": len(ids)}
    [strict] = evaluate(trained, [item("Say ten.", "10")], **common)
    [lenient] = evaluate(trained, [item("Say ten.", "10")], require_stop=False, **common)
    assert (strict.extracted, strict.stopped, strict.score) == ("10", False, 0.0)
    assert (lenient.extracted, lenient.stopped, lenient.score) == ("10", False, 1.0)


def test_a_reference_without_an_answer_is_refused_before_anything_is_written(trained):
    items = [item("Say ten.", "10"), item("One?", "one")]
    with pytest.raises(UserError) as caught:
        evaluate(trained, items, extractor="number", max_new_tokens=8, on_done=pytest.fail)
    assert str(caught.value) == (
        "the extractor 'number' finds no answer in the reference of item 'One?': 'one'; "
        "mend the item or name another extractor (exact, choice, last_line)"
    )
