"""A batch of probes in a process of its own, with its own PostgreSQL and Valkey."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from embedded.postgres import Postgres
from embedded.valkey import Valkey
from persistence import migrations
from persistence.database import Database
from tests.probes.run import Run
from tests.probes.servers import running
from tests.probes.tally import Tally
from tests.support import timeouts


def run_batch(seed: int, first: int, count: int) -> Tally:
    """Make the probes from *first* on."""
    with pytest.MonkeyPatch.context() as patch:
        timeouts.extend(patch)
        patch.setenv("PGSSLMODE", "disable")  # the servers have no TLS
        return asyncio.run(_run(seed, range(first, first + count)))


async def _run(seed: int, numbers: range) -> Tally:
    with (
        tempfile.TemporaryDirectory(prefix="taskriver-probes-") as folder,
        Postgres(Path(folder) / "postgres", durable=False) as postgres,
        Valkey(Path(folder) / "valkey") as valkey,
    ):
        url = postgres.create_database("probes")
        database = Database(url, pool_size=1)
        await migrations.upgrade(database.engine)
        await database.close()
        async with running(url, valkey.url) as servers:
            return await Run(servers, seed).go(numbers)
