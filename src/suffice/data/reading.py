"""Files as rows, whatever their container and compression.

One bad row never stops a file, and a file that breaks off gives the rows before the break.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from suffice.common.errors import UserError
from suffice.data.compression import Part, on_disk, opened, parts, section_of
from suffice.data.containers import CONTAINERS, SEARCHED, BrokenError, RawRow, first_line
from suffice.data.containers.jsonl import read_lines
from suffice.data.paths import expand, packing, shown_path, source_names
from suffice.data.rules import BROKEN_FILE, RowError

__all__ = ["Part", "RawRow", "expand", "parts", "read_part", "read_rows", "shown_path", "source_names"]


def read_rows(path: Path, on_bytes: Callable[[int], None] | None = None) -> Iterator[RawRow]:
    """Yields the rows of a file that `expand` returned; of a zip archive, those of all its files.

    See `read_part`.

    Raises:
        UserError: The file may not be read.
    """
    for part in parts(path):
        yield from read_part(part, on_bytes)


def read_part(
    part: Part, on_bytes: Callable[[int], None] | None = None, section: tuple[int, int] | None = None
) -> Iterator[RawRow]:
    """Yields the rows of a file, as a stream. Blank lines are no rows. Where the file breaks off, the last row says so.

    Args:
        part: The file, or one file of a zip archive.
        on_bytes: Called with the number of bytes each time some were read from the disk.
        section: Of a file that is not packed and has a row a line, the byte at which the first line to read begins and
            the byte after the last.

    Raises:
        UserError: The file may not be read.
    """
    line, place = 0, 0
    try:
        with ExitStack() as stack:
            stream = _opened(stack, part, on_bytes or _ignore, section)
            read = read_lines if section else CONTAINERS.get(part.container, CONTAINERS[".jsonl"])
            try:
                for row in read(stream):
                    line = row.line
                    yield row
            except Exception:
                place = _position(stream)
                raise
    except PermissionError as error:
        raise UserError(f"{part.shown} may not be read", "change its permissions") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):  # while unpacking; the file itself is whole
            raise
        yield _broken(part, line + 1, BrokenError(place, first_line(error)))
    except RowError as error:
        yield RawRow(line + 1, None, error, 0)
    except BrokenError as error:
        yield _broken(part, line + 1, error)
    except Exception as error:  # whatever libraries make of files that strangers wrote
        yield _broken(part, line + 1, BrokenError(place, first_line(error)))


def _opened(
    stack: ExitStack, part: Part, on_bytes: Callable[[int], None], section: tuple[int, int] | None
) -> BinaryIO:
    if section:
        return stack.enter_context(section_of(part.path, *section))
    stream = stack.enter_context(opened(part, on_bytes))
    if part.container in SEARCHED and packing(part.path):
        stream = stack.enter_context(on_disk(stream))
    return stream


def _broken(part: Part, line: int, error: BrokenError) -> RawRow:
    unit = " of what is packed in it" if packing(part.path) else ""
    message = f"nothing can be read from byte {error.offset:,}{unit} on ({error.message})"
    return RawRow(line, error.shown, RowError(BROKEN_FILE, message), error.offset)


def _position(stream: object) -> int:
    """Returns how far a stream was read, where it can tell."""
    try:
        return int(stream.tell())  # type: ignore[attr-defined]
    except (OSError, ValueError):
        return 0


def _ignore(_: int) -> None:
    pass
