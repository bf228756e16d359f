"""Calculations that no model can have seen: random expressions of some steps, with their exact values.

In the spirit of RandomCalculation (Wu et al. 2025, arXiv 2507.10532), which the paper makes after a model was released.
Here are whole numbers and the four operations alone, without the paper's squares, cubes and LaTeX. The grammar is
``E := N | "(" E ")" op "(" E ")"`` with the brackets of a bare number left out, and none around the whole.
"""

from __future__ import annotations

from fractions import Fraction

from suffice.common.draws import Draws
from suffice.data.target import TargetItem

NAME = "random-calculation"
STEPS = 5  # operations of an expression
_GREATEST = 99
_QUESTION = "Compute the exact value of {expression} step by step."


def random_calculations(count: int, seed: int, steps: int = STEPS) -> list[TargetItem]:
    """Returns different calculations with their values, a whole number or a fraction in lowest terms such as ``-7/3``.

    Args:
        count: How many.
        seed: Of the draws; a smaller number of them is a part of a larger one.
        steps: Operations of each, one or more.
    """
    draws = Draws(seed, NAME, steps)
    found: dict[str, Fraction] = {}
    while len(found) < count:
        try:
            expression, value = draw_expression(draws, steps)
        except ZeroDivisionError:
            continue
        found.setdefault(expression, value)
    return [
        TargetItem(
            id=f"{NAME}-{number}",
            messages=({"role": "user", "content": _QUESTION.format(expression=expression)},),
            answer=str(value),
            task=NAME,
            split="test",
            cluster=expression,
        )
        for number, (expression, value) in enumerate(found.items(), 1)
    ]


def draw_expression(draws: Draws, steps: int) -> tuple[str, Fraction]:
    """Returns a random expression of ``steps`` operations and its exact value.

    Raises:
        ZeroDivisionError: It divides by zero.
    """
    if not steps:
        number = draws.between(1, _GREATEST)
        return str(number), Fraction(number)
    sign = draws.choice("+-*/")
    of_left = draws.below(steps)
    left, a = draw_expression(draws, of_left)
    right, b = draw_expression(draws, steps - 1 - of_left)
    value = {"+": a.__add__, "-": a.__sub__, "*": a.__mul__, "/": a.__truediv__}[sign](b)
    return f"{_bracketed(left)} {sign} {_bracketed(right)}", value


def _bracketed(expression: str) -> str:
    return f"({expression})" if " " in expression else expression
