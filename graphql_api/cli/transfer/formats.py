"""JSON Lines and CSV, line by line: how much there is makes no difference to the memory that it takes."""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO, Final, TextIO

import orjson

from graphql_api.cli.failure import CommandError

MAX_LINE: Final = 256 * 1024
"""Bytes: more than the longest task takes in any spelling."""
LAST: Final = "streamCursor"
"""What the last line of JSON Lines holds; it is no task."""


class Format(StrEnum):
    """How tasks are written."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Line:
    """A record, by the number of the line where it begins, from 1; or what makes it none."""

    number: int
    values: Mapping[str, Any]
    problem: str | None = None


def json_lines(file: BinaryIO) -> Iterator[Line]:
    """The objects in JSON Lines (UTF-8); empty lines are none."""
    for number, raw in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), 1):
        if len(raw) > MAX_LINE:
            while not raw.endswith(b"\n") and (raw := file.readline(MAX_LINE)):
                pass
            yield Line(number, {}, f"this is longer than {MAX_LINE:,} bytes.")
        elif raw.strip():
            line = _object(number, raw)
            if LAST not in line.values:
                yield line


def _object(number: int, raw: bytes) -> Line:
    try:
        values = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return Line(number, {}, f"this is no JSON ({error.msg}).")
    return Line(number, values) if isinstance(values, dict) else Line(number, {}, "this is no JSON object.")


def csv_lines(file: BinaryIO) -> Iterator[Line]:
    """The rows of CSV (RFC 4180, UTF-8) by the names in its first line; commas, semicolons or tabs between cells.

    Raises:
        CommandError: where the rows end cannot be told.
    """
    first = file.readline(MAX_LINE).decode("utf-8-sig", errors="surrogateescape")
    if not first.strip():
        return
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(_texts(first, file), delimiter=delimiter)
    names: list[str] = []
    before = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CommandError(f"Line {before + 1} is no CSV ({error}): is a quotation mark missing?") from None
        if not names:
            names = [cell.strip() for cell in cells]
        elif cells:
            yield _row(before + 1, names, cells)
        before = reader.line_num


def _row(number: int, names: list[str], cells: list[str]) -> Line:
    if len(cells) != len(names):
        return Line(number, {}, f"this has {len(cells)} cells, and the first line {len(names)}.")
    return Line(number, dict(zip(names, cells, strict=True)))


def _texts(first: str, file: BinaryIO) -> Iterator[str]:
    yield first
    for number, raw in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), 2):
        if len(raw) > MAX_LINE:
            raise CommandError(f"Line {number} is longer than {MAX_LINE:,} bytes: is this CSV?")
        # What is no UTF-8 becomes lone surrogates, which the rules for texts refuse in words.
        yield raw.decode(errors="surrogateescape")


READERS: Final[Mapping[Format, Callable[[BinaryIO], Iterator[Line]]]] = {
    Format.JSONL: json_lines,
    Format.CSV: csv_lines,
}


class JsonWriter:
    """Writes JSON Lines."""

    def __init__(self, file: TextIO, names: Collection[str]) -> None:
        self._file = file

    def write(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Some records."""
        self._file.write("".join(orjson.dumps(record).decode() + "\n" for record in records))

    def end(self, cursor: str, tasks: int) -> None:
        """The last line: from here on the stream tells the rest, and nothing was cut off."""
        self.write([{LAST: cursor, "tasks": tasks}])


class CsvWriter:
    """Writes CSV with a first line of names; it has no place for a cursor."""

    def __init__(self, file: TextIO, names: Collection[str]) -> None:
        self._rows: csv.DictWriter[str] = csv.DictWriter(file, names, lineterminator="\n")
        self._rows.writeheader()

    def write(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Some records."""
        self._rows.writerows(records)

    def end(self, cursor: str, tasks: int) -> None:
        """Nothing: whoever reads tables reads rows."""


WRITERS: Final[Mapping[Format, type[JsonWriter | CsvWriter]]] = {Format.JSONL: JsonWriter, Format.CSV: CsvWriter}
