"""Draws: the same for ever, uniform, and independent between streams."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.common.draws import Draws


def splitmix64(state):
    """The reference: Steele, Lea and Flood (2014), as in Java's SplittableRandom."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        yield z ^ z >> 31


def test_the_generator_is_splitmix64():
    draws = Draws(0)
    draws._state = 1234567
    # The first outputs for the seed 1234567 that implementations of SplitMix64 check themselves against.
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [draws.bits() for _ in range(4)] == published
    reference = splitmix64(draws._state)
    assert [draws.bits() for _ in range(100)] == [next(reference) for _ in range(100)]


def test_the_same_names_give_the_same_values_for_ever():
    draws = Draws(1, "pins")
    assert [draws.below(1000) for _ in range(8)] == [985, 719, 951, 538, 54, 748, 780, 350]
    assert draws.shuffled(range(10)) == [8, 4, 7, 9, 3, 0, 5, 6, 1, 2]
    assert draws.sample("abcdefgh", 3) == ["c", "f", "d"]
    assert (draws.choice("xyz"), draws.between(5, 9)) == ("z", 6)
    assert [draws.chance(0.5) for _ in range(8)] == [True, True, True, True, False, True, False, False]
    assert Draws(7, "pool", "x", 3).bits() == 0xF31533F1891E1D05


def test_other_seeds_and_names_give_other_streams():
    streams = [
        Draws(0),
        Draws(1),
        Draws(0, "a"),
        Draws(0, "b"),
        Draws(0, "a", "b"),
        Draws(0, "ab"),
        Draws(0, "a", 1),
    ]
    assert len({stream.bits() for stream in streams}) == len(streams)


def test_draws_are_uniform():
    draws = Draws(0, "uniform")
    counts = Counter(draws.below(10) for _ in range(20_000))
    chi = sum((counts[k] - 2_000) ** 2 / 2_000 for k in range(10))
    assert chi < 27.9  # 99.9 % of chi-square with 9 degrees of freedom
    assert 0.29 < sum(draws.chance(0.3) for _ in range(20_000)) / 20_000 < 0.31
    parts = Counter(draws.weighted({"a": 1, "b": 3, "none": 0}) for _ in range(20_000))
    assert parts.keys() == {"a", "b"}
    assert 0.24 < parts["a"] / 20_000 < 0.26


def test_every_permutation_is_as_likely():
    counts = Counter(tuple(Draws(seed, "permutation").shuffled("abc")) for seed in range(6_000))
    assert len(counts) == 6
    assert sum((count - 1_000) ** 2 / 1_000 for count in counts.values()) < 20.5  # 99.9 %, 5 degrees


@pytest.mark.parametrize(("probability", "outcome"), [(0, False), (1, True)])
def test_what_cannot_be_and_what_must_be(probability, outcome):
    draws = Draws(0, "certain")
    assert {draws.chance(probability) for _ in range(1_000)} == {outcome}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(), items=st.lists(st.integers(), max_size=40), data=st.data())
def test_samples_are_parts_and_shuffles_are_permutations(seed, items, data):
    before = list(items)
    assert sorted(Draws(seed, "s").shuffled(items)) == sorted(items)
    assert items == before
    count = data.draw(st.integers(0, len(items)))
    sample = Draws(seed, "s").sample(items, count)
    assert len(sample) == count
    assert not Counter(sample) - Counter(items)
    assert sample == Draws(seed, "s").shuffled(items)[:count]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(), low=st.integers(-(10**6), 10**6), width=st.integers(0, 10**6))
def test_bounds_hold(seed, low, width):
    draws = Draws(seed, "bounds")
    assert all(low <= draws.between(low, low + width) <= low + width for _ in range(20))
