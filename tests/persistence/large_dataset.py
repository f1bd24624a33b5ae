"""A database with a hundred thousand tasks of many users."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text

from domain.actor import Actor
from domain.idempotency import MAX_KEYS
from domain.user import Role
from persistence.connecting import connect
from persistence.database import Database
from persistence.idempotency_counts import KeyCounts
from persistence.queries.connection_pool import Connection
from persistence.queries.reader import Row
from persistence.transaction import Transaction
from persistence.unit_of_work import UnitOfWork
from tests.support.waiting import HANG_SECONDS

_SCRIPT: Final = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_TABLES: Final = (
    "tasks, task_texts, users, sessions, access_tokens, used_tokens, events, idempotency_keys, projects, project_keys,"
    " sign_in_codes, memberships, task_counters, comments, labels"
)

Ask = Callable[[UnitOfWork], Awaitable[object]]
Sent = tuple[str, Sequence[Any]]
"""A statement with its arguments."""


def numbered(number: int) -> UUID:
    """The id of the user, session or task of this number."""
    return UUID(f"00000000-0000-4000-8000-{number:012x}")


def later(minutes: int) -> datetime:
    """That many minutes after the first task; each task came a minute after the one before."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)


ADMIN: Final = Actor(numbered(1), Role.ADMIN, None, 1)
BUSY: Final = Actor(numbered(3), Role.USER, None, 1)
IDLE: Final = Actor(numbered(4), Role.USER, None, 1)


class _NotingTransaction(Transaction):
    """A transaction that notes its statements."""

    def __init__(self, database: Database, sent: list[Sent]) -> None:
        super().__init__(database._pool, database.statements)
        self._sent = sent

    async def fetch(self, text: str, *arguments: Any) -> list[Row]:
        """The rows of a statement."""
        self._sent.append((text, arguments))
        return await super().fetch(text, *arguments)


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

    async def plan(self, actor: Actor, ask: Ask) -> "Plan":
        """The plans of the statements that *ask* sends, with their arguments."""
        return await self.plan_of(*await self._sent(actor, ask))

    async def plan_and_count(self, actor: Actor, ask: Ask) -> tuple["Plan", int]:
        """The plan of the statement that *ask* sends, for any values, and how often 20 requests plan it."""
        [(statement, arguments)] = await self._sent(actor, ask)
        async with self._connection() as connection:
            prepared = await connection.prepare(statement)
            for _ in range(20):
                await prepared.fetch(*arguments)
            query = "SELECT custom_plans FROM pg_prepared_statements WHERE statement = $1"
            planned = await connection.fetchval(query, statement)
        return await self.plan_for_any(statement, parameters=len(arguments)), int(planned)

    async def _sent(self, actor: Actor, ask: Ask) -> list[Sent]:
        sent: list[Sent] = []
        uow = self.database.unit_of_work(actor, now=later(5_000))
        uow._key_counts = KeyCounts(MAX_KEYS)  # which has cached no count
        uow._new_transaction = lambda: _NotingTransaction(self.database, sent)
        async with uow:
            await ask(uow)
        return sent

    async def plan_of(self, *statements: Sent) -> "Plan":
        """The plans of these statements, each with its arguments."""
        transaction = Transaction(self.database._pool, self.database.statements)
        plans = [
            orjson.loads(await transaction.value(f"EXPLAIN (FORMAT JSON) {statement}", *arguments))
            for statement, arguments in statements
        ]
        await transaction.close()
        return Plan(tuple(node for plan in plans for node in _nodes(plan[0]["Plan"])))

    async def plan_for_any(self, statement: str, *, parameters: int) -> "Plan":
        """The plan of a prepared statement for any parameters (generic plan)."""
        async with self._connection() as connection:
            await connection.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE any_values AS {statement}")
            nothing = ", ".join(["NULL"] * parameters)
            plan = orjson.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE any_values ({nothing})"))
        return Plan(tuple(_nodes(plan[0]["Plan"])))

    async def buffers_after(self, actor: Actor, usual: Ask, ask: Ask) -> int:
        """The number of pages that the statement of *ask* uses after 20 executions with the arguments of *usual*.

        Both have the same text. PostgreSQL has decided by then whether it keeps one plan for all arguments.
        """
        [(statement, before)], [(same, arguments)] = await self._sent(actor, usual), await self._sent(actor, ask)
        assert same == statement
        async with self._connection() as connection:
            prepared = await connection.prepare(statement)
            for _ in range(20):
                await prepared.fetch(*before)
            query = "SELECT generic_plans > 0 FROM pg_prepared_statements WHERE statement = $1"
            mode = "force_generic_plan" if await connection.fetchval(query, statement) else "force_custom_plan"
            await connection.execute(f"SET plan_cache_mode = {mode}; PREPARE again AS {statement}")
            values = [await connection.fetchval("SELECT quote_nullable($1::text)", _text(each)) for each in arguments]
            execute = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE again ({', '.join(values)})"
            return _buffers(orjson.loads(await connection.fetchval(execute))[0]["Plan"])

    async def buffers(self, *statements: Sent) -> int:
        """The number of pages that these statements use, executed in one transaction that is rolled back."""
        async with self._connection() as connection:
            await connection.execute("BEGIN")
            plans = [
                orjson.loads(
                    await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *arguments)
                )
                for statement, arguments in statements
            ]
            await connection.execute("ROLLBACK")
        return sum(_buffers(plan[0]["Plan"]) for plan in plans)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        connection = await connect(self.database.engine.url)
        yield connection
        await connection.close()


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


def _buffers(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _text(value: object) -> str:
    """A value as PostgreSQL reads it; a list has no quotes and commas in its items."""
    return "{" + ",".join(map(str, value)) + "}" if isinstance(value, list) else str(value)
