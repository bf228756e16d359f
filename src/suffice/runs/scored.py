"""``suffice score --pool``: scoring without a recipe, from files to a folder that rows can be chosen from.

The folder holds ``pool.parquet``, ``rejected.jsonl``, ``target.parquet`` where there is a target, ``scores.parquet`` and,
written last, ``scoring.json``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suffice.common.errors import UserError
from suffice.common.files import read_json, write_json
from suffice.common.options import resolved
from suffice.common.progress import Reporter
from suffice.data.pool import ANY, Pool, Terms
from suffice.data.target import Target, read_target
from suffice.models import ModelSource
from suffice.runs import choose
from suffice.runs.combining import Combined, combine, read_combined
from suffice.runs.cost import worker_count
from suffice.runs.folder import RunFolder
from suffice.runs.manifest import versions
from suffice.runs.steps import Pipeline, make_pipeline, options_of, resolved_options
from suffice.runs.suspects import tells_harm, write_suspects
from suffice.scorers.protocol import Scores

if TYPE_CHECKING:
    from suffice.models.tokenizer import ChatTokenizer


@dataclass(frozen=True)
class ScoreRequest:
    """What to score, how, and where to write.

    Attributes:
        pool: Pool files or globs.
        out: The folder to write.
        scorer: The scorer's name; that of a pipeline where there is one.
        model: The model.
        options: The scorer's options.
        pipeline: The steps by which several scorers choose.
        target: The target file, where the scorer needs one; rows that ask its test items are rejected.
        dev: The file of dev examples, where they are apart.
        uses_model: Whether the model is used even where the scorer does not need one.
        seed: The seed of every random choice.
        jobs: Worker processes.
        terms: What is asked of the pool's rows.

    Raises:
        UserError: There is no such scorer, or it has no such options.
    """

    pool: list[str]
    out: Path
    scorer: str
    model: ModelSource
    options: Mapping[str, Any] = field(default_factory=dict)
    pipeline: Pipeline | None = None
    target: str | None = None
    dev: str | None = None
    uses_model: bool = False
    seed: int = 0
    jobs: int | None = None
    terms: Terms = ANY

    def __post_init__(self) -> None:
        self.resolved()

    @property
    def scorers(self) -> list[str]:
        """The scorers that are needed."""
        return self.pipeline.scorers if self.pipeline else [self.scorer]

    def options_of(self, scorer: str) -> Mapping[str, Any]:
        """Returns the options of one of them."""
        return options_of(scorer, self.options) if self.pipeline else self.options

    def resolved(self) -> dict[str, Any]:
        """Returns all options, checked, as a recipe keeps them."""
        if self.pipeline:
            return resolved_options(self.pipeline, self.options)
        return resolved("scorers", self.scorer, self.options)


@dataclass(frozen=True)
class Scored:
    """A scored pool.

    Attributes:
        pool: The rows.
        target: The target, where there is one.
        scores: The rows' scores.
        combined: What the steps of a pipeline made, where there is one.
        about: What ``scoring.json`` says.
    """

    pool: Pool
    target: Target | None
    scores: Scores
    about: dict[str, Any]
    combined: Combined | None = None

    @property
    def selector(self) -> str:
        """The selector that suits: the pipeline's, or that of the scorer."""
        if self.about.get("pipeline"):
            return make_pipeline(self.about["pipeline"], "the folder").selector
        return choose.default_selector(self.about["scorer"])

    def tokenizer(self) -> ChatTokenizer | None:
        """Returns the tokenizer of the model that scored; `None` where none did."""
        base = self.about.get("base")
        if base is None:
            return None
        from suffice.models.tokenizer import load_tokenizer

        return load_tokenizer(*base)


def absolute(spec: str) -> str:
    """Returns a model's folder as a path from the root, so that it is found from anywhere; a name as it is."""
    return str(Path(spec).absolute()) if Path(spec).exists() else spec


def free_folder(out: Path) -> RunFolder:
    """Returns a folder to write scores or a selection to.

    Raises:
        UserError: It holds a run.
    """
    folder = RunFolder(out)
    if folder.recipe_file.exists():
        raise UserError(f"{folder.path} holds a run, which has a selection of its own", "choose a new --out")
    return folder


