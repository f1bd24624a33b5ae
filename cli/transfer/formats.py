"""JSON Lines and CSV, read and written line by line, so that memory use does not depend on the size of the file."""

import codecs
import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from io import TextIOWrapper
from typing import Any, BinaryIO, Final, TextIO

import orjson

from cli.errors import CommandError
from cli.transfer.columns import Columns
from cli.transfer.nested_values import as_cells
from domain.errors import Invalid

MAX_LINE: Final = 16 * 1024 * 1024
"""Characters: more than the longest task needs with hundreds of long comments, with every character escaped."""
LAST: Final = "streamCursor"
"""The key in the last line of JSON Lines, which is not a task."""
_ESCAPE: Final = re.compile("[\udc80-\udcff]")
_ENCODING: Final = "give its encoding, such as --encoding cp1252."


class Format(StrEnum):
    """The format of a file of tasks."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Line:
    """Values by field, and the number of the line where they start, from 1; or the *problem* of that line."""

    number: int
    values: Mapping[str, Any]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class TextSource:
    """The text of a file. Bytes that are not text in its *encoding* become lone surrogates (PEP 383)."""

    text: TextIO
    encoding: str

    @classmethod
    def of(cls, file: BinaryIO, encoding: str) -> "TextSource":
        """The text of *file*, without the byte order mark at its start.

        Raises:
            CommandError: there is no such text encoding.
        """
        try:
            "".encode(encoding)
            name = codecs.lookup(encoding).name
        except (LookupError, ValueError):
            raise CommandError(
                f"There is no encoding {encoding[:40]!a}: use a name such as utf-8, cp1252, latin-1 or utf-16."
            ) from None
        decoder = "utf-8-sig" if name == "utf-8" else name
        return cls(TextIOWrapper(file, decoder, errors="surrogateescape", newline=""), name)

    def line(self) -> str:
        """The next line with its line break, cut after `MAX_LINE` characters; empty at the end of the file.

        Raises:
            CommandError: the bytes cannot be decoded.
        """
        try:
            return self.text.readline(MAX_LINE + 1)
        except UnicodeError:
            raise CommandError(f"The file is not encoded in {self.encoding.upper()}: {_ENCODING}") from None

    def problem_of(self, text: str) -> str | None:
        """Why *text* cannot be used, or None."""
        if not text.isascii() and _ESCAPE.search(text):
            return f"this is not encoded in {self.encoding.upper()}: {_ENCODING}"
        return None


def json_lines(source: TextSource, columns: Columns) -> Iterator[Line]:
    """The objects in JSON Lines, by field; empty lines are skipped."""
    for number, text in enumerate(iter(source.line, ""), 1):
        if len(text) > MAX_LINE:
            while not text.endswith("\n") and (text := source.line()):
                pass
            yield Line(number, {}, f"this is longer than {MAX_LINE:,} characters.")
        elif text.strip():
            line = _object(number, text, source, columns)
            if LAST not in line.values:
                yield line


def _object(number: int, text: str, source: TextSource, columns: Columns) -> Line:
    problem = source.problem_of(text)
    if problem is not None:
        return Line(number, {}, problem)
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return Line(number, {}, f"this is not JSON ({error.msg}).")
    if not isinstance(values, dict):
        return Line(number, {}, "this is not a JSON object.")
    try:
        return Line(number, values if LAST in values else columns.record(values))
    except Invalid as invalid:
        return Line(number, {}, invalid.message)


def csv_lines(source: TextSource, columns: Columns) -> Iterator[Line]:
    """The rows of CSV (RFC 4180) by field, with commas, semicolons or tabs between cells.

    Raises:
        CommandError: the first line does not name fields, or the file is not CSV.
    """
    first = source.line()
    if not first.strip():
        return
    rows = _rows(first, source)
    _, names = next(rows)
    fields = _first_line(names, source, columns)
    for number, cells in rows:
        if cells:
            yield _row(number, fields, cells, source)


def _rows(first: str, source: TextSource) -> Iterator[tuple[int, list[str]]]:
    """The rows, each with the number of the line where it starts."""
    csv.field_size_limit(MAX_LINE)
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(_texts(first, source), delimiter=delimiter, strict=True)
    before = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CommandError(
                f"line {before + 1}: this is not CSV ({error}). Check for a missing quotation mark."
            ) from None
        yield before + 1, cells
        before = reader.line_num


def _first_line(cells: list[str], source: TextSource, columns: Columns) -> list[str | None]:
    names = [cell.strip() for cell in cells]
    problem = source.problem_of("".join(names))
    if problem is not None:
        raise CommandError(f"line 1: {problem}")
    try:
        return columns.fields_of(names)
    except Invalid as invalid:
        raise CommandError(f"line 1: {invalid.message}") from None


def _row(number: int, fields: list[str | None], cells: list[str], source: TextSource) -> Line:
    if len(cells) != len(fields):
        return Line(number, {}, f"this has {len(cells)} cells, but the first line has {len(fields)}.")
    values = {field: cell for field, cell in zip(fields, cells, strict=True) if field is not None}
    return Line(number, values, source.problem_of("".join(cells)))


def _texts(first: str, source: TextSource) -> Iterator[str]:
    yield first
    for number, text in enumerate(iter(source.line, ""), 2):
        if len(text) > MAX_LINE:
            raise CommandError(f"line {number}: this is longer than {MAX_LINE:,} characters. Is the file CSV?")
        yield text


READERS: Final[Mapping[Format, Callable[[TextSource, Columns], Iterator[Line]]]] = {
    Format.JSONL: json_lines,
    Format.CSV: csv_lines,
}


class JsonWriter:
    """Writes JSON Lines."""

    def __init__(self, file: TextIO, names: Collection[str]) -> None:
        self._file = file

    def write(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write records."""
        self._file.write("".join(orjson.dumps(record).decode() + "\n" for record in records))

    def end(self, cursor: str, tasks: int) -> None:
        """Write the last line. It has the stream cursor, and it shows that the file is complete."""
        self.write([{LAST: cursor, "tasks": tasks}])


class CsvWriter:
    """Writes CSV with the names in the first line. CSV has no place for a cursor."""

    def __init__(self, file: TextIO, names: Collection[str]) -> None:
        self._rows: csv.DictWriter[str] = csv.DictWriter(file, names, lineterminator="\n")
        self._rows.writeheader()

    def write(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write records."""
        self._rows.writerows(map(as_cells, records))

    def end(self, cursor: str, tasks: int) -> None:
        """Write nothing: every line of CSV is a task."""


WRITERS: Final[Mapping[Format, type[JsonWriter | CsvWriter]]] = {Format.JSONL: JsonWriter, Format.CSV: CsvWriter}
