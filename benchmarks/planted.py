"""Whether influence finds planted rows, and what its cheap modes lose, on the lab.

Run with ``python benchmarks/planted.py [--model lab] [--proxy lab@50] [--rows 3000] [--out FOLDER]``; what was computed
in FOLDER before is found again.

*Planted rows:* for each family of the target alone, its good rows in the pool (the styles of the lab's rows are known)
among 19 times as many others. Told is the share of planted rows among as many rows with the highest scores, where the
others are bad rows of all families, and where they are any, good rows of other families among them.

*Cheap modes:* Spearman's correlation of a row's influence on the whole target with that of the full mode, the overlap
of the first 5 %, and the seconds of processor, which for RDS+ as a prefilter are those of RDS+ alone, since the
survivors' gradients are found again.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from suffice.common.draws import Draws
from suffice.common.files import write_jsonl
from suffice.common.progress import Silent
from suffice.data.pool import Pool, read_pool
from suffice.data.target import Target, read_target
from suffice.lab.families import FAMILIES, draw_problem
from suffice.lab.pool import POOLS, labelled_rows
from suffice.lab.target import target_rows
from suffice.lab.world import World, build_world
from suffice.models import LanguageModel, load_model
from suffice.runs.one_step import check_by_one_step
from suffice.runs.suspects import influence_on_target, worst
from suffice.scorers.embedding import Embedding
from suffice.scorers.influence import Influence
from suffice.scorers.influence_settings import InfluenceSettings
from suffice.scorers.protocol import Scores, ScoringContext

SHARE = 0.05
LESS = InfluenceSettings(warmup="lora")
DEFAULT = InfluenceSettings()
WAYS = {
    "full (LESS)": LESS,
    "last half of the layers": replace(LESS, half=True),
    "RDS+ lets a half through": replace(LESS, prefilter=0.5),
    "RDS+ lets a quarter through": replace(LESS, prefilter=0.25),
    "one epoch of warm-up": replace(LESS, warmup_epochs=1),
    "no warm-up": InfluenceSettings(preconditioner="none"),
    "no warm-up, K-FAC (default)": DEFAULT,
}


@dataclass(frozen=True)
class Labelled:
    """A part of the lab's plain pool.

    Attributes:
        pool: The rows.
        families: The family that each row's question is of [rows].
        styles: The style of each row's reply [rows]; a near copy has that of what it copies.
    """

    pool: Pool
    families: NDArray[np.str_]
    styles: NDArray[np.str_]


def labelled_pool(world: World, rows: int, folder: Path) -> Labelled:
    """Returns the first rows of the plain pool, those apart that cannot be used."""
    found = list(_labels(world, rows))
    write_jsonl(folder / "pool.jsonl", (row for _, _, row in found))
    pool = read_pool([folder / "pool.jsonl"]).pool
    assert len(pool) == len(found)
    return Labelled(pool, np.array([one for one, _, _ in found]), np.array([one for _, one, _ in found]))


def _labels(world: World, rows: int) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Yields family, style and row; the draws are those of `labelled_rows`, made again."""
    sources = POOLS["plain"]
    earlier: list[tuple[str, str]] = []
    for index, (style, row) in enumerate(labelled_rows(world, rows)):
        draws = Draws(world.seed, "pool", "plain", index)
        source = draws.weighted({name: share for name, (share, _, _) in sources.items()})
        draws.weighted(sources[source][2])
        copied = style == "copy" and bool(earlier)
        what = (
            draws.choice(earlier)
            if copied
            else (draw_problem(world, draws.choice(FAMILIES), draws).family, style)
        )
        if style != "malformed":
            earlier.append(what)
            yield *what, row


