"""Gradient features as vectors: the cosines between rows are those that the scorer `influence` sees."""

from __future__ import annotations

import numpy as np
import pytest

from made_data import chat, make_example, make_pool, make_target
from suffice.common.errors import UserError
from suffice.data.pool import Pool
from suffice.data.target import Target, TargetItem
from suffice.scorers.gradient_features import GradientFeatures, GradientFeatureSettings
from suffice.scorers.influence import Influence, InfluenceSettings
from suffice.scorers.protocol import ScoringContext


def test_cosines_between_rows_are_those_of_influence(tmp_path, tiny_model):
    rows = list(make_pool(8))
    items = [
        TargetItem(f"d{i}", row.messages[:1], row.answer, "a", "dev", f"d{i}") for i, row in enumerate(rows)
    ]
    target = Target((*make_target(["a"]).items[:1], *items))
    rows.append(make_example(chat("too long " * 300, "answer"), 9))
    pool = Pool.from_examples(rows)
    context = ScoringContext(tmp_path, model=tiny_model, target=target)
    scores = GradientFeatures(GradientFeatureSettings(size=512)).score(pool, context)
    assert np.isnan(scores.values).all()
    assert np.isnan(scores.vectors[8]).all()
    unit = scores.vectors[:8] / np.linalg.norm(scores.vectors[:8], axis=1, keepdims=True)
    affinity = Influence(InfluenceSettings(preconditioner="none", size=512)).score(pool, context).affinity
    np.testing.assert_allclose(unit @ unit.T, affinity[:8], atol=1e-3)
    assert (scores.notes["rows_long"], scores.notes["rows_untrained"]) == (1, 0)
    again = GradientFeatures(GradientFeatureSettings(size=512)).score(pool, context)
    np.testing.assert_array_equal(again.vectors, scores.vectors)


def test_without_a_model(tmp_path):
    with pytest.raises(UserError) as error:
        GradientFeatures().score(make_pool(2), ScoringContext(tmp_path))
    assert str(error.value) == "the scorer 'gradient_features' needs a model; give --model"
