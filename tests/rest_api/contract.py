"""Tests the REST API against its OpenAPI description: `make contract`, or `python -m tests.rest_api.contract`."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from embedded.postgres import Postgres
from embedded.valkey import Valkey
from persistence import migrations
from persistence.database import Database
from server.app import Server
from services.user import register
from tests.rest_api.schemathesis_hooks import NAME, PASSWORD
from tests.support.api_server import settings_of
from tests.support.limits import UNLIMITED
from tests.support.serving import serving

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


async def try_contract(database_url: str, redis_url: str, *arguments: str) -> tuple[int, str]:
    """Run schemathesis against a server with these stores: its exit code (0 for no failure) and its report."""
    server = Server(settings_of(database_url, redis_url, login_failures_per_account=UNLIMITED))
    await server.start()
    try:
        await register(
            server.database.unit_of_work(None),
            username=NAME,
            email="contract@example.org",
            password=PASSWORD,
            hash_password=server.passwords.hash,
        )
        async with serving(server.asgi()) as url:
            return await _schemathesis(url, *arguments)
    finally:
        await server.stop()


async def _schemathesis(url: str, *arguments: str) -> tuple[int, str]:
    # In a folder of its own, because it leaves its notes where it is started.
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *(str(Path(sys.executable).with_name("st")), "--config-file", str(HERE / "schemathesis.toml")),
            *("run", f"{url}/openapi.json", *arguments),
            env=os.environ | {"TASKRIVER_URL": url, "PYTHONPATH": str(ROOT), "NO_PROXY": "*"},
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        report, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, report.decode()


async def main(arguments: list[str]) -> int:
    """On servers of its own."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Postgres(Path(folder) / "postgres", durable=False) as postgres,
        Valkey(Path(folder) / "valkey") as valkey,
    ):
        url = postgres.create_database("contract")
        database = Database(url, pool_size=1)
        await migrations.upgrade(database.engine)
        await database.close()
        code, report = await try_contract(url, valkey.url, *arguments)
    print(report)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
