"""A database for one test, beside that of the module."""

from collections.abc import AsyncIterator, Callable

import pytest

from persistence.database import Database
from tests.support.builders import Builders


@pytest.fixture
async def other_build(new_database: Callable[[], str]) -> AsyncIterator[Builders]:
    """A database of one test, with four connections."""
    database = Database(new_database(), pool_size=4)
    yield Builders(database)
    await database.close()
