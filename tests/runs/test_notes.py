"""What the report says of a run's own limits."""

import pytest

from suffice.runs.notes import _empty_margin


@pytest.mark.parametrize(("score", "warned"), [(0.0, True), (2.0, True), (2.1, False), (90.0, False)])
def test_a_yardstick_within_the_margin_is_warned_of(score, warned):
    arms = [{"kind": "base", "score": 0.0}, {"kind": "random", "score": score}]
    words = _empty_margin("random", 2.0, arms)
    assert bool(words) == warned
    if warned:
        assert words.startswith(
            f"The yardstick (random) scores {score:.1f} %, no more than the margin of 2 points"
        )
