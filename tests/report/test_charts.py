"""Scales, marks and the numbers in words."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.report import charts, scales, words
from suffice.report.charts import Dot, Reference
from suffice.report.differences import differences
from suffice.report.figure import Figure
from suffice.report.figures import lengths, scores


@settings(max_examples=200, derandomize=True)
@given(
    st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), min_size=1, max_size=6), st.booleans()
)
def test_linear_axis_holds_its_values_and_ticks(values, rounded):
    scale = scales.linear(values, rounded=rounded)
    room = 1e-9 * max(1, *(abs(value) for value in values))
    assert scale.low <= min(values) + room
    assert scale.high >= max(values) - room
    assert 2 <= len(scale.ticks) <= 12
    assert all(scale.low - room <= value <= scale.high + room for value in scale.ticks)
    steps = {round(b - a, 6) for a, b in zip(scale.ticks, scale.ticks[1:], strict=False)}
    assert max(steps) - min(steps) < 1e-5


@pytest.mark.parametrize(
    ("values", "ends", "ticks"),
    [
        ([0.2, 97.0], (0, 100), (0, 20, 40, 60, 80, 100)),
        ([42.0, 47.5], (42, 48), (42, 43, 44, 45, 46, 47, 48)),
        ([50.0], (49, 51), (49, 49.5, 50, 50.5, 51)),
    ],
)
def test_linear_axis_by_hand(values, ends, ticks):
    scale = scales.linear(values, low=0, high=100)
    assert (scale.low, scale.high) == pytest.approx(ends)
    assert scale.ticks == pytest.approx(ticks)


def test_logarithmic_axis_puts_equal_ratios_at_equal_distances():
    scale = scales.logarithmic([1, 10, 1000])
    assert scale.ticks == (1, 10, 100, 1000)
    assert scale.share(10) == pytest.approx(1 / 3)
    assert scale.share(100) == pytest.approx(2 / 3)


def test_logarithmic_axis_of_few_decades_has_finer_ticks():
    assert scales.logarithmic([1, 46]).ticks == (1, 2, 5, 10, 20)
    assert scales.logarithmic([3, 8]).ticks == (3, 8)


def test_values_beyond_the_axis_stay_at_its_ends():
    scale = scales.linear([0, 10])
    assert scale.share(-5) == 0
    assert scale.share(50) == 1


@pytest.mark.parametrize("margin", [0.5, 2.0, 40.0])
def test_margin_and_zero_are_on_the_axis(make_report, margin):
    data = make_report()
    data.verdict["comparisons"][0]["margin"] = margin
    svg = str(differences(data).panels[0].svg)
    tree = ElementTree.fromstring(svg)
    lines = {part.get("class"): float(part.get("x1").rstrip("%")) for part in tree.iter("line")}
    assert scales.EDGE < lines["margin"] < lines["zero"] < 100 - scales.EDGE
    assert f"margin −{margin:g}" in svg


def test_a_mark_stands_where_its_value_is():
    scale = scales.linear([0, 100])
    svg = charts.dot_plot("k", "t", [Dot("a", "full", 50.0, 25.0, 75.0, "50")], scale, "percent")
    tree = ElementTree.fromstring(str(svg))
    interval = next(part for part in tree.iter("line") if part.get("class") == "interval")
    assert (interval.get("x1"), interval.get("x2")) == ("26.25%", "73.75%")
    assert next(part for part in tree.iter("svg") if part.get("class") == "place").get("x") == "50%"


def test_reference_labels_never_share_a_line():
    scale = scales.linear([0, 100])
    lines = [Reference(10.0, "one", "margin"), Reference(10.5, "two", "zero")]
    svg = charts.dot_plot("k", "t", [Dot("a", "full", 50.0, None, None, "50")], scale, "%", references=lines)
    tree = ElementTree.fromstring(str(svg))
    heights = [part.get("y") for part in tree.iter("text") if "reference" in part.get("class")]
    assert len(set(heights)) == 2


def test_kinds_differ_in_shape_or_fill_too():
    kinds = ("random", "longest", "another", "full", "selected")
    assert len({charts.shape(kind) for kind in kinds}) == len(kinds)
    assert charts.shape("base") == charts.shape("selected")  # hollow and filled


@pytest.mark.parametrize(
    ("counts", "edges", "expected"),
    [([1, 0, 1], [1, 2, 4, 8], 2), ([0, 4, 0], [1, 10, 1000, 2000], 100), ([0, 0, 2], [1, 2, 4, 9], 6)],
)
def test_median_by_hand(counts, edges, expected):
    assert charts.median(counts, edges) == pytest.approx(expected)


def test_histograms_share_one_scale(make_report):
    figure = lengths(make_report())
    heights = [
        max(float(bar) for bar in re.findall(r'height="([\d.]+)" class="bin"', str(panel.svg)))
        for panel in figure.panels
    ]
    peaks = [max(counts) / sum(counts) for counts in (make_report().lengths.values())]
    assert [height / max(heights) for height in heights] == pytest.approx(
        [peak / max(peaks) for peak in peaks], abs=1e-3
    )


@pytest.mark.parametrize(
    ("runs", "says"),
    [
        ([10.0, 20.0], "above the highest of 2 random draws (20.0\u00a0%)"),
        ([90.0, 95.0], "below the lowest of 2 random draws (90.0\u00a0%)"),
        ([70.0, 90.0], "within the range of 2 random draws (70.0 to 90.0\u00a0%)"),
    ],
)
def test_title_says_what_the_data_show(make_report, runs, says):
    from dataclasses import replace

    arms = [replace(arm, runs=runs) if arm.kind == "random" else arm for arm in make_report().arms]
    assert says in scores(make_report(arms=arms)).title


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.5, 3.0, "do better than the full pool"),
        (-1.0, 3.0, "are not worse than the full pool by more than 2 points"),
        (-9.0, -3.0, "do worse than the full pool"),
        (-3.0, 1.0, "may be worse than the full pool by more than the margin"),
        (None, None, "may be worse than the full pool by more than the margin"),
    ],
)
def test_difference_in_words(make_report, low, high, says):
    data = make_report()
    data.verdict["comparisons"][0] |= {"low": low, "high": high}
    assert says in differences(data).title


def test_csv_does_not_carry_formulas():
    csv = Figure("k", "t", columns=["a", "b"], rows=[["=1+1", -2.5]]).csv
    assert csv == "data:text/csv;charset=utf-8,a%2Cb%0A%27%3D1%2B1%2C-2.5%0A"


@pytest.mark.parametrize(
    ("value", "says"),
    [(-1.25, "−1.2"), (0.04, "0.0"), (-0.04, "0.0"), (1234.56, "1,234.6"), (None, "unknown")],
)
def test_numbers(value, says):
    assert words.number(value) == says


@pytest.mark.parametrize(("value", "says"), [(1.26, "+1.3"), (-1.26, "−1.3"), (0.01, "0.0"), (10.0, "+10.0")])
def test_differences_have_a_sign(value, says):
    assert words.signed(value) == says


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (3.21, "3.2\u00a0s"),
        (340, "340\u00a0s"),
        (900, "15\u00a0min"),
        (9000, "2.5\u00a0h"),
        (None, "unknown"),
    ],
)
def test_durations(value, says):
    assert words.seconds(value) == says


def test_large_numbers():
    assert words.large(2.13e13, "FLOP") == "21.3\u00a0TFLOP"
    assert words.large(500.0, "B") == "500\u00a0B"


def test_long_labels_are_cut_and_whole_on_hover():
    name = "rival-with-a-name-that-is-long · 3 runs"
    scale = scales.linear([0, 100])
    svg = charts.dot_plot("k", "t", [Dot(name, "judge", 50.0, None, None, "50")], scale, "percent")
    group = ElementTree.fromstring(str(svg)).find("g")
    assert group.find("text").text == "rival-with-a-name-that-…"
    assert group.find("title").text == f"{name}: 50"
