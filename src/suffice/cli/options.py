"""Options that several verbs share, each written down once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")]
Seed = Annotated[int | None, typer.Option(help="Seed of every random choice.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The run folder.")]
Out = Annotated[Path, typer.Option("--out", help="The folder to write.")]
Pools = Annotated[
    list[str] | None, typer.Option("--pool", help="Pool file or quoted glob; may be given more than once.")
]
TargetFile = Annotated[str | None, typer.Option("--target", help="Target file (JSONL).")]
DevFile = Annotated[str | None, typer.Option("--dev", help="Dev examples, where they are in a file apart.")]
Model = Annotated[str | None, typer.Option(help="A folder, a hub id, or lab (lab@50: half-trained).")]
ScorerName = Annotated[str | None, typer.Option("--scorer", help="The scorer; see suffice list scorers.")]
SelectorName = Annotated[
    str | None, typer.Option("--selector", help="The selector; by default the scorer's own.")
]
Budget = Annotated[int | None, typer.Option(min=1, help="How many rows to choose.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu or cuda.")]
Dtype = Annotated[
    str | None, typer.Option(help="auto, float32, bfloat16 or float16; on a CPU always float32.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Worker processes side by side.")]
ChatTemplate = Annotated[
    str | None, typer.Option(help="A chat template (file or text) instead of the model's own.")
]


def absolute(path: str | None) -> str | None:
    """Returns a path or glob that leads somewhere as one from the root, so that a run goes on from anywhere.

    Anything else (a hub id, a registered name, a text, a file that is missing) stays as it is.
    """
    if path and (Path(path).exists() or any(Path().glob(path) if not Path(path).is_absolute() else ())):
        return str(Path(path).absolute())
    return path
