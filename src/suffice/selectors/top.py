"""The rows with the highest scores."""

from __future__ import annotations

from suffice.selectors.protocol import (
    Choice,
    SelectionRequest,
    beat,
    check_budget,
    ordinal,
    percentile,
    ranking,
)


class Top:
    """Takes the highest scores first, ties in pool order; a row without a score is never taken."""

    name = "top"

    def select(self, request: SelectionRequest) -> list[Choice]:
        """Returns the best rows, best first.

        Their evidence is ``score``, ``rank`` (from 1), ``percentile`` (percent of scored rows that rank
        behind), ``beat`` (the id of the row that ranks next) and ``margin`` (by how much).
        """
        values = request.scores.values
        order = ranking(values).tolist()
        check_budget(request.budget, len(values), len(order))
        unit = str(request.scores.notes.get("unit", ""))
        choices = []
        for place, index in enumerate(order[: request.budget]):
            following = order[place + 1] if place + 1 < len(order) else None
            margin = 0.0 if following is None else float(values[index] - values[following])
            ending, beaten = beat(request, following, margin)
            share = percentile(place, len(order))
            evidence = {"score": float(values[index]), "rank": place + 1, "percentile": share, **beaten}
            score = f"score {values[index]:,.4g} {unit}".rstrip()
            choices.append(Choice(index, f"{score}; {ordinal(share)} percentile{ending}", evidence))
        return choices
