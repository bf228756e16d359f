"""How the outcome of ``suffice check`` is told: each file, three of its rows, each rule, and one sentence."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from suffice.common.errors import UserError
from suffice.data.example import Example, Message
from suffice.data.intake import FileReading
from suffice.runs.checking import Checked

if TYPE_CHECKING:
    from suffice.models import ChatTokenizer

_SHOWN = 140  # characters of a turn
_ROLE = 11  # columns that a speaker's name takes
_TURNS = 4  # of a row
_FILES = 20  # whose rows are shown
OPEN, CLOSE = "⟦", "⟧"


def tell_checked(checked: Checked, files: list[str], out: Path | None) -> None:
    """Writes the account to standard output."""
    console = _console()
    for place, file in enumerate(checked.files):
        _file(console, file)
        for example in checked.shown[file.path] if place < _FILES else ():
            _row(console, example)
        console.print()
    for rule, count in checked.findings.counts().items():
        _rule(console, rule, count, checked, out)
    console.print(Text(_sentence(checked, files, out), style="bold"), soft_wrap=True)


def tell_preview(checked: Checked, tokenizer: ChatTokenizer) -> None:
    """Writes the first rows of each file as the model sees them.

    Raises:
        UserError: The template refuses a row, or would drop some of its turns.
    """
    console = _console()
    console.print(
        Text(
            f"Template: {tokenizer.template} of {tokenizer.name}. Trained on is what stands between {OPEN} and {CLOSE}."
        )
    )
    for file in checked.files:
        for example in checked.shown[file.path]:
            try:
                pieces = tokenizer.chat.segments(example.messages, example.tools)
                marks = tokenizer.chat.encode(example.messages, example.tools).trained
            except UserError as error:
                raise UserError(
                    f"{example.file}, line {example.line}: {error.message}", error.remedy
                ) from error
            told = f"  {sum(marks):,} of {len(marks):,} tokens are trained on"
            console.print(
                Text.assemble("\n", (f"{example.file}, line {example.line}", "bold"), (told, "dim"))
            )
            console.print(_highlighted(pieces), soft_wrap=True)


def _highlighted(pieces: Iterable[tuple[str, bool]]) -> Text:
    text = Text()
    for piece, trained in pieces:
        text.append(f"{OPEN}{piece}{CLOSE}" if trained else piece, style="green" if trained else "dim")
    return text


def _console() -> Console:
    return Console(highlight=False, markup=False)


def _block(console: Console, text: Text, first: Text) -> None:
    """Prints text beside its first words and, where it is longer than a line, below itself."""
    indent = first.cell_len
    for place, line in enumerate(text.wrap(console, console.width - indent)):
        line.rstrip()
        console.print((first if place == 0 else Text(" " * indent)) + line, soft_wrap=True)


def _file(console: Console, file: FileReading) -> None:
    kind = file.format or "no known format"
    console.print(
        Text.assemble((file.path, "bold"), ": ", (kind, "cyan" if file.format else "red")), soft_wrap=True
    )
    rows = f"{file.rows:,} {'row' if file.rows == 1 else 'rows'}"
    if file.rejected:
        counts = f"{rows}: {file.accepted:,} can be used, {file.rejected:,} cannot."
    else:
        counts = f"{rows}: all can be used." if file.rows else "No rows."
    broken = "" if file.broken is None else f" The file breaks off at byte {file.broken:,}."
    _block(console, Text(f"{file.why[:1].upper()}{file.why[1:]}. {counts}{broken}"), Text("  "))


def _row(console: Console, example: Example) -> None:
    origin = ", ".join(filter(None, (example.source, example.license or "licence unknown")))
    console.print(Text.assemble((f"\n  line {example.line}", "bold"), (f"  {origin}", "dim")), soft_wrap=True)
    for message in example.messages[:_TURNS]:
        _block(console, Text(_said(message)), Text.assemble((f"    {message['role']:<{_ROLE}}", "dim")))
    more = len(example.messages) - _TURNS
    if more > 0:
        console.print(Text(f"    and {more} more {'turn' if more == 1 else 'turns'}", style="dim"))


def _said(message: Message) -> str:
    """Returns what a turn says, calls included, in one line."""
    calls = [f"{call['function']['name']}(…)" for call in message.get("tool_calls") or ()]
    text = " ".join([*message["content"].split(), *calls])
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1].rsplit(" ", 1)[0] + " …"


def _rule(console: Console, rule: str, count: int, checked: Checked, out: Path | None) -> None:
    colour = "red" if rule.startswith("E") else "yellow"
    console.print(Text.assemble((rule, f"bold {colour}"), f"  {count:,} {'row' if count == 1 else 'rows'}"))
    places = checked.findings.places[rule]
    for file, some in groupby(places, key=lambda place: place.file):
        console.print(Text(f"  {file}", style="dim"), soft_wrap=True)
        for place in some:
            _block(console, Text(place.message), Text.assemble((f"    line {place.line}: ", "dim")))
    if count > len(places):
        rest = out / ("rejected.jsonl" if rule.startswith("E") else "pool.parquet") if out else None
        console.print(
            Text(f"  and {count - len(places):,} more{f', in {rest}' if rest else ''}", style="dim")
        )
    _block(console, Text(places[0].remedy), Text.assemble(("  remedy: ", "dim")))
    console.print()


def _sentence(checked: Checked, files: list[str], out: Path | None) -> str:
    """Returns what happened in words and, in a line of its own, the next useful command or file."""
    told = f"{checked.accepted:,} of {checked.rows:,} rows can be used."
    if out:
        return f"{told}\nThey are in {out / 'pool.parquet'}, the others with their reasons in {out / 'rejected.jsonl'}."
    named = " ".join(map(shlex.quote, files[:3])) + (" …" if len(files) > 3 else "")
    if checked.accepted == checked.rows and checked.rows:
        return f"{told}\nNext: suffice check {named} --preview --model MODEL"
    return f"{told}\nTo keep the others with their reasons: suffice check {named} --out checked"
