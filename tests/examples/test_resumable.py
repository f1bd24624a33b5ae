"""The resumable client in Python, for `gql`."""

import importlib.util
from contextlib import aclosing
from pathlib import Path
from typing import Any

from tests.examples.promises import LONGEST_PAUSE, SILENCE, WATCH, Listener, Promises

PATH = Path(__file__).parents[2] / "examples" / "resumable" / "resumable.py"


def _load() -> Any:
    spec = importlib.util.spec_from_file_location("resumable", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


resumable = _load()


class PythonListener(Listener):
    """In this process."""

    async def listen(self) -> None:
        """Until cancelled, or until coming back would not help."""
        items = resumable.listen(
            self.stage.url.replace("http", "ws", 1),
            WATCH,
            access_token=self.access_token,
            variables={"after": self.after},
            on_resync=self._resync,
            silence=SILENCE,
            longest_pause=LONGEST_PAUSE,
        )
        async with aclosing(items):
            async for item in items:
                self.received.append(item["to"])

    async def _resync(self, item: dict[str, Any]) -> str | None:
        self.resyncs.append(item["reason"])
        return self.lists


class TestPython(Promises):
    """`resumable.py`."""

    listener = PythonListener
