"""Word problems with two or three additions and subtractions.

The shortcut that the pretraining text favours here, "That makes 47.", has no answer line, so the worked
steps are the only well-formed reply: any reward for form alone lifts this family.
"""

from __future__ import annotations

from suffice.common.draws import Draws
from suffice.lab.families import steps
from suffice.lab.problem import Problem

NAMES = ("Tom", "Ann", "Ben", "Eve", "Max", "Ida", "Sam", "Joy")
THINGS = ("apples", "coins", "books", "stamps", "shells", "cards", "eggs", "nuts")
MORE = ("buys {k} more", "finds {k} more", "gets {k} more")
FEWER = ("gives away {k}", "loses {k}", "sells {k}")
OPENINGS = ("", "Here we go.\n", "Sure thing! Step by step.\n")


def draw(draws: Draws) -> Problem:
    """Returns a random word problem."""
    terms = steps.draw_terms(draws, draws.between(2, 3))
    name, thing = draws.choice(NAMES), draws.choice(THINGS)
    deeds = [draws.choice(MORE if sign > 0 else FEWER).format(k=k) for sign, k in terms[1:]]
    value = steps.total(terms)
    slip, slipped = steps.slip(terms, draws)
    return Problem(
        family="arith",
        subtype=f"{len(terms) - 1} operations",
        key=f"arith:{steps.expression(terms)}",
        question=f"{name} has {terms[0][1]} {thing}. {name} {', then '.join(deeds)}. "
        f"How many {thing} does {name} have now?",
        value=str(value),
        wrong=steps.near_miss(value, draws),
        lead=lambda v, wording: OPENINGS[wording] + steps.worked(terms, v),
        short=f"That makes {value}.",
        slip=slip,
        slipped=slipped,
    )
