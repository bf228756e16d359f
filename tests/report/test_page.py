"""The page as a whole: well-formed, self-contained, escaped, and in words where something is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages import drawings, loads_nothing, read
from suffice.report import (
    ArmRow,
    BudgetCurve,
    ChosenRow,
    CurvePoint,
    FamilyScore,
    ItemPair,
    ReportData,
    Spread,
    render,
)


@pytest.mark.parametrize("made", ["make_report", "make_whole"])
def test_page_is_balanced_and_ids_are_unique(made, request):
    reader = read(render(request.getfixturevalue(made)()))
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_drawing_is_xml_with_text_alternatives(make_report):
    found = drawings(render(make_report()))
    assert len(found) == 2 + 1 + 4 + 4 + 1 + 4
    for key, tree in found.items():
        assert tree.get("role") == "img"
        assert tree.get("aria-labelledby") == f"{key}-title {key}-desc"
        assert tree.find("title").text
        assert tree.find("desc").text


@pytest.mark.parametrize(("made", "scripts"), [("make_report", 0), ("make_whole", 1)])
def test_page_loads_nothing_and_runs_at_most_its_filter(made, scripts, request):
    tags = loads_nothing(render(request.getfixturevalue(made)()))
    assert [attributes for tag, attributes in tags if tag == "script"] == [{}] * scripts


def test_every_drawing_of_a_whole_report_is_xml(make_whole):
    found = drawings(render(make_whole()))
    assert {"curve-all", "spread-all"} < set(found)
    assert len(found) == 2 + 1 + 1 + 4 + 1 + 4 + 1 + 4


def test_verdict_comes_first_and_in_words(make_report):
    page = render(make_report())
    assert "<h1>Enough</h1>" in page
    order = [page.index(part) for part in ("<h1>", "are enough (80.1", "What to do next", "<figure")]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("outcome", "yardstick", "says"),
    [
        ("sufficient", "full", "Enough"),
        ("sufficient", "base", "Better than no training"),
        ("not sufficient", "full", "Not enough"),
        ("inconclusive", "full", "Cannot tell yet"),
    ],
)
def test_headline(make_report, outcome, yardstick, says):
    data = make_report()
    page = render(replace(data, verdict=data.verdict | {"outcome": outcome, "yardstick": yardstick}))
    assert f"<h1>{says}</h1>" in page


def test_every_arm_has_its_class_and_place_in_every_figure_of_arms(make_report):
    kinds = ["base", "random", "longest", "selected", "full"]
    found = drawings(render(make_report(arms=make_report().arms[::-1])))
    for key in ("scores-all", "families-0", "families-1", "families-2", "families-3"):
        groups = [group.get("class") for group in found[key].iter("g")]
        assert groups == [f"arm-{kind}" for kind in kinds]
    losses = [found[f"losses-{index}"].find("g").get("class") for index in range(4)]
    assert losses == [f"arm-{kind}" for kind in kinds[1:]]


def test_random_is_a_band_with_its_draws(make_report):
    tree = drawings(render(make_report()))["scores-all"]
    classes = [part.get("class") for part in tree.iter()]
    assert classes.count("band") == 1
    assert classes.count("run") == 5
    random = next(group for group in tree.iter("g") if group.get("class") == "arm-random")
    assert "interval" not in [part.get("class") for part in random.iter()]


def test_numbers_have_interval_and_n_beside_them(make_report):
    page = render(make_report())
    assert "selected-1000 scores 80.1\u00a0% [77.8,\u00a082.4]" in page
    assert "+1.2 [−0.4,\u00a02.8]" in page
    assert "n = 1,200 items; runs: selected 3, base 1, random 5" in page
    assert "fact · n = 300 items" in page


def test_data_behind_each_figure_is_in_the_file(make_report):
    tags = read(render(make_report())).tags
    names = [attributes["download"] for tag, attributes in tags if tag == "a"]
    assert names == [
        f"{key}.csv" for key in ("differences", "scores", "families", "losses", "costs", "lengths")
    ]


def test_missing_arms_are_said(make_report):
    data = make_report()
    arms = [arm for arm in data.arms if arm.kind in ("base", "selected")]
    verdict = data.verdict | {"selector": "cannot tell", "comparisons": data.verdict["comparisons"][1:2]}
    page = render(replace(data, arms=arms, verdict=verdict))
    read(page)
    assert "no random rows were trained on" in page
    assert "no random draws were run beside it" in page
    assert "There is no band" in page
    assert 'class="band"' not in page


def test_unknown_intervals_are_said(make_report):
    data = make_report()
    arms = [
        replace(
            arm,
            runs=arm.runs[:1],
            low=None,
            high=None,
            families={name: replace(score, low=None, high=None) for name, score in arm.families.items()},
        )
        for arm in data.arms
    ]
    comparisons = [row | {"low": None, "high": None} for row in data.verdict["comparisons"]]
    page = render(replace(data, arms=arms, verdict=data.verdict | {"comparisons": comparisons}))
    read(page)
    assert "80.1\u00a0% (no interval)" in page
    assert "a single run leaves the interval unknown" in page
    assert 'class="interval"' not in page
    assert "may be worse than the full pool by more than the margin" in page


def test_report_of_almost_nothing_says_what_is_missing(make_report):
    page = render(
        make_report(
            subtitle="",
            created="",
            command="",
            arms=[],
            verdict={"outcome": "inconclusive", "sentence": "Cannot tell."},
            costs={},
            chosen=[],
            rejected=[],
            rules={},
            lengths={},
            length_edges=[],
            notes=[],
            manifest={},
        )
    )
    read(page)
    for says in (
        "Nothing was compared",
        "No arm was evaluated",
        "fewer than two task families",
        "One budget was run",
        "Replies were not compared",
        "How far the runs of an arm lie apart was not recorded",
        "No times were recorded",
        "Learning curves were not recorded",
        "Lengths of answers were not recorded",
        "No chosen row was given",
        "No row was rejected",
        "Nothing was noted as left out",
        "No manifest was given",
    ):
        assert says in page
    assert drawings(page) == {}


def test_ten_rows_are_shown_as_conversations_and_long_ones_are_folded(make_report):
    long = ChosenRow("0" * 16, [{"role": "assistant", "content": "word " * 400}], "long", None, "it is long")
    data = make_report()
    page = render(replace(data, chosen=[long, *data.chosen]))
    assert page.count('<article class="chosen">') == 10
    assert page.count('<li>\n    <p class="place">') == 10
    assert "10 rows of the 1,000 chosen" in page
    assert "10 rows of the 156 rejected" in page
    assert "All 2,000 characters" in page
    assert page.count("word word") >= 2


def test_tool_calls_read_as_calls(make_report):
    call = {"function": {"name": "look_up", "arguments": {"name": "Ada"}}}
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "name": "look_up", "content": "baker"},
    ]
    page = render(make_report(chosen=[ChosenRow("1", messages, "s", None, "r")]))
    assert "calls look_up({&#34;name&#34;: &#34;Ada&#34;})" in page
    assert "tool · look_up" in page


def test_manifest_is_there_whole(make_report):
    data = make_report()
    text = "".join(read(render(data)).text)
    start = text.index('{\n  "counts"')
    assert json.JSONDecoder().raw_decode(text[start:])[0] == data.manifest


NASTY = st.text(max_size=30).map(
    lambda text: f'<b id="x">{text}</b><script>alert(1)</script>\' " & \ud800\x00'
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(NASTY, min_size=6, max_size=6))
def test_nothing_from_outside_is_markup(texts):
    message, reason, source, name, rule, note = (f"{place}{text}" for place, text in enumerate(texts))
    arm = ArmRow(name, name, 10, 50.0, 40.0, 60.0, [50.0], 20, {name: FamilyScore(50.0, 40.0, 60.0, 20), rule: FamilyScore(1.0, None, None, 3)}, 1.0, 2, 3.0, 4e9, [[(1, 2.0), (2, 1.0)]])  # fmt: skip
    page = render(
        ReportData(
            title=note,
            subtitle=message,
            created=note,
            command=reason,
            verdict={
                "outcome": note,
                "yardstick": name,
                "selector": rule,
                "sentence": message,
                "comparisons": [
                    {"against": name, "kind": "superiority", "difference": 1.0, "low": -1.0, "high": 3.0, "margin": 0.0}
                ],
            },
            arms=[arm, replace(arm, kind="selected")],
            costs={"train_seconds": 3.0},
            chosen=[ChosenRow(message, [{"role": source, "content": message, "name": name}], source, note, reason)],
            rejected=[{"file": source, "line": 1, "rule": rule, "message": message, "remedy": note, "row": None}],
            rules={rule: 1},
            lengths={"pool": [1, 2], name: [2, 1]},
            length_edges=[1.0, 2.0, 3.0],
            length_unit=source,
            notes=[note],
            manifest={name: message, "counts": {rule: 3}, "versions": {note: reason}},
            curve=BudgetCurve([CurvePoint(name, rule, 10, 50.0, 40.0, 60.0, [50.0])], 1.0, 2.0, 60.0, 10, None, note, name),
            pairs=[ItemPair(reason, rule, [{"role": name, "content": message}], source, 1.0, 0.0, message, note)],
            pairs_against=name,
            spreads=[Spread(name, rule, 1.0, None, 1.0, reason)],
        )
    )  # fmt: skip
    reader = read(page)
    tags = [tag for tag, _ in reader.tags]
    assert tags.count("script") == 1  # our own
    assert "b" not in tags
    assert not [attributes for _, attributes in reader.tags if attributes.get("id") == "x"]
    assert page.count("<script") == 1
    assert page.encode("utf-8")
    assert len(drawings(page)) == 1 + 1 + 1 + 2 + 1 + 2 + 1 + 2


def test_report_needs_no_torch():
    code = "import sys, suffice.report; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
