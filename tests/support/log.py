"""The log of this process, read as it is written."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Log:
    """What was logged while a test had it."""

    def __init__(self, out: io.BytesIO) -> None:
        self._out = out

    @property
    def text(self) -> str:
        """All of it."""
        return self._out.getvalue().decode()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Each line, which is a JSON object."""
        return [json.loads(line) for line in self.text.split("\n") if line]

    def requests(self) -> list[dict[str, Any]]:
        """The lines about requests."""
        return [line for line in self.lines if line["event"] == "request"]


@contextmanager
def restored_logging() -> Iterator[None]:
    """Restore the logging configuration after the block."""
    handlers, levels = logging.root.handlers[:], {logger: logger.level for logger in _loggers()}
    yield
    logging.root.handlers[:] = handlers
    for logger in _loggers():
        # Every change of a level empties the caches of all loggers, which takes a thousand times as long as a look.
        if logger.level != (level := levels.get(logger, logging.NOTSET)):
            logger.setLevel(level)


def _loggers() -> list[logging.Logger]:
    known = list(logging.root.manager.loggerDict.values())
    return [logging.root, *(each for each in known if isinstance(each, logging.Logger))]