def precision(values: NDArray[np.float32], planted: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    """Returns the share of planted rows among as many with the highest values, in a pool of which they are 5 %.

    Args:
        values: The scores of all rows [rows].
        planted: Which rows are planted [rows].
        among: Which rows the others are taken from [rows].
    """
    others = np.flatnonzero(among & ~planted)
    mine = np.flatnonzero(planted)[: int(len(others) * SHARE / (1 - SHARE))]
    rows = np.sort(np.concatenate([mine, others[: round(len(mine) * (1 - SHARE) / SHARE)]]))
    order = rows[np.argsort(-np.nan_to_num(values[rows], nan=-9), kind="stable")]
    return float(planted[order[: len(mine)]].mean())


def planted_table(labelled: Labelled, target: Target, found: dict[str, Scores]) -> None:
    """Prints for each family the share of planted rows among the first: among bad rows, and among all others."""
    tasks = np.array([item.task for item in target.dev])
    print("\n| family | planted |", " | ".join(found), "|\n|---|---|" + "---|" * len(found))
    for family in target.families:
        planted = (labelled.families == family) & (labelled.styles == "target")
        shares = []
        for scores in found.values():
            assert scores.affinity is not None
            values = scores.affinity[:, tasks == family].mean(axis=1)
            among = (labelled.styles != "target", np.ones(len(values), dtype=bool))
            shares.append("; ".join(f"{precision(values, planted, rows):.2f}" for rows in among))
        print(f"| {family} | {planted.sum()} |", " | ".join(shares), "|", flush=True)


def cheap_line(name: str, scores: Scores, full: Scores, target: Target, seconds: float) -> None:
    """Prints how a mode agrees with the full one."""
    mine, theirs = influence_on_target(scores, target), influence_on_target(full, target)
    both = ~np.isnan(mine) & ~np.isnan(theirs)
    first = round(SHARE * len(mine))
    tops = [set(np.argsort(-np.nan_to_num(one, nan=-9), kind="stable")[:first]) for one in (mine, theirs)]
    rho = spearmanr(mine[both], theirs[both]).statistic
    print(
        f"| {name} | {rho:.3f} | {len(tops[0] & tops[1]) / first:.2f} | {both.sum():,} | {seconds:.0f} s |",
        flush=True,
    )


def suspects(labelled: Labelled, target: Target, full: Scores, model: LanguageModel) -> None:
    """Prints of what style the worst rows are, and what one step on each of them does."""
    places = worst(full, target, len(labelled.pool))
    print(f"\n{len(places)} rows below 0; the worst 100: {Counter(labelled.styles[places[:100]].tolist())}")
    print(f"all rows: {Counter(labelled.styles.tolist())}")
    for one in check_by_one_step(
        model, labelled.pool, target, places, count=30, items=90, seed=0, reporter=Silent()
    ):
        print(one.sentence, flush=True)


def main() -> None:
    """Runs the comparison."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--model", default="lab")
    arguments.add_argument("--proxy", default="lab@50")
    arguments.add_argument("--rows", type=int, default=3000)
    arguments.add_argument("--out", type=Path, default=Path("planted"))
    given = arguments.parse_args()
    world = build_world()
    write_jsonl(given.out / "target.jsonl", target_rows(world, 30))
    target, labelled = (
        read_target(given.out / "target.jsonl"),
        labelled_pool(world, given.rows, given.out),
    )
    model = load_model(given.model, device="cpu")
    context = ScoringContext(given.out, model, target)
    found = {"RDS+": Embedding().score(labelled.pool, context)}
    print("| mode | rank agreement | overlap of the first 5 % | rows | processor |\n|---|---|---|---|---|")
    for name, settings in WAYS.items():
        started = time.process_time()
        found[name] = Influence(settings).score(labelled.pool, context)
        seconds = time.process_time() - started
        cheap_line(name, found[name], found["full (LESS)"], target, seconds)
    started = time.process_time()
    proxy = replace(context, model=load_model(given.proxy, device="cpu"))
    found[given.proxy] = Influence(LESS).score(labelled.pool, proxy)
    seconds = time.process_time() - started
    cheap_line(f"{given.proxy} chooses", found[given.proxy], found["full (LESS)"], target, seconds)
    planted_table(labelled, target, found)
    suspects(labelled, target, found["full (LESS)"], model)


if __name__ == "__main__":
    main()
