from __future__ import annotations

import math

import pytest

from made_data import chat, make_example
from suffice.scorers.exchanges import Exchange, exchanges, of_row


def test_one_for_each_turn_of_the_user_that_is_answered():
    call = {"type": "function", "function": {"name": "add", "arguments": {"a": 1}}}
    turns = (
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "2"},
        {"role": "assistant", "content": "Two."},
        {"role": "user", "content": "And?"},
        {"role": "assistant", "content": "Three."},
        {"role": "user", "content": "Still there?"},
    )
    first, second = exchanges(make_example(turns, 1))
    said = '\n[{"type": "function", "function": {"name": "add", "arguments": {"a": 1}}}]'
    assert first == Exchange("One?", f"{said}\nTwo.", "system: Be brief.")
    assert second == Exchange(
        "And?",
        "Three.",
        f"system: Be brief.\n\nuser: One?\n\nassistant: {said}\n\ntool: 2\n\nassistant: Two.",
    )


def test_a_row_without_an_answer_has_none():
    assert exchanges(make_example(chat("One?", " \n"), 1)) == []
    assert exchanges(make_example(({"role": "assistant", "content": "Hello"},), 1)) == []


@pytest.mark.parametrize(
    ("values", "lengths", "turns", "expected"),
    [
        ([4.0], [10], "sum", 4.0),
        ([4.0], [10], "per_token", 4.0),
        ([2.0, 5.0], [30, 10], "sum", 7.0),
        ([2.0, 5.0], [30, 10], "per_token", 2.75),  # (2 * 30 + 5 * 10) / 40
        ([2.0, math.nan], [30, 10], "sum", math.nan),
        ([2.0, math.nan], [30, 10], "per_token", math.nan),
        ([], [], "sum", math.nan),
        ([], [], "per_token", math.nan),
    ],
)
def test_the_score_of_a_row(values, lengths, turns, expected):
    assert of_row(values, lengths, turns) == pytest.approx(expected, nan_ok=True)


def test_one_form_rewards_length_and_the_other_does_not():
    short, long = ([3.0], [20]), ([3.0] * 5, [20] * 5)
    assert of_row(*long, "sum") == 5 * of_row(*short, "sum")
    assert of_row(*long, "per_token") == of_row(*short, "per_token")
