"""Looks by item in a family of comparisons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof.compare.family import Question, compare
from suffice.proof.compare.looks import ItemLook, item_look
from suffice.proof.design.sequential import item_looks

PLANNED = (100, 200, 400)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.floats(1e-10, 0.999), st.sampled_from(PLANNED), st.floats(0.0005, 0.4))
def test_a_repeated_p_is_at_most_alpha_just_where_p_passes_the_level_of_the_look(p, items, alpha):
    look = ItemLook(PLANNED, items)
    level = item_looks(PLANNED, alpha).nominal_alpha[PLANNED.index(items)]
    if abs(p - level) > 1e-6 * level:
        assert (look.repeated(p) <= alpha) == (p <= level)


def test_one_look_is_no_look():
    look = ItemLook((50,), 50)
    assert look.level(0.05) == 0.05
    assert look.repeated(0.03) == pytest.approx(0.03)


def test_levels_rise_with_alpha():
    for items in PLANNED:
        levels = np.array([ItemLook(PLANNED, items).level(alpha) for alpha in np.geomspace(1e-6, 0.499, 40)])
        assert (np.diff(levels[levels > 1e-12]) > 0).all()  # below it no look is judged
        assert (np.diff(levels) >= 0).all()


def alone(count):
    return [f"item-{place}" for place in range(count)]


def right(count, items=200):
    return [float(place < count) for place in range(items)]


def ask(scores, items=200, **more):
    return Question(scores, alone(items), **more)


def test_the_verdict_is_at_the_level_of_the_look():
    # Six items for b alone: McNemar's p is 2 / 64 = 0.031, shown when judged once and not at a first look of two.
    question = ask({"a": right(100), "b": right(106)})
    [once] = compare([question])
    [early] = compare([question], looks=[200, 400])
    [late] = compare([question], looks=[100, 200])
    assert [one.verdict for one in (once, early, late)] == ["superior", "inconclusive", "superior"]
    assert early.level == pytest.approx(1 - 0.00305, abs=2e-5)
    assert late.level == pytest.approx(1 - 0.0490, abs=1e-4)
    assert once.p == early.p == late.p == pytest.approx(2 / 64)
    assert early.p_adjusted > 0.05 >= late.p_adjusted > late.p
    assert early.notes == (
        (
            "This is look 1 of 2, at 200 of 400 items: one claim is judged at a level of 99.69 %, so that all looks "
            "together keep alpha at 0.05. The items must come in an order that does not depend on the scores."
        ),
    )
    assert early.difference.low < once.difference.low


def test_holm_on_repeated_p_values_is_holm_with_the_looks_own_levels():
    scores = {"a": right(80)} | {f"b{more}": right(80 + more) for more in (5, 9, 12, 15, 20)}
    found = compare([ask(scores)], looks=PLANNED)
    ordered = sorted(found, key=lambda one: one.p)
    going = True
    for place, one in enumerate(ordered):
        level = item_looks(PLANNED, 0.05 / (len(ordered) - place)).nominal_alpha[1]
        going = going and one.p <= level
        assert (one.p_adjusted <= 0.05) == going == (one.verdict == "superior")
    assert 0 < sum(one.verdict == "superior" for one in found) < 5


def test_equivalence_has_an_equal_share_over_all_looks():
    question = ask({"a": right(100), "b": right(101)})
    [once] = compare([question], margin=0.03)
    [look] = compare([question], margin=0.03, looks=PLANNED)
    assert (once.verdict, look.verdict) == ("equivalent", "inconclusive")


def test_looks_together_keep_alpha():
    """Equal models, looked at after 60, 120 and 240 items, by McNemar's exact p: the share of studies that err."""
    studies, planned = 20_000, (60, 120, 240)
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2, (2, studies, 240))
    wrong, naive = np.zeros(studies, dtype=bool), np.zeros(studies, dtype=bool)
    for items in planned:
        wins, losses = ((one[:, :items] > other[:, :items]).sum(axis=1) for one, other in ((a, b), (b, a)))
        p = np.minimum(1, 2 * stats.binom.cdf(np.minimum(wins, losses), wins + losses, 0.5))
        wrong |= p <= ItemLook(planned, items).level(0.05)
        naive |= p <= 0.05
    assert wrong.mean() <= 0.05
    assert naive.mean() > 0.07


@pytest.mark.parametrize(
    ("questions", "looks", "text"),
    [
        (
            [ask({"a": right(90), "b": right(99)})],
            [100, 300],
            (
                "there are 200 items, and looks are at 100, 300; judge at a planned number of items, or name the numbers "
                "at which you really looked, this one and the last planned included"
            ),
        ),
        (
            [ask({"a": right(90), "b": right(99)})],
            [50, 150],
            "there are 200 items and the last planned look was at 150; judge by the last look, or plan a new study",
        ),
        (
            [ask({"a": right(90), "b": right(99)}), ask({"a": right(9, 20), "b": right(8, 20)}, 20)],
            [100, 200],
            "the tasks have 20, 200 items, and looks are planned for one number; name one with --task",
        ),
        (
            [ask({"a": right(90), "b": [right(90), right(99), right(98)]})],
            [100, 200],
            (
                "looks by item are for two fixed models, one run each, with scores by item; leave out --looks; a run is "
                "looked at after batches of runs by suffice run --looks"
            ),
        ),
        (
            [Question({"a": [1.0, 2, 3], "b": [2.0, 3, 5]}, None)],
            [100, 200],
            (
                "looks by item are for two fixed models, one run each, with scores by item; leave out --looks; a run is "
                "looked at after batches of runs by suffice run --looks"
            ),
        ),
    ],
)
def test_looks_that_do_not_fit(questions, looks, text):
    with pytest.raises(UserError) as caught:
        compare(questions, looks=looks)
    assert str(caught.value) == text


def test_clusters_are_what_is_counted():
    look = item_look([5, 10], [5], 1)
    assert look.items == 5
    clusters = [str(place // 20) for place in range(200)]
    rng = np.random.default_rng(1)
    question = ask({"a": rng.random(200), "b": rng.random(200)}, clusters=clusters)
    [found] = compare([question], looks=[5, 10])
    assert found.notes[-1].startswith("This is look 2 of 2, at 10 of 10 items")
