"""Looks at a study while it runs: how strict each must be so that all of them together keep the level.

Whoever looks at the usual 95 % interval after three, five and eight runs and stops when it pleases errs in more than
one of twenty cases. Here the looks are planned, a spending function says how much of alpha each may use (Lan and
DeMets 1983, Biometrika 70, 659-663), and each look gets a nominal two-sided significance level: the interval of
level one minus that is the repeated confidence interval of Jennison and Turnbull (1989, JRSS B 51, 305-361), which
holds at all looks at once, whether or not the study stops.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from suffice.common.errors import UserError, unknown_name

Array = NDArray[np.float64]
Spending = Literal["obrien-fleming", "pocock"]
Unit = Literal["runs", "items"]

PATHS = 500_000
MOST_LOOKS = 20
_NODES = 300
_CLOSEST = 0.005  # a smaller part of the information between looks, and the nodes would be too far apart
_LEAST = 1e-12  # a level of zero would be an interval without ends


@dataclass(frozen=True)
class Looks:
    """Planned looks and what each costs.

    Attributes:
        planned: The size at each look: runs an arm, or items (clusters, where items are clustered).
        unit: What is counted.
        alpha: The two-sided error of all looks together.
        spending: The spending function.
        spent: How much of alpha is spent up to and including each look; the last is alpha.
        nominal_alpha: The two-sided significance level of each look's own test, to be given as ``alpha`` to
            `suffice.proof.intervals.difference_interval` on the data that there are at that look.
    """

    planned: tuple[int, ...]
    unit: Unit
    alpha: float
    spending: Spending
    spent: tuple[float, ...]
    nominal_alpha: tuple[float, ...]

    def level_at(self, look: int) -> float:
        """Returns the two-sided significance level at a look, counted from 0; the interval's is one minus it.

        Raises:
            UserError: There is no such look.
        """
        if not 0 <= look < len(self.planned):
            raise UserError(
                f"there is no look {look} among {len(self.planned)}", "count the planned looks from 0"
            )
        return self.nominal_alpha[look]


def verdict_level(looks: Looks, runs_so_far: int) -> float | None:
    """Returns the two-sided significance level at which a verdict may be given now.

    Args:
        looks: The planned looks.
        runs_so_far: Runs (or items) that every arm of the comparison has.

    Returns:
        The ``alpha`` for the interval; None between looks, where no verdict is due.

    Raises:
        UserError: There are more than the last look allows; nothing of alpha is left for them.
    """
    if runs_so_far > looks.planned[-1]:
        raise UserError(
            f"there are {runs_so_far} {looks.unit} and the last planned look was at {looks.planned[-1]}",
            "judge by the last look, or plan a new study",
        )
    if runs_so_far not in looks.planned:
        return None
    return looks.level_at(looks.planned.index(runs_so_far))


def spend(fraction: float, alpha: float, spending: Spending = "obrien-fleming") -> float:
    """Returns how much of a two-sided alpha may be spent when ``fraction`` of the study is done.

    Lan and DeMets (1983): ``2 - 2Φ(z / √t)`` with ``Φ(z) = 1 - alpha/4`` on each side, near the boundaries of
    O'Brien and Fleming (1979), and ``alpha · ln(1 + (e - 1)·t)``, near those of Pocock (1977). Both are spent on each
    side by itself, at alpha / 2, since the bounds of an interval are two one-sided tests.

    Args:
        fraction: From 0 to 1.
        alpha: The two-sided error of the whole study.
        spending: The spending function.
    """
    if fraction >= 1:
        return alpha
    if fraction <= 0:
        return 0.0
    if spending == "pocock":
        share = float(np.log1p(np.expm1(1.0) * fraction))
    else:
        share = float(4 * special.ndtr(special.ndtri(alpha / 4) / fraction**0.5)) / alpha
    return alpha * min(1.0, share)


def run_looks(
    runs: Sequence[int],
    alpha: float = 0.05,
    spending: Spending = "obrien-fleming",
    *,
    arms: int = 2,
    paths: int = PATHS,
    seed: int = 0,
) -> Looks:
    """Returns looks after batches of runs, calibrated by simulation under the t model.

    In the model runs are normal, dominate the variance, and vary alike in both arms; at each look the difference of
    the means of all runs so far is divided by its pooled standard error: t with ``arms·(R - 1)`` degrees of freedom.
    The statistics of successive looks share their runs, so the levels depend on how they vary together. The
    first look, or a single one, needs no simulation. No level is below what its look newly spends.

    Args:
        runs: Runs an arm at each look, rising, two or more at the first.
        alpha: The two-sided error of all looks together.
        spending: The spending function.
        arms: Arms whose runs vary: 2, or 1 against a model that does not.
        paths: Simulated studies; the Monte Carlo standard error of a level is below √(alpha/paths), 0.0003.
        seed: The seed.

    Returns:
        The looks.

    Raises:
        UserError: The looks, alpha, arms or the name of the spending function are out of range.
    """
    planned = _checked(runs, alpha, spending, "runs")
    if arms not in (1, 2):
        raise UserError(
            f"looks for {arms} arms cannot be computed", "compare two arms, or one with a fixed model"
        )
    return _run_looks(planned, alpha, spending, arms, paths, seed)


@lru_cache(maxsize=64)
def _run_looks(
    runs: tuple[int, ...], alpha: float, spending: Spending, arms: int, paths: int, seed: int
) -> Looks:
    """Finds each look's level a with ``a - Q(a)`` newly spent, Q being the simulated part of a already stopped.

    A look's own p value is below a with probability a, exactly; only the share that an earlier look has stopped
    already is left to simulation, which keeps its error small. As Q is at most what was spent before, a lies between
    what is newly spent and what is spent so far.
    """
    whole = _spent(runs, alpha, spending)
    levels: list[float] = []
    stopped = np.zeros(paths, dtype=bool)
    p_values = _p_values(runs, arms, paths, seed)
    for so_far, new, values in zip(whole, np.diff(whole, prepend=0.0), p_values, strict=True):
        again = np.sort(values[stopped])
        left = new + np.arange(len(again) + 1) / paths
        first = int(np.argmax(np.append(again, np.inf) > left))
        levels.append(max(min(float(left[first]), so_far), _LEAST))
        stopped |= values <= levels[-1]
    return Looks(runs, "runs", alpha, spending, whole, tuple(levels))


def _p_values(runs: tuple[int, ...], arms: int, paths: int, seed: int) -> Iterator[Array]:
    """Yields the two-sided p values of ``paths`` studies at each look, [paths], no arm being better.

    A batch of b runs is drawn as its mean and its sum of squares, which are independent (normal and chi-square),
    and added to what there is (Chan, Golub and LeVeque 1983, American Statistician 37, 242-247).
    """
    rng = np.random.default_rng(seed)
    means, squares, before = np.zeros((arms, paths)), np.zeros((arms, paths)), 0
    for count in runs:
        batch = count - before
        shift = rng.normal(scale=batch**-0.5, size=(arms, paths)) - means
        squares += shift**2 * (before * batch / count)
        if batch > 1:
            squares += rng.chisquare(batch - 1, size=(arms, paths))
        means += shift * (batch / count)
        before, free = count, arms * (count - 1)
        difference = means[0] - means[1] if arms == 2 else means[0]
        error = np.sqrt(arms * squares.sum(axis=0) / free / count)
        yield 2 * special.stdtr(free, -np.abs(difference) / error)


def item_looks(items: Sequence[int], alpha: float = 0.05, spending: Spending = "obrien-fleming") -> Looks:
    """Returns looks after batches of items, for models that are fixed and answer more and more items.

    The normal theory of group-sequential tests, with n_k / N as the information: the statistics behave as a Brownian
    motion looked at at these times. Levels come from numerical integration over the paths still going (Armitage,
    McPherson and Rowe 1969, JRSS A 132, 235-244). The items must come in an order that is not chosen by their scores.

    Args:
        items: Items (clusters) at each look, rising, two or more at the first.
        alpha: The two-sided error of all looks together.
        spending: The spending function.

    Returns:
        The looks.

    Raises:
        UserError: The looks, alpha or the name of the spending function are out of range.
    """
    return _item_looks(_checked(items, alpha, spending, "items"), alpha, spending)


@lru_cache(maxsize=64)
def _item_looks(items: tuple[int, ...], alpha: float, spending: Spending) -> Looks:
    """Finds each look's boundary b_k, in units of a motion of variance 1 at the end."""
    whole = _spent(items, alpha, spending)
    levels: list[float] = []
    places, density, before = np.zeros(1), np.ones(1), 0.0
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    for count, new in zip(items, np.diff(whole, prepend=0.0), strict=True):
        time = count / items[-1]
        step = (time - before) ** 0.5
        levels.append(_level(places, density, time, step, float(new)) if levels else max(float(new), _LEAST))
        bound = -float(special.ndtri(levels[-1] / 2)) * time**0.5
        moved = np.exp(-0.5 * ((bound * nodes[:, None] - places) / step) ** 2) / (2 * np.pi) ** 0.5 / step
        places, density, before = bound * nodes, bound * weights * (moved @ density), time
    return Looks(items, "items", alpha, spending, whole, tuple(levels))


