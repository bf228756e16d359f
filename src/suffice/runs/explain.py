"""Why a row was chosen or not: its scores, whom it serves, what it is like, what it beat, and what stood in its way."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from suffice.data.pool import Pool
from suffice.runs.likeness import Likeness, likeness
from suffice.runs.made_choice import MadeChoice, read_choice
from suffice.runs.naming import find_row
from suffice.runs.obstacles import Obstacle, obstacles
from suffice.scorers.protocol import Scores
from suffice.selectors.protocol import Choice, excerpt, percentile


@dataclass(frozen=True)
class Score:
    """One score of a row.

    Attributes:
        scorer: What scored.
        value: The score; `None` where the row has none.
        unit: Of the score, where it has one.
        rank: From 1, the highest; rows of equal scores share the first rank.
        of: How many rows have a score.
        percentile: Percent of scored rows that rank behind.
    """

    scorer: str
    value: float | None
    unit: str
    rank: int | None
    of: int
    percentile: float | None


@dataclass(frozen=True)
class Named:
    """Another row, or a dev example.

    Attributes:
        id: Its id.
        asks: The beginning of what is asked in it.
        figures: What there is to say of it, such as ``cosine``, ``turn`` or ``margin``.
    """

    id: str
    asks: str
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """Why a row was chosen or not.

    Attributes:
        status: ``chosen``, ``not chosen``, ``rejected``, or ``scored`` where nothing was chosen yet.
        id: The row's id; empty for one that was rejected.
        file: The file it came from.
        line: The line in it.
        source: Its source.
        license: Its licence.
        asks: The beginning of what is asked in it.
        turn: Its place in the selection, from 1.
        chosen: How many rows are chosen.
        rows: How many could be.
        selector: What chose; empty where the selection was made elsewhere.
        reason: Why it was chosen, as the selection says.
        evidence: The figures behind that.
        scores: Its scores.
        serves: The dev example that it serves or is closest to.
        nearest: The chosen row that it is most like.
        beat: The row that it beat most narrowly.
        gain: What it added, as the selector counts.
        obstacles: What stood in its way; of a rejected row, the rule.
    """

    status: str
    id: str
    file: str
    line: int
    source: str = ""
    license: str | None = None
    asks: str = ""
    turn: int | None = None
    chosen: int = 0
    rows: int = 0
    selector: str = ""
    reason: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    scores: list[Score] = field(default_factory=list)
    serves: Named | None = None
    nearest: Named | None = None
    beat: Named | None = None
    gain: float | None = None
    obstacles: list[Obstacle] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Returns it as one JSON object."""
        return asdict(self)


def explain(folder: Path, name: str) -> Explanation:
    """Explains a row of a folder.

    Args:
        folder: A run folder, or one that ``suffice select`` or ``suffice score`` wrote.
        name: The row's id, the beginning of it, or ``FILE:LINE``.

    Raises:
        UserError: The folder holds no choice, or the name no row or several.
    """
    made = read_choice(folder)
    found = find_row(name, made.pool, made.folder.rejected)
    if isinstance(found, dict):
        broken = Obstacle("rule", f"{found['rule']}: {found['message']}", found["remedy"])
        return Explanation("rejected", "", found["file"], found["line"], obstacles=[broken])
    return _explain(made, found)


def _explain(made: MadeChoice, index: int) -> Explanation:
    row, choices = made.pool[index], made.choices or ()
    turn = next((turn for turn, choice in enumerate(choices, 1) if choice.index == index), None)
    choice = choices[turn - 1] if turn else None
    status = "scored" if made.choices is None else "chosen" if choice else "not chosen"
    like = likeness(made, index)
    return Explanation(
        status,
        row.id,
        row.file,
        row.line,
        row.source,
        row.license,
        excerpt(row.messages),
        turn,
        len(choices),
        len(made.pool),
        made.selector,
        choice.reason if choice else "",
        choice.evidence if choice else {},
        _scores(made, index),
        _serves(made, index, choice),
        _nearest(made.pool, like) if like else None,
        _beat(made, index, choice) if choice else None,
        _gain(choice) if choice else None,
        obstacles(made, index) if status == "not chosen" else [],
    )


def _scores(made: MadeChoice, index: int) -> list[Score]:
    """Returns the row's scores, that by which it was chosen first; of a scorer that made vectors alone none."""
    named = {made.scorer: made.scores} if made.scores is not None else {}
    return [
        _score(name, scores, index)
        for name, scores in {**named, **made.others}.items()
        if scores is not None and scores.missing < len(scores.values)
    ]


def _score(name: str, scores: Scores, index: int) -> Score:
    value, unit = float(scores.values[index]), str(scores.notes.get("unit", ""))
    of = len(scores.values) - scores.missing
    if np.isnan(value):
        return Score(name, None, unit, None, of, None)
    rank = 1 + int((scores.values > value).sum())
    return Score(name, value, unit, rank, of, percentile(rank - 1, of))


def _serves(made: MadeChoice, index: int, choice: Choice | None) -> Named | None:
    """Returns the dev example that the row was chosen for, else the one that it is closest to."""
    scores = made.scores
    if (
        made.target is None
        or scores is None
        or scores.affinity is None
        or np.isnan(scores.affinity[index]).any()
    ):
        return None
    dev = (choice.evidence.get("dev") if choice else None) or scores.queries[
        int(scores.affinity[index].argmax())
    ]
    column = scores.affinity[:, scores.queries.index(dev)]
    item = next(item for item in made.target.dev if item.id == dev)
    rank, of = 1 + int((column > column[index]).sum()), int((~np.isnan(column)).sum())
    figures = {
        "task": item.task,
        "affinity": float(column[index]),
        "rank": rank,
        "of": of,
        "percentile": percentile(rank - 1, of),
    }
    return Named(dev, excerpt(item.messages), figures)


def _nearest(pool: Pool, like: Likeness) -> Named:
    row = pool[like.index]
    return Named(row.id, excerpt(row.messages), {"turn": like.turn, like.measure: like.value})


def _beat(made: MadeChoice, index: int, choice: Choice) -> Named | None:
    """Returns the row that the selection says it beat, else the best of those left that have a lower score."""
    if choice.reason.startswith("pinned"):
        return None
    if "beat" in choice.evidence:
        place = {row_id: row for row, row_id in enumerate(made.pool.ids)}.get(choice.evidence["beat"])
        margin = float(choice.evidence["margin"])
    elif "score" in choice.evidence and made.scores is not None:
        values = made.scores.values.copy()
        values[[one.index for one in made.choices or ()]] = np.nan
        values[values > made.scores.values[index]] = np.nan
        place = None if np.isnan(values).all() else int(np.nanargmax(values))
        margin = 0.0 if place is None else float(made.scores.values[index] - values[place])
    else:
        return None
    if place is None:
        return None
    row = made.pool[place]
    return Named(row.id, excerpt(row.messages), {"margin": margin})


def _gain(choice: Choice) -> float | None:
    """Returns what the row added: a gain of its selector, else by how much it beat the next."""
    found = choice.evidence.get("gain", choice.evidence.get("margin"))
    return None if found is None else float(found)
