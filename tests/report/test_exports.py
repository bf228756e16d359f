"""Files for papers: figures that stand alone, and tables as they are to be read."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.report import ArmRow, ReportData, charts, scales, stylesheet, write_exports
from suffice.report.charts import Dot
from suffice.report.figure import Figure, Panel
from suffice.report.page import FIGURES
from suffice.report.standalone import standalone
from suffice.report.tables import escaped, latex, markdown, plain, tables

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"line", "rect", "circle", "path", "text", "polyline", "polygon"}


def small(**changes):
    fields = {
        "title": "t",
        "subtitle": "",
        "created": "",
        "command": "",
        "verdict": {
            "comparisons": [
                {"against": "full", "kind": "non-inferiority", "difference": -0.5, "low": -1.5, "high": 0.5, "margin": 2.0},
                {"against": "random", "kind": "superiority", "difference": 9.0, "low": None, "high": None, "margin": 0.0},
            ]
        },
        "arms": [
            ArmRow("full", "full", 15204, 79.0, 76.5, 81.5, [78.0, 80.0], 300, epochs=0.27, steps=128),
            ArmRow("a_b|50%", "selected", 1000, 78.5, None, None, [78.5], 300, epochs=4.0, steps=1280),
            ArmRow("base", "base", 0, 0.2, 0.0, 0.5, [0.2], 300),
        ],
        "costs": {},
        "new_draw": 0.25,
    }  # fmt: skip
    return ReportData(**fields | changes)


def test_markdown_of_a_small_case():
    assert markdown(tables(small())) == (
        "Scores in percent with 95\u00a0% intervals over items and runs; n = 300 test items.\n"
        "\n"
        "| arm | rows | steps | epochs | runs | score | 95\u00a0% interval |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| base | – | – | – | 1 | 0.2 | [0.0,\u00a00.5] |\n"
        "| a\\_b\\|50% | 1,000 | 1,280 | 4.00 | 1 | 78.5 | none |\n"
        "| full | 15,204 | 128 | 0.27 | 2 | 79.0 | [76.5,\u00a081.5] |\n"
        "\n"
        "The selected arm minus each other, in percentage points; n = 300 test items. Random stands for the mean of its "
        "draws. One new draw would beat the chosen rows with a probability of 25\u00a0%.\n"
        "\n"
        "| minus | claim | margin | difference | 95\u00a0% interval |\n"
        "| --- | --- | ---: | ---: | ---: |\n"
        "| full | non-inferiority | 2 | −0.5 | [−1.5,\u00a00.5] |\n"
        "| random | superiority | 0 | +9.0 | none |\n"
    )


def test_latex_of_a_small_case():
    data = small(verdict={"comparisons": []}, level=90.0)
    assert (
        latex(tables(data))
        == r"""% \usepackage{booktabs}
