"""The lab's critic against problems whose right and wrong replies are known."""

import pytest

from suffice.common.draws import Draws
from suffice.lab.critic import critique, read_terms
from suffice.lab.families import STEPWISE, draw_problem, steps
from suffice.lab.world import build_world
from suffice.runs.critique.critiques import conclude

SUM = "Compute 15 + 7 - 4."


def test_a_slip_is_named_and_what_is_right_follows():
    assert critique(
        question=SUM, solution="15 + 7 = 23\n23 - 4 = 19\nAnswer: 19", answer=""
    ).splitlines() == [
        "15 + 7 = 23: wrong, the step is 15 + 7 = 22",
        "23 - 4 = 19: wrong, the step is 22 - 4 = 18",
        "Answer: 19: wrong, the answer is 18",
        "Rightly:",
        "15 + 7 = 22",
        "22 - 4 = 18",
        "Answer: 18",
        "Conclusion: wrong",
    ]


@pytest.mark.parametrize(
    ("solution", "right"),
    [
        ("Here we go.\n15 + 7 = 22\n22 - 4 = 18\nAnswer: 18", True),
        ("15 + 7 - 4 = 18\nAnswer: 18", True),
        ("15 + 7 - 4 = 18", False),  # no answer line
        ("15 + 7 = 23\n23 - 4 = 18\nAnswer: 18", False),  # right by luck
        ("15 + 7 = 22\n22 - 4 = 18\n18 + 1 = 19\nAnswer: 18", False),
        ("It depends on many things.", False),
        ("", False),
    ],
)
def test_a_solution_is_right_where_all_of_it_is(solution, right):
    assert conclude(critique(question=SUM, solution=solution, answer=""))[1] == right


@pytest.mark.parametrize("family", STEPWISE)
def test_replies_of_the_families_are_told_apart(family):
    world, draws = build_world(), Draws(0, "critic")
    for _ in range(50):
        problem = draw_problem(world, family, draws)
        assert steps.total(read_terms(problem.question)) == int(problem.value)
        for solution, right in (
            (problem.good(0), True),
            (problem.mistaken(1), False),
            (problem.broken(0), False),
        ):
            text = critique(question=problem.question, solution=solution, answer=problem.answer)
            assert conclude(text)[1] == right


def test_another_family_is_refused():
    with pytest.raises(ValueError, match="no problem of running sums"):
        critique(question="Who was born in 1871?", solution="Ada", answer="Ada")
