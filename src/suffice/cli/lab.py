"""``suffice lab``: the embedded lab itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from suffice.cli import options

app = typer.Typer(help="The embedded lab: build its base, export its pool and target.")


@app.command()
def build(
    out: options.Out = Path("lab-base"),
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps; by default as shipped.")] = None,
    seed: options.Seed = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Generate the corpus, train tokenizer and base from scratch, and write a plain model folder.

    A killed build continues where it stopped when the same command is given again.
    """
    from suffice.cli.output import print_json
    from suffice.common.progress import reporter
    from suffice.lab.build import build_lab
    from suffice.lab.pretrain import PretrainSettings

    settings = PretrainSettings(seed=seed or 0)
    if steps:
        settings = PretrainSettings(seed=seed or 0, steps=steps)
    record = build_lab(out, settings, reporter(quiet=quiet))
    if json:
        print_json(record)
    elif not quiet:
        typer.echo(
            f"A base of {record['parameters']:,} parameters lies in {out}. Next: suffice run lima --model {out}"
        )


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write.")],
    json: options.Json = False,
) -> None:
    """Write the lab's pool and target as ordinary files."""
    from suffice.cli.output import print_json
    from suffice.lab.export import export_lab

    paths = export_lab(folder)
    if json:
        print_json({name: str(path) for name, path in paths.items()})
        return
    typer.echo(
        f"Next: suffice run lima --pool {paths['pool']} --target {paths['target']} --extractor last_line"
    )
