"""What `make run` starts, and a terminal beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.readme.terminal import Terminal
from tests.support.processes import Dev

STARTING_SECONDS = 240


@pytest.fixture(scope="session")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a `taskriver dev` on a port and in a folder of the tests' own."""
    folder: Path = tmp_path_factory.mktemp("reader")
    server = Dev(folder)
    try:
        server.says("Ctrl-C stops everything.", within=STARTING_SECONDS)
        yield Terminal(folder, server.url)
    finally:
        server.clean_up()
