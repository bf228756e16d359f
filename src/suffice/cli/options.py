"""Options that several verbs share, each written down once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suffice.common.errors import UserError

if TYPE_CHECKING:
    from suffice.data.terms import Terms

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")]
Seed = Annotated[int | None, typer.Option(help="Seed of every random choice.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The run folder.")]
Out = Annotated[Path, typer.Option("--out", help="The folder to write.")]
OutFolder = Annotated[Path | None, typer.Option("--out", help="The folder to write.")]
Pools = Annotated[
    list[str] | None, typer.Option("--pool", help="Pool file or quoted glob; may be given more than once.")
]
TargetFile = Annotated[str | None, typer.Option("--target", help="Target file (JSONL).")]
DevFile = Annotated[str | None, typer.Option("--dev", help="Dev examples, where they are in a file apart.")]
Model = Annotated[str | None, typer.Option(help="A folder, a hub id, or lab (lab@50: half-trained).")]
ScorerName = Annotated[str | None, typer.Option("--scorer", help="The scorer; see suffice list scorers.")]
PipelineFile = Annotated[
    Path | None,
    typer.Option(help="YAML steps that filter, weigh and select by several scorers, instead of --scorer."),
]
SelectorName = Annotated[
    str | None, typer.Option("--selector", help="The selector; by default the scorer's own.")
]
Budget = Annotated[int | None, typer.Option(min=1, help="How many rows to choose.")]
BudgetTokens = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="How many tokens to choose instead: those that are trained on, or words of answers without a model.",
    ),
]
Device = Annotated[str | None, typer.Option(help="auto, cpu or cuda.")]
Dtype = Annotated[
    str | None, typer.Option(help="auto, float32, bfloat16 or float16; on a CPU always float32.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Worker processes side by side.")]
ChatTemplate = Annotated[
    str | None, typer.Option(help="A chat template (file or text) instead of the model's own.")
]
Columns = Annotated[
    str | None,
    typer.Option(help="The file's columns by field, such as prompt=question,completion=answer."),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(help="Rules to ignore, such as W2 or E103; may be given more than once."),
]
AllowLicense = Annotated[
    list[str] | None,
    typer.Option(help="Licences to allow, such as mit,apache-2.0; rows of others, or of none, are rejected."),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="An option of the scorer as NAME=VALUE; see suffice list scorers NAME; may be given more than once.",
    ),
]
History = Annotated[
    Path | None,
    typer.Option(
        "--history",
        help="Accuracies of a training: a JSON of lists, TRL's completions or verl's rollouts; for reward_variance and limr.",
    ),
]
Pin = Annotated[
    list[str] | None,
    typer.Option(help="Rows to choose first: ids, or a JSONL file of rows; may be given more than once."),
]
Ban = Annotated[
    list[str] | None,
    typer.Option(help="Rows never to choose: ids, or a JSONL file of rows; may be given more than once."),
]
AtLeast = Annotated[
    list[str] | None,
    typer.Option(
        help="Rows of a source to choose at the least, such as web=100; may be given more than once."
    ),
]
AtMost = Annotated[
    list[str] | None,
    typer.Option(
        help="Rows of a source to choose at the most, such as web=100; may be given more than once."
    ),
]
Language = Annotated[
    list[str] | None,
    typer.Option(help="Languages of rows that may be chosen, such as en or en,de; und for untold ones."),
]
NoTwins = Annotated[
    str | None,
    typer.Option(help="Choose no two twins: exact, near or semantic; near@0.7 for another threshold."),
]
DropWorst = Annotated[
    int | None,
    typer.Option(min=1, help="Rows of the most negative influence to reject before choosing."),
]
RejectTwins = Annotated[bool, typer.Option("--reject-twins", help="Reject exact twins.")]


def terms(
    columns: str | None, ignore: list[str] | None, allow_license: list[str] | None, *, reject_twins: bool
) -> Terms:
    """Returns what a command asks of rows.

    Raises:
        UserError: A rule or a column is named that is none.
    """
    from suffice.data.terms import make_terms

    return make_terms(
        read_columns_option(columns), words(ignore) or [], words(allow_license), reject_twins=reject_twins
    )


def require(verb: str, **given: object) -> None:
    """Refuses a command that lacks options.

    Args:
        verb: The command.
        **given: What was given for each option that it cannot do without.

    Raises:
        UserError: Some were not given.
    """
    missing = [f"--{name}" for name, value in given.items() if not value]
    if missing:
        raise UserError(f"{verb} lacks {', '.join(missing)}", "give them, or a run folder")


def scorer_options(given: list[str] | None, history: Path | None = None) -> dict[str, str]:
    """Returns ``--set`` and ``--history`` as values by name; see `suffice.common.options.read_options`.

    Raises:
        UserError: A pair has another form, or an option is given twice.
    """
    from suffice.common.options import read_options

    return read_options([*(given or ()), *([f"history={history}"] if history else ())])


def read_columns_option(columns: str | None) -> dict[str, str]:
    """Returns ``--columns`` as a column for each field; see `suffice.data.terms.read_columns`."""
    from suffice.data.terms import read_columns

    return read_columns(columns)


def words(given: list[str] | None) -> list[str] | None:
    """Returns words that were given apart or with commas between them; `None` where none was."""
    found = [word.strip() for part in given or [] for word in part.split(",") if word.strip()]
    return found or None


def absolute(path: str | None) -> str | None:
    """Returns a path or glob that leads somewhere as one from the root, so that a run goes on from anywhere.

    Anything else (a hub id, a registered name, a text, a file that is missing) stays as it is.
    """
    if path and (Path(path).exists() or any(Path().glob(path) if not Path(path).is_absolute() else ())):
        return str(Path(path).absolute())
    return path
