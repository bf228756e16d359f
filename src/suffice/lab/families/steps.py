"""Running sums: what word problems and written-out sums share."""

from __future__ import annotations

from itertools import accumulate

from suffice.common.draws import Draws

Terms = list[tuple[int, int]]  # (sign, number), the first with sign +1


def draw_terms(draws: Draws, operations: int) -> Terms:
    """Returns a first number and ``operations`` signed numbers whose running sum stays within 0 and 99."""
    total = draws.between(5, 60)
    terms: Terms = [(1, total)]
    for _ in range(operations):
        add = total < 5 or (total < 90 and draws.chance(0.5))
        number = draws.between(1, min(40, 99 - total)) if add else draws.between(1, min(40, total))
        total += number if add else -number
        terms.append((1 if add else -1, number))
    return terms


def total(terms: Terms) -> int:
    """Returns the sum of the signed terms."""
    return sum(sign * number for sign, number in terms)


def expression(terms: Terms) -> str:
    """Returns the terms as a sum, such as ``15 + 7 - 4``."""
    tail = "".join(f" {'+' if sign > 0 else '-'} {number}" for sign, number in terms[1:])
    return f"{terms[0][1]}{tail}"


def worked(terms: Terms, last: str) -> str:
    """Returns one line for each operation; the last line's result is ``last`` (right or wrong)."""
    running, lines = terms[0][1], []
    for i, (sign, number) in enumerate(terms[1:], start=2):
        after = running + sign * number
        shown = last if i == len(terms) else str(after)
        lines.append(f"{running} {'+' if sign > 0 else '-'} {number} = {shown}")
        running = after
    return "\n".join(lines)


def near_miss(value: int, draws: Draws) -> str:
    """Returns a wrong value close to the right one."""
    return str(draws.choice([v for v in range(max(0, value - 10), min(99, value + 10) + 1) if v != value]))


def slip(terms: Terms, draws: Draws) -> tuple[str, str]:
    """Returns the worked lines with one false step before the last, carried on rightly, and their result."""
    sums = list(accumulate(sign * number for sign, number in terms))
    at = draws.between(1, len(terms) - 2)
    within = [d for d in range(-10, 11) if d and all(0 <= after + d <= 99 for after in sums[at:])]
    off = draws.choice(within or range(1, 11))  # the sums may touch both ends already
    lines = []
    for i, (sign, number) in enumerate(terms[1:], start=1):
        before, after = sums[i - 1] + off * (i > at), sums[i] + off * (i >= at)
        lines.append(f"{before} {'+' if sign > 0 else '-'} {number} = {after}")
    return "\n".join(lines), str(sums[-1] + off)
