"""What `make run` starts, and a terminal beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.readme.terminal import Terminal
from tests.support.processes import Dev
from tests.support.waiting import HANG_SECONDS


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal beside a `taskriver dev` of the test's own."""
    server = Dev(tmp_path)
    try:
        server.prints("Press Ctrl-C to stop.", within=2 * HANG_SECONDS)
        yield Terminal(tmp_path, server.url)
    finally:
        server.clean_up()
