"""``suffice check``: what files hold, which rows are bad, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from suffice.cli import options
from suffice.common.errors import UserError


def check(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES…", help="Files, folders, quoted globs, or hf://owner/name.", show_default=False
        ),
    ],
    columns: options.Columns = None,
    ignore: options.Ignore = None,
    allow_license: options.AllowLicense = None,
    reject_twins: options.RejectTwins = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 where any row is rejected.")] = False,
    preview: Annotated[
        bool,
        typer.Option(
            "--preview", help="Print the rows as the model sees them; ⟦…⟧ is what it is trained on."
        ),
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(help="A tokenizer's folder, a hub id, or lab: finds rows that are too long or refused."),
    ] = None,
    chat_template: options.ChatTemplate = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="A folder to write pool.parquet and rejected.jsonl to.")
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Tell what each file was taken for and why, and which rows cannot be used.

    Ends with 0 where rows can be used, 1 where files were read and none can, 2 where it could not run.
    """
    if preview and json:
        raise UserError("--preview is for reading, and --json for machines", "leave out one of the two")
    from suffice.cli.checked import tell_checked, tell_preview
    from suffice.cli.output import print_json
    from suffice.common.progress import reporter
    from suffice.runs.checking import check_files

    terms = options.terms(columns, ignore, allow_license, reject_twins=reject_twins)
    tokenizer = None
    if model or preview:
        from suffice.models import load_tokenizer

        tokenizer = load_tokenizer(model or "lab", chat_template)
    elif chat_template:
        raise UserError("--chat-template is of use only with --preview or --model", "give one of them")
    checked = check_files(files, terms, reporter(quiet=quiet), model=tokenizer if model else None, out=out)
    if json:
        print_json(checked.as_json())
    elif tokenizer and preview:
        tell_preview(checked, tokenizer)
    else:
        tell_checked(checked, files, out)
    bad = checked.accepted == 0 or (strict and checked.accepted < checked.rows)
    raise typer.Exit(1 if bad else 0)
