"""How far runs lie apart: where they are drawn, and what is told apart."""

from __future__ import annotations

from statistics import mean
from xml.etree import ElementTree

import pytest

from suffice.report import Spread, render, words
from suffice.report.spread import explained, spread


def test_runs_stand_at_their_distance_from_the_mean_of_their_arm(make_whole):
    data = make_whole()
    figure = spread(data)
    tree = ElementTree.fromstring(str(figure.panels[0].svg))
    groups = {part.get("class"): part for part in tree.iter("g")}
    assert list(groups) == ["arm-random", "arm-selected", "arm-full"]  # the order of every figure
    zero = next(
        float(part.get("x1").rstrip("%")) for part in tree.iter("line") if part.get("class") == "zero"
    )
    bar = groups["arm-random"].find("rect")
    left, width = (float(bar.get(name).rstrip("%")) for name in ("x", "width"))
    assert left + width / 2 == pytest.approx(zero, abs=0.02)
    unit = width / 2 / 2.66  # percent of the width for a point
    runs = data.arm("random").runs
    places = [float(part.get("cx").rstrip("%")) for part in groups["arm-random"].findall("circle")]
    assert places == pytest.approx([zero + unit * (run - mean(runs)) for run in runs], abs=0.03)


def test_draw_and_seed_are_told_apart_where_known_and_it_is_said(make_whole):
    figure = spread(make_whole())
    tree = ElementTree.fromstring(str(figure.panels[0].svg))
    values = [part.text for part in tree.iter("text") if part.get("class") == "value end"]
    assert values == ["SD 2.7: draw 2.1, seed 1.6", "SD 0.8, seed alone", "SD 0.9, seed alone"]
    assert figure.title == (
        "The standard deviation of one run is 2.7 points for random-1000, 0.8 points for selected-1000 and 0.9 points "
        "for full."
    )
    assert figure.panels[0].heading == "runs: random-1000 5, selected-1000 3, full 3"
    together = make_whole(spreads=[Spread("random-1000", "random", 2.66, None, None, "Summed.")])
    assert "SD 2.7, draw and seed" in str(spread(together).panels[0].svg)


def test_sentences_are_said_once(make_whole):
    assert explained(make_whole()) == [
        ("full and selected-1000", "The rows are the same in every run."),
        ("random-1000", "Two seeds on two draws tell the two apart."),
    ]
    assert "<li><strong>random-1000.</strong> Two seeds on two draws tell the two apart.</li>" in render(
        make_whole()
    )


def test_unknown_spreads_are_said(make_whole):
    one = [Spread("elsewhere", "judge", None, None, None, "")]
    figure = spread(make_whole(spreads=one))
    assert figure.title == "No arm has runs enough to tell how much they vary."
    assert "SD unknown" in str(figure.panels[0].svg)
    assert figure.rows == [("elsewhere", None, None, None, 0, "")]
    none = spread(make_whole(spreads=[]))
    assert (none.panels, none.title) == ((), "How far the runs of an arm lie apart was not recorded.")


@pytest.mark.parametrize(
    ("probability", "says"),
    [
        (0.0, "less than 0.1\u00a0%"),
        (0.0009, "less than 0.1\u00a0%"),
        (0.004, "0.4\u00a0%"),
        (0.37, "37\u00a0%"),
        (0.994, "99.4\u00a0%"),
        (0.9992, "more than 99.9\u00a0%"),
        (1.0, "more than 99.9\u00a0%"),
    ],
)
def test_probability_of_a_new_draw(make_whole, probability, says):
    sentence = f"One new draw would beat the chosen rows with a probability of {says}."
    assert words.new_draw(probability) == sentence
    page = render(make_whole(new_draw=probability))
    assert f"over the mean of 5 random draws. {sentence}" in page  # beside the comparison
    assert f"The comparison with random rows is over the mean of the draws. {sentence}" in page


@pytest.mark.parametrize("probability", [float("nan"), -0.1, 3.7])
def test_what_is_no_probability_is_refused(probability):
    with pytest.raises(ValueError, match="a probability lies between 0 and 1, not at"):
        words.new_draw(probability)


def test_without_a_probability_nothing_is_claimed(make_whole):
    assert "One new draw" not in render(make_whole(new_draw=None))
