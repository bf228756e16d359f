"""The chance that one of k samples is right."""

from __future__ import annotations

import numpy as np


def pass_at(k: int, right: int, samples: int) -> float:
    """Returns the chance in percent that one of ``k`` of the samples is right (Chen et al. 2021, arXiv 2107.03374).

    ``1 - C(n - c, k) / C(n, k)``, unbiased.

    Args:
        k: Samples allowed, no more than there are.
        right: Samples that are right (c).
        samples: All samples (n).
    """
    if samples - right < k:
        return 100.0
    wrong = np.arange(samples - right + 1, samples + 1)
    return float(100 * (1 - np.prod(1 - k / wrong)))
