"""The log of this process, read as it is written."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from graphql_api.observability.logging import Lines


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
        """The lines that tell of requests."""
        return [line for line in self.lines if line["event"] == "request"]


@pytest.fixture
def log() -> Iterator[Log]:
    """The log as production has it, with our own lines from "debug" on."""
    out = io.BytesIO()
    handler = Lines("debug", stream=out)
    root = logging.getLogger()
    root.addHandler(handler)
    yield Log(out)
    root.removeHandler(handler)
    structlog.reset_defaults()
