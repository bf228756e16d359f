"""The manifest: what a run was made of. It is written last, so a folder without one is unfinished."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import suffice
from suffice.common.files import digest_file, read_json, write_json
from suffice.runs.context import Run
from suffice.runs.folder import STAGES
from suffice.runs.summary import costs

PACKAGES = ("torch", "transformers", "trl", "tokenizers", "datasets", "numpy", "scipy", "pyarrow")


def versions() -> dict[str, str]:
    """Returns the versions of Suffice, Python and the libraries that results depend on."""
    found = {"suffice": suffice.__version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def manifest(run: Run) -> dict[str, Any]:
    """Returns the manifest of a run: counts, hashes, versions, rules and costs."""
    folder, stamps = run.folder, {stage: run.folder.stamp(stage) or {} for stage in STAGES}
    pool, chosen, dropped = stamps["pool"], len(run.selected), stamps["select"].get("dropped", 0)
    return {
        "counts": {
            "read": pool["read"],
            "chosen": chosen,
            "unchosen": len(run.pool) - chosen - dropped,
            "rejected": pool["rejected"] + dropped,
        },
        "overlap": pool.get("overlap"),
        "plan": read_json(folder.plan)["hash"],
        "model": run.model_key,
        "pool": run.pool.fingerprint,
        "target": run.target.fingerprint,
        "selection": digest_file(folder.selection),
        "seed": run.recipe.seed,
        "checkpoint_rule": "the last optimiser step of every run; no checkpoint is picked by a score",
        "learning_rate_rule": "picked for each arm on dev"
        if run.recipe.training.tune
        else "one for all arms",
        # Without the report, which shows all this.
        "stages": {stage: stamp["key"] for stage, stamp in stamps.items() if stamp and stage != "report"},
        "costs": costs(folder),
        "versions": versions(),
        "recipe": run.folder.recipe().model_dump(),
        "level": 1 - run.recipe.design.alpha,
    }


def write_manifest(run: Run) -> None:
    """Writes ``manifest.json``."""
    write_json(run.folder.manifest, manifest(run))
