"""The one example, those alike, the wrong label."""

import re

import pytest

from suffice.common.errors import UserError
from suffice.data.target import TargetItem
from suffice.rewards.match import LastLine
from suffice.rewards.pattern import Format, FormatSettings, Regex
from suffice.runs.one_shot.choosing import choose, wrong_label
from suffice.runs.one_shot.recipe import ChoiceSettings
from suffice.runs.rewarded.choosing import candidates_of
from suffice.runs.rewarded.judged import Judged
from suffice.runs.rewarded.settings import asked

FORM = Format(FormatSettings(r"Answer: \d+", "last_line"))


def item(number):
    prompt = ({"role": "user", "content": f"How much is {number}?"},)
    return TargetItem(f"e-{number}", prompt, f"Answer: {number}", "all", "test", str(number))


EXAMPLES = [item(number) for number in range(6)]


def replies(right, of=10, text="Answer: 99"):
    return [Judged(text, True, float(i < right)) for i in range(of)]


def chosen(rates, **terms):
    settings = ChoiceSettings(**terms)
    return choose(settings, range(len(rates)), [replies(rate) for rate in rates], EXAMPLES, LastLine(), FORM)


def test_the_example_whose_rewards_vary_most_within_the_band_is_taken():
    found = chosen([0, 3, 5, 8, 5, 10])
    assert found.one == 2
    assert found.ranking == [2, 4, 1, 3, 0, 5]  # what lies outside the band comes last
    assert found.rates == {0: 0.0, 1: 0.3, 2: 0.5, 3: 0.8, 4: 0.5, 5: 1.0}


def test_a_named_example_is_taken_whatever_its_rate():
    found = chosen([0, 3, 5], row=1)
    assert (found.one, found.rates[0]) == (0, 0.0)
    assert 0 in candidates_of(ChoiceSettings(row=1, candidates=1), 6, seed=0)
    with pytest.raises(
        UserError, match=re.escape("choice.row is 7, and there are 6 examples; give a smaller number")
    ):
        candidates_of(ChoiceSettings(row=7), 6, seed=0)


@pytest.mark.parametrize(
    ("labelled", "terms", "one", "wrong"),
    [
        (True, {}, 1, "Answer: 99"),  # the first within the band to which the base gives a wrong answer
        (False, {}, 0, None),
        (True, {"row": 1}, 0, None),
        (True, {"wrong_label": "Answer: 7"}, 0, "Answer: 7"),
        (True, {"rates": (0.45, 0.5)}, 0, None),
    ],
)
def test_where_a_wrong_label_is_wanted_an_example_that_has_one_is_taken(labelled, terms, one, wrong):
    told = [replies(5, text="who knows"), replies(4), replies(3)]
    settings = ChoiceSettings(**terms)
    found = choose(settings, range(3), told, EXAMPLES, LastLine(), FORM, labelled=labelled)
    assert (found.one, found.wrong, found.ranking) == (one, wrong, [0, 1, 2])


def test_those_alike_have_the_nearest_rates():
    found = chosen([0, 3, 5, 8, 4, 10])
    assert found.one == 2
    assert found.alike(2) == [4, 1]
    assert found.best(3, 6, seed=0) == [2, 4, 1]


def test_more_examples_than_candidates_are_filled_up_at_random():
    found = choose(ChoiceSettings(), [1, 3], [replies(4), replies(5)], EXAMPLES, LastLine(), FORM)
    best = found.best(4, 6, seed=0)
    assert best[:2] == [3, 1]
    assert len(set(best)) == 4


def test_a_reply_without_a_reward_does_not_count():
    told = [Judged("Answer: 1", True, None), Judged("Answer: 1", True, 1.0), Judged("x", True, 0.0)]
    assert choose(ChoiceSettings(), [0], [told], EXAMPLES, LastLine(), FORM).rates == {0: 0.5}


LONG = "1 + 1 = 2\n2 + 1 = 4\nAnswer: 4"


@pytest.mark.parametrize(
    ("texts", "lines", "label"),
    [
        (["Answer: 5", "Answer: 6", "Answer: 6", "Answer: 3"], None, "Answer: 6"),
        ([LONG, LONG, "x\nAnswer: 5"], None, "Answer: 4"),
        ([LONG, LONG, "x\nAnswer: 4", "x\nAnswer: 5"], 2, "Answer: 5"),
        ([LONG], 2, "Answer: 4"),
        (["Answer: 3"], None, None),
    ],
)
def test_the_wrong_label_is_the_commonest_that_no_worked_reply_ends_in(texts, lines, label):
    told = [Judged(text, True, float(text.endswith("Answer: 3"))) for text in texts]
    assert wrong_label(told, "Answer: 3", LastLine(), lines) == label


def test_replies_that_are_cut_off_and_rewards_that_find_no_answer_give_no_label():
    assert wrong_label([Judged("Answer: 5", False, 0.0)], "Answer: 3", LastLine(), None) is None
    assert wrong_label([Judged("5", True, 0.0)], "3", Regex(), None) is None


def test_only_well_formed_replies_give_a_wrong_label():
    told = [Judged(text, True, 0.0) for text in ("I do not know.", "I do not know.", "Answer: 8")]
    assert choose(ChoiceSettings(), [0], [told], EXAMPLES, LastLine(), FORM).wrong == "Answer: 8"


@pytest.mark.parametrize(
    ("template", "question", "text"),
    [
        ("{question}", "Why?", "Why?"),
        ("Q: {question}\nA:", "Why?", "Q: Why?\nA:"),
        ("{question} Think.", "Why? Think.", "Why? Think."),
    ],
)
def test_a_question_in_a_template(template, question, text):
    assert asked(template, question) == text
