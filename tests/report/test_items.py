"""Wins and losses item by item: groups, counts, and the share of them on the page."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.report import render
from suffice.report.items import MOST, evenly, group_of, items, shared


@pytest.mark.parametrize(
    ("own", "other", "group"),
    [
        (1.0, 0.0, "won"),
        (0.0, 1.0, "lost"),
        (2 / 3, 0.0, "partly"),
        (1.0, 1 / 3, "partly"),
        (0.0, 0.2, "partly"),
        (0.5, 0.5, "same"),
        (0.0, 0.0, "same"),
        ((0.1 + 0.2) / 0.3, 0.3 - 0.1 - 0.2, "won"),  # a rounding away from 1 and from 0
    ],
)
def test_groups(make_pair, own, other, group):
    assert group_of(make_pair(own=own, other=other)) == group


@pytest.mark.parametrize("score", [float("nan"), 1.5, -1.0, 100.0])
def test_what_is_no_score_is_refused(make_pair, score):
    for scores in ({"own": score}, {"other": score}):
        with pytest.raises(
            ValueError, match=r"item 'item-0007' has the score .*; a score lies between 0 and 1"
        ):
            make_pair(7, **scores)


def test_counts_per_family_by_hand(make_report, make_pair):
    scores = [(1, 0), (0, 1), (0.5, 0), (1, 1), (1, 0), (0, 0), (1, 0), (0, 1)]
    pairs = [
        make_pair(number, *score, task="fact" if number < 5 else "list")
        for number, score in enumerate(scores)
    ]
    found = items(make_report(pairs=pairs, pairs_against="full"))
    assert list(found.families) == [("fact", 2, 1, 1, 1), ("list", 1, 1, 0, 1), ("all", 3, 2, 1, 2)]
    assert (found.total, found.differing, found.shown, found.kind) == (8, 6, 6, "full")
    assert found.title == (
        "selected-1000 is right on 3 items that full gets wrong, and wrong on 2 that it gets right; on 1 of 8 they "
        "differ in part."
    )


@settings(max_examples=300, derandomize=True)
@given(st.lists(st.integers(0, 400), min_size=3, max_size=3), st.integers(0, 500))
def test_small_groups_are_whole_and_large_ones_alike(sizes, most):
    taken = shared(sizes, most)
    assert sum(taken) == min(sum(sizes), most)
    cut = [count for count, size in zip(taken, sizes, strict=True) if count < size]
    assert all(count <= size for count, size in zip(taken, sizes, strict=True))
    assert not cut or max(cut) - min(cut) <= 1
    assert (
        not cut
        or max(taken) <= max(cut) + 1
        or all(count == size for count, size in zip(taken, sizes, strict=True) if count > max(cut))
    )


def test_shares_by_hand():
    assert shared([500, 20, 300], 200) == [90, 20, 90]
    assert shared([500, 0, 0], 200) == [200, 0, 0]
    assert shared([1, 2, 3], 200) == [1, 2, 3]


def test_items_shown_are_spread_evenly(make_pair):
    pairs = [make_pair(number) for number in range(10)]
    assert [pair.id for pair in evenly(pairs, 4)] == ["item-0000", "item-0002", "item-0005", "item-0007"]
    assert evenly(pairs, 10) == pairs
    assert evenly([], 0) == []


def test_a_page_holds_200_items_and_says_how_many_there_are(make_whole, make_pair):
    pairs = [make_pair(number, *((1.0, 0.0) if number % 3 else (0.0, 1.0))) for number in range(600)]
    page = render(make_whole(pairs=pairs))
    assert page.count('<article class="pair"') == MOST == 200
    assert "200 of the 600 items that differ are shown, spread evenly over the test." in page
    assert "All 600 items, with the reply of every run, are in outcomes.parquet" in page
    assert "selected-1000 right, full wrong: 400 items, 100 shown" in page
    assert "Different in part" not in page


def test_prompt_and_reference_stand_above_both_replies(make_whole, make_pair):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2 plus 4?"}]
    page = render(
        make_whole(pairs=[make_pair(2, 2 / 3, 0.0, messages=messages, own_reply="6.", other_reply="")])
    )
    item = page[
        page.index('<article class="pair"') : page.index("</article>", page.index('<article class="pair"'))
    ]
    text = re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", item)).strip()
    assert text == (
        "arith · item-0002 system Be brief. user What is 2 plus 4? reference 6 selected-1000 · score 67 % 6. "
        "full · score 0 % (says nothing)"
    )
    assert item.index("arm-selected") < item.index("arm-full")


def test_everything_is_there_without_the_script(make_whole):
    page = render(make_whole())
    bare = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert bare.count('<article class="pair"') == 4
    assert '<form id="filter" hidden' in bare  # the fields show only where the script can serve them
    assert not re.search(r"<article[^>]*hidden|<details[^>]*hidden", bare)
    for says in (
        "selected-1000 right, full wrong: 2 items",
        "selected-1000 wrong, full right: 1 item",
        "Different in part: 1 item",
    ):
        assert says in bare


def test_filter_offers_groups_and_families_and_knows_each_item(make_whole):
    page = render(make_whole())
    assert re.findall(r'<option value="(\w*)"', page) == ["", "won", "lost", "partly", ""]
    assert re.findall(r"<option>(\w+)</option>", page) == ["fact", "list", "arith"]
    assert re.findall(r'<details class="group" data-group="(\w+)"', page) == ["won", "lost", "partly"]
    assert re.findall(r'class="pair" data-family="(\w+)"', page) == ["fact", "fact", "list", "arith"]


def test_no_pairs_and_no_differences_are_said(make_whole, make_pair):
    assert "Replies were not compared item by item." in render(make_whole(pairs=[]))
    same = render(make_whole(pairs=[make_pair(0, 1.0, 1.0)]))
    assert "is right on 0 items that full gets wrong" in same
    assert "<script" not in same
    assert '<article class="pair"' not in same


def test_an_unknown_other_arm_is_still_named(make_whole):
    page = render(make_whole(pairs_against=""))
    assert "items that the other arm gets wrong" in page
