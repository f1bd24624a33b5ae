"""A stack for tests that inject faults."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.faults import undo
from tests.chaos.stack import Stack, running


@pytest.fixture(scope="package")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Two processes with their servers; each test leaves them running."""
    async with running(Path(tmp_path_factory.mktemp("chaos")), SHUTDOWN_SECONDS="5") as stack:
        try:
            yield stack
        finally:
            await undo(stack)
