"""The folder of a run on one example as the plain values of its page, and the page itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suffice.common.errors import UserError
from suffice.common.files import digest, write_text
from suffice.data.examples import read_examples
from suffice.data.target import TargetItem, read_target
from suffice.report.one_shot import (
    Arm,
    Candidate,
    Choice,
    Contamination,
    Estimate,
    Metric,
    OneShotReport,
    TaskReport,
    Whole,
    render,
    write_figures,
)
from suffice.runs.one_shot.folders import (
    item_pairs,
    kind_of_arm,
    read_where_there,
    run_scores,
    runs_of,
    trainings,
)
from suffice.runs.one_shot.recipe import ARMS, ChoiceSettings, OneShotRecipe, read_one_shot


def write_report(out: Path) -> Path:
    """Writes ``report.html`` and ``figures/`` of a run folder from what lies in it, and returns the page.

    Tasks without a verdict are named as not done. Texts of examples and items come from the recipe's files, where they are
    still those that the run read.

    Raises:
        UserError: No task has a verdict yet.
    """
    data = report_data(out)
    page = out / "report.html"
    write_text(page, render(data))
    write_figures(data, out / "figures")
    return page


def report_data(out: Path) -> OneShotReport:
    """Returns what the page of a run folder shows.

    Raises:
        UserError: No task has a verdict yet.
    """
    recipe = read_one_shot(out / "recipe.yaml")
    manifest = read_where_there(out / "manifest.json") or {}
    texts = _texts(recipe, manifest)
    names = recipe.tasks or [""]
    tasks = [found for name in names if (found := _task(out, name, recipe, texts)) is not None]
    if not tasks:
        raise UserError(
            f"no task of {out} has a verdict yet",
            f"go on with: suffice run {out / 'recipe.yaml'} --out {out}",
        )
    items = max(metric.items for task in tasks for metric in task.metrics)
    return OneShotReport(
        title=f"Suffice: {recipe.name}",
        subtitle=f"{recipe.model}, {items:,} test items{' a task' if len(names) > 1 else ''}",
        created=str(manifest.get("created", "")),
        command=f"suffice run {out / 'recipe.yaml'} --out NEW",
        tasks=tasks,
        notes=_notes(recipe, names, tasks, texts, ended=bool(manifest)),
        manifest=manifest,
    )


@dataclass(frozen=True)
class _Texts:
    """Examples and test items by their ids; none where the files are no longer those that the run read."""

    examples: dict[str, TargetItem]
    items: dict[str, TargetItem]


def _texts(recipe: OneShotRecipe, manifest: dict[str, Any]) -> _Texts:
    try:
        examples = read_examples(recipe.examples).items
    except UserError:
        examples = []
    try:
        target = read_target(recipe.target, seed=recipe.seed)
    except UserError:
        return _Texts(_same(examples, manifest), {})
    if recipe.evaluation.items:
        target = target.first(recipe.evaluation.items)
    same = manifest.get("target", target.fingerprint) == target.fingerprint
    return _Texts(_same(examples, manifest), {item.id: item for item in target.test} if same else {})


def _same(examples: Sequence[TargetItem], manifest: dict[str, Any]) -> dict[str, TargetItem]:
    found = digest([[item.messages, item.answer] for item in examples])
    return {item.id: item for item in examples} if manifest.get("examples", found) == found else {}


def _task(out: Path, name: str, recipe: OneShotRecipe, texts: _Texts) -> TaskReport | None:
    """Returns what is shown of a task; None where it has no verdict yet."""
    folder = out / name if name else out
    found = read_where_there(folder / "verdict.json")
    if found is None:
        return None
    if "tasks" in found:
        found = found["tasks"][0]
    runs = runs_of(folder, found)
    scores = run_scores(runs, recipe.evaluation.samples)
    templates = read_where_there(folder / "templates.json") or {}
    return TaskReport(
        name=name,
        level=100 * found["level"],
        sentences=found["sentences"],
        template=found["template"],
        templates={template: 100 * score for template, score in templates.items()},
        metrics=[_metric(table, scores.get(table["metric"], {})) for table in found["metrics"]],
        trainings=trainings(runs),
        choice=_choice(found.get("choice"), recipe, texts.examples),
        pairs=item_pairs(runs, texts.items),
        time=found.get("time", {}),
        contamination=_contamination(found.get("contamination")),
    )


def _metric(table: dict[str, Any], scores: dict[str, list[float]]) -> Metric:
    whole = table.get("whole")
    return Metric(
        name=table["metric"],
        items=table["items"],
        dropped=table["dropped"],
        arms=[
            Arm(row["arm"], kind_of_arm(row["arm"]), row["runs"], _estimate(row), scores.get(row["arm"], ()))
            for row in table["arms"]
        ],
        chain=[(row["from"], row["to"], _estimate(row)) for row in table["chain"]],
        gain=_estimate(table["gain"]),
        lifting=[row["arm"] for row in table["false_rewards"] if (row["gain"]["low"] or 0) > 0],
        whole=Whole(
            _estimate(whole["gain"]), whole["share"], whole["asked"], _estimate(whole["beyond"])
        )
        if whole
        else None,
    )  # fmt: skip


def _estimate(row: dict[str, Any]) -> Estimate:
    return Estimate(row["estimate"], row["low"], row["high"])


def _choice(
    found: dict[str, Any] | None, recipe: OneShotRecipe, examples: dict[str, TargetItem]
) -> Choice | None:
    if not found:
        return None
    settings = recipe.choice
    example = examples.get(found["example"])
    return Choice(
        id=found["example"],
        rate=found["rate"],
        how=_how(settings, labelled="wrong" in recipe.design.arms),
        band=None if settings.history else settings.rates,
        ranking=[Candidate(row["example"], row["rate"]) for row in found["ranking"]],
        wrong=found["wrong"],
        messages=example.messages if example else (),
        answer=example.answer if example else None,
    )


def _how(settings: ChoiceSettings, *, labelled: bool) -> str:
    rates = f"A pass rate is the share of {settings.rollouts:,} replies of the base that are right."
    if settings.history:
        rates = "A pass rate is the mean accuracy over the epochs of another training."
    if settings.row is not None:
        return f"{rates} The recipe names the example."
    if settings.history:
        return f"{rates} The one whose accuracy has the largest standard deviation over them is chosen."
    wrong = ", and of those the first with a wrong answer to be trained on" if labelled else ""
    return (
        f"{rates} The one whose rewards vary most is chosen, among those in the preferred band first{wrong}."
    )


def _contamination(found: dict[str, Any] | None) -> Contamination | None:
    if not found:
        return None
    named = {"test items": "test", "fresh items": "fresh", "difference": "difference"}
    rows = [
        (name, _part(found[key], "exact"), _part(found[key], "rouge_l"))
        for name, key in named.items()
        if found.get(key)
    ]
    judged = (found.get("arms") or {}).get("gains", ())
    gains = [
        (row["arm"], *(_estimate(row[side]) for side in ("fresh", "test", "difference"))) for row in judged
    ]
    return Contamination(found["sentence"], found["fraction"], rows, gains, found.get("notes", ()))


def _part(found: dict[str, Any], name: str) -> Estimate | None:
    return _estimate(found[name]) if found.get(name) else None


def _notes(
    recipe: OneShotRecipe, names: Sequence[str], tasks: Sequence[TaskReport], texts: _Texts, *, ended: bool
) -> list[str]:
    """Returns what was not done, one sentence each."""
    done = {task.name for task in tasks}
    notes = [f"The task {name} has no verdict yet." for name in names if name not in done]
    skipped = [arm for arm in ARMS if arm not in recipe.design.arms]
    if skipped:
        notes.append(f"These arms were not run: {', '.join(skipped)}.")
    if recipe.design.seeds < 2:
        notes.append("Each arm was trained once, so that the spread of seeds is not known.")
    for task in tasks:
        for metric in task.metrics:
            if metric.dropped:
                where = f" of {task.name}" if task.name else ""
                notes.append(
                    f"By {metric.by}, {metric.dropped:,} test items{where} are left out of all arms: their reward is missing "
                    "in some run."
                )
    if not recipe.evaluation.sampled_items:
        notes.append("Test items were not sampled, so that pass@k is not known.")
    if not texts.examples or not texts.items:
        notes.append(
            "Texts of examples or test items are not shown: the files are not there, or no longer those that were read."
        )
    if not ended:
        notes.append("The run has not ended, so that there is no manifest.")
    return notes
