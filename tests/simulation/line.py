"""A process's way to the model of the database, in place of `persistence.database.Database`."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from domain.actor import Actor
from domain.errors import Unavailable
from persistence.epoch import KnownServer
from persistence.event_log import Observation
from persistence.numbering_floor import LastId
from persistence.queries.session import SessionWithRoles
from tests.simulation.database_model import Table
from tests.simulation.loop import Machine, VirtualLoop

LOST_SECONDS = 3.0
"""The time-out of a statement."""


class Line:
    """A process's way to the server: it takes time, and may be cut."""

    def __init__(self, loop: VirtualLoop, table: Table, chance: Random, machine: Machine, sluggish: float) -> None:
        self._loop = loop
        self._table = table
        self._chance = chance
        self._machine = machine
        self._sluggish = sluggish
        self.cut = False
        self.swallows = False
        self.log_server = KnownServer()
        self._listeners: list[Callable[[], None]] = []

    # The interface of a database.

    def log(self) -> "Log":
        """The log, each statement by itself."""
        return Log(self, self._table)

    def unit_of_work(self, actor: Actor | None, *, gate: asyncio.Semaphore | None = None) -> "Work":
        """A unit of work that only reads."""
        return Work(self, self._table, actor, gate)

    def delivery_unit_of_work(self, actor: Actor | None) -> "Work":
        """A unit of work that only reads."""
        return Work(self, self._table, actor, None)

    def reading(self) -> "Glance":
        """A reading."""
        return Glance(self, self._table)

    def on_recorded(self, listener: Callable[[], None]) -> None:
        """Call *listener* after commits."""
        self._listeners.append(listener)

    def acknowledged(self) -> None:
        """A commit of this process has been acknowledged."""
        for listener in self._listeners:
            listener()

    def ask(self, statement: Callable[..., Any], *arguments: Any) -> Any:
        """Send a statement; the future has its answer, or is `Unavailable`."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        there, back = self._way(), self._way()
        self._loop.call_later(there, self._arrived, answer, statement, arguments, back, self._table.history)
        return answer

    async def pause(self) -> None:
        """Any other statement."""
        if self._chance.random() < 0.2:
            await asyncio.sleep(self._way())

    def _way(self) -> float:
        if self._chance.random() < self._sluggish:
            return self._chance.uniform(0.02, 1.5)
        return self._chance.uniform(0.0003, 0.002)

    def _arrived(self, answer: Any, statement: Any, arguments: Any, back: float, history: int) -> None:
        if self.cut:
            self._loop.call_later(LOST_SECONDS if self.swallows else 0.001, self._fail, answer)
        else:
            self._loop.call_later(back, self._answered, answer, statement(*arguments), history)

    def _answered(self, answer: Any, result: object, history: int) -> None:
        if self.cut or history != self._table.history:
            self._fail(answer)
        elif not answer.done():
            answer.set_result(result)

    @staticmethod
    def _fail(answer: Any) -> None:
        if not answer.done():
            answer.set_exception(Unavailable("Cut off."))


class Log:
    """The log with the interface of the product."""

    def __init__(self, line: Line, table: Table) -> None:
        self._line = line
        self._table = table

    async def __aenter__(self) -> "Log":
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    def head(self) -> Any:
        """How far it reaches."""
        return self._line.ask(self._table.head)

    def observe(self, position: int) -> Any:
        """How far it reaches, and where."""
        return self._line.ask(self._table.observe, position)

    def remember(self, seen: Observation) -> Any:
        """Remember the server."""
        return self._line.ask(self._table.remember, seen)

    def begin_epoch_on(self, seen: Observation) -> Any:
        """Start a new epoch."""
        return self._line.ask(self._table.begin_epoch_on, seen)

    async def number(self, at_most: int) -> Any:
        """Number what is committed."""
        return await self._follow(self._table.number, at_most)

    def last_id(self) -> Any:
        """The last id that is committed."""
        return self._line.ask(self._table.last_id)

    def writers(self) -> Any:
        """The open writers."""
        return self._line.ask(self._table.open_writers)

    def raise_floor(self, last: LastId) -> Any:
        """Raise the floor."""
        return self._line.ask(self._table.raise_floor, last)

    async def after(self, position: int, *, at_most: int) -> Any:
        """A page."""
        return await self._follow(self._table.after, position, at_most)

    async def fingerprint_at(self, position: int) -> Any:
        """The fingerprint at a position."""
        return await self._follow(self._table.fingerprint_at, position)

    async def access_between(self, position: int, up_to: int, *, at_most: int) -> Any:
        """Changes of rights."""
        return await self._follow(self._table.access_between, position, up_to, at_most)

    async def _follow(self, statement: Callable[..., Any], *arguments: Any) -> Any:
        key, result = await self._line.ask(self._table.with_key, statement, *arguments)
        self._line.log_server.check(key)
        return result


class Work:
    """A unit of work with the interface of the product."""

    def __init__(self, line: Line, table: Table, actor: Actor | None, gate: asyncio.Semaphore | None) -> None:
        self._gate = gate
        self._line = line
        self._table = table
        self.actor = actor
        self.tasks = self.events = self

    async def __aenter__(self) -> "Work":
        if self._gate is not None:
            await self._gate.acquire()
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._gate is not None:
            self._gate.release()

    def find_many(self, ids: Any) -> Any:
        """The tasks that the actor sees."""
        return self._line.ask(self._table.visible, self.actor, list(ids))

    def deletions_of(self, ids: Any) -> Any:
        """The people of deleted tasks."""
        return self._line.ask(self._table.deletions, list(ids))


class Glance:
    """A read of rights with the interface of the product."""

    def __init__(self, line: Line, table: Table) -> None:
        self._line = line
        self._table = table

    async def __aenter__(self) -> "Glance":
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    def rows(self, shape: object, rows: object, values: Any) -> Any:
        """The rights of a session."""
        return self._line.ask(self._table.rights, values["id"], isinstance(rows, SessionWithRoles))
