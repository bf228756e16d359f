"""The verbs of the command line."""

from __future__ import annotations

from typing import Annotated

import typer

import suffice
from suffice.cli import (
    check,
    compare,
    contamination,
    demo,
    explain,
    info,
    judge,
    lab,
    overlap,
    personal,
    plan,
    prove,
    run,
    score,
    select,
    stages,
    suspects,
    twins,
)

app = typer.Typer(
    name="suffice",
    help="Find the few training examples that align a language model, and prove whether they are enough.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"suffice {suffice.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


app.command("check")(check.check)
app.command("demo")(demo.demo)
app.command("run")(run.run)
app.command("score")(score.score)
app.command("select")(select.select)
app.command("suspects")(suspects.suspects)
app.command("explain")(explain.explain)
app.command("overlap")(overlap.overlap)
app.command("twins")(twins.twins)
app.command("personal")(personal.personal)
app.command("plan")(plan.plan)
stages.register(app)
app.command("prove")(prove.prove)
app.command("compare")(compare.compare)
app.command("contamination")(contamination.contamination)
app.command("judge")(judge.judge)
app.add_typer(lab.app, name="lab")
app.command("list")(info.list_names)
app.command("env")(info.env)
