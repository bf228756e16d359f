"""Evidence about two models and about methods, against scipy and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from suffice.common.errors import UserError
from suffice.proof.arms import UNBOUNDED, ArmScores
from suffice.proof.compare.evidence import evidence, inverted, run_evidence
from suffice.proof.compare.mcnemar import mcnemar
from suffice.proof.intervals import Interval


def arm(name, scores, bounds=UNBOUNDED):
    return ArmScores(name, "method", np.atleast_2d(np.asarray(scores, dtype=float)), bounds)


def alone(count):
    return [str(place) for place in range(count)]


def test_right_or_wrong_models_get_mcnemar_and_tango():
    a, b = np.array([1, 1, 0, 0, 0, 0, 1, 1.0]), np.array([1, 1, 1, 1, 1, 1, 0, 1.0])
    found = evidence(arm("a", a, (0, 1)), arm("b", b, (0, 1)), alone(8))
    assert (found.inference, found.test) == ("models", "McNemar's exact test and Tango's interval")
    assert found.p_zero == mcnemar(b, a).p == pytest.approx(stats.binomtest(1, 5).pvalue)
    ends = found.interval(0.05)
    assert ends.estimate == pytest.approx(3 / 8)
    assert ends.low < 3 / 8 < ends.high


def test_percent_and_shares_say_the_same():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 2, (2, 60)).astype(float)
    shares = evidence(arm("a", a, (0, 1)), arm("b", b, (0, 1)), alone(60))
    percent = evidence(arm("a", 100 * a, (0, 100)), arm("b", 100 * b, (0, 100)), alone(60))
    assert percent.p_zero == shares.p_zero
    assert percent.p_margin(5) == pytest.approx(shares.p_margin(0.05))
    assert percent.interval(0.05).low == pytest.approx(100 * shares.interval(0.05).low)


def test_graded_models_get_sign_flips_and_the_paired_t_interval():
    rng = np.random.default_rng(3)
    a, b = rng.normal(0, 1, (2, 40))
    found = evidence(arm("a", a), arm("b", b), alone(40))
    expected = stats.ttest_rel(b, a)
    ends = expected.confidence_interval(0.95)
    assert (found.interval(0.05).low, found.interval(0.05).high) == pytest.approx((ends.low, ends.high))
    assert found.p_zero == pytest.approx(expected.pvalue, abs=0.02)


def test_items_that_share_a_document_are_clusters_even_when_binary():
    scores = np.tile([1.0, 0.0], 10)
    found = evidence(arm("a", scores, (0, 1)), arm("b", 1 - scores, (0, 1)), [str(i // 2) for i in range(20)])
    assert found.test == "sign-flips and t interval over clusters"
    assert found.p_zero == 1.0


def test_methods_are_compared_over_items_and_runs():
    a = np.array([[0.3], [0.4], [0.6]]).repeat(8, axis=1)
    b = np.array([[0.1], [0.15], [0.1], [0.3]]).repeat(8, axis=1)
    found = evidence(arm("a", a), arm("b", b, UNBOUNDED), alone(8))
    assert found.inference == "procedure"
    assert found.interval(0.05).low is None  # eight equal differences, and nothing bounds an item
    bounded = evidence(arm("a", a, (0, 1)), arm("b", b, (0, 1)), alone(8))
    assert bounded.interval(0.05).low < bounded.parts.mean < bounded.interval(0.05).high


def test_runs_alone_are_welch():
    a, b = np.array([0.3, 0.4, 0.6]), np.array([0.9, 0.95, 0.9, 0.7])
    found = run_evidence(a, b)
    welch = stats.ttest_ind(b, a, equal_var=False)
    ends = welch.confidence_interval(0.95)
    assert (found.interval(0.05).low, found.interval(0.05).high) == pytest.approx((ends.low, ends.high))
    assert found.p_zero == pytest.approx(welch.pvalue)
    shifted = stats.ttest_ind(b + 0.2, a, equal_var=False, alternative="greater")
    assert found.p_margin(0.2) == pytest.approx(2 * shifted.pvalue)
    assert found.items is None


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([0.0, 0.1, 0.5]), st.booleans())
def test_p_values_and_intervals_agree(seed, runs, margin, binary):
    rng = np.random.default_rng(seed)
    runs = runs + 1 if runs > 1 else 1
    draw = (lambda: rng.integers(0, 2, (runs, 30)) * 1.0) if binary else (lambda: rng.random((runs, 30)))
    found = evidence(arm("a", draw(), (0, 1)), arm("b", draw(), (0, 1)), alone(30))
    p = found.p_margin(margin)
    if 1e-6 < p < 1 - 1e-6:
        assert found.interval(p * 0.999).low <= -margin or margin == 0
        assert found.interval(min(p * 1.001, 0.999999)).low >= -margin or margin == 0
    if margin and found.interval(0.05).low > -margin:
        assert p <= 0.05


def test_a_p_value_is_the_least_alpha_that_excludes_the_boundary():
    def normal(alpha):
        half = stats.norm.ppf(1 - alpha / 2)
        return Interval(1.7, 1.7 - half, 1.7 + half)

    assert inverted(normal, 0.0) == pytest.approx(2 * stats.norm.sf(1.7))
    assert inverted(normal, 0.5) == pytest.approx(2 * stats.norm.sf(1.2))
    assert inverted(normal, 2.0) == 1.0
    assert inverted(lambda alpha: Interval(1.0, None, None), 0.0) is None
    assert inverted(lambda alpha: Interval(1.0, 1.0, 1.0), 0.0) == 0.0


def test_a_single_reference_stands_as_a_fixed_model():
    rng = np.random.default_rng(4)
    found = evidence(arm("a", rng.random(50)), arm("b", rng.random((3, 50))), alone(50))
    assert found.inference == "procedure"
    assert found.parts.single == ()
    assert len(found.parts.arms) == 1


def refused(action, *arguments):
    with pytest.raises(UserError) as caught:
        action(*arguments)
    return str(caught.value)


def test_too_few_runs_are_refused():
    rows = np.random.default_rng(0).random((3, 5))
    assert refused(evidence, arm("a", rows), arm("b", rows[:2]), alone(5)) == (
        "'b' has 2 runs, which show next to nothing of how much runs vary; give 3 runs or more for a claim about "
        "a method, or one run for one about a model"
    )
    assert refused(evidence, arm("a", rows), arm("b", rows[:1]), alone(5)) == (
        "'b' has one run and 'a' has 3, and one run shows nothing about a method; give 3 runs or more of 'b', or "
        "name it first, as the reference"
    )
    assert refused(run_evidence, rows[0, :1], rows[0, :3]) == (
        "1 and 3 scores without items show next to nothing of how much runs vary; give scores by item, or 3 runs "
        "or more of each arm"
    )
    assert refused(run_evidence, np.ones(3), np.zeros(3)) == (
        "all runs of both arms score the same, so nothing shows how much runs vary; give scores by item"
    )