def score_alone(request: ScoreRequest, reporter: Reporter) -> dict[str, Any]:
    """Reads a pool, scores it and writes the folder.

    Returns:
        What ``scoring.json`` says; its ``counts`` hold usable + rejected = read.

    Raises:
        UserError: Whatever is wrong with files, names or options.
    """
    folder = free_folder(request.out)
    with folder.locked():
        return score_files(request, folder, reporter).about


def score_files(
    request: ScoreRequest,
    folder: RunFolder,
    reporter: Reporter,
    check_target: Callable[[Target | None], None] | None = None,
    check: Callable[[Pool], None] | None = None,
) -> Scored:
    """Does the work of `score_alone` in a folder that is locked.

    Args:
        request: What to score.
        folder: Where to write.
        reporter: Where progress is told.
        check_target: Refuses a target before the pool is read.
        check: Refuses a pool before it is scored.
    """
    needed = request.uses_model or any(choose.needs_model(name) for name in request.scorers)
    source = request.model if needed else None
    if request.dev and not request.target:
        raise UserError(f"{request.dev} holds dev examples of no target", "give --target FILE as well")
    target = read_target(request.target, request.dev, seed=request.seed) if request.target else None
    for name in request.scorers:
        choose.check_dev(name, target)
    if check_target:
        check_target(target)
    gathered = choose.gather(request.pool, target, reporter, terms=request.terms)
    if check:
        check(gathered.pool)
    model = source.load() if source else None
    made = {
        name: choose.score(
            name,
            gathered.pool,
            model=model,
            target=target,
            folder=folder.cache,
            reporter=reporter,
            seed=request.seed,
            workers=worker_count(model, request.jobs) if model else request.jobs or 1,
            options=request.options_of(name),
        )
        for name in request.scorers
    }
    combined = combine(request.pipeline, made) if request.pipeline else None
    scores = combined.scores if combined else made[request.scorer]
    for left in (folder.scoring, folder.manifest, folder.selection, folder.target, folder.suspects):
        left.unlink(missing_ok=True)  # of an earlier pool or scorer
    gathered.write(folder.pool, folder.rejected)
    if target:
        target.write(folder.target)
    (combined.alone if combined else scores).write(folder.scores)
    if target and tells_harm(request.scorer):
        write_suspects(folder.suspects, gathered.pool, scores, target, reporter)
    if combined:
        for name, own in made.items():
            own.write(folder.scores_by(name))
    about = {
        "counts": {
            "read": gathered.read,
            "usable": len(gathered.pool),
            "rejected": len(gathered.rejected),
            "scored": len(gathered.pool) - scores.missing,
        },
        "overlap": gathered.overlap,
        "scorer": request.scorer,
        "pipeline": request.pipeline.dump() if request.pipeline else None,
        "options": request.resolved(),
        "notes": scores.notes | {"missing": scores.missing},
        "seed": request.seed,
        "model": model.fingerprint if model else None,
        "base": [absolute(source.spec), source.chat_template] if source else None,
        "pool": gathered.pool.fingerprint,
        "target": target.fingerprint if target else None,
        "versions": versions(),
    }
    write_json(folder.scoring, about)
    return Scored(gathered.pool, target, scores, about, combined)


def read_scored(folder: RunFolder) -> Scored:
    """Returns what `score_alone` left.

    Raises:
        UserError: The folder holds no scores.
    """
    if not folder.scoring.is_file():
        raise UserError(
            f"{folder.path} holds no scores", f"suffice score --pool … --scorer … --out {folder.path}"
        )
    target = Target.read(folder.target) if folder.target.is_file() else None
    about = dict(read_json(folder.scoring))
    if about.get("pipeline"):
        combined = read_combined(make_pipeline(about["pipeline"], str(folder.scoring)), folder)
        return Scored(Pool.read(folder.pool), target, combined.scores, about, combined)
    return Scored(Pool.read(folder.pool), target, Scores.read(folder.scores), about)
