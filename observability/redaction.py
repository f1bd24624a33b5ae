"""Removes tokens, passwords, cookies and e-mail addresses from log lines, also from those of libraries."""

import logging
import re
import traceback
from collections.abc import Iterator
from typing import Final

_HIDDEN: Final = "[hidden]"

_SECRETS: Final = re.compile(
    r"(?P<before>\b(?:bearer|basic)\s+)[^\s\"',;]+"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*"  # the beginning of every JSON Web Token
    r"|\btrv_pat_\w*"  # a personal access token
    r"|(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s/@]+@"  # user and password of a URL
    r"|[\w.+-]+@[\w-]+\.[\w.-]+"  # an e-mail address
    r"|(?P<name>\b(?:refresh_token|access_token|token|password|secret|authorization|cookie)[\"']?\s*[=:]\s*)"
    r"(?:(?:bearer|basic)\s+)?[\"']?[^\s\"',;&]+",
    re.IGNORECASE,
)

_SAFE_MESSAGES: Final = (
    AssertionError, AttributeError, ImportError, MemoryError, NameError, OSError, RuntimeError, TypeError,
)  # fmt: skip
"""Exceptions whose messages are about the program. Others (ValueError, KeyError, database errors) may quote a value,
which may be a title or a password."""


_ACCEPTED: Final = '%s - "WebSocket %s" [accepted]'


class RedactingFilter(logging.Filter):
    """Removes query strings, which may contain a token, and tracebacks of errors that a client caused.

    Lines about opened WebSockets are dropped: the operations on them have their own lines.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; returns whether to log it."""
        if isinstance(record.args, tuple):
            record.args = tuple(_without_query(each) for each in record.args)
        if record.exc_info and isinstance(record.exc_info[1], UnicodeDecodeError):
            record.exc_info = None
        return record.msg != _ACCEPTED


def _without_query(value: object) -> object:
    return value.partition("?")[0] if isinstance(value, str) and value.startswith("/") else value


def redacted(text: str) -> str:
    """The text without anything that looks like a secret."""
    return _SECRETS.sub(_hide, text)


def _hide(match: re.Match[str]) -> str:
    if scheme := match["scheme"]:
        return f"{scheme}{_HIDDEN}@"
    return f"{match['before'] or match['name'] or ''}{_HIDDEN}"


def describe(error: BaseException) -> str:
    """The traceback and type of an exception and of its causes; the message only if it cannot contain client data."""
    return "".join(_parts(error, set())).rstrip("\n")


def _parts(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and id(cause) not in seen:
        yield from _parts(cause, seen)
        yield "\nwhich led to:\n\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{_what(error)}\n"
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from ("\nin it:\n\n", *_parts(each, seen))


def _what(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return f"{name} (SQLSTATE {state})"
    return f"{name}: {redacted(str(error))}" if isinstance(error, _SAFE_MESSAGES) else name