def _level(places: Array, density: Array, time: float, step: float, new: float) -> float:
    """Returns the level at which those still going, at ``places`` with ``density``, stop with probability ``new``."""

    def excess(level: float) -> float:
        bound = -special.ndtri(level / 2) * time**0.5
        crossed = special.ndtr((places - bound) / step) + special.ndtr((-places - bound) / step)
        return float(density @ crossed) - new

    lowest = max(new, _LEAST)
    if excess(lowest) >= 0:  # by rounding
        return lowest
    return float(optimize.brentq(excess, lowest, 1 - 1e-9, xtol=1e-13))


def _spent(planned: tuple[int, ...], alpha: float, spending: Spending) -> tuple[float, ...]:
    """Returns what is spent up to each look, the information being the share of the last look's size."""
    return tuple(spend(count / planned[-1], alpha, spending) for count in planned)


def _checked(planned: Sequence[int], alpha: float, spending: str, unit: Unit) -> tuple[int, ...]:
    """Returns the looks as a tuple, after checking everything that levels are computed from."""
    looks = tuple(planned)
    apart = [after - before for before, after in pairwise(looks)]
    if not looks or len(looks) > MOST_LOOKS or looks[0] < 2 or min(apart, default=1) < 1:
        raise UserError(
            f"looks at {', '.join(map(str, looks)) or 'no'} {unit} cannot be planned",
            f"give 1 to {MOST_LOOKS} rising numbers of {unit}, the first 2 or more, such as 3, 5, 8",
        )
    if unit == "items" and min(*apart, looks[0], looks[-1]) < _CLOSEST * looks[-1]:
        raise UserError(
            f"looks at {', '.join(map(str, looks))} {unit} are too close together",
            f"leave {100 * _CLOSEST:g} % of the last between them",
        )
    if not 0 < alpha < 0.5:
        raise UserError(f"alpha is {alpha}", "give an alpha between 0 and 0.5, such as 0.05")
    if spending not in get_args(Spending):
        raise unknown_name("spending function", spending, get_args(Spending))
    return looks
