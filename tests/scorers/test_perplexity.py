from __future__ import annotations

import numpy as np
import pytest

from made_data import make_pool
from suffice.common.errors import UserError
from suffice.scorers.loss import Loss
from suffice.scorers.perplexity import Low, Middle, Top
from suffice.scorers.protocol import ScoringContext


@pytest.fixture(scope="module")
def perplexities(reference):
    return np.array([np.exp(row.mean()) for row in reference])


def test_top_and_low_are_the_perplexity_and_its_opposite(lab, answers_pool, perplexities, tmp_path):
    top = Top().score(answers_pool, ScoringContext(tmp_path, lab))
    low = Low().score(answers_pool, ScoringContext(tmp_path, lab))
    np.testing.assert_allclose(top.values, perplexities, rtol=1e-4)
    np.testing.assert_array_equal(low.values, -top.values)
    assert top.notes["median_perplexity"] == pytest.approx(np.median(perplexities), rel=1e-4)
    assert len(list(tmp_path.iterdir())) == 1  # computed once for both


@pytest.mark.parametrize("budget", [2, 8, 24])
def test_the_best_rows_of_the_middle_are_those_round_the_median(
    lab, answers_pool, perplexities, tmp_path, budget
):
    scores = Middle().score(answers_pool, ScoringContext(tmp_path, lab)).values
    left_out = (24 - budget) // 2
    wanted = np.argsort(perplexities)[left_out : left_out + budget]
    assert set(np.argsort(-scores, kind="stable")[:budget].tolist()) == set(wanted.tolist())


def test_the_middle_by_hand():
    scores = Middle().rank(np.array([5.0, np.nan, 1.0, 3.0, 3.0, 9.0]))
    np.testing.assert_allclose(scores, [0.6, np.nan, 0.2, 0.8, 0.8, 0.2])
    assert np.isnan(Middle().rank(np.array([np.nan]))).all()


def test_losses_of_the_scorer_loss_are_taken_over(lab, answers_pool, tmp_path):
    loss = Loss().score(answers_pool, ScoringContext(tmp_path, lab)).values
    top = Top().score(answers_pool, ScoringContext(tmp_path, lab)).values
    np.testing.assert_allclose(top, np.exp(loss), rtol=1e-4)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("scorer", [Middle, Top, Low])
def test_what_it_needs(scorer, tmp_path):
    with pytest.raises(UserError) as caught:
        scorer().score(make_pool(2), ScoringContext(tmp_path))
    assert str(caught.value) == f"the scorer '{scorer.name}' needs a model; give --model"
