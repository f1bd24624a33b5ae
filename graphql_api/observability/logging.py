"""The log: a JSON object per line, or lines for a person, on stderr; our own words and those of libraries alike.

Our own come by structlog straight to the stream. Those of libraries come by the standard library's `logging`, through
the same processors, less what should not be in a log.
"""

import logging
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any, Final, Literal

import orjson
import structlog
from structlog.typing import EventDict, Processor

from graphql_api.observability.discretion import Discreet, redacted, told
from graphql_api.observability.readable import Readable

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


def is_terminal(stream: IO[Any] | None = None) -> bool:
    """Whether a person will read the log."""
    return (stream or sys.stderr).isatty()


@contextmanager
def together() -> Iterator[None]:
    """Write the lines of the block all at once: most of what a line costs is the way to the system and back."""
    _OUT.held = []
    try:
        yield
    finally:
        held, _OUT.held = _OUT.held, None
        if held:
            _OUT.write(b"".join(held))


class Lines(logging.Handler):
    """Where `logging` ends; making one configures structlog as well, so that both write to the same place.

    *stream* is text or bytes, by default stderr.
    """

    def __init__(self, level_of_ours: Level, *, readable: bool = False, stream: IO[Any] | None = None) -> None:
        super().__init__()
        self.addFilter(Discreet())
        _OUT.stream = stream or sys.stderr
        render: Processor = _readable_render(stream) if readable else _json
        structlog.configure(
            processors=[_stamped, render],
            wrapper_class=structlog.make_filtering_bound_logger(level_of_ours),
            logger_factory=lambda *_: _OUT,
            cache_logger_on_first_use=True,
        )
        self._render = render

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record of the standard library's."""
        try:
            line = self._render(None, "", _stamped(None, record.levelname.lower(), _from_record(record)))
            assert isinstance(line, str | bytes)
            _OUT.info(line)
        except Exception:
            # Not by `handleError`, which prints what was to be logged, as it is.
            _OUT.info(_json(None, "", _stamped(None, "error", {"event": _UNWRITABLE.format(record.name)})))


class _Out:
    """Writes whole lines; what structlog calls a logger. Nobody reading any more is no reason to stop serving."""

    def __init__(self) -> None:
        self.stream: IO[Any] = sys.stderr
        self.held: list[bytes] | None = None
        self._lock = threading.Lock()

    def info(self, line: str | bytes) -> None:
        data = (line if isinstance(line, bytes) else line.encode(errors="backslashreplace")) + b"\n"
        if self.held is not None:
            self.held.append(data)
        else:
            self.write(data)

    def write(self, data: bytes) -> None:
        """Write them at once."""
        stream = getattr(self.stream, "buffer", self.stream)
        try:
            with self._lock:
                stream.write(data)
                stream.flush()
        except (OSError, ValueError):
            return

    debug = warning = error = critical = info


_OUT: Final = _Out()
"""One for the process: loggers keep it, whoever makes `Lines` anew."""


def _stamped(logger: object, method: str, event: EventDict) -> EventDict:
    return {"time": event.pop("time", None) or _now(), "level": method, **event}


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


def _readable_render(stream: IO[Any] | None) -> Readable:
    return Readable(colours=is_terminal(stream) and not os.environ.get("NO_COLOR"))


def _from_record(record: logging.LogRecord) -> EventDict:
    text = redacted(record.getMessage())
    if record.name == "asyncio":
        # Behind its first line it prints what it was about: tasks with their results, exceptions with their texts.
        text = text.partition("\n")[0]
    event: EventDict = {"event": text, "logger": record.name}
    if record.exc_info and record.exc_info[1] is not None:
        event["exc_info"] = record.exc_info[1]
    return event
