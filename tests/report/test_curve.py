"""The budget curve: where its parts stand, and what it says."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.report import CurvePoint, plane
from suffice.report.curve import curve
from suffice.report.plane import BASE, BOTTOM, LEFT, START, TOP


def drawn(data):
    figure = curve(data)
    return figure, ElementTree.fromstring(str(figure.panels[0].svg))


def classed(tree, class_):
    return [part for part in tree.iter() if class_ in (part.get("class") or "").split()]


def percent(text):
    return float(text.rstrip("%"))


def group(tree, kind):
    return next(part for part in classed(tree, f"arm-{kind}") if part.tag == "g" and classed(part, "mark"))


def test_title_is_the_sentence_and_every_point_is_in_the_data(make_report, make_curve):
    figure, _ = drawn(make_report(curve=make_curve()))
    assert figure.title == "200 rows are too few, 1,000 are enough; 500 is open."
    assert len(figure.rows) == len(make_curve().points) + 1
    assert figure.rows[0] == ("base", 0, 0.2, None, None, None, "")
    assert ("embedding", 500, 74.8, 72.3, 77.3, 2, "73.8 75.8") in [tuple(row) for row in figure.rows]


def test_equal_ratios_of_rows_stand_equally_far_apart_and_the_base_apart(make_report, make_curve):
    _, tree = drawn(make_report(curve=make_curve()))
    x = [percent(part.get("x")) for part in classed(group(tree, "selected"), "place")]
    assert x[1] - x[0] == pytest.approx(x[3] - x[2], abs=0.02)  # 100 to 200, and 500 to 1000
    base = classed(group(tree, "base"), "place")[0]
    assert (percent(base.get("x")), min(x) > START) == (BASE, True)


def test_a_point_and_its_interval_stand_at_their_scores(make_report, make_curve):
    points = [CurvePoint("embedding", "selected", 100, 50.0, 25.0, 75.0, [50.0])]
    held = make_curve(points=points, base=0.0, yardstick_score=100.0, margin=10.0, refuted=100, shown=None)
    _, tree = drawn(make_report(curve=held))
    height = BOTTOM - TOP
    assert float(classed(tree, "level")[0].get("y1")) == TOP
    assert float(classed(tree, "margin")[0].get("y1")) == pytest.approx(TOP + height / 10)
    interval = classed(tree, "interval")[0]
    ends = [float(interval.get(name)) for name in ("y1", "y2")]
    assert ends == pytest.approx([TOP + height * 3 / 4, TOP + height / 4])
    assert float(classed(group(tree, "selected"), "place")[0].get("y")) == pytest.approx(TOP + height / 2)


def test_random_is_a_band_over_its_draws_and_other_methods_are_joined(make_report, make_curve):
    _, tree = drawn(make_report(curve=make_curve()))
    ribbon = classed(tree, "ribbon")
    assert len(ribbon) == 1
    corners = [tuple(map(float, point.split(","))) for point in ribbon[0].get("points").split()]
    assert len(corners) == 6
    assert corners[0][1] == pytest.approx(100 - 9.0)  # the higher draw at 100 rows, on an axis from 0 to 100
    assert corners[-1][1] == pytest.approx(100 - 7.0)
    assert len(classed(group(tree, "random"), "run")) == 6
    assert classed(group(tree, "random"), "join") == []
    assert len(classed(group(tree, "selected"), "join")) == 4


def test_random_at_one_budget_is_a_bar_and_one_draw_is_said(make_report, make_curve):
    own = CurvePoint("embedding", "selected", 100, 50.0, 45.0, 55.0, [50.0])
    two = CurvePoint("random", "random", 100, 20.0, 10.0, 30.0, [18.0, 22.0])
    one = CurvePoint("random", "random", 100, 20.0, None, None, [20.0])
    _, tree = drawn(make_report(curve=make_curve(points=[own, two])))
    assert len(classed(tree, "ribbon-bar")) == 1
    figure, tree = drawn(make_report(curve=make_curve(points=[own, one])))
    assert classed(tree, "ribbon-bar") == []
    assert "There is no band: one random draw was run at each budget." in figure.note
    assert "a single run leaves the interval unknown" in figure.note


def test_brackets_end_where_budgets_stand(make_report, make_curve):
    _, tree = drawn(make_report(curve=make_curve()))
    marks = dict(zip((100, 200, 500, 1000, 2000), classed(group(tree, "selected"), "place"), strict=True))
    assert classed(tree, "refuted")[0].get("x2") == marks[200].get("x")
    assert classed(tree, "shown")[0].get("x1") == marks[1000].get("x")
    said = [part.text for part in classed(tree, "reference")]
    assert {
        "refuted up to 200",
        "shown enough from 1,000",
        "full 78.9\u00a0%, margin −2: 76.9\u00a0%",
    } == set(said)


def test_what_is_missing_is_said(make_report, make_curve):
    held = make_curve(refuted=None, shown=None, yardstick_score=None, base=None)
    figure, tree = drawn(make_report(curve=held))
    said = [part.text for part in classed(tree, "reference")]
    assert said == ["no budget refuted", "no budget shown enough"]
    for class_ in ("refuted", "shown", "cap", "level", "margin", "arm-base"):
        assert classed(tree, class_) == []
    assert "base" not in figure.note
    assert figure.rows[0][0] != "base"
    none = curve(make_report())
    assert (none.panels, none.title) == (
        (),
        "One budget was run, so there is no curve of scores over budgets.",
    )


def test_marks_differ_in_shape_and_methods_are_named(make_report, make_curve):
    _, tree = drawn(make_report(curve=make_curve()))
    kinds = ("base", "random", "longest", "selected", "full")
    shapes = {kind: classed(group(tree, kind), "mark")[0].get("d") for kind in kinds}
    assert shapes.pop("base") == shapes["selected"]  # hollow and filled
    assert len(set(shapes.values())) == 4
    labels = [part.text for part in classed(tree, "label")]
    assert labels == ["base", "embedding", "random", "longest"]


def test_a_point_without_rows_is_refused():
    with pytest.raises(ValueError, match="a point of the budget curve has 0 rows; the base is given apart"):
        CurvePoint("embedding", "selected", 0, 50.0, None, None)


@settings(max_examples=200, derandomize=True)
@given(
    st.lists(st.integers(1, 10**7), min_size=1, max_size=12), st.none() | st.integers(1, 10**8), st.booleans()
)
def test_budgets_stay_on_the_axis_and_their_labels_apart(rows, whole, broken):
    scale = plane.budgets(rows, whole, broken=broken)
    assert set(scale.ticks) == {float(value) for value in [*rows, *([whole] if whole else [])]}
    assert scale.low < min(scale.ticks)
    assert scale.high > max(scale.ticks)
    # The largest budget leaves room for labels, unless the pool is what stands at the end.
    assert scale.share(max(rows)) <= plane.LAST + 1e-9
    placed = plane.lanes(scale)
    assert placed[0] == (min(scale.ticks), 0)
    for lane in range(plane.LANES):
        places = [scale.at(value) for value, row in placed if row == lane]
        assert all(b - a >= plane.APART - 1e-9 for a, b in pairwise(places))
    assert all(LEFT <= scale.at(value) <= 100 for value in scale.ticks)


@settings(max_examples=200, derandomize=True)
@given(st.lists(st.floats(0, 240), max_size=10))
def test_labels_keep_their_order_and_a_gap(heights):
    moved = plane.spaced(heights, 16.0, 0.0, 240.0)
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    assert all(moved[b] - moved[a] >= 16 - 1e-6 for a, b in pairwise(order))
    assert all(-1e-6 <= value <= 240 + 1e-6 for value in moved)


def test_axis_ends_where_labels_have_room_or_with_the_pool():
    assert plane.budgets([100, 1000], None, broken=True).share(1000) == pytest.approx(plane.LAST)
    assert plane.budgets([100, 1000], 15204, broken=True).high == pytest.approx(15204 * 1.05)


def test_labels_that_have_room_stay():
    assert plane.spaced([100.0, 20.0, 60.0], 16.0, 0.0, 240.0) == [100.0, 20.0, 60.0]
    assert plane.spaced([50.0, 48.0], 16.0, 0.0, 240.0) == [64.0, 48.0]
    assert plane.spaced([239.0, 240.0], 16.0, 0.0, 240.0) == [224.0, 240.0]


def test_a_smooth_line_takes_the_place_of_the_thin_ones(make_report, make_curve):
    line = [(100.0, 20.0), (300.0, 60.0), (1000.0, 70.0)]
    figure, tree = drawn(make_report(curve=make_curve(smooth={"embedding": line, "random": []})))
    (smooth,) = classed(tree, "smooth")
    assert smooth in list(group(tree, "selected").iter())
    assert classed(group(tree, "selected"), "join") == []
    corners = [tuple(map(float, point.split(","))) for point in smooth.get("points").split()]
    marks = classed(group(tree, "selected"), "place")
    assert corners[0] == (pytest.approx(percent(marks[0].get("x")), abs=0.01), 80.0)
    assert "A dashed curve is a monotone cubic interpolation of the means, for the eye alone" in figure.note
    assert "dashed curve" not in drawn(make_report(curve=make_curve()))[0].note
