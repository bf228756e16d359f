"""ROUGE-L: how much of a text another text holds in the same order (Lin 2004, "ROUGE", ACL workshop, W04-1013)."""

from __future__ import annotations

from collections.abc import Sequence


def rouge_l(written: Sequence[str], wanted: Sequence[str]) -> float:
    """Returns the F1 of the longest common subsequence in percent; 0 where either text is empty.

    ``2 L / (len(written) + len(wanted))``, with recall and precision weighed alike. Work grows with the product of
    both lengths.

    Args:
        written: The words that were written.
        wanted: The words that should have been.
    """
    common = [0] * (len(wanted) + 1)  # the longest so far, up to each place of `wanted`
    for word in written:
        before = 0
        for place, other in enumerate(wanted, 1):
            above = common[place]
            common[place] = before + 1 if word == other else max(above, common[place - 1])
            before = above
    total = len(written) + len(wanted)
    return 200 * common[-1] / total if common[-1] else 0.0
