"""A database with a hundred thousand tasks of many users."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import event, text

from domain.actor import Actor
from domain.user import Role
from persistence.database import Database
from persistence.unit_of_work import UnitOfWork
from tests.support.waiting import HANG_SECONDS

_SCRIPT: Final = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_TABLES: Final = "tasks, task_texts, users, sessions, used_tokens, events, idempotency_keys"


def numbered(number: int) -> UUID:
    """The id of the user, session or task of this number."""
    return UUID(f"00000000-0000-4000-8000-{number:012x}")


def later(minutes: int) -> datetime:
    """That many minutes after the first task; each task came a minute after the one before."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)


ADMIN: Final = Actor(numbered(1), Role.ADMIN, None, 1)
BUSY: Final = Actor(numbered(3), Role.USER, None, 1)
IDLE: Final = Actor(numbered(4), Role.USER, None, 1)


@dataclass(frozen=True)
class LargeDataset:
    """The users of the database."""

    database: Database

    async def fill(self) -> None:
        """Create all rows within a few seconds."""
        async with self.database.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.execute(_SCRIPT, timeout=HANG_SECONDS)  # on a busy machine
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await alone.execute(text(f"VACUUM (ANALYZE) {_TABLES}"))

    async def plan(self, actor: Actor, ask: Callable[[UnitOfWork], Awaitable[object]]) -> "Plan":
        """How PostgreSQL answers what *ask* asks, statement by statement as SQLAlchemy really sends them."""
        sent: list[tuple[str, Any]] = []

        def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            sent.append((statement, parameters))

        engine = self.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            async with self.database.unit_of_work(actor, now=later(5_000)) as uow:
                await ask(uow)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return await self.plan_of(*sent)

    async def plan_of(self, *statements: tuple[str, Any]) -> "Plan":
        """How PostgreSQL answers these statements, each with its parameters."""
        async with self.database.connect() as connection:
            explained = [
                await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
                for statement, parameters in statements
            ]
        return Plan(tuple(node for result in explained for node in _nodes(result.scalar_one()[0]["Plan"])))

    async def plan_for_any(self, statement: str, *, parameters: int) -> "Plan":
        """The plan of a prepared statement for any parameters (generic plan)."""
        async with self.database.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE any_values AS {statement}")
            nothing = ", ".join(["NULL"] * parameters)
            explained = await driver.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE any_values ({nothing})")
            await driver.execute("DEALLOCATE any_values; RESET plan_cache_mode")
        return Plan(tuple(_nodes(explained[0]["Plan"])))


@dataclass(frozen=True)
class Plan:
    """The nodes of a plan, or of several."""

    nodes: tuple[dict[str, Any], ...]

    @property
    def indexes(self) -> set[str]:
        """The indexes that it uses."""
        return {node["Index Name"] for node in self.nodes if "Index Name" in node}

    def reads_all_of(self, table: str) -> bool:
        """Whether the plan reads the whole table."""
        return any(node["Node Type"] == "Seq Scan" and node["Relation Name"] == table for node in self.nodes)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)
