"""How well ways of scoring foretell training: the linear datamodeling score of each on the lab, with paired differences.

Run with ``python benchmarks/foretelling.py [--model FOLDER] [--rows N] [--halves N] [--out DIR]``. The model is trained
twice on each random half of some rows of the lab's pool (16 rows a step, two passes, 5e-4); warm-ups and
preconditioners are fitted on the whole pool. What is done is kept in ``--out``, so that an interrupted series goes on.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from suffice.common import registry
from suffice.common.draws import Draws
from suffice.common.progress import Terminal
from suffice.data.pool import Pool
from suffice.data.target import read_target
from suffice.gradients.codes import Queries
from suffice.gradients.featurise import PoolFeatures, PoolSettings
from suffice.gradients.layers import body_layers
from suffice.gradients.per_example import FeatureSettings
from suffice.gradients.preconditioning import Preconditioning, fit
from suffice.gradients.reference import row_loss
from suffice.gradients.rows import encode
from suffice.gradients.warmup import WarmUp, warm_up
from suffice.lab.export import export_lab
from suffice.models import LanguageModel, ModelSource
from suffice.runs.choose import gather
from suffice.runs.retraining import Course, Retraining
from suffice.runs.validate import compare
from suffice.scorers.influence import Influence, _dev_features
from suffice.scorers.influence_settings import InfluenceSettings
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.training import SFTSettings

Table = NDArray[np.float32]
YARDSTICK = "K-FAC"


def by_scorer(name: str, pool: Pool, context: ScoringContext) -> Table:
    """Scores by a scorer of the package."""
    scores: Scores = registry.load("scorers", name)().score(pool, context)
    return scores.values if scores.affinity is None else scores.affinity


def by_gradient(how: Preconditioning | None, whole: Pool, pool: Pool, context: ScoringContext) -> Table:
    """Cosines of the gradients of the model's own weights, preconditioned or not."""
    model, target = context.model, context.target
    assert model
    assert target
    fitted = how and fit(model, whole, context.folder, how, seed=0, reporter=context.reporter)
    settings = PoolSettings(FeatureSettings(), preconditioner=fitted)
    store = PoolFeatures(pool, model, context.folder, settings)
    store.compute(1, lambda _: None)
    cosines, _ = store.cosines(Queries(_dev_features(model, target, settings.for_target())))
    return cosines[:, : len(target.dev)]


def exactly(pool: Pool, context: ScoringContext) -> Table:
    """Cosines of whole gradients, without projection or rounding, one backward pass a row."""
    model, target = context.model, context.target
    assert model
    assert target
    sides = [
        _gradients(model, [(row.messages, row.tools) for row in pool]),
        _gradients(model, [(item.conversation, None) for item in target.dev]),
    ]
    return np.asarray((sides[0] @ sides[1].T).numpy())


def _gradients(model: LanguageModel, conversations: Any) -> torch.Tensor:
    weights = [layer.module.weight for layer in body_layers(model.network)]
    found = []
    for row in encode(model, conversations):
        gradients = torch.autograd.grad(row_loss(model.network, row), weights)
        whole = torch.cat([gradient.flatten() for gradient in gradients])
        found.append(whole / whole.norm())
    return torch.stack(found)


def after_warm_up(update: str, whole: Pool, pool: Pool, context: ScoringContext) -> Table:
    """LESS: cosines at the four checkpoints of a warm-up on 5 % of the whole pool."""
    assert context.model
    checkpoints = warm_up(context.model, whole, context.folder, WarmUp(), seed=0, reporter=context.reporter)
    settings = InfluenceSettings(checkpoints=checkpoints[0].folder.parent, update=update)
    affinity = Influence(settings).score(pool, context).affinity
    assert affinity is not None
    return affinity


def methods(whole: Pool, pool: Pool, context: ScoringContext) -> dict[str, Callable[[], Table]]:
    """Returns how each method makes its scores."""
    fits = {
        "raw": None,
        "K-FAC": Preconditioning("kfac"),
        "K-FAC, empirical": Preconditioning("kfac", fisher="empirical"),
        "Adafactor": Preconditioning("adafactor"),
    }
    return {
        **{
            name: (lambda name=name: by_scorer(name, pool, context))
            for name in ("bm25", "length", "random", "embedding")
        },
        **{name: (lambda how=how: by_gradient(how, whole, pool, context)) for name, how in fits.items()},
        "raw, exact": lambda: exactly(pool, context),
        "LESS": lambda: after_warm_up("less", whole, pool, context),
        "LESS, torch's Adam": lambda: after_warm_up("torch", whole, pool, context),
        "LESS, plain gradient": lambda: after_warm_up("gradient", whole, pool, context),
    }


def told(found: dict[str, Any]) -> str:
    """Returns the scores as Markdown, the highest first."""
    lines = [
        f"| method | by example (s.e.) | {YARDSTICK} less it | by family (s.e.) | {YARDSTICK} less it |",
        "|---" * 5 + "|",
    ]
    parts = found["by_example"], found["by_family"]
    scores = parts[0]["scores"]
    for name in sorted(scores, key=lambda name: -scores[name]["value"]):
        cells = [name]
        for part in parts:
            score, apart = part["scores"][name], part["differences"].get(name)
            cells.append(f"{score['value']:.3f} ({score['error']:.3f})")
            cells.append(
                f"{apart['value']:+.3f} [{apart['low']:+.3f}, {apart['high']:+.3f}]" if apart else ""
            )
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    agreement = ", ".join(f"{part['reliability']:.3f}" for part in parts)
    lines.append(f"Agreement of the two seeds, stepped up: {agreement}.")
    return "\n".join(lines)


def main() -> None:
    """Scores, trains and compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="lab")
    parser.add_argument("--rows", type=int, default=192)
    parser.add_argument("--halves", type=int, default=64)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "foretelling")
    given = parser.parse_args()
    torch.set_num_threads(1)
    files = given.out / "lab"
    if not (files / "target.jsonl").is_file():
        export_lab(files)
    target = read_target(files / "target.jsonl")
    whole = gather([str(files / "pool.jsonl")], target, Terminal()).pool
    pool = whole.take(sorted(Draws(0, "lds pool").sample(range(len(whole)), given.rows)))
    source = ModelSource(given.model, "cpu", "float32")
    model = source.load()
    context = ScoringContext(given.out / model.fingerprint, model, target, Terminal(), workers=given.jobs)
    tables = {}
    for name, make in methods(whole, pool, context).items():
        started = time.process_time()
        tables[name] = make()
        print(f"{name}: {time.process_time() - started:.1f} s of CPU in this process", flush=True)
    training = SFTSettings(5e-4, epochs=2, batch_size=16, warmup_ratio=0.03)
    course = Course(pool, target, source, training, given.halves)
    retraining = Retraining(course, context.folder)
    retraining.run(given.jobs, context.reporter)
    found = compare(tables, course, retraining.losses(), target, YARDSTICK)
    (context.folder / "foretelling.json").write_text(json.dumps(found, indent=2))
    print(told(found))


if __name__ == "__main__":
    main()
