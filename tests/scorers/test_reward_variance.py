"""Historical variance and LIMR's alignment, by hand, by the literal loop, and on the published history."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from made_data import chat, make_example, make_pool
from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.scorers.histories.scoring import HistorySettings
from suffice.scorers.limr import LIMR, LIMRSettings, alignments
from suffice.scorers.protocol import ScoringContext
from suffice.scorers.ranks import rank_correlation
from suffice.scorers.reward_variance import RewardVariance

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data" / "rlvr" / "acc_step_500.json"
published = pytest.mark.skipif(not PUBLISHED.exists(), reason="the published history is not there")


def written(tmp_path, **accuracies):
    path = tmp_path / "acc.json"
    path.write_text(json.dumps(accuracies))
    return path


def test_by_hand(tmp_path):
    path = written(tmp_path, a=[0, 1, 0, 1], b=[1, 1], c=[0.5], d=[0.25, 0.75])
    ranking = RewardVariance(HistorySettings(path)).ranking()
    assert ranking.entries() == [
        {"key": "a", "std": 0.5, "mean": 0.5},
        {"key": "d", "std": 0.25, "mean": 0.5},
        {"key": "b", "std": 0.0, "mean": 1.0},
        {"key": "c", "std": 0.0, "mean": 0.5},
    ]
    assert ranking.bands() == {"never": 0, "sometimes": 3, "always": 1}


def test_equal_histories_tie_whatever_the_order_of_their_epochs(tmp_path):
    values = [0.1, 0.7, 0.2, 0.9, 0.3]
    orders = {f"k{i}": values[i:] + values[:i] for i in range(5)}
    entries = RewardVariance(HistorySettings(written(tmp_path, **orders))).ranking().entries()
    assert [entry["key"] for entry in entries] == list(orders)
    constant = {f"k{i}": [0.1 * i] * (3 + i) for i in range(5)}
    entries = RewardVariance(HistorySettings(written(tmp_path, **constant))).ranking().entries()
    assert [(entry["key"], entry["std"]) for entry in entries] == [(key, 0.0) for key in constant]


def test_a_band_leaves_the_rest_without_a_score(tmp_path):
    path = written(tmp_path, never=[0, 0], seldom=[0, 0.25], often=[1, 0.5], always=[1, 1])
    ranking = RewardVariance(HistorySettings(path, low=0.1, high=0.9)).ranking()
    assert [entry["key"] for entry in ranking.entries()] == ["often", "seldom"]
    assert ranking.bands() == {"never": 1, "sometimes": 2, "always": 1}


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.4), (-0.1, 1), (0, 1.1)])
def test_what_is_no_band_is_refused(tmp_path, low, high):
    with pytest.raises(UserError) as error:
        RewardVariance(HistorySettings(written(tmp_path, a=[1]), low=low, high=high)).ranking()
    assert str(error.value) == (
        f"low = {low:g} and high = {high:g} are no band of accuracies; give 0 <= low <= high <= 1"
    )


@pytest.mark.parametrize("scorer", [RewardVariance(), LIMR()])
def test_without_a_history(scorer):
    with pytest.raises(UserError) as error:
        scorer.ranking()
    assert str(error.value) == (
        f"the scorer '{scorer.name}' needs the history of a training; give --history FILE"
    )


def test_scores_of_a_pool(tmp_path):
    pool = make_pool(5)
    path = written(
        tmp_path, gone=[1, 0], bad=[2], **{pool.ids[3]: [0, 1], pool.ids[0]: [0.5, 1], pool.ids[1]: [0]}
    )
    scores = RewardVariance(HistorySettings(path, low=0.1)).score(pool, ScoringContext(tmp_path))
    np.testing.assert_array_equal(scores.values, np.array([0.25, np.nan, np.nan, 0.5, np.nan], np.float32))
    assert scores.ids == pool.ids
    assert scores.notes == {
        "problems": 4, "problems_unread": 1, "problems_without_row": 1, "rows_without_history": 2, "rows_left_out": 1,
        "matched_by": "id", "format": "accuracies",
    }  # fmt: skip


def literal_limr(accuracies, epochs):
    """The formula of LIMR as it is written, in fractions."""
    rows = [[Fraction(a).limit_denominator(64) for a in one[:epochs]] for one in accuracies]
    mean = [sum(row[k] for row in rows) / len(rows) for k in range(epochs)]
    best = sum((1 - mean[k]) ** 2 for k in range(epochs))
    return [float(1 - sum((row[k] - mean[k]) ** 2 for k in range(epochs)) / best) for row in rows]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.integers(0, 7), min_size=2, max_size=6), min_size=2, max_size=6))
def test_limr_is_the_literal_loop_over_the_epochs_that_all_have(eighths):
    accuracies = [np.array(one) / 8 for one in eighths]
    epochs = min(map(len, eighths))
    np.testing.assert_allclose(alignments(accuracies), literal_limr(accuracies, epochs), atol=1e-12)


def test_limr_over_a_number_of_epochs_leaves_out_problems_met_in_fewer():
    accuracies = [np.array([0.0, 0.5, 1.0]), np.array([0.5, 0.5]), np.array([0.25, 1.0, 0.5, 1.0])]
    expected = literal_limr([accuracies[0], accuracies[2]], 3)
    found = alignments(accuracies, 3)
    np.testing.assert_allclose(found[[0, 2]], expected)
    assert np.isnan(found[1])


@pytest.mark.parametrize(
    ("accuracies", "epochs", "message"),
    [
        (
            [[1.0, 1.0], [1.0]],
            0,
            "every problem was always solved, so nothing tells them apart; take another history",
        ),
        ([[0.5, 1.0], [1.0]], 3, "no problem was met in 3 epochs; give epochs=2 or fewer"),
        ([[0.5]], -1, "-1 epochs are none; give a whole number, 0 for as many as every problem has"),
    ],
)
def test_limr_refuses(accuracies, epochs, message):
    with pytest.raises(UserError) as error:
        alignments([np.array(one) for one in accuracies], epochs)
    assert str(error.value) == message


@published
def test_the_published_history_in_the_published_order():
    history = json.loads(PUBLISHED.read_text())
    ranking = RewardVariance(HistorySettings(PUBLISHED)).ranking()
    entries = ranking.entries()
    keys = [entry["key"] for entry in entries]
    assert len(keys) == 1209
    assert {place: keys[place - 1] for place in (1, 2, 13, 1209)} == {
        1: "124",
        2: "267",
        13: "682",
        1209: "789",
    }
    assert round(entries[0]["std"], 4) == 0.4068
    assert keys[-104:] == [key for key, values in history.items() if len(set(values)) == 1]

    def variance(key):
        values = [Fraction(value) for value in history[key]]
        mean = sum(values) / len(values)
        return sum((value - mean) ** 2 for value in values) / len(values)

    exact = {key: variance(key) for key in history}
    assert keys == sorted(exact, key=exact.__getitem__, reverse=True)


@published
def test_on_the_published_history_the_score_is_nearly_a_function_of_the_mean():
    entries = RewardVariance(HistorySettings(PUBLISHED)).ranking().entries()
    means = np.array([entry["mean"] for entry in entries])
    deviations = np.array([entry["std"] for entry in entries])
    assert rank_correlation(deviations, means * (1 - means)) == pytest.approx(0.9626, abs=1e-4)
    moving = (means > 0) & (means < 1)
    of_eight = (means * (1 - means) / 8)[moving]
    assert np.median(deviations[moving] ** 2 / of_eight) == pytest.approx(1.087, abs=1e-3)


@published
def test_the_published_problems_meet_their_history_by_their_index(tmp_path):
    def pool_of(name):
        rows = pq.read_table(PUBLISHED.with_name(name), columns=["prompt", "reward_model"]).to_pylist()
        path = str(PUBLISHED.with_name(name))
        turns = [chat(row["prompt"][0]["content"], row["reward_model"]["ground_truth"]) for row in rows]
        return Pool.from_examples(replace(make_example(one, i), file=path) for i, one in enumerate(turns, 1))

    scorer, context = RewardVariance(HistorySettings(PUBLISHED)), ScoringContext(tmp_path)
    everything = pool_of("dsr_sub.parquet")
    scores = scorer.score(everything, context)
    assert (scores.missing, scores.notes["matched_by"]) == (0, "extra_info.index")
    first = everything[int(scores.values.argmax())]
    copies = pool_of("pi1_r128.parquet")
    assert all(row.messages == first.messages for row in copies)
    assert scorer.score(copies, context).values.tolist() == [scores.values.max()] * 128


@published
def test_limr_on_the_published_history_is_the_public_codes_loop():
    history = json.loads(PUBLISHED.read_text())
    ranking = LIMR(LIMRSettings(PUBLISHED)).ranking()
    epochs = min(map(len, history.values()))
    assert epochs == 44
    mean = [sum(values[k] for values in history.values()) / len(history) for k in range(epochs)]
    best = sum((1 - m) ** 2 for m in mean)
    for entry in ranking.entries()[::40]:
        values = history[entry["key"]]
        expected = 1 - sum((values[k] - mean[k]) ** 2 for k in range(epochs)) / best
        assert entry["score"] == pytest.approx(expected, abs=1e-9)
