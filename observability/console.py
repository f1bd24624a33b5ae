"""Log lines for a terminal, with columns and colours."""

import re
import traceback
from collections.abc import Mapping, MutableMapping
from types import MappingProxyType
from typing import Any, Final

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")  # all but tab and newline
_STYLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dim": "2",
        "success": "32",
        "client_error": "33",
        "server_error": "31",
        "debug": "2",
        "info": "32",
        "warning": "33",
        "error": "31",
    }
)
_SUCCESS: Final = ("OK", "CANCELLED")
_SERVER_ERRORS: Final = ("INTERNAL", "UNAVAILABLE")


class ConsoleFormatter:
    """A structlog renderer. Request lines have columns; other lines have their text and the remaining fields."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        """One line, or several if there is a traceback."""
        time = self._styled("dim", str(event.pop("time", ""))[11:19])
        level = event.pop("level", method)
        error = event.pop("exc_info", None)
        line = self._request(event) if event["event"] == "request" else self._other(level, event)
        return "\n".join([f"{time}  {line}", *_trace(error)])

    def _request(self, event: MutableMapping[str, Any]) -> str:
        code = str(event["code"])
        style = "success" if code in _SUCCESS else "server_error" if code in _SERVER_ERRORS else "client_error"
        columns = (
            self._styled("dim", f"{event['door']:<4}"),
            f"{event['kind'] or '–':<8}",
            f"{_one_line(event['operation'] or '–'):<16}",
            f"{event['ms']:>8.1f} ms",
            f"{event['statements']:>3} SQL ",
            self._styled(style, code),
            self._styled("dim", str(event["request_id"])),
        )
        frames = f"  {event['frames']} frames" if "frames" in event else ""
        return " ".join(columns) + frames

    def _other(self, level: str, event: MutableMapping[str, Any]) -> str:
        text, source = _one_line(event.pop("event")), event.pop("logger", "")
        rest = " ".join(f"{name}={_one_line(value)}" for name, value in event.items())
        parts = (self._styled(level, level), self._styled("dim", source), text, rest)
        return "  ".join(part for part in parts if part)

    def _styled(self, style: str, text: str) -> str:
        if not self._colours or not text:
            return text
        return f"\x1b[{_STYLES.get(style, '0')}m{text}\x1b[0m"


def _trace(error: BaseException | None) -> list[str]:
    # On a terminal the traceback is complete, including the messages of exceptions.
    if error is None:
        return []
    return [_CONTROL.sub(_escaped, part) for part in "".join(traceback.format_exception(error)).splitlines()]


def _one_line(value: object) -> str:
    return _CONTROL.sub(_escaped, str(value)).replace("\n", "\\n")


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
