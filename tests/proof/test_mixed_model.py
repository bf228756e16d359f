"""The variance components by expected mean squares against a crossed mixed model, fitted by restricted likelihood."""

import numpy as np
import pytest
from scipy import linalg, optimize

from suffice.proof.arms import UNBOUNDED, ArmScores
from suffice.proof.variance import of_mean


def restricted_likelihood(log_variances, scores):
    """Minus the REML log likelihood of score = mean + run + item + noise (Patterson and Thompson 1971)."""
    runs, items = scores.shape
    run, item, noise = np.exp(log_variances)
    y = scores.reshape(-1)
    covariance = (
        run * np.kron(np.eye(runs), np.ones((items, items)))
        + item * np.kron(np.ones((runs, runs)), np.eye(items))
        + noise * np.eye(runs * items)
    )
    factor = linalg.cho_factor(covariance, lower=True)
    solved = linalg.cho_solve(factor, np.stack([np.ones_like(y), y], axis=1))
    information = solved[:, 0].sum()
    mean = solved[:, 1].sum() / information
    residual = y - mean
    quadratic = residual @ linalg.cho_solve(factor, residual)
    return np.log(np.diag(factor[0])).sum() + 0.5 * (np.log(information) + quadratic)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_components_are_those_of_the_mixed_model(seed):
    rng = np.random.default_rng(seed)
    runs, items = 5, 14
    scores = rng.normal(0, 1, (runs, 1)) + rng.normal(0, 1.5, (1, items)) + rng.normal(0, 0.7, (runs, items))
    fitted = optimize.minimize(
        restricted_likelihood, np.zeros(3), (scores,), method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-10, "maxiter": 2000},
    )  # fmt: skip
    run, item, noise = np.exp(fitted.x)
    parts = of_mean(ArmScores("a", "full", scores, UNBOUNDED), [str(i) for i in range(items)])
    [arm] = parts.arms
    assert arm.component == pytest.approx(run, rel=1e-3)
    assert arm.residual == pytest.approx(noise / items, rel=1e-3)
    # Balanced and inside the bounds, the two agree on the variance of the mean as well.
    assert parts.variance == pytest.approx(run / runs + item / items + noise / runs / items, rel=1e-3)
