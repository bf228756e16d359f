"""Critiques: what counts as a conclusion, what is kept and what is not, and on which rows arms are trained."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.common.errors import UserError
from suffice.data.rules import RowError
from suffice.data.target import TargetItem
from suffice.models import load_model
from suffice.rewards.judge import Judge
from suffice.rewards.match import Exact
from suffice.runs.critique.arms import Problem, runs_of, shuffled
from suffice.runs.critique.critiques import Critique, Written, conclude, filtered, read_critiques
from suffice.runs.critique.recipe import INSTRUCTION, CritiqueRecipe
from suffice.training.rows import encode_rows


def item(number):
    prompt = ({"role": "user", "content": f"How much is {{solution}} {number}?"},)
    return TargetItem(f"e-{number}", prompt, str(number), "all", "test", str(number))


ITEMS = [item(3), item(4)]
PLACES = {"e-3": 0, "e-4": 1}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It holds.\nConclusion: right", ("It holds.\nConclusion: right", True)),
        ("Step 2 fails.\n\nConclusion: wrong [END]\n", ("Step 2 fails.\nConclusion: wrong", False)),
        ("No.\n**Conclusion: Wrong.**", ("No.\nConclusion: wrong", False)),
        ("No.\n**Conclusion:** wrong", ("No.\nConclusion: wrong", False)),
        ("Yes. conclusion: RIGHT [end]", ("Yes.\nConclusion: right", True)),
        ("Conclusion: right\nOn second thought no.\nConclusion: wrong", ("Conclusion: right\nOn second thought no.\nConclusion: wrong", False)),
        ("It holds.\nConclusion: right/wrong [END]", "C101 no-conclusion"),
        ("It holds.\nConclusion: right or wrong, who knows", "C101 no-conclusion"),
        ("It holds.\nThe solution is right.", "C101 no-conclusion"),
        ("It holds.\nConclusion: not right", "C101 no-conclusion"),
        ("Conclusion: right\nand more", "C101 no-conclusion"),
        ("**Conclusion: right**", "C103 no-critique"),
        ("", "C101 no-conclusion"),
    ],
)  # fmt: skip
def test_the_conclusion_is_the_last_thing_said(text, found):
    if isinstance(found, str):
        with pytest.raises(RowError) as caught:
            conclude(text)
        assert str(caught.value.rule) == found
    else:
        assert conclude(text) == found


PIECES = [
    "It holds",
    "conclusion",
    "Conclusion",
    ":",
    " ",
    "\n",
    "right",
    "wrong",
    "**",
    ".",
    "[END]",
    "/",
    "x" * 300,
]


@given(
    st.lists(st.sampled_from(PIECES), max_size=9),
    st.sampled_from(["", "\nConclusion: wrong", "**Conclusion:**right."]),
)
def test_what_concludes_ends_in_one_of_two_lines_and_concludes_the_same_again(pieces, end):
    text = "".join(pieces) + end
    try:
        ended, right = conclude(text)
    except RowError:
        return
    assert ended.endswith("\nConclusion: right" if right else "\nConclusion: wrong")
    assert conclude(ended) == (ended, right)


def written(solution, text, right=None, place=0):
    return Written(place, solution, text, right, "file", 1)


class Unsure(Exact):
    """Cannot tell what '?' is worth."""

    def __call__(self, rollout):
        if rollout.reply == "?":
            raise ValueError
        return super().__call__(rollout)


def test_a_critique_is_kept_where_it_concludes_as_the_checked_answer_does():
    given = [
        written("3", "It is 3.\nConclusion: right"),
        written("3", "It is 2.\nConclusion: wrong"),  # false
        written("2", "It is 3.\nConclusion: wrong [END]"),
        written("2", "It is 3.\n**Conclusion: wrong**"),  # says the same
        written("2", "Fine.\nConclusion: right", right=True),  # the file knows better
        written("?", "Fine.\nConclusion: right"),  # no reward
        written("3", "It is 4.\nConclusion: wrong", place=1),  # of another example, where 3 is wrong
    ]
    with Judge(Unsure()) as judge:
        found = filtered(given, ITEMS, judge)
    assert found.kept == {
        0: [
            Critique("3", "It is 3.\nConclusion: right", True),
            Critique("2", "It is 3.\nConclusion: wrong", False),
            Critique("2", "Fine.\nConclusion: right", True),
        ],
        1: [Critique("3", "It is 4.\nConclusion: wrong", False)],
    }
    assert [row.rule for row in found.rejected] == ["C102 false-conclusion", "C105 copy", "C104 not-told"]
    assert found.rejected[0].message == "the critique concludes otherwise, and the solution is right"


def test_bad_rows_of_a_file_are_rejected_and_the_rest_is_read(tmp_path):
    file = tmp_path / "critiques.jsonl"
    good = {"example": "e-3", "solution": " 2 ", "critique": "No.\nConclusion: wrong", "right": False}
    bad = [
        {"solution": "2"}, {"critique": "x"}, {"solution": 2, "critique": "x"}, {"solution": " ", "critique": "x"},
        good | {"right": "no"}, good | {"right": 1}, good | {"example": "e-9"}, good | {"example": [1]}, [], "text",
    ]  # fmt: skip
    lines = [json.dumps(row) for row in bad] + [
        "{",
        '{"solution": "\\ud800", "critique": "x"}',
        json.dumps(good),
    ]
    file.write_text("\n".join(lines))
    read, rejected = read_critiques(str(file), PLACES, row=0)
    assert [(one.place, one.solution, one.right, one.line) for one in read] == [(0, "2", False, 13)]
    assert [row.line for row in rejected] == list(range(1, 13))
    assert {row.line: row.rule for row in rejected if row.line in (5, 7, 9, 11)} == {
        5: "E107 bad-content",
        7: "C106 unknown-example",
        9: "E114 not-an-object",
        11: "E100 not-json",
    }
    assert rejected[6].message == "the example 'e-9' is not known"


def test_a_row_of_no_example_needs_a_named_one(tmp_path):
    file = tmp_path / "critiques.jsonl"
    file.write_text('{"solution": "2", "critique": "No."}\n')
    assert read_critiques(str(file), PLACES, row=1)[0][0].place == 1
    text = f"{file}, line 1: the row does not say of which example it is; give choice.row, or the field `example`"
    with pytest.raises(UserError, match=f"^{re.escape(text)}$"):
        read_critiques(str(file), PLACES, row=None)


CRITIQUES = [
    Critique(solution, f"{solution} is {said}.\nConclusion: {said}", said == "right")
    for solution, said in [("3", "right"), ("3.0", "right"), ("5", "wrong"), ("6", "wrong"), ("6", "wrong")]
]


def recipe(**design):
    fields = {"kind": "critique", "examples": "", "target": "", "critiques": {"file": "x"}, "design": design}
    return CritiqueRecipe.model_validate(fields)


def test_what_the_trainer_sees(tiny_model_folder):
    runs = runs_of(
        recipe(seeds=2), "Q: {question}", Problem(ITEMS[0], CRITIQUES), Problem(ITEMS[1], CRITIQUES[3:4])
    )
    assert [(run.arm, run.index, len(run.rows), run.steps) for run in runs] == [
        ("base", 0, 0, 0), ("template", 0, 0, 0), ("critique", 0, 5, 50), ("critique", 1, 5, 50),
        ("solutions", 0, 2, 50), ("solutions", 1, 2, 50), ("shuffled", 0, 5, 50), ("shuffled", 1, 5, 50),
        ("critique-other", 0, 1, 50), ("critique-other", 1, 1, 50),
    ]  # fmt: skip
    rows = {run.arm: [tuple(turn["content"] for turn in row.messages) for row in run.rows] for run in runs}
    assert rows["critique"][0] == (
        INSTRUCTION.replace("{solution}", "3").replace("{question}", "How much is {solution} 3?"),
        "3 is right.\nConclusion: right",
    )
    assert rows["solutions"] == [
        ("Q: How much is {solution} 3?", "3"),
        ("Q: How much is {solution} 3?", "3.0"),
    ]
    assert "{solution} 4?" in rows["critique-other"][0][0]
    model = load_model(tiny_model_folder, device="cpu")
    encoded = encode_rows(model, runs[2].rows, model.window)
    trained = [token for token in encoded.labels[0] if token != -100]
    assert model.tokenizer.decode(trained) == "3 is right.\nConclusion: right<|end|>"


def test_shuffled_critiques_stand_beside_other_solutions():
    for seed in range(20):
        found = shuffled(CRITIQUES, seed)
        assert all(solution != one.solution for solution, one in zip(found, CRITIQUES, strict=True))
        assert sorted(found) == sorted(one.solution for one in CRITIQUES)
    with pytest.raises(
        UserError, match="2 of 3 critiques are of one solution, and the arm shuffled pairs each"
    ):
        shuffled(CRITIQUES[2:], 0)


@pytest.mark.parametrize(
    ("critiques", "text"),
    [
        (CRITIQUES[2:], "no criticised solution of the example 'e-3' is right, for the arm solutions; add some, or leave it out of design.arms"),
        (CRITIQUES, "there are no critiques of another example for the arm critique-other; add some, or leave it out of design.arms"),
    ],
)  # fmt: skip
def test_arms_without_rows_are_refused(critiques, text):
    arms = ["base", "template", "critique", "solutions", "critique-other"]
    with pytest.raises(UserError, match=f"^{re.escape(text)}$"):
        runs_of(recipe(arms=arms), "{question}", Problem(ITEMS[0], critiques), None)
