"""Lines for a person at a terminal: the time, what happened, and colours that help to see what went wrong."""

import re
import traceback
from collections.abc import Mapping, MutableMapping
from types import MappingProxyType
from typing import Any, Final

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")  # all but tab and newline
_STYLES: Final[Mapping[str, str]] = MappingProxyType(
    {"dim": "2", "good": "32", "odd": "33", "bad": "31", "debug": "2", "info": "32", "warning": "33", "error": "31"}
)
_ALL_IS_WELL: Final = ("OK", "CANCELLED")
_OURS: Final = ("INTERNAL", "UNAVAILABLE")


class ConsoleFormatter:
    """A structlog renderer. Where our own lines go in columns, others are written as they come, their rest behind."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        """One line, or several if there is a traceback."""
        time = self._in("dim", str(event.pop("time", ""))[11:19])
        level = event.pop("level", method)
        error = event.pop("exc_info", None)
        line = self._request(event) if event["event"] == "request" else self._other(level, event)
        return "\n".join([f"{time}  {line}", *_trace(error)])

    def _request(self, event: MutableMapping[str, Any]) -> str:
        code = str(event["code"])
        style = "good" if code in _ALL_IS_WELL else "bad" if code in _OURS else "odd"
        columns = (
            self._in("dim", f"{event['door']:<4}"),
            f"{event['kind'] or '–':<8}",
            f"{_one_line(event['operation'] or '–'):<16}",
            f"{event['ms']:>8.1f} ms",
            f"{event['statements']:>3} SQL ",
            self._in(style, code),
            self._in("dim", str(event["request_id"])),
        )
        frames = f"  {event['frames']} frames" if "frames" in event else ""
        return " ".join(columns) + frames

    def _other(self, level: str, event: MutableMapping[str, Any]) -> str:
        text, source = _one_line(event.pop("event")), event.pop("logger", "")
        rest = " ".join(f"{name}={_one_line(value)}" for name, value in event.items())
        parts = (self._in(level, level), self._in("dim", source), text, rest)
        return "  ".join(part for part in parts if part)

    def _in(self, style: str, text: str) -> str:
        if not self._colours or not text:
            return text
        return f"\x1b[{_STYLES.get(style, '0')}m{text}\x1b[0m"


def _trace(error: BaseException | None) -> list[str]:
    # On a developer's own terminal the whole truth: the texts of exceptions, too.
    if error is None:
        return []
    return [_CONTROL.sub(_escaped, part) for part in "".join(traceback.format_exception(error)).splitlines()]


def _one_line(value: object) -> str:
    return _CONTROL.sub(_escaped, str(value)).replace("\n", "\\n")


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
