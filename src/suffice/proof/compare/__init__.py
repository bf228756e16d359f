"""Two arms or many, on the same items: claims, tests and calls, with one error rate for all of them."""

from suffice.proof.compare.contrast import Contrast
from suffice.proof.compare.family import Question, compare

__all__ = ["Contrast", "Question", "compare"]
