"""DEITA's own score: complexity times quality, exchange by exchange."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from suffice.scorers.complexity import Complexity
from suffice.scorers.deita import DeitaSettings
from suffice.scorers.gathering import Told, gathered
from suffice.scorers.likelihood import Notes
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.scorers.quality import Quality

if TYPE_CHECKING:
    from suffice.data.pool import Pool


@dataclass(frozen=True)
class EvolSettings(DeitaSettings):
    """Who is asked, and how.

    Attributes:
        quality_model: As ``model``, for quality; by default ``model`` itself.
        quality_endpoint: As ``endpoint``, for quality; by default ``endpoint`` itself.
    """

    quality_model: str | None = None
    quality_endpoint: str | None = None


class Evol:
    """The evol score: the product of complexity and quality of each exchange, from 1 to 36.

    Args:
        settings: Who is asked, and how.
    """

    Settings = EvolSettings
    name = "evol"
    paper = "arXiv 2312.15685"
    cost = "complexity and quality"
    default_selector = "top"
    needs = ("scorer or endpoint",)
    needs_model = False
    needs_target = False

    def __init__(self, settings: EvolSettings | None = None) -> None:
        self._settings = settings or EvolSettings()

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``; one with an exchange that got no score has none.

        Raises:
            UserError: There is no scorer, or it cannot be used.
        """
        settings = self._settings
        first = Complexity(settings).told(pool, context)
        sent, cost = float(first.notes.get("requests_sent", 0)), float(first.notes.get("cost", 0))
        second = Quality(
            replace(
                settings,
                model=settings.quality_model or settings.model,
                endpoint=settings.quality_endpoint or settings.endpoint,
                max_requests=None if settings.max_requests is None else settings.max_requests - int(sent),
                max_cost=None if settings.max_cost is None else max(settings.max_cost - cost, 0.0),
            )
        ).told(pool, context)
        values = [
            [_product(c, q) for c, q in zip(*pair, strict=True)]
            for pair in zip(first.values, second.values, strict=True)
        ]
        notes: Notes = {f"complexity_{name}": value for name, value in first.notes.items()}
        notes |= {f"quality_{name}": value for name, value in second.notes.items()}
        return gathered(self.name, pool, context, Told(values, notes, first.model), settings.turns)


def _product(complexity: float | str, quality: float | str) -> float | str:
    if isinstance(complexity, str):
        return f"complexity: {complexity}"
    return f"quality: {quality}" if isinstance(quality, str) else complexity * quality
