"""The log on stderr: one JSON object per line, or lines for a terminal.

The lines of this project go through structlog directly to the stream. The lines of libraries go through the standard
library's `logging`, with the same processors; secrets are removed from them.
"""

import logging
import os
import re
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import IO, Any, Final, Literal

import orjson
import structlog
from structlog.typing import EventDict, Processor

from observability.console import ConsoleFormatter
from observability.redaction import RedactingFilter, describe, redacted

_TO_ESCAPE: Final = re.compile(r"[\x80-\x9f\u2028\u2029]")
"""JSON need not escape these characters, but some readers break lines at them, and terminals interpret them."""

_UNWRITABLE: Final = "a line of {} could not be written"

Level = Literal["debug", "info", "warning", "error"]

_LIBRARIES_AT_LEAST: Final = logging.INFO
"""At lower levels, libraries log the data that they send: frames with tokens, statements with titles."""


def configuration(level: Level, *, readable: bool, libraries: Level = "warning") -> dict[str, Any]:
    """The value for `logging.config.dictConfig`. It is plain data, so that it can be passed to worker processes.

    *level* is the level of this project's lines. *libraries* is that of the HTTP server. No library logs below "info".
    """
    server = max(logging.getLevelNamesMapping()[libraries.upper()], _LIBRARIES_AT_LEAST)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"lines": {"()": f"{__name__}.Lines", "own_level": level, "readable": readable}},
        "root": {"level": "WARNING", "handlers": ["lines"]},
        "loggers": {
            "taskriver": {"level": level.upper()},
            "uvicorn": {"level": server, "propagate": True},
            "uvicorn.error": {"level": server, "propagate": True},
        },
    }


def is_info_enabled() -> bool:
    """Whether the log is configured and has lines of level "info"."""
    return structlog.is_configured() and _OUT.level <= logging.INFO


def write_events(events: Iterable[EventDict]) -> None:
    """Write several lines of level "info" at once, each with its `time`, `level` and `event`.

    They look like structlog's lines. Separate writes cost three times as much, most of it for the system calls.
    """
    _OUT.write_events(events)


def is_terminal(stream: IO[Any] | None = None) -> bool:
    """Whether the log goes to a terminal."""
    return (stream or sys.stderr).isatty()


class Lines(logging.Handler):
    """The handler of `logging`. Creating it also configures structlog, so that both write to the same stream.

    *stream* is text or bytes, by default stderr.
    """

    def __init__(self, own_level: Level, *, readable: bool = False, stream: IO[Any] | None = None) -> None:
        super().__init__()
        self.addFilter(RedactingFilter())
        _OUT.stream, _OUT.level = stream or sys.stderr, logging.getLevelNamesMapping()[own_level.upper()]
        render: Processor = _readable_render(stream) if readable else _json
        structlog.configure(
            processors=[_stamped, render],
            wrapper_class=structlog.make_filtering_bound_logger(own_level),
            logger_factory=lambda *_: _OUT,
            cache_logger_on_first_use=True,
        )
        _OUT.render = render

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record of the standard library."""
        try:
            line = _OUT.render(None, "", _stamped(None, record.levelname.lower(), _from_record(record)))
            assert isinstance(line, str | bytes)
            _OUT.info(line)
        except Exception:
            # Not `handleError`: it prints the unredacted record.
            _OUT.info(_json(None, "", _stamped(None, "error", {"event": _UNWRITABLE.format(record.name)})))


class _Out:
    """Writes complete lines (structlog calls this a logger). Errors of the stream are ignored: serving continues."""

    def __init__(self) -> None:
        self.stream: IO[Any] = sys.stderr
        self.level = logging.INFO
        self.render: Processor = _json
        self._lock = threading.Lock()

    def info(self, line: str | bytes) -> None:
        self._write(_encoded(line))

    def write_events(self, events: Iterable[EventDict]) -> None:
        lines = [_encoded(self.render(None, "info", event)) for event in events]
        if lines:
            self._write(b"".join(lines))

    def _write(self, data: bytes) -> None:
        stream = getattr(self.stream, "buffer", self.stream)
        try:
            with self._lock:
                stream.write(data)
                stream.flush()
        except (OSError, ValueError):
            return

    debug = warning = error = critical = info


def _encoded(line: object) -> bytes:
    assert isinstance(line, str | bytes)
    return (line if isinstance(line, bytes) else line.encode(errors="backslashreplace")) + b"\n"


def _stamped(logger: object, method: str, event: EventDict) -> EventDict:
    return {"time": _now(), "level": method, **event}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _json(logger: Any, method: str, event: EventDict) -> bytes:
    error = event.pop("exc_info", None)
    if error is not None:
        event["exception"] = describe(error)
    line = orjson.dumps(event, default=str)
    return line if line.isascii() else _TO_ESCAPE.sub(_escaped, line.decode()).encode()


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _readable_render(stream: IO[Any] | None) -> ConsoleFormatter:
    return ConsoleFormatter(colours=is_terminal(stream) and not os.environ.get("NO_COLOR"))


def _from_record(record: logging.LogRecord) -> EventDict:
    text = redacted(record.getMessage())
    if record.name == "asyncio":
        # The following lines have task results and exception messages, which may contain secrets.
        text = text.partition("\n")[0]
    event: EventDict = {"event": text, "logger": record.name}
    if record.exc_info and record.exc_info[1] is not None:
        event["exc_info"] = record.exc_info[1]
    return event


_OUT: Final = _Out()
"""One per process: existing loggers keep using it when another `Lines` is created."""
