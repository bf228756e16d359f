"""What a selector is given and what it returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from suffice.common.errors import UserError
from suffice.scorers.protocol import Scores
from suffice.selectors.constraints import NONE, Constraints

if TYPE_CHECKING:
    from suffice.data.example import Message
    from suffice.data.pool import Pool
    from suffice.data.target import Target


@dataclass(frozen=True)
class Choice:
    """One chosen row.

    Attributes:
        index: The row's place in the pool, from 0.
        reason: Why it was chosen, as a sentence.
        evidence: The figures behind the reason; the keys and their types are the same for every row of one
            selection.
    """

    index: int
    reason: str
    evidence: dict[str, Any]


@dataclass(frozen=True)
class SelectionRequest:
    """What a selector chooses from.

    Attributes:
        pool: The rows.
        scores: Their scores.
        budget: How many rows to choose.
        seed: The seed of the run.
        target: The target, where there is one.
        draw: Which of several random selections this is.
        constraints: What the selection must hold to.

    Raises:
        UserError: The scores are those of another pool.
    """

    pool: Pool
    scores: Scores
    budget: int
    seed: int = 0
    target: Target | None = None
    draw: int = 0
    constraints: Constraints = NONE

    def __post_init__(self) -> None:
        if self.scores.ids != self.pool.ids:
            raise UserError("the scores are those of another pool", "score this pool anew")


@dataclass(frozen=True)
class Lack:
    """Why a selector passed over a row that it could have chosen.

    Attributes:
        reason: What the row lacked, as a sentence.
        evidence: The figures behind it.
    """

    reason: str
    evidence: dict[str, Any]


class Selector(Protocol):
    """Chooses rows by their scores.

    A selector may also have a method ``lacked(request, choices, index)`` that returns the `Lack` of a row that is not
    among its choices, for ``suffice explain``.

    Attributes:
        name: The name it is registered under.
        paper: Where it comes from.
        needs: What it needs of the scores: ``scores``, ``vectors``, ``target``.
        cost: What it costs, in words.
    """

    name: str
    paper: str
    needs: tuple[str, ...]
    cost: str

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns ``request.budget`` different rows in the order in which they were chosen.

        Raises:
            UserError: The budget is below 1 or larger than what there is to choose from, or the constraints cannot
                be met.
        """


def check_budget(budget: int, rows: int, usable: int | None = None, thing: str = "score") -> None:
    """Refuses a budget that cannot be met.

    Args:
        budget: How many rows are to be chosen.
        rows: How many rows the pool has.
        usable: How many of them may be chosen; all by default.
        thing: What the others lack.

    Raises:
        UserError: The budget is below 1 or larger than the number of usable rows.
    """
    usable = rows if usable is None else usable
    if budget < 1:
        raise UserError(f"a budget of {budget:,} rows chooses nothing", "give --budget 1 or more")
    if budget > rows:
        raise UserError(
            f"the budget of {budget:,} rows is larger than the pool of {rows:,}",
            f"give --budget {rows} or less",
        )
    if budget > usable:
        raise UserError(
            f"the budget of {budget:,} rows is larger than the {usable:,} rows that have a {thing} "
            f"({rows - usable:,} of {rows:,} have none)",
            f"give --budget {usable} or less" if usable else "look at the notes of the scores for the cause",
        )


def ranking(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Returns the rows that have a score, best first, ties in pool order."""
    order = np.argsort(-values, kind="stable")  # NaN sorts last
    return order[: len(values) - int(np.isnan(values).sum())]


def percentile(place: int, rows: int) -> float:
    """Returns the share of ``rows`` ranked rows that stand behind the one at ``place`` (from 0), in percent."""
    return 100 * (rows - 1 - place) / rows


def ordinal(value: float) -> str:
    """Returns a percentile in words, rounded down: ``99th``, ``92nd``."""
    whole = int(value)
    ending = "th" if whole % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(whole % 10, "th")
    return f"{whole}{ending}"


def excerpt(messages: Sequence[Message], width: int = 60) -> str:
    """Returns the beginning of what the user first asks, on one line."""
    asked = next((str(m.get("content") or "") for m in messages if m["role"] == "user"), "")
    text = " ".join(asked[: 8 * width].split())
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def drawn(request: SelectionRequest, choices: Sequence[Choice], among: str = "rows") -> Lack:
    """Tells that rows were drawn at random, so that this one lacked nothing."""
    return Lack(
        f"{among} are drawn at random, {len(choices):,} of {len(request.pool):,}; it was not among them",
        {"drawn": len(choices), "rows": len(request.pool)},
    )


def least(choices: Sequence[Choice], values: NDArray[np.float32]) -> float:
    """Returns the least score of the rows that were not pinned; of all where all were."""
    free = [choice.index for choice in choices if not choice.reason.startswith("pinned")]
    return float(np.min(values[free or [choice.index for choice in choices]]))


def below(request: SelectionRequest, choices: Sequence[Choice], index: int) -> Lack:
    """Tells how far the score of a row is below the least that was chosen, and its rank."""
    values = request.scores.values
    score, needed = float(values[index]), least(choices, values)
    rank = 1 + int((values > score).sum())
    evidence = {"score": score, "needed": needed, "short": needed - score, "rank": rank}
    if score > needed:
        reason = f"its score of {score:,.4g} is above the least that was chosen, {needed:,.4g}"
    elif score == needed:
        reason = (
            f"its score is equal to the least that was chosen, {needed:,.4g}; of equals the first is taken"
        )
    else:
        reason = (
            f"its score of {score:,.4g} is {needed - score:,.3g} below the least that was chosen, {needed:,.4g}; "
            f"its rank is {rank:,}"
        )
    return Lack(reason, evidence)


def beat(request: SelectionRequest, index: int | None, margin: float) -> tuple[str, dict[str, Any]]:
    """Tells which row a choice beat most narrowly.

    Args:
        request: The request.
        index: That row's place in the pool; `None` where no row was left to beat.
        margin: By how much.

    Returns:
        The end of the reason, and the evidence: ``beat`` (the row's id) and ``margin``; an empty id and 0
        where no row was left.
    """
    if index is None:
        return "", {"beat": "", "margin": 0.0}
    row = request.pool[index]
    return f'; beat "{excerpt(row.messages)}" by {margin:.2g}', {"beat": row.id, "margin": margin}
