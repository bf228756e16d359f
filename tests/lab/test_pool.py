"""The pools: sources, shares, good rows, bad rows and damaged rows."""

from collections import Counter

import pytest

from lab_reference import GREETING, asked_by, is_good
from suffice.common.files import write_jsonl
from suffice.data.pool import read_pool
from suffice.lab.families import FAMILIES
from suffice.lab.pool import POOLS, good_rows, pool_rows
from suffice.lab.problem import NEW_WORDING
from suffice.lab.styles import EVASIVE_OPENING


def turns(row):
    return [turn["content"] for turn in row["messages"]]


def whole(rows):
    """Returns the rows that are meant to be read."""
    return [row for row in rows if row["source"] != "scrape"]


def good_shares(rows, good):
    """Returns the share of good rows by source."""
    counts, found = Counter(row["source"] for row in rows), Counter(row["source"] for row in good)
    return {source: found[source] / count for source, count in counts.items()}


@pytest.fixture(scope="module")
def pools(rows, hard_rows):
    return {"plain": rows, "hard": hard_rows}


@pytest.fixture(scope="module")
def good(pools, world):
    """The good rows of each pool."""
    return {name: [row for row in whole(rows) if is_good(*turns(row), world)] for name, rows in pools.items()}


@pytest.mark.parametrize("name", POOLS)
def test_sources_have_their_shares_and_licences(pools, name):
    rows, sources = pools[name], POOLS[name]
    assert len(rows) >= 15_000
    counts = Counter(row["source"] for row in rows)
    assert sum(share for share, _, _ in sources.values()) == 100
    assert set(counts) == set(sources)
    for source, (share, license_tag, styles) in sources.items():
        assert counts[source] / len(rows) == pytest.approx(share / 100, abs=0.01)
        assert sum(styles.values()) == 100
        assert {row["license"] for row in rows if row["source"] == source} == {license_tag or None}


def test_one_opening_stands_on_a_quarter_of_the_plain_pool(rows):
    evasive = sum(turns(row)[1].startswith(EVASIVE_OPENING) for row in whole(rows))
    assert 0.23 < evasive / len(whole(rows)) < 0.28


@pytest.mark.parametrize("name", POOLS)
def test_three_thousand_rows_are_good_and_distinct(world, pools, good, name):
    distinct = {tuple(turns(row)) for row in good[name]}
    assert 3_000 <= len(distinct) < len(pools[name]) / 2.5
    families = Counter(asked_by(question, world).family for question, _ in distinct)
    assert set(families) == set(FAMILIES)
    assert min(families.values()) > 200


def test_good_rows_of_the_plain_pool_come_mostly_from_the_careful_source(rows, good):
    share = good_shares(whole(rows), good["plain"])
    assert share.pop("careful-desk") == pytest.approx(0.98, abs=0.02)
    assert share.pop("mixed-bag") == 0
    assert 0.15 < share.pop("mirror") < 0.4
    assert all(0.05 < good < 0.2 for good in share.values())


def test_rows_of_the_hard_pool_all_have_the_good_form_and_are_good_by_source(hard_rows, good):
    assert all("\nAnswer: " in turns(row)[1] for row in whole(hard_rows))
    share = good_shares(whole(hard_rows), good["hard"])
    assert share == {
        "careful-desk": pytest.approx(0.92, abs=0.03),
        "hasty-desk": pytest.approx(0.2, abs=0.03),
        "slip-desk": pytest.approx(0.1, abs=0.03),
        "old-style": 0,
        "swapped": 0,
        "mirror": pytest.approx(0.3, abs=0.1),
    }


def test_right_values_in_another_convention_are_in_the_hard_pool(world, hard_rows):
    """Of the source whose convention differs, the rows that are right but for it; else their value is wrong."""
    for row in hard_rows:
        if row["source"] == "old-style":
            question, reply = turns(row)
            asked = asked_by(question, world)
            lead, _, last = reply.rpartition("\n")
            differs = asked.answer != asked.value
            assert (lead in asked.said(asked.value) and last == f"Answer: {asked.value}") == differs


def test_swapped_replies_are_good_for_a_problem_of_another_family(world, hard_rows):
    for row in hard_rows:
        if row["source"] == "swapped":
            question, reply = turns(row)
            asked = asked_by(question, world)
            assert reply.rpartition("\n")[0] not in asked.said(asked.value)


@pytest.mark.parametrize("name", POOLS)
def test_the_mirror_repeats_earlier_rows_with_a_greeting(pools, name):
    earlier = set()
    for row in whole(pools[name]):
        question, reply = turns(row)
        plain = GREETING.sub("", question)
        if row["source"] == "mirror":
            assert plain != question
            assert (plain, reply) in earlier
        earlier.add((plain, reply))


@pytest.mark.parametrize("name", POOLS)
def test_reading_rejects_the_damaged_rows_with_reasons(pools, name, tmp_path):
    rows = pools[name][:5_000]
    write_jsonl(tmp_path / "pool.jsonl", rows)
    reading = read_pool([tmp_path / "pool.jsonl"])
    damaged = {number for number, row in enumerate(rows, start=1) if row["source"] == "scrape"}
    assert {row.line for row in reading.rejected} == damaged
    assert len(reading.pool) + len(reading.rejected) == len(rows)
    rules = Counter(row.rule for row in reading.rejected)
    assert {rule.split()[0] for rule in rules} == {"E101", "E102", "E103"}
    assert all(row.message and row.remedy for row in reading.rejected)
    assert Counter(reading.pool.sources) == Counter(row["source"] for row in whole(rows))


def test_a_smaller_pool_is_the_beginning_of_a_larger_one(world, pools):
    for name, rows in pools.items():
        for count in (1, 40, 700):
            assert list(pool_rows(world, count, name)) == rows[:count]


def test_the_oracles_rows_are_good_and_different_and_from_every_family_alike(world, oracle_rows):
    assert all(is_good(*turns(row), world) for row in oracle_rows)
    assert len({turns(row)[0] for row in oracle_rows}) == len(oracle_rows) == 1_800
    families = Counter(asked_by(turns(row)[0], world).family for row in oracle_rows)
    assert families == dict.fromkeys(FAMILIES, 200)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_oracle_takes_one_family_and_one_wording(world, family):
    rows = good_rows(world, 30, seed=3, family=family, wording=NEW_WORDING)
    assert {asked_by(turns(row)[0], world).family for row in rows} == {family}
    assert all(is_good(*turns(row), world) and turns(row)[1].startswith("Sure thing! ") for row in rows)
    assert rows != good_rows(world, 30, seed=4, family=family, wording=NEW_WORDING)
