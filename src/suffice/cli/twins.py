"""``suffice twins``: rows that say the same or nearly, which of them stay, and at what threshold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from suffice.cli import options
from suffice.common.errors import UserError, unknown_name

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.data.twins.search import Embed, TwinResult

SHOWN = 3  # clusters
EDGES = (0.6, 0.7, 0.8, 0.9, 0.95, 1.0)

Files = Annotated[
    list[str],
    typer.Argument(metavar="FILES…", help="Pool files or quoted globs; put the one you trust most first."),
]


def twins(
    files: Files,
    method: Annotated[str, typer.Option(help="exact, near (shared runs of words) or semantic.")] = "near",
    threshold: Annotated[
        float | None,
        typer.Option(
            help="The least similarity of twins; by default 0.8 for near and 0.95 for semantic ones."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder to write; another threshold reuses its pairs.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="The model whose embeddings tell semantic twins; by default TF-IDF and LSA."),
    ] = None,
    seed: options.Seed = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Find rows that are twins of earlier ones, and write the pool without them.

    In the order of the files a row stays unless a row that stays is its twin.
    """
    from suffice.common.progress import reporter
    from suffice.data.twins import search as twin
    from suffice.runs.reading import read_files

    if method not in twin.METHODS:
        raise unknown_name("method", method, twin.METHODS)
    if model and method != "semantic":
        raise UserError("--model is for semantic twins alone", "leave it out, or give --method semantic")
    if out and (out / "recipe.yaml").exists():
        raise UserError(f"{out} holds a run, which has files of the same names", "choose a new --out")
    how = twin.TwinSearch(
        method=method,
        threshold=twin.THRESHOLDS[method] if threshold is None else threshold,
        seed=seed or 0,
        vectors=model or "lsa",
        embed=_embed(model) if model else None,
    )
    told = reporter(quiet=quiet)
    reading = read_files(files, told)
    found = twin.search(reading.pool, how, out, told)
    read = len(reading.pool) + len(reading.rejected)
    summary = {"read": read, "rejected": len(reading.rejected)} | found.counts(reading.pool)
    settings = {
        "method": how.method,
        "threshold": how.threshold,
        "floor": twin.FLOORS[method],
        "seed": how.seed,
    }
    summary |= settings | {"reused": found.reused, "similarities": _similarities(found)}
    if out:
        from suffice.common.files import write_jsonl

        write_jsonl(out / "rejected.jsonl", (row.as_json() for row in reading.rejected))
        twin.write_summary(out, summary)
    if json:
        from suffice.cli.output import print_json

        print_json(summary)
    elif not quiet:
        _tell(reading.pool, found, summary, out)


def _embed(spec: str) -> Embed:
    """Returns what makes a model's embeddings of rows."""
    from suffice.models import load_model
    from suffice.scorers.embedding import embed

    model = load_model(spec)

    def rows(examples: list[Any]) -> Any:
        ids = model.chat.token_ids([(example.messages, example.tools) for example in examples])
        return embed(model, [tokens or [] for tokens in ids])

    return rows


def _similarities(found: TwinResult) -> dict[str, int]:
    """Returns how many pairs there are from each edge to the next."""
    import numpy as np

    counts = [int((found.pairs.similarity >= np.float32(edge)).sum()) for edge in EDGES] + [0]
    return {f"{edge:g}": counts[place] - counts[place + 1] for place, edge in enumerate(EDGES)}


def _tell(pool: Pool, found: TwinResult, summary: dict[str, Any], out: Path | None) -> None:
    """Prints the largest clusters, the pairs by similarity and, last, what stays."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False)
    for line in _largest(pool, found):
        console.print(Text(line), overflow="ellipsis", no_wrap=True)
    bands = ", ".join(f"{edge} {count:,}" for edge, count in summary["similarities"].items() if count)
    if bands:
        console.print(f"Pairs by similarity, from: {bands}", style="dim", soft_wrap=True)
    reasons = [
        f"{summary[name]:,} {words}"
        for name, words in (("exact", "exact"), ("same_words", "of the same words"), ("nearly", "nearly"))
        if summary[name]
    ]
    share = f" ({100 * summary['removed'] / summary['rows']:.1f} %: {', '.join(reasons)})" if reasons else ""
    sentence = (
        f"{summary['removed']:,} of {summary['rows']:,} rows are twins of rows that stay{share}; "
        f"{summary['kept']:,} stay."
    )
    console.print(sentence, style="bold", soft_wrap=True)
    if out:
        console.print(f"Rows that stay: {out / 'kept.jsonl'}", soft_wrap=True)
    elif reasons:
        console.print("Write them with --out DIR.", soft_wrap=True)


def _largest(pool: Pool, found: TwinResult) -> list[str]:
    """Returns the largest clusters, a line for the cluster and one each for a row that stays and one that goes."""
    import numpy as np

    clusters = found.clusters
    heads, sizes = np.unique(clusters.cluster, return_counts=True)
    lines = []
    for place in np.argsort(-sizes, kind="stable")[:SHOWN]:
        inside = np.flatnonzero(clusters.cluster == heads[place])
        stays = int((clusters.twin[inside] == clusters.rows[inside]).sum())
        gone = inside[clusters.twin[inside] != clusters.rows[inside]]
        last = gone[np.argmin(clusters.similarity[gone])]
        lines += [
            f"Cluster of {sizes[place]:,} rows, of which {stays:,} {'stay' if stays > 1 else 'stays'}:",
            f"  stays       {_shown(pool, int(clusters.twin[last]))}",
            f"  {clusters.similarity[last]:.2f} to it  {_shown(pool, int(clusters.rows[last]))}",
            "",
        ]
    return lines


def _shown(pool: Pool, row: int) -> str:
    """Returns where a row stands and what it says, on one line."""
    from suffice.data.twins.exact import said

    example = pool[row]
    text = " ".join(said(example).split())
    return f"{Path(example.file).name}:{example.line} {''.join(c if c.isprintable() else '?' for c in text[:200])}"
