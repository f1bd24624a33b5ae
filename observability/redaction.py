"""What may be said in a log: never a token, a password, a cookie or an address, not even by somebody else's library."""

import logging
import re
import traceback
from collections.abc import Iterator
from typing import Final

_HIDDEN: Final = "[hidden]"

_SECRETS: Final = re.compile(
    r"(?P<before>\b(?:bearer|basic)\s+)[^\s\"',;]+"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*"  # the beginning of every JSON Web Token
    r"|(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s/@]+@"  # user and password of a URL
    r"|[\w.+-]+@[\w-]+\.[\w.-]+"  # an e-mail address
    r"|(?P<name>\b(?:refresh_token|access_token|token|password|secret|authorization|cookie)[\"']?\s*[=:]\s*)"
    r"(?:(?:bearer|basic)\s+)?[\"']?[^\s\"',;&]+",
    re.IGNORECASE,
)

_PLAIN_SPOKEN: Final = (
    AssertionError, AttributeError, ImportError, MemoryError, NameError, OSError, RuntimeError, TypeError,
)  # fmt: skip
"""Exceptions whose texts speak of the program. Of others (ValueError, KeyError, a database's) one cannot know: they
quote the value that they did not like, and that may be anybody's title or password."""


_ACCEPTED: Final = '%s - "WebSocket %s" [accepted]'


class RedactingFilter(logging.Filter):
    """Cuts query strings off, which may hold a token, and tells a client's fault without a traceback of ours.

    That a socket was opened is dropped: what is done on it has lines of its own.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; whether to keep it."""
        if isinstance(record.args, tuple):
            record.args = tuple(_without_query(each) for each in record.args)
        if record.exc_info and isinstance(record.exc_info[1], UnicodeDecodeError):
            record.exc_info = None
        return record.msg != _ACCEPTED


def _without_query(value: object) -> object:
    return value.partition("?")[0] if isinstance(value, str) and value.startswith("/") else value


def redacted(text: str) -> str:
    """The text, without what looks like a secret: for words that others wrote."""
    return _SECRETS.sub(_hide, text)


def _hide(match: re.Match[str]) -> str:
    if scheme := match["scheme"]:
        return f"{scheme}{_HIDDEN}@"
    return f"{match['before'] or match['name'] or ''}{_HIDDEN}"


def told(error: BaseException) -> str:
    """Where an exception came from and what it is, with those behind it; its text only if that cannot be a client's."""
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
    return f"{name}: {redacted(str(error))}" if isinstance(error, _PLAIN_SPOKEN) else name
