"""How far selections choose the same rows."""

from __future__ import annotations

import json
from itertools import combinations
from math import comb
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.cli.main import run
from suffice.common.errors import UserError
from suffice.report.overlap import overlap_figure, sentence
from suffice.report.standalone import standalone
from suffice.runs.overlap import compare, overlap
from tiny_run import pool_rows, write_rows

SETS = st.dictionaries(
    st.sampled_from("abcd"), st.sets(st.sampled_from("0123456789"), min_size=1), min_size=2, max_size=4
)


@settings(max_examples=60)
@given(SETS)
def test_against_plain_sets(chosen):
    found = compare(chosen, 10)
    assert found.rows == {name: len(rows) for name, rows in chosen.items()}
    assert found.union == len(set().union(*chosen.values()))
    for pair, (a, b) in zip(found.pairs, combinations(chosen, 2), strict=True):
        one, other = chosen[a], chosen[b]
        assert (pair.a, pair.b, pair.shared) == (a, b, len(one & other))
        assert pair.jaccard == len(one & other) / len(one | other)
        assert pair.overlap == len(one & other) / min(len(one), len(other))
        assert pair.chance == pytest.approx(len(one) * len(other) / 10)
    for names, count in found.regions:
        inside = set.intersection(*(chosen[name] for name in names))
        outside = set().union(*(rows for name, rows in chosen.items() if name not in names))
        assert count == len(inside - outside) > 0


def test_chance_is_that_of_a_draw_without_replacement():
    [pair] = compare({"a": set("012"), "b": set("2345")}, 10).pairs
    share = [comb(3, k) * comb(7, 4 - k) / comb(10, 4) for k in range(4)]
    below = [sum(share[: k + 1]) for k in range(4)]
    assert pair.low == next(k for k in range(4) if below[k] >= 0.025)
    assert pair.high == next(k for k in range(4) if below[k] >= 0.975)


@given(SETS, st.sampled_from([None, 40]))
@settings(max_examples=15)
def test_the_figure_holds_for_any(chosen, pool):
    found = compare(chosen, pool).as_json()
    drawn = ElementTree.fromstring(standalone(overlap_figure(found)))
    texts = " ".join(part.text or "" for part in drawn.iter())
    assert sentence(found) in texts
    assert ("by chance" in texts) == (pool is not None)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_rows(Path("pool.jsonl"), pool_rows(20))
    for name, scorer, budget in (("long", "length", 4), ("lucky", "random", 6)):
        words = [
            "--pool",
            "pool.jsonl",
            "--scorer",
            scorer,
            "--budget",
            str(budget),
            "--out",
            name,
            "--quiet",
        ]
        assert run(["select", *words]) == 0


def test_a_command_draws_and_tells(folders, capsys):
    assert run(["overlap", "long", "other=lucky", "--out", "o.svg"]) == 0
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines()[:-2])) <= 80
    assert "Figure: o.svg" in told
    assert ElementTree.parse("o.svg").getroot().tag.endswith("svg")
    assert run(["overlap", "long", "other=lucky", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found["selections"]] == ["long", "other"]
    assert found["pool"] == 20
    [pair] = found["pairs"]
    assert pair["chance"] == pytest.approx(4 * 6 / 20)
    assert sentence(found) in told


def test_files_and_other_pools_have_no_chance(folders):
    assert overlap(["long", "lucky/selection.jsonl"]).pool is None
    Path("bare.jsonl").write_text(
        "".join(json.dumps({"messages": row["messages"]}) + "\n" for row in pool_rows(20)[:3])
    )
    found = overlap(["long", "bare.jsonl"])
    assert found.rows == {"long": 4, "bare": 3}
    whole = overlap(["all=pool.jsonl", "long"])  # rows without an id are told by their content
    assert whole.pairs[0].shared == 4


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        (["long"], "1 of 2 to 6 selections are given; name folders or files"),
        (["long", "long"], "two selections are called 'long'; name them: NAME=DIR"),
        (["long", "nix"], "no selection file nix; check the path"),
        (["long", "empty.jsonl"], "empty.jsonl chooses no row; give another selection"),
    ],
)
def test_mistakes(folders, paths, text):
    Path("empty.jsonl").touch()
    with pytest.raises(UserError) as caught:
        overlap(paths)
    assert str(caught.value) == text
