"""Without tracing nothing is imported, wrapped or called."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import services
from tests.graphql_api.test_tasks import CREATE
from tests.support.api import Api

TITLE = "Water the plants"


@contextmanager
def calls() -> Iterator[Counter[str]]:
    """The number of function calls by file in this thread."""
    seen: Counter[str] = Counter()

    def note(frame: FrameType, what: str, _: Any) -> None:
        if what == "call":
            seen[frame.f_code.co_filename] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(before)


def test_no_module_is_imported():
    """Without an endpoint the application starts without the extra."""
    program = "import sys; sys.modules['opentelemetry'] = None; import server.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert "server.app" in done.stdout.split()
    assert "observability.tracing" not in done.stdout.split()


def test_no_function_is_wrapped(api: Api):
    """Service calls, statements and deliveries are called directly."""
    assert api.server.tracing is None
    assert api.server.stream._on_delivery is None
    for found in pkgutil.iter_modules(services.__path__):
        module = importlib.import_module(f"services.{found.name}")
        for name, function in inspect.getmembers(module, inspect.iscoroutinefunction):
            assert "observability" not in function.__code__.co_filename, f"{found.name}.{name}"
    assert api.server.requests.begin("http", "x")._trace is None


async def test_no_function_is_called(api: Api):
    """From the request of a change to its delivery, nothing of OpenTelemetry runs."""
    owner = await api.a_user()
    await api.token(owner)
    async with api.server.stream.subscribe(api.build.actor(owner), None, None) as subscriber:
        with calls() as seen:
            (await api.ask(CREATE, owner, input={"title": TITLE})).payload("createTask")
            await anext(subscriber)
    assert any(name.endswith("services/task_creation.py") for name in seen)
    assert any(name.endswith("streaming/subscription.py") for name in seen)
    assert [name for name in seen if "opentelemetry" in name or name.endswith("observability/tracing.py")] == []
