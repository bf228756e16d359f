"""The bootstraps against explicit resampling, scipy and numbers worked out by hand."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof import resampling
from suffice.proof.bootstrap import acceleration, item_bootstrap, resampled_arm_means, run_bootstrap
from suffice.proof.intervals import Interval
from suffice.proof.resampling import ClusterSums, draw_counts, in_blocks


def alone(count):
    return [str(place) for place in range(count)]


def block_generator(seed, place=0):
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(place,))))


class Rigged:
    """A generator whose bits are given and whose integers count up."""

    def __init__(self, bits):
        self.bits = np.array(bits, dtype=np.uint32)
        self.bit_generator = self

    def random_raw(self, size):
        return np.pad(self.bits, (0, 2 * size - len(self.bits))).view(np.uint64)

    def integers(self, bound, size):
        return np.arange(size) % bound


# --- counts ---------------------------------------------------------------------------------------------------


def test_counts_by_hand():
    # Times 3, over 2**32: 0 is drawn anew since 2**32 leaves 1 when divided by 3; 2**31 gives 1; 2**32 - 1 gives 2.
    counts = draw_counts(Rigged([1, 2**31, 2**32 - 1]), 1, 3)
    assert counts.tolist() == [[1, 1, 1]]
    counts = draw_counts(Rigged([0, 2**32 - 1, 2**32 - 1]), 1, 3)
    assert counts.tolist() == [[1, 0, 2]]
    assert draw_counts(Rigged([0, 0, 0]), 1, 3).tolist() == [[1, 1, 1]]


def test_nothing_is_drawn_anew_where_all_clusters_have_the_same_share_of_the_bits():
    assert draw_counts(Rigged([0, 0, 0, 0]), 1, 4).tolist() == [[4, 0, 0, 0]]


@pytest.mark.parametrize("clusters", [30, 37])
def test_counts_are_multinomial(clusters):
    counts = draw_counts(np.random.Generator(np.random.SFC64(0)), 20_000, clusters)
    assert (counts.sum(axis=1) == clusters).all()
    seen = np.bincount(counts.astype(int).ravel(), minlength=6)
    expected = stats.binom.pmf(np.arange(5), clusters, 1 / clusters) * counts.size
    assert seen[:5] == pytest.approx(expected, rel=0.03)
    covariance = np.cov(counts, rowvar=False)
    assert covariance.trace() / clusters == pytest.approx(1 - 1 / clusters, rel=0.01)
    together = (covariance.sum() - covariance.trace()) / clusters / (clusters - 1)
    assert together == pytest.approx(-1 / clusters, rel=0.02)
    assert stats.chisquare(counts.sum(axis=0)).pvalue > 0.001


# --- sums -----------------------------------------------------------------------------------------------------


# One and three columns: adding the drawn sums, and counting and multiplying.
@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
@pytest.mark.parametrize("clusters", [50, 100, 200])
def test_sums_are_those_of_explicit_resampling(scale, columns, clusters):
    rng = np.random.default_rng(1)
    rows = scale * rng.standard_t(2, (columns, 200))
    codes = np.arange(200) % clusters if clusters >= 100 else np.r_[:clusters, rng.integers(0, clusters, 150)]
    found = ClusterSums.of(rows, codes).resampler()(block_generator(4), 5)
    counts = draw_counts(block_generator(4), 5, clusters)
    for resample, row in itertools.product(range(5), range(columns)):
        drawn = [item for item in range(200) for _ in range(int(counts[resample, codes[item]]))]
        expected = sum(map(Fraction, rows[row, drawn])) / len(drawn) - sum(map(Fraction, rows[row])) / 200
        assert found[resample, row] == pytest.approx(float(expected), rel=1e-8)


@pytest.mark.parametrize("columns", [1, 3])
def test_the_order_of_the_clusters_changes_no_byte_of_a_sum(columns, monkeypatch):
    rng = np.random.default_rng(1)
    sums = ClusterSums.of(rng.random((columns, 1000)), np.arange(1000))
    order, drawn = rng.permutation(1000), rng.integers(0, 1000, (4, 1000))
    moved = ClusterSums(sums.sums[order], sums.sizes[order])
    monkeypatch.setattr(resampling, "draw_clusters", lambda drawn, *_: iter([drawn]))
    found = sums.resampler()(drawn, 4)
    assert found.tobytes() == moved.resampler()(np.argsort(order)[drawn], 4).tobytes()


def test_slabs_cover_all_resamples(monkeypatch):
    monkeypatch.setattr(resampling, "SLAB", 100)
    parts = [part.copy() for part in resampling.draw_clusters(block_generator(0), 7, 33)]
    assert [len(part) for part in parts] == [3, 3, 1]
    counts = draw_counts(block_generator(0), 7, 33)
    expected = [np.bincount(row, minlength=33) for row in np.concatenate(parts)]
    assert np.array_equal(counts, expected)


def test_drawing_kinds_has_the_distribution_of_drawing_clusters():
    # 400 items, 3 of 4 right: the number right in a resample is binomial.
    rows = np.tile([0.0, 1, 1, 1], 100)[None]
    sums = ClusterSums.of(rows, np.arange(400))
    found = in_blocks(sums.resampler(by_kind=True), 400, 4000, 0, 1)[:, 0]
    plain = in_blocks(sums.resampler(), 400, 4000, 0, 1)[:, 0]
    right = np.round((found + 0.75) * 400)
    assert (
        stats.kstest(right + np.random.default_rng(0).random(4000), lambda x: smooth(x, 400, 0.75)).pvalue
        > 0.01
    )
    assert found.std() == pytest.approx(plain.std(), rel=0.05)
    assert not np.array_equal(found, plain)


def smooth(x, count, chance):
    """The distribution function of a binomial number plus a uniform one."""
    whole = np.floor(x)
    return stats.binom.cdf(whole - 1, count, chance) + (x - whole) * stats.binom.pmf(whole, count, chance)


def test_clusters_of_unequal_size_are_kinds_of_their_own():
    # 60 clusters of one right item and 60 of two wrong ones: the mean of a resample is k / (k + 2 (120 - k)).
    rows = np.r_[np.ones(60), np.zeros(120)][None]
    codes = np.r_[np.arange(60), np.repeat(np.arange(60, 120), 2)]
    found = in_blocks(ClusterSums.of(rows, codes).resampler(by_kind=True), 120, 2000, 0, 1)[:, 0] + 1 / 3
    k = 240 * found / (1 + found)
    assert k == pytest.approx(np.round(k), abs=1e-6)
    assert k.std() == pytest.approx(30**0.5, rel=0.05)


def test_blocks_cover_all_resamples_in_order(monkeypatch):
    monkeypatch.setattr(resampling, "BLOCK_ROWS", 3)
    found = in_blocks(lambda generator, count: generator.random((count, 1)), 5, 8, 7, 2)
    expected = [block_generator(7, place).random((count, 1)) for place, count in enumerate([3, 3, 2])]
    assert np.array_equal(found, np.concatenate(expected))


def test_a_block_never_holds_more_counts_than_allowed(monkeypatch):
    monkeypatch.setattr(resampling, "BLOCK_COUNTS", 20)
    seen = []
    in_blocks(lambda _, count: seen.append(count) or np.empty((count, 0)), 5, 9, 0, 1)
    in_blocks(lambda _, count: seen.append(count) or np.empty((count, 0)), 50, 2, 0, 1)
    assert seen == [4, 4, 1, 1, 1]


# --- one level ------------------------------------------------------------------------------------------------


def test_acceleration_by_hand():
    # Values 0, 0, 3: centred -1, -1, 2. Cubes sum to 6, squares to 6: 6 / (6 · 6^1.5) = 0.0680.
    found = acceleration(ClusterSums.of(np.array([[0.0, 0, 3]]), np.arange(3)))
    assert found == pytest.approx([6**-1.5])


def test_acceleration_is_that_of_the_jackknife_over_clusters():
    rng = np.random.default_rng(2)
    rows, codes = rng.exponential(size=(2, 60)), np.r_[np.arange(35), rng.integers(0, 35, 25)]
    expected = []
    for row in rows:
        means = np.array([row[codes != cluster].mean() for cluster in range(35)])
        pull = means.mean() - means
        expected.append((pull**3).sum() / 6 / (pull**2).sum() ** 1.5)
    assert acceleration(ClusterSums.of(rows, codes)) == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["graded", "right or wrong"])
def test_one_level_agrees_with_scipy(kind):
    rng = np.random.default_rng(3)
    values = rng.exponential(size=45) if kind == "graded" else (rng.random(45) < 0.7).astype(float)
    found = item_bootstrap(values, alone(45), resamples=40_000, seed=0)[0]
    theirs = stats.bootstrap((values,), np.mean, n_resamples=40_000, rng=np.random.default_rng(1), batch=2000)
    # An end from 40,000 resamples has a Monte Carlo error of about 1.5 % of the standard error of the mean.
    room = 0.06 * values.std() / 45**0.5 + (0 if kind == "graded" else 1 / 45)
    assert found.low == pytest.approx(theirs.confidence_interval.low, abs=room)
    assert found.high == pytest.approx(theirs.confidence_interval.high, abs=room)
    assert found.estimate == values.mean()


def test_clusters_agree_with_scipy_on_a_ratio_of_sums():
    rng = np.random.default_rng(5)
    codes = np.sort(np.r_[np.arange(40), rng.integers(0, 40, 80)])
    values = rng.exponential(size=40)[codes] + rng.exponential(size=120)
    found = item_bootstrap(values, [f"fact {code}" for code in codes], resamples=40_000, seed=0)[0]
    sums, sizes = np.bincount(codes, weights=values), np.bincount(codes)
    theirs = stats.bootstrap(
        (sums, sizes),
        lambda a, b, axis=-1: a.sum(axis=axis) / b.sum(axis=axis),
        paired=True,
        n_resamples=40_000,
        rng=np.random.default_rng(1),
        batch=2000,
    )
    room = 0.06 * theirs.standard_error
    assert found.low == pytest.approx(theirs.confidence_interval.low, abs=room)
    assert found.high == pytest.approx(theirs.confidence_interval.high, abs=room)
    alone_low = item_bootstrap(values, alone(120), resamples=1000, seed=0)[0].low
    assert alone_low - found.low > 3 * room


def test_rows_share_their_draws_and_threads_change_no_byte():
    rows = np.random.default_rng(0).normal(size=(3, 300))
    one = item_bootstrap(rows, alone(300), resamples=700, seed=3, threads=1)
    assert one == item_bootstrap(rows, alone(300), resamples=700, seed=3, threads=3)
    assert [one[1]] == item_bootstrap(rows[1], alone(300), resamples=700, seed=3)
    assert one != item_bootstrap(rows, alone(300), resamples=700, seed=4)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 100), st.integers(-8, 8), st.integers(-50, 50))
def test_intervals_follow_a_change_of_unit(seed, power, shift):
    values = np.random.default_rng(seed).integers(0, 64, 40) / 64
    plain = item_bootstrap(values, alone(40), resamples=300, seed=seed)[0]
    moved = item_bootstrap(values * 2.0**power + shift, alone(40), resamples=300, seed=seed)[0]
    assert plain.low < plain.estimate < plain.high
    assert (moved.low, moved.high) == pytest.approx(
        (plain.low * 2.0**power + shift, plain.high * 2.0**power + shift), abs=1e-6
    )


# --- two levels -----------------------------------------------------------------------------------------------


def test_two_levels_match_explicit_resampling():
    rng = np.random.default_rng(6)
    arms = [rng.random((3, 24)), rng.random((2, 24)), rng.random((1, 24))]
    codes = np.r_[np.arange(12), rng.integers(0, 12, 12)]
    found = resampled_arm_means(arms, codes, resamples=6, seed=9, fixed=[2])
    generator = block_generator(9)
    counts = draw_counts(generator, 6, 12)
    drawn = [generator.integers(0, 3, (6, 3)), generator.integers(0, 2, (6, 2)), None]
    for resample, (arm, runs) in itertools.product(range(6), zip(range(3), drawn, strict=True)):
        items = [item for item in range(24) for _ in range(int(counts[resample, codes[item]]))]
        means = [sum(run[item] for item in items) / len(items) for run in arms[arm]]
        expected = centre = sum(means) / len(means)
        if runs is not None:
            mean = sum(means[run] for run in runs[resample]) / len(means)
            expected += (len(means) / (len(means) - 1)) ** 0.5 * (mean - centre)
        assert found[resample, arm] == pytest.approx(expected, rel=1e-9)


def test_drawn_runs_vary_as_the_unbiased_variance_says():
    runs = np.random.default_rng(7).normal(size=(12, 1)) * np.ones(20)
    expected = runs[:, 0].var(ddof=1) / 12
    draws = resampled_arm_means([runs], np.arange(20), resamples=20_000, seed=0)
    assert draws.var() == pytest.approx(expected, rel=0.05)
    short = resampled_arm_means([runs], np.arange(20), resamples=20_000, seed=0, stretched=False)
    assert short.var() == pytest.approx(draws.var() * 11 / 12)


def test_arms_are_paired_over_items_and_threads_change_no_byte():
    rng = np.random.default_rng(8)
    items = rng.normal(size=200)
    a, b = (items + 1e-3 * rng.normal(size=(10, 200)) for _ in range(2))
    found = run_bootstrap([a, b], alone(200), resamples=500, seed=1, threads=1)
    again = run_bootstrap([a, b], alone(200), resamples=500, seed=1, threads=3)
    assert found.draws.tobytes() == again.draws.tobytes()
    difference, mean = found.difference(0, 1), found.mean(0)
    assert difference.high - difference.low < 0.01 * (mean.high - mean.low)
    low, high = np.quantile(found.draws[:, 0] - found.draws[:, 1], [0.025, 0.975])
    assert (difference.low, difference.high) == pytest.approx((low, high))
    assert mean.estimate == a.mean()
    assert mean.low < mean.estimate < mean.high


def test_a_base_run_once_may_be_fixed():
    rng = np.random.default_rng(9)
    base, tuned = rng.random((1, 50)), rng.random((10, 50))
    found = run_bootstrap([base, tuned], alone(50), resamples=2000, seed=0, fixed=[0])
    assert found.draws[:, 0].std() == pytest.approx(base.std() / 50**0.5, rel=0.05)


# --- refusals -------------------------------------------------------------------------------------------------

GRADED = np.random.default_rng(0).random((10, 40))
HOLED = np.where(np.arange(40) == 6, np.nan, GRADED)


@pytest.mark.parametrize(
    ("values", "clusters", "more", "message"),
    [
        (GRADED[0, :29], alone(29), {}, "29 clusters of items; a BCa interval needs 30 or more; use the t interval or more items"),
        (GRADED[0], alone(39), {}, "39 clusters for 40 items; give the cluster of each item"),
        (HOLED[:2], alone(40), {}, "row 1 has the value nan at item 7; every value must be a finite number"),
        (np.ones((2, 2, 40)), alone(40), {}, "values of shape [2, 2, 40]; give a row for each run, a column for each item"),
        (
            np.stack([GRADED[0], np.arange(40) < 4]),
            alone(40),
            {},
            "4 of 40 clusters in row 2 differ from the most common value; use the t interval, which allows for what was not seen",
        ),
        (
            np.full(40, 0.1),
            alone(40),
            {},
            "0 of 40 clusters in row 1 differ from the most common value; use the t interval, which allows for what was not seen",
        ),
        (GRADED[0], alone(40), {"resamples": 199}, "199 resamples are too few at level 0.95; draw 200 or more"),
        (GRADED[0], alone(40), {"resamples": 999, "level": 0.99}, "999 resamples are too few at level 0.99; draw 1000 or more"),
        (GRADED[0], alone(40), {"level": 95}, "level 95; give a level between 0 and 1, such as 0.95"),
    ],
)  # fmt: skip
def test_what_one_level_refuses(values, clusters, more, message):
    with pytest.raises(UserError) as caught:
        item_bootstrap(values, clusters, seed=0, **more)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("scores", "clusters", "more", "message"),
    [
        (
            [GRADED, GRADED[:9]],
            alone(40),
            {},
            "arm 2 has 9 runs; the bootstrap over runs needs 10 or more; use the t interval, which holds from three runs up",
        ),
        ([GRADED, GRADED[:, :39]], alone(40), {}, "arms have [40, 39] items; give arms that were judged on the same items"),
        ([GRADED[:, :9]], alone(9), {}, "9 clusters of items; the bootstrap over runs needs 10 or more; use the t interval or more items"),
        ([GRADED, HOLED], alone(40), {}, "arm 2, run 1 has the value nan at item 7; every value must be a finite number"),
        ([GRADED], alone(40), {"resamples": 10}, "10 resamples are too few at level 0.95; draw 200 or more"),
        ([GRADED[0]], alone(40), {}, "values of shape [40]; give a row for each run, a column for each item"),
    ],
)  # fmt: skip
def test_what_two_levels_refuse(scores, clusters, more, message):
    with pytest.raises(UserError) as caught:
        run_bootstrap(scores, clusters, seed=0, **more)
    assert str(caught.value) == message


def test_resamples_that_are_all_the_same_give_no_interval():
    found = run_bootstrap([GRADED, GRADED], alone(40), resamples=200, seed=0, fixed=[0, 1])
    assert found.mean(0).low < found.mean(0).high
    with pytest.raises(UserError) as caught:
        found.difference(0, 1)
    assert str(caught.value) == (
        "all 200 resamples give 0; use the t interval, which allows for what was not seen"
    )


def test_resamples_on_one_side_of_the_mean_give_no_interval(monkeypatch):
    monkeypatch.setattr("suffice.proof.bootstrap.in_blocks", lambda *_: np.ones((200, 1)))
    with pytest.raises(UserError) as caught:
        item_bootstrap(GRADED[0], alone(40), resamples=200, seed=0)
    assert str(caught.value) == (
        "all resamples of row 1 lie on one side of its mean; draw more, or use the t interval"
    )


def test_the_bias_moves_both_ends_as_efron_says(monkeypatch):
    # 60 of 100 deviations are below 0: the bias is 0.2533. Without skew the ends are at Φ(2 · 0.2533 ∓ 1.96).
    draws = np.arange(-600, 400)[:, None] / 1000
    monkeypatch.setattr("suffice.proof.bootstrap.in_blocks", lambda *_: draws)
    values = np.r_[-np.arange(1, 21), np.arange(1, 21)]
    found = item_bootstrap(values, alone(40), resamples=1000, seed=0)[0]
    bias = stats.norm.ppf(0.6005)
    ends = np.quantile(draws, stats.norm.cdf(2 * bias + stats.norm.ppf([0.025, 0.975])))
    assert found == Interval(0.0, pytest.approx(ends[0]), pytest.approx(ends[1]))
