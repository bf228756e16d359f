"""Written-out sums with three to five operations.

The shortcut that the pretraining text favours here, the whole expression with its result, is well formed
and mostly wrong in so small a model: a reward for form alone is satisfied by it.
"""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.families import steps
from suffice.lab.families.arith import OPENINGS
from suffice.lab.problem import Problem

QUESTIONS = ("Compute {e}.", "What is {e}?", "Work out {e}.")


def draw(draws: Draws) -> Problem:
    """Returns a random written-out sum."""
    terms = steps.draw_terms(draws, draws.between(3, 5))
    text = steps.expression(terms)
    value = steps.total(terms)
    slip, slipped = steps.slip(terms, draws)
    return Problem(
        family="chain",
        subtype=f"{len(terms) - 1} operations",
        key=f"chain:{text}",
        question=draws.choice(QUESTIONS).format(e=text),
        value=str(value),
        wrong=steps.near_miss(value, draws),
        lead=lambda v, wording: OPENINGS[wording] + steps.worked(terms, v),
        short=f"{text} = {value}\nAnswer: {value}",
        slip=slip,
        slipped=slipped,
    )
