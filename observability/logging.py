"""The log: a JSON object per line, or lines for a person, on stderr; our own words and those of libraries alike.

Our own come by structlog straight to the stream. Those of libraries come by the standard library's `logging`, through
the same processors, less what should not be in a log.
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
from observability.redaction import RedactingFilter, redacted, told

_ODD: Final = re.compile(r"[\x80-\x9f\u2028\u2029]")
"""JSON need not escape these, but some readers break a line at them, and terminals obey them."""

_UNWRITABLE: Final = "a line of {} could not be written"

Level = Literal["debug", "info", "warning", "error"]

_LIBRARIES_AT_LEAST: Final = logging.INFO
"""Below it, libraries write down what goes over their wires: frames with tokens in them, statements with titles."""


def configuration(level: Level, *, readable: bool, libraries: Level = "warning") -> dict[str, Any]:
    """For `logging.config.dictConfig`: plain data, so that worker processes can be given it, too.

    *level* is for our own lines. *libraries* is for the HTTP server's; it and all others never say more than "info".
    """
    server = max(logging.getLevelNamesMapping()[libraries.upper()], _LIBRARIES_AT_LEAST)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"lines": {"()": f"{__name__}.Lines", "level_of_ours": level, "readable": readable}},
        "root": {"level": "WARNING", "handlers": ["lines"]},
        "loggers": {
            "taskriver": {"level": level.upper()},
            "uvicorn": {"level": server, "propagate": True},
            "uvicorn.error": {"level": server, "propagate": True},
        },
    }


def tells() -> bool:
    """Whether there is a log, and lines of level "info" go there."""
    return structlog.is_configured() and _OUT.level <= logging.INFO


def tell(events: Iterable[EventDict]) -> None:
    """Write many lines of level "info" at once, each with its `time`, its `level` and its `event`.

    They look like those that come by structlog. One by one a line costs thrice as much, most of it for the way to the
    system and back.
    """
    _OUT.tell(events)


def is_terminal(stream: IO[Any] | None = None) -> bool:
    """Whether a person will read the log."""
    return (stream or sys.stderr).isatty()


class Lines(logging.Handler):
    """Where `logging` ends; making one configures structlog as well, so that both write to the same place.

    *stream* is text or bytes, by default stderr.
    """

    def __init__(self, level_of_ours: Level, *, readable: bool = False, stream: IO[Any] | None = None) -> None:
        super().__init__()
        self.addFilter(RedactingFilter())
        _OUT.stream, _OUT.level = stream or sys.stderr, logging.getLevelNamesMapping()[level_of_ours.upper()]
        render: Processor = _readable_render(stream) if readable else _json
        structlog.configure(
            processors=[_stamped, render],
            wrapper_class=structlog.make_filtering_bound_logger(level_of_ours),
            logger_factory=lambda *_: _OUT,
            cache_logger_on_first_use=True,
        )
        _OUT.render = render

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record of the standard library's."""
        try:
            line = _OUT.render(None, "", _stamped(None, record.levelname.lower(), _from_record(record)))
            assert isinstance(line, str | bytes)
            _OUT.info(line)
        except Exception:
            # Not by `handleError`, which prints what was to be logged, as it is.
            _OUT.info(_json(None, "", _stamped(None, "error", {"event": _UNWRITABLE.format(record.name)})))


class _Out:
    """Writes whole lines; what structlog calls a logger. Nobody reading any more is no reason to stop serving."""

    def __init__(self) -> None:
        self.stream: IO[Any] = sys.stderr
        self.level = logging.INFO
        self.render: Processor = _json
        self._lock = threading.Lock()

    def info(self, line: str | bytes) -> None:
        self._write(_encoded(line))

    def tell(self, events: Iterable[EventDict]) -> None:
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
        event["exception"] = told(error)
    line = orjson.dumps(event, default=str)
    return line if line.isascii() else _ODD.sub(_escaped, line.decode()).encode()


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _readable_render(stream: IO[Any] | None) -> ConsoleFormatter:
    return ConsoleFormatter(colours=is_terminal(stream) and not os.environ.get("NO_COLOR"))


def _from_record(record: logging.LogRecord) -> EventDict:
    text = redacted(record.getMessage())
    if record.name == "asyncio":
        # Behind its first line it prints what it was about: tasks with their results, exceptions with their texts.
        text = text.partition("\n")[0]
    event: EventDict = {"event": text, "logger": record.name}
    if record.exc_info and record.exc_info[1] is not None:
        event["exc_info"] = record.exc_info[1]
    return event


_OUT: Final = _Out()
"""One for the process: loggers keep it, whoever makes `Lines` anew."""
