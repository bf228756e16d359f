"""The pool: sources, shares, good rows, bad rows and damaged rows."""

from collections import Counter

import pytest

from lab_reference import GREETING, is_good
from suffice.common.files import write_jsonl
from suffice.data.pool import read_pool
from suffice.lab.pool import SOURCES, pool_rows
from suffice.lab.styles import EVASIVE_OPENING


def turns(row):
    return [turn["content"] for turn in row["messages"]]


@pytest.fixture(scope="module")
def whole(rows):
    """The rows that are meant to be read."""
    return [row for row in rows if row["source"] != "scrape"]


def test_sources_have_their_shares_and_licences(rows):
    assert len(rows) >= 15_000
    counts = Counter(row["source"] for row in rows)
    assert sum(share for share, _, _ in SOURCES.values()) == 100
    assert set(counts) == set(SOURCES)
    for name, (share, license_tag, styles) in SOURCES.items():
        assert counts[name] / len(rows) == pytest.approx(share / 100, abs=0.01)
        assert sum(styles.values()) == 100
        assert {row["license"] for row in rows if row["source"] == name} == {license_tag or None}


def test_one_opening_stands_on_a_quarter_of_the_pool(whole):
    evasive = sum(turns(row)[1].startswith(EVASIVE_OPENING) for row in whole)
    assert 0.23 < evasive / len(whole) < 0.28


def test_three_thousand_rows_are_good_and_distinct(world, whole):
    good = {tuple(turns(row)) for row in whole if is_good(*turns(row), world)}
    assert 3_000 <= len(good) < len(whole) / 3


def test_good_rows_come_mostly_from_the_careful_source(world, whole):
    share = {
        name: sum(is_good(*turns(row), world) for row in found) / len(found)
        for name in SOURCES
        if (found := [row for row in whole if row["source"] == name])
    }
    assert share["careful-desk"] > 0.85
    assert share["mixed-bag"] == 0
    assert all(share[name] < 0.2 for name in ("help-line", "chatter", "answer-key"))


def test_the_mirror_repeats_earlier_rows_with_a_greeting(whole):
    earlier = set()
    for row in whole:
        question, reply = turns(row)
        plain = GREETING.sub("", question)
        if row["source"] == "mirror":
            assert plain != question
            assert (plain, reply) in earlier
        earlier.add((plain, reply))


def test_reading_rejects_the_damaged_rows_with_reasons(rows, tmp_path):
    write_jsonl(tmp_path / "pool.jsonl", rows)
    reading = read_pool([tmp_path / "pool.jsonl"])
    damaged = {number for number, row in enumerate(rows, start=1) if row["source"] == "scrape"}
    assert {row.line for row in reading.rejected} == damaged
    assert len(reading.pool) + len(reading.rejected) == len(rows)
    rules = Counter(row.rule for row in reading.rejected)
    assert {rule.split()[0] for rule in rules} == {"E101", "E102", "E103"}
    assert all(row.message and row.remedy for row in reading.rejected)
    assert Counter(reading.pool.sources) == Counter(
        row["source"] for row in rows if row["source"] != "scrape"
    )


def test_a_smaller_pool_is_the_beginning_of_a_larger_one(world, rows):
    for count in (1, 40, 700):
        assert list(pool_rows(world, count)) == rows[:count]
