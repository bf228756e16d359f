"""Cautions: what may be wrong with a row that can be used."""

import pytest

from suffice.data.cautions import cautions
from suffice.data.rules import CUT_OFF

SENTENCES = "One comes after the other. Each of them ends as it should. " * 4


def found(answer, question="What comes next?", row=None, **more):
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer, **more}]
    return [(caution.rule.code, caution.message) for caution in cautions(row or {}, turns, frozenset())]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            SENTENCES + "Then there are some of the",
            "turn 2 stops in mid-sentence at 'as it should. Then there are some of the'",
        ),
        (SENTENCES + "The first, the second,", "turn 2 stops in mid-sentence at"),
        (SENTENCES * 3 + "And after all of that comes what nobody ever", "turn 2 stops in mid-sentence at"),
        ("Here it is:\n```python\nx = 1\n", "turn 2 ends within a block of code"),
    ],
)
def test_an_answer_that_is_cut_off(answer, message):
    ((code, told),) = found(answer)
    assert code == "W201"
    assert told.startswith(message[:40])


@pytest.mark.parametrize(
    "answer",
    [
        "4",
        "Paris",
        SENTENCES,
        SENTENCES + "So it is (as they say).",
        SENTENCES + 'He said: "It is over."',
        SENTENCES + "It is written here\n- a first point of the\n- a second point of the list and",
        SENTENCES + "And this is all there is about it, says Ann",  # people leave out the last full stop
        "```python\nx = 1\n```",
        SENTENCES * 4 + "Look at this and share it with all the others #words",
        SENTENCES * 4 + "All of it can be read again at https://example.org/a/page",
        SENTENCES * 4 + "\nC. Call for an end of it all, and for another method of work",
        SENTENCES * 4 + "\n1968: An act is passed that bans it in real estate transactions",
        SENTENCES * 4 + "They were in their order: Lyndon Johnson, Gerald Ford, Joe Biden",
        SENTENCES * 4 + "The program prints it and ends: print(sum(numbers) / len(numbers));",
        "word " * 200,  # no sentence anywhere
    ],
)
def test_an_answer_that_ends_as_its_author_ends_sentences(answer):
    assert "W201" not in dict(found(answer))


def test_a_row_that_says_its_length_ran_out():
    assert found("It is", row={"finish_reason": "length"}) == [
        ("W201", "the row's `finish_reason` is 'length'")
    ]


@pytest.mark.parametrize(
    ("question", "answer", "name"),
    [
        ("What is tea?", "Tea is 一种饮料 that is drunk.", "Chinese"),
        ("What is tea?", "Tea is напиток, a drink.", "Cyrillic"),
        ("Was ist Tee?", "お茶のこと", "Japanese"),
    ],
)
def test_an_answer_in_two_scripts(question, answer, name):
    ((code, message),) = found(answer, question)
    assert code == "W202"
    assert f"letters of {name}, and nothing before them does" in message


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Translate tea.", "Чай — это напиток."),
        ("How do you say tea in Chinese?", "一种饮料"),
        ("什么是茶?", "茶是一种饮料,也叫 tea."),
        ("お茶とは?", "茶是一种饮料"),
        ("What is an angle?", "It is β, δ or π; e ≈ 2.718; café."),
        ("Who is that?", "It is 王."),
    ],
)
def test_scripts_that_belong_there(question, answer):
    assert "W202" not in dict(found(answer, question))


@pytest.mark.parametrize("token", ["<|im_start|>", "[INST]", "</s>", "<<SYS>>", "<start_of_turn>"])
def test_marks_of_a_template(token):
    assert found(f"Sure. {token}user") == [("W204", f"turn 2 holds {token!r}")]
    assert found("a < b and [x] and <b>bold</b> and <|") == []


def test_an_answer_that_runs_in_circles():
    tail = "and then it goes on and on in the same way, "
    ((code, message),) = found("It begins. " + tail * 6)
    assert (code, "6 times" in message) == ("W205", True)
    assert "W205" not in dict(found(SENTENCES[:120] + "-" * 200))  # a rule is no loop


def test_marks_of_a_wrong_decoding():
    assert found("It\u00e2\u20ac\u2122s here.") == [("W206", "turn 2 holds 'â€™'")]
    assert found("It\ufffds here.") == [("W206", "turn 2 holds '\ufffd'")]
    assert found("Â is a letter, and Ã too; crème brûlée.") == []


def test_the_reward_of_an_agent():
    assert found("Done.", row={"traj": [], "reward": 0.0}) == [("W207", "the reward is 0")]
    assert found("Done.", row={"traj": [], "reward": 1.0}) == found("Done.", row={"reward": 0.0}) == []


def test_an_ignored_rule_is_not_looked_at():
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "```\nx"}]
    assert cautions({}, turns, frozenset()) != ()
    assert cautions({}, turns, frozenset({CUT_OFF})) == ()
