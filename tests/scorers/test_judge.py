"""What AlpaGasus's judge is asked, and how its replies are read; asking itself is in test_endpoint.py."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.scorers.judge import read_rating


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4.5\nThe response is helpful.", 4.5),
        ("\n\n 0 \n", 0),
        ("5", 5),
        ("5.0", 5),
        ("Score: 3.5", 3.5),
        ("score: 4\n\nBecause.", 4),
        ("Scores: 4", 4),
        ("**4**", 4),
        ("**Score:** 2.25", 2.25),
        ("4/5", 4),
        ("4.5 / 5.0", 4.5),
        ("3 out of 5.", 3),
        ("4.", 4),
    ],
)
def test_ratings(text, value):
    assert read_rating(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "6",
        "5.5",
        "-1",
        "10",
        "4 3",
        "4-5",
        "four",
        "The score is 4",
        "4/10",
        "I\n4",
        "1e0",
        "٣",
        "NaN",
    ],
)
def test_replies_that_are_no_rating(text):
    with pytest.raises(ValueError, match=r"^the reply's first line is no score from 0 to 5$"):
        read_rating(text)


@given(st.text())
def test_any_text_is_a_rating_or_is_refused(text):
    with suppress(ValueError):
        assert 0 <= read_rating(text) <= 5
