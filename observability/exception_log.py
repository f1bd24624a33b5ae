"""Logs unexpected exceptions: for each kind the first few of a request with a traceback, then the number of others."""

import logging
from typing import Final

MAX_OF_A_KIND: Final = 3
"""The number of log entries per kind and request. A request that fails in every field fails thousands of times."""

_MAX_PLACE: Final = 200
"""The maximum length of the place, which consists of names that the client chose."""

_Kind = tuple[type[BaseException], str, int]

_log: Final = logging.getLogger("taskriver.errors")


class ExceptionLog:
    """The unexpected exceptions of one request. Exceptions of the same kind were raised by the same line of code."""

    def __init__(self) -> None:
        self._counts: dict[_Kind, int] = {}

    def log(self, where: str, error: BaseException, *, request_id: str) -> None:
        """Log an exception, unless enough of its kind are logged already."""
        kind = _kind_of(error)
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count <= MAX_OF_A_KIND:
            _log.error("unexpected failure at %s, request %s", where[:_MAX_PLACE], request_id, exc_info=error)

    def log_rest(self, *, request_id: str) -> None:
        """Log the number of exceptions of each kind that were not logged."""
        for (kind, file, line), count in self._counts.items():
            if count > MAX_OF_A_KIND:
                text = "%d more failures like this one, request %s: %s at %s:%d"
                _log.error(text, count - MAX_OF_A_KIND, request_id, kind.__name__, file, line)
        self._counts.clear()


def _kind_of(error: BaseException) -> _Kind:
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None:
        return type(error), "", 0
    return type(error), place.tb_frame.f_code.co_filename, place.tb_lineno