\begin{table}
\centering
\caption{Scores in percent with 90~\% intervals over items and runs; n = 300 test items.}
\begin{tabular}{lrrrrrr}
\toprule
arm & rows & steps & epochs & runs & score & 90~\% interval \\
\midrule
base & -- & -- & -- & 1 & 0.2 & [0.0,~0.5] \\
a\_b\textbar{}50\% & 1,000 & 1,280 & 4.00 & 1 & 78.5 & none \\
full & 15,204 & 128 & 0.27 & 2 & 79.0 & [76.5,~81.5] \\
\bottomrule
\end{tabular}
\end{table}
"""
    )


def test_latex_of_differences():
    lines = latex(tables(small())).splitlines()
    assert r"\begin{tabular}{llrrr}" in lines
    assert r"full & non-inferiority & 2 & $-$0.5 & [$-$1.5,~0.5] \\" in lines
    assert r"random & superiority & 0 & +9.0 & none \\" in lines


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (
            r"50% of $x_1 & #2 {a} ~ ^ \end",
            r"50\% of \$x\_1 \& \#2 \{a\} \textasciitilde{} \textasciicircum{} \textbackslash{}end",
        ),
        ('<b> | "q"', r"\textless{}b\textgreater{} \textbar{} \textquotedbl{}q\textquotedbl{}"),
        ("two\nlines\tand a\u00a0gap", "two lines and a~gap"),
    ],
)
def test_latex_specials(text, written):
    assert escaped(text) == written


def test_a_row_that_begins_like_an_argument_is_guarded():
    data = small(arms=[replace(small().arms[0], name=name) for name in ("[2cm]", "*star")], verdict={})
    lines = latex(tables(data)).splitlines()
    assert any(line.startswith("{}[2cm] &") for line in lines)
    assert any(line.startswith("{}*star &") for line in lines)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a|b", r"a\|b"),
        ("[x](http://y) ![i](j)", r"[x\](http://y) ![i\](j)"),
        ("<script>*_`~#", r"\<script\>\*\_\`\~\#"),
        ("a\nb", "a b"),
        ("[1.0, 2.0]", "[1.0, 2.0]"),
    ],
)
def test_markdown_specials(text, written):
    assert plain(text) == written


@settings(max_examples=200, derandomize=True)
@given(st.text(max_size=40))
def test_no_name_breaks_a_table(name):
    found = tables(small(arms=[replace(small().arms[0], name=name)], verdict={}))
    written = markdown(found)
    assert written.encode("utf-8")
    rows = written.splitlines()[2:]
    assert [len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows] == [8, 8, 8]
    row = next(line for line in latex(found).splitlines() if "15,204" in line)
    assert len(re.findall(r"(?<!\\)&", row)) == 6
    assert not re.search(r"(?<!\\)[%#]", row)
    assert row.endswith(r" \\")


def test_figures_stand_alone(make_whole):
    data = make_whole()
    figures = [draw(data) for draw in FIGURES]
    assert len(figures) == 8
    for figure in figures:
        text = standalone(figure)
        tree = ElementTree.fromstring(text)
        parts = list(tree.iter())
        assert tree.tag == f"{SVG}svg"
        assert tree.find(f"{SVG}title").text == figure.title
        assert not [part for part in parts if "class" in part.attrib or "id" in part.attrib]
        unstyled = [
            part.tag for part in parts if part.tag.removeprefix(SVG) in DRAWN and "style" not in part.attrib
        ]
        assert unstyled == []
        assert "var(" not in text
        assert "%" not in "".join(value for part in parts for value in part.attrib.values())
        assert "url(" not in text
        assert [part for part in parts if part.tag == f"{SVG}svg"] == [tree]  # no drawing inside a drawing
        page = tree.find(f"{SVG}rect")
        assert page.get("style") == "fill:#ffffff"
        assert (page.get("width"), page.get("height")) == (tree.get("width"), tree.get("height"))


def test_every_class_of_a_drawing_has_a_rule(make_whole):
    from suffice.report.page import asset

    known = {part for rule in stylesheet.rules(asset("figure.css")) for part in rule.selector}
    only_names = {"value", "place", "arm-base"}  # they take everything from their element
    used = {
        name
        for draw in FIGURES
        for panel in draw(make_whole()).panels
        for part in ElementTree.fromstring(str(panel.svg)).iter()
        for name in (part.get("class") or "").split()
    }
    assert {name for name in used - only_names if f".{name}" not in known} == set()


def test_places_become_pixels_and_arms_keep_their_colours():
    scale = scales.linear([0, 100])
    svg = charts.dot_plot("k", "t", [Dot("a", "selected", 50.0, 25.0, 75.0, "50")], scale, "percent")
    tree = ElementTree.fromstring(standalone(Figure("k", "A title.", [Panel("", svg)])))
    interval = next(part for part in tree.iter(f"{SVG}line") if "2.25" in part.get("style"))
    assert (interval.get("x1"), interval.get("x2")) == ("189", "531")  # 26.25 % and 73.75 % of 720
    assert interval.get("style") == "stroke:#0072b2;stroke-width:2.25"
    mark = next(part for part in tree.iter(f"{SVG}path"))
    assert mark.get("style") == "fill:#0072b2;stroke:#0072b2;stroke-width:2"
    assert "translate(360 32)" in [part.get("transform") for part in tree.iter(f"{SVG}g")]


def test_stretched_lines_become_pixels(make_report):
    figure = next(draw(make_report()) for draw in FIGURES if draw.__name__ == "losses")
    tree = ElementTree.fromstring(standalone(figure))
    points = [
        tuple(map(float, point.split(",")))
        for point in next(tree.iter(f"{SVG}polyline")).get("points").split()
    ]
    width = (720 - 36) / 2 * (100 - scales.EDGE - charts.GUTTER) / 100
    assert points[-1][0] == pytest.approx(width, abs=0.05)
    assert 0 < points[-1][1] < 110
    assert len(tree.findall(f"{SVG}g")) == 4  # two by two panels
    places = [part.get("transform") for part in tree.findall(f"{SVG}g")]
    assert len({re.search(r"\((\S+) ", place).group(1) for place in places}) == 2


def test_rules_fit_elements_inside_their_selectors():
    sheet = stylesheet.rules("/* {no} */ svg .a, b { x: 1; y: var(--c) } .p .a { x: 2; }")
    assert [rule.selector for rule in sheet] == [("svg", ".a"), ("b",), (".p", ".a")]
    inside = [frozenset({"svg"}), frozenset({"g", ".p"}), frozenset({"path", ".a"})]
    assert [rule.fits(inside) for rule in sheet] == [True, False, True]
    assert [rule.fits(inside[2:]) for rule in sheet] == [False, False, False]
    assert stylesheet.resolved(sheet[0].properties, {"--c": "red"}) == {"x": "1", "y": "red"}
    with pytest.raises(KeyError):
        stylesheet.resolved(sheet[0].properties, {})


def test_light_variables_are_the_first():
    assert stylesheet.variables(":root {\n --a: #fff; --b: 1;\n}\n@media x { :root { --a: #000; } }") == {
        "--a": "#fff",
        "--b": "1",
    }


def test_files_are_written_whole_and_alike(make_whole, tmp_path):
    found = write_exports(make_whole(), tmp_path / "figures")
    names = ["differences", "scores", "curve", "families", "spread", "costs", "lengths", "losses"]
    assert [path.name for path in found] == [*(f"{name}.svg" for name in names), "arms.md", "arms.tex"]
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == sorted(
        path.name for path in found
    )
    before = [path.read_bytes() for path in found]
    write_exports(make_whole(), tmp_path / "figures")
    assert [path.read_bytes() for path in found] == before


def test_what_is_missing_has_no_file(tmp_path):
    assert write_exports(small(arms=[], verdict={}), tmp_path) == []


def test_hostile_names_stay_text(make_whole, tmp_path):
    nasty = '</svg><script>alert(1)</script>" & \ud800\x00'
    data = make_whole()
    arms = [replace(arm, name=nasty + arm.kind) for arm in data.arms]
    curve = replace(
        data.curve, sentence=nasty, points=[replace(point, method=nasty) for point in data.curve.points]
    )
    spreads = [replace(one, name=nasty + one.kind, sentence=nasty) for one in data.spreads]
    for path in write_exports(replace(data, arms=arms, curve=curve, spreads=spreads), tmp_path):
        if path.suffix == ".svg":
            tree = ElementTree.fromstring(path.read_text(encoding="utf-8"))
            assert not [part for part in tree.iter() if part.tag.endswith("script")]
