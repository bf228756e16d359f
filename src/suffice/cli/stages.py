"""``suffice train|evaluate|report RUN``: one stage of a run folder."""

from __future__ import annotations

from collections.abc import Callable

import typer

from suffice.cli import options

VERBS = {
    "train": "Train the arms of a run folder.",
    "evaluate": "Evaluate the arms of a run folder on the test items.",
    "report": "Draw the report of a run folder.",
}


def register(app: typer.Typer) -> None:
    """Adds the verbs. Each brings what comes before its stage up to date too."""
    for stage, sentence in VERBS.items():
        app.command(stage, help=f"{sentence} Earlier stages run first where they are out of date.")(
            _verb(stage)
        )


def _verb(stage: str) -> Callable[..., None]:
    def verb(run: options.RunArgument, json: options.Json = False, quiet: options.Quiet = False) -> None:
        from suffice.cli.running import run_stage

        run_stage(run, stage, json=json, quiet=quiet)

    return verb
