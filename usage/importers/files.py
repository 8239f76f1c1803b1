"""Finding and reading the files of an import, line by line, in constant memory."""

import gzip
import io
import sys
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

STDIN = "-"
MAX_LINE_BYTES = 64 * 1024 * 1024
_AT_ONCE = 256 * 1024

Advance = Callable[[int], None]


class LineTooLong(Exception):
    """A line is longer than `MAX_LINE_BYTES`; it has been skipped."""


def find_files(paths: Iterable[str], suffixes: tuple[str, ...]) -> list[Path]:
    """Files, folders (searched for `suffixes`) and glob patterns → the files they mean, sorted.

    Raises FileNotFoundError for a path or pattern that means nothing. A file named
    outright is taken whatever it is called.
    """
    found: set[Path] = set()
    for text in paths:
        path = Path(text).expanduser()
        if path.exists():
            found.update(_below(path, suffixes))
            continue
        matches = list(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))))
        if not matches:
            raise FileNotFoundError(f"there is no file or folder {text!r}")
        for match in matches:
            found.update(_below(match, suffixes))
    return sorted(found)


def _below(path: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    if path.is_dir():
        yield from (p for p in path.rglob("*") if p.name.endswith(suffixes) and p.is_file())
    else:
        yield path


def size_of(paths: Iterable[str | Path]) -> int | None:
    """The bytes to be read from all of `paths`; None when one of them is standard input."""
    total = 0
    for path in paths:
        if path == STDIN:
            return None
        total += Path(path).stat().st_size
    return total


@contextmanager
def open_bytes(path: str | Path, advance: Advance) -> Iterator[BinaryIO]:
    """The content of a file (gzip opened, `-` = standard input).

    `advance` is told, in bytes as they lie on the disk, how far reading has come. Reading
    raises OSError that names the file when it is cut short or damaged.
    """
    if path == STDIN:
        yield io.BufferedReader(_Watched(sys.stdin.buffer, advance), _AT_ONCE)
        return
    with Path(path).open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        content = io.BufferedReader(_Watched(file, advance), _AT_ONCE)
        if not packed:
            yield content
            return
        try:
            with gzip.GzipFile(fileobj=content) as unpacked:
                yield cast("BinaryIO", unpacked)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise OSError(f"{path}: {error}") from error


def lines_of(file: BinaryIO) -> Iterator[tuple[int, bytes | LineTooLong]]:
    """Numbered lines (from 1) that are not blank; an overlong one is answered by its fault."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES):
        number += 1
        if number == 1:
            line = line.removeprefix(BOM_UTF8)
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            while rest := file.readline(MAX_LINE_BYTES):
                if rest.endswith(b"\n"):
                    break
            yield number, LineTooLong(f"the line is over {MAX_LINE_BYTES:,} bytes")
        elif line and not line.isspace():
            yield number, line


class _Watched(io.RawIOBase):
    """A file that reports what is read from it."""

    def __init__(self, file: BinaryIO, advance: Advance) -> None:
        self._file, self._advance = cast("io.BufferedIOBase", file), advance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        count = self._file.readinto(buffer)
        self._advance(count)
        return count
