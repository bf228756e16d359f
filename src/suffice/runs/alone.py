"""``suffice select --pool``: choosing without a recipe, from files to ``selection.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from suffice.common import registry
from suffice.common.errors import UserError
from suffice.common.files import digest_file, write_json
from suffice.common.progress import Reporter
from suffice.data.pool import ANY, Terms
from suffice.data.target import read_target
from suffice.models import ModelSource
from suffice.runs import choose
from suffice.runs.constraints import check_constraints, make_constraints
from suffice.runs.cost import worker_count
from suffice.runs.folder import RunFolder
from suffice.runs.manifest import versions
from suffice.runs.selection import write_selection


@dataclass(frozen=True)
class Request:
    """What to choose from, how, and where to write.

    Attributes:
        pool: Pool files or globs.
        out: The folder to write.
        scorer: The scorer's name.
        selector: The selector's name; by default the scorer's own.
        budget: Rows to choose.
        model: The model.
        target: The target file, where the scorer needs one; rows that ask its test items are rejected.
        dev: The file of dev examples, where they are apart.
        uses_model: Whether the model is used even where the scorer does not need one.
        seed: The seed of every random choice.
        jobs: Worker processes.
        terms: What is asked of the pool's rows.
        encoder: The sentence-transformers model, where one is given.
        pin: Rows to choose first: ids, or files of rows.
        ban: Rows never to choose, likewise.
        at_least: Rows of a source to choose at the least.
        at_most: Rows of a source to choose at the most.
    """

    pool: list[str]
    out: Path
    scorer: str
    selector: str | None
    budget: int
    model: ModelSource
    target: str | None = None
    dev: str | None = None
    uses_model: bool = False
    seed: int = 0
    jobs: int | None = None
    terms: Terms = ANY
    encoder: str | None = None
    pin: Sequence[str] = ()
    ban: Sequence[str] = ()
    at_least: Mapping[str, int] = field(default_factory=dict)
    at_most: Mapping[str, int] = field(default_factory=dict)


def select_alone(request: Request, reporter: Reporter) -> dict[str, Any]:
    """Chooses, and writes ``selection.jsonl``, ``rejected.jsonl`` and, last, ``manifest.json``.

    Returns:
        The manifest; its ``counts`` hold chosen + unchosen + rejected = read.

    Raises:
        UserError: Whatever is wrong with files, names or numbers.
    """
    folder = RunFolder(request.out)
    if folder.recipe_file.exists():
        raise UserError(f"{folder.path} holds a run, which has a selection of its own", "choose a new --out")
    with folder.locked():
        return _select(request, folder, reporter)


def _select(request: Request, folder: RunFolder, reporter: Reporter) -> dict[str, Any]:
    source = request.model if request.uses_model or choose.needs_model(request.scorer) else None
    if request.dev and not request.target:
        raise UserError(f"{request.dev} holds dev examples of no target", "give --target FILE as well")
    target = read_target(request.target, request.dev, seed=request.seed) if request.target else None
    choose.check_dev(request.scorer, target)
    if request.selector:
        registry.load("selectors", request.selector)
    gathered = choose.gather(request.pool, target, reporter, terms=request.terms)
    choose.check_budget(request.budget, gathered.pool)
    constraints = make_constraints(gathered.pool, request.pin, request.ban, request.at_least, request.at_most)
    check_constraints(gathered.pool, request.budget, constraints)
    model = source.load() if source else None
    scores = choose.score(
        request.scorer,
        gathered.pool,
        model=model,
        target=target,
        folder=folder.cache,
        reporter=reporter,
        seed=request.seed,
        workers=worker_count(model, request.jobs) if model else 1,
        encoder=request.encoder,
    )
    choices = choose.select(
        request.scorer,
        request.selector,
        gathered.pool,
        scores,
        request.budget,
        target=target,
        seed=request.seed,
        constraints=constraints,
    )
    folder.manifest.unlink(missing_ok=True)  # it comes last, and says that all is there
    gathered.write(None, folder.rejected)
    write_selection(folder.selection, gathered.pool, choices)
    manifest = {
        "counts": choose.counts(gathered, len(choices)),
        "overlap": gathered.overlap,
        "scorer": request.scorer,
        "selector": request.selector or choose.default_selector(request.scorer),
        "notes": scores.notes | {"missing": scores.missing},
        "constraints": asdict(constraints),
        "seed": request.seed,
        "model": model.fingerprint if model else None,
        "pool": gathered.pool.fingerprint,
        "target": target.fingerprint if target else None,
        "selection": digest_file(folder.selection),
        "versions": versions(),
    }
    write_json(folder.manifest, manifest)
    return manifest
