"""Files opened and unpacked as streams: gzip, xz, zstd and the members of a zip archive."""

from __future__ import annotations

import gzip
import io
import lzma
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa

from suffice.data.containers import CONTAINERS
from suffice.data.paths import container_name, packing, shown_path
from suffice.data.rules import FILE_TOO_LARGE, RowError

UNPACKED = 64 * 2**30  # bytes of a packed file that are put on the disk
_BUFFER = 2**20
_PIECE = 2**16  # bytes unpacked at a time where a break would take along what was unpacked before it


class Part(NamedTuple):
    """A file, or one of several in a zip archive.

    Attributes:
        path: The file.
        member: The name within the archive; `None` outside one, or where it is the only one.
    """

    path: Path
    member: str | None = None

    @property
    def shown(self) -> str:
        """What it is called."""
        return f"{shown_path(self.path)}/{self.member}" if self.member else shown_path(self.path)

    @property
    def container(self) -> str:
        """The suffix that names its container."""
        return Path(self.member).suffix.lower() if self.member else container_name(self.path)


def parts(path: Path) -> list[Part]:
    """Returns a file, or what a zip archive holds of rows, by name; a broken archive is one part."""
    if packing(path) != ".zip":
        return [Part(path)]
    names = _members(path)
    if len(names) == 1 and Path(names[0]).suffix.lower() == container_name(path):
        return [Part(path)]
    return [Part(path, name) for name in names] or [Part(path)]


def _members(path: Path) -> list[str]:
    """Returns the names of an archive that hold rows; none where it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return []
    return [
        name
        for name in names
        if Path(name).suffix.lower() in CONTAINERS and not any(word[:1] in "._" for word in Path(name).parts)
    ]


class _CountedFile(io.FileIO):
    """A file opened for reading that tells how many bytes were read."""

    def __init__(self, path: Path, on_bytes: Callable[[int], None]) -> None:
        super().__init__(path)
        self._on_bytes = on_bytes

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer) or 0
        self._on_bytes(count)
        return count


class _Section(io.FileIO):
    """A file of which no more than one section can be read."""

    def __init__(self, path: Path, start: int, end: int) -> None:
        super().__init__(path)
        self.seek(start)
        self._left = end - start

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(memoryview(buffer)[: self._left]) or 0
        self._left -= count
        return count


def section_of(path: Path, start: int, end: int) -> io.BufferedReader:
    """Opens the bytes of a file from ``start`` to before ``end``."""
    return io.BufferedReader(_Section(path, start, end), buffer_size=_BUFFER)


@contextmanager
def opened(part: Part, on_bytes: Callable[[int], None]) -> Iterator[BinaryIO]:
    """Opens a part as an unpacked stream.

    Args:
        part: The part.
        on_bytes: Called with the number of bytes each time some were read from the disk.
    """
    with io.BufferedReader(_CountedFile(part.path, on_bytes), buffer_size=_BUFFER) as file:
        match packing(part.path):
            case ".gz":
                with gzip.open(file) as unpacked:
                    yield _buffered(unpacked.read1)
            case ".xz":
                with lzma.open(file) as unpacked:
                    yield _buffered(unpacked.read1)
            case ".zst":
                with pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd") as unpacked:
                    yield _buffered(lambda size: unpacked.read(min(size, _PIECE)))
            case ".zip":
                with (
                    zipfile.ZipFile(file) as archive,
                    archive.open(part.member or _only(archive)) as unpacked,
                ):
                    yield _buffered(unpacked.read1)  # type: ignore[attr-defined]  # ZipExtFile has it
            case _:
                yield file


class _Unpacked(io.RawIOBase):
    """A stream of whatever could be unpacked so far, so that what stands before a break is not lost."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._failure: Exception | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._failure:
            raise self._failure
        count = 0
        try:
            while count < len(buffer) and (data := self._read(len(buffer) - count)):
                buffer[count : count + len(data)] = data
                count += len(data)
        except Exception as error:  # zlib, lzma, zipfile and pyarrow have errors of their own
            if not count:
                raise
            self._failure = error
        return count


def _buffered(read: Callable[[int], bytes]) -> io.BufferedReader:
    return io.BufferedReader(_Unpacked(read), buffer_size=_BUFFER)


def _only(archive: zipfile.ZipFile) -> str:
    """Returns the name of an archive's only file of rows."""
    names = [info.filename for info in archive.infolist() if Path(info.filename).suffix.lower() in CONTAINERS]
    if not names:
        raise zipfile.BadZipFile("the archive holds no file of rows")
    return names[0]


@contextmanager
def on_disk(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Unpacks a stream into a nameless file, for containers that are not read from front to back.

    Raises:
        RowError: It holds more than `UNPACKED` bytes.
    """
    with tempfile.TemporaryFile() as file:
        left = UNPACKED
        while data := stream.read(min(_BUFFER, left + 1)):
            left -= len(data)
            if left < 0:
                raise RowError(FILE_TOO_LARGE, f"the file holds more than {UNPACKED:,} bytes")
            file.write(data)
        file.seek(0)
        yield file
