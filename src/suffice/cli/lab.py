"""``suffice lab``: the embedded lab itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from suffice.cli import lab_measure, options
from suffice.common.progress import Reporter

app = typer.Typer(help="The embedded lab: build its base, export its pool and target, measure its base.")
app.command()(lab_measure.measure)


@app.command()
def build(
    out: options.Out = Path("lab-base"),
    preset: Annotated[
        str,
        typer.Option(
            help="cpu: the base as shipped; gpu: 33 million parameters, on a GPU where there is one."
        ),
    ] = "cpu",
    steps: Annotated[
        int | None, typer.Option(min=1, help="Training steps; by default those of the preset.")
    ] = None,
    seed: options.Seed = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Generate the corpus, train tokenizer and base from scratch, and write a plain model folder.

    A killed build continues where it stopped when the same command is given again.
    """
    from suffice.cli.output import print_json
    from suffice.common.errors import unknown_name
    from suffice.common.progress import reporter
    from suffice.lab.build import build_lab
    from suffice.lab.settings import PRESETS

    if preset not in PRESETS:
        raise unknown_name("preset", preset, PRESETS)
    settings = replace(PRESETS[preset], seed=seed or 0, steps=steps or PRESETS[preset].steps)
    progress = reporter(quiet=quiet)
    device = "cpu" if preset == "cpu" else _gpu_or_cpu(progress)
    record = build_lab(out, settings, progress, device=device)
    if json:
        print_json(record)
    elif not quiet:
        typer.echo(
            f"A base of {record['parameters']:,} parameters lies in {out}. Next: suffice run lima --model {out}"
        )


def _gpu_or_cpu(progress: Reporter) -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    progress.say("torch sees no GPU: the CPU trains this base too, but takes days or weeks for all its steps")
    return "cpu"


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write.")],
    pool: Annotated[
        str, typer.Option(help="plain: bad rows differ in style; hard: they share the good form.")
    ] = "plain",
    json: options.Json = False,
) -> None:
    """Write the lab's pool and target as ordinary files."""
    from suffice.cli.output import print_json
    from suffice.common.errors import unknown_name
    from suffice.lab.export import export_lab
    from suffice.lab.pool import POOLS

    if pool not in POOLS:
        raise unknown_name("pool", pool, POOLS)
    paths = export_lab(folder, pool=pool)
    if json:
        print_json({name: str(path) for name, path in paths.items()})
        return
    typer.echo(
        f"Next: suffice run lima --pool {paths['pool']} --target {paths['target']} --extractor last_line"
    )
