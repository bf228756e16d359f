"""What ranks tell of two columns of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def rank_correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Returns Spearman's rank correlation; 0 where one of the two is the same throughout."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])
