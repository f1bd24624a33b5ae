"""The log of this process, read as it is written."""

import io
import json
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
        """The lines that tell of requests."""
        return [line for line in self.lines if line["event"] == "request"]
