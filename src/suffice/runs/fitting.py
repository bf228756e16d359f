"""Whether a selector looks at what scorers make, told before anything is read."""

from __future__ import annotations

from suffice.common import registry
from suffice.common.errors import UserError
from suffice.data.target import Target
from suffice.runs.choose import check_dev, default_selector
from suffice.runs.steps import Pipeline, Select, Weigh

_NEEDS = {
    "vectors": ("vectors", "", "score with --scorer sentence or embedding"),
    "target": (
        "affinities",
        " to dev examples",
        "score with --scorer embedding and a --target, or choose --selector top",
    ),
    "scores": ("scores", " without a target", "give --target FILE, or choose --selector facility_location"),
}
"""What each need of a selector is called among what a scorer makes, what is added to the sentence, and the remedy."""


def check_selector(scorer: str, selector: str | None, target: Target | None) -> None:
    """Refuses a selector that looks at what a scorer does not make.

    Args:
        scorer: The scorer's name.
        selector: The selector's; the scorer's own by default.
        target: The target.

    Raises:
        UserError: Saying what the selector looks at, or there is no such scorer or selector.
    """
    name, made = selector or default_selector(scorer), _made(scorer, target)
    need = _unmet(name, made)
    if need:
        what, missing, remedy = _NEEDS[need]
        raise UserError(
            f"the selector '{name}' looks at the rows' {what}, and the scorer '{scorer}' makes none{missing}",
            remedy,
        )


def check_pipeline(pipeline: Pipeline, target: Target | None) -> None:
    """Refuses a pipeline whose scorers lack a target, or whose selector looks at what none of them makes.

    Raises:
        UserError: Saying which, or there is no such scorer or selector.
    """
    for name in pipeline.scorers:
        check_dev(name, target)
    made: set[str] | None = set() if _only_selects(pipeline) else {"scores"}
    for name in [pipeline.by] if pipeline.by else pipeline.scorers:
        makes = _made(name, target)
        made = None if made is None or makes is None else made | makes
    selector = pipeline.selector
    need = _unmet(selector, made)
    if need:
        what, _, _ = _NEEDS[need]
        names = pipeline.by or " and ".join(pipeline.scorers)
        raise UserError(
            f"the selector '{selector}' looks at the rows' {what}, and {names} makes none",
            f"name a scorer that does, such as {{select: {selector}, by: sentence}}",
        )
    _check_weights(pipeline)


def _check_weights(pipeline: Pipeline) -> None:
    """Refuses weights that decide nothing."""
    needs = getattr(registry.load("selectors", pipeline.selector), "needs", ("scores",))
    scored = [step for step in pipeline.steps if not isinstance(step, Select)]
    if scored and isinstance(scored[-1], Weigh) and scored[-1].keep is None and "scores" not in needs:
        raise UserError(
            f"the selector '{pipeline.selector}' looks at no scores, so that the weights decide nothing",
            "add keep to their step, such as keep: top 10%, or select with top",
        )


def _only_selects(pipeline: Pipeline) -> bool:
    return isinstance(pipeline.steps[0], Select)


def _made(scorer: str, target: Target | None) -> set[str] | None:
    """Returns what a scorer makes; `None` for one of another package that does not tell."""
    maker = registry.load("scorers", scorer)
    made = getattr(maker, "makes", None)
    if made is None:
        return None
    return {*made, *(getattr(maker, "makes_for_target", ()) if target and target.dev else ())}


def _unmet(selector: str, made: set[str] | None) -> str | None:
    """Returns the first need of a selector that is not met."""
    needs = getattr(registry.load("selectors", selector), "needs", ())
    if made is None:
        return None
    return next((need for need, (what, _, _) in _NEEDS.items() if need in needs and what not in made), None)
