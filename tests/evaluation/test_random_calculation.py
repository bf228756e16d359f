"""Calculations without end, and their values against Python's own."""

import re
from fractions import Fraction

import pytest

from suffice.evaluation.random_calculation import random_calculations


@pytest.mark.parametrize("steps", [1, 5, 9])
def test_the_values_are_right(steps):
    items = random_calculations(60, seed=3, steps=steps)
    for item in items:
        expression = item.cluster
        assert re.fullmatch(r"[\d+*/() -]+", expression)
        assert len(re.findall(r" [-+*/] ", expression)) == steps
        value = eval(re.sub(r"\d+", r"Fraction(\g<0>)", expression), {"Fraction": Fraction})
        assert item.answer == str(value)
        assert item.messages[0]["content"] == f"Compute the exact value of {expression} step by step."
    assert len({item.cluster for item in items}) == len({item.id for item in items}) == 60


def test_a_seed_gives_the_same_and_fewer_are_a_part_of_more():
    assert random_calculations(5, 1) == random_calculations(9, 1)[:5]
    assert random_calculations(5, 1) != random_calculations(5, 2)
