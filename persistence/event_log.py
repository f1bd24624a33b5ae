"""The log: how events get their place in the one order, and how they are read back."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Text, any_, cast, delete, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from domain.event_parsing import read_event
from domain.events import TASK_EVENT, EventKind, LoggedEvent, People, TaskChange, TaskEvent
from persistence import numbering
from persistence.epoch import new_epoch
from persistence.models import EVENT_HEAD, EventFloorRow, EventRow, LogStateRow
from persistence.numbering import LastId, Writers
from persistence.pagination import Page, PageRequest
from persistence.queries import event as reads
from persistence.sql_helpers import affected

_GREATEST: Final = 2**63 - 1  # what a position can be
_TRIM_STEP: Final = 10_000  # what one statement removes well within its time
_TOLD_AT_ONCE: Final = 12 * 1024  # bytes of events in the answer of the statement that numbers them
_NUMBER: Final = (
    "SELECT n.position, kind, payload, numbered, epoch FROM event_head,"
    " (SELECT position, kind, payload::text, count(*) OVER () AS numbered,"
    " sum(octet_length(payload::text)) OVER (ORDER BY position) AS size,"
    " position = min(position) OVER () AS first FROM number_events($1)) AS n"
    " WHERE size <= $2 OR first ORDER BY n.position"
)
_AFTER: Final = "SELECT position, kind, payload::text FROM events WHERE position > $1 ORDER BY position LIMIT $2"
_ACCESS: Final = (
    "SELECT position, kind, payload::text FROM events WHERE position > $1 AND position <= $2 AND kind = 'ACCESS'"
    " ORDER BY position LIMIT $3"
)
_IS_DELETION: Final = EventRow.payload[TASK_EVENT.name_of("changes")].has_key(TaskChange.DELETED.value)
_PENDING: Final = select(EventRow.id).where(EventRow.position.is_(None), EventRow.id >= func.numbering_floor())
_HEAD: Final = select(
    EVENT_HEAD.c.epoch, EVENT_HEAD.c.position, EVENT_HEAD.c.trimmed, _PENDING.exists().label("pending")
)
Run = Callable[..., Awaitable[Any]]
Stored = tuple[int, str, str]
"""An event as it is stored: its position, its kind, and its JSON."""


@dataclass(frozen=True, slots=True)
class Head:
    """How far the log reaches: every position up to `position` has been given, those up to `trimmed` are gone."""

    epoch: str
    position: int
    trimmed: int
    pending: bool
    """Whether something is committed that has no position yet."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """Events that were just given their positions, and the epoch in which these count; without events, none.

    `bodies` are the same for JSON, as `LoggedEvent.to_json` would have them: in the words in which they are stored.
    """

    epoch: str
    events: list[LoggedEvent]
    bodies: list[list[Any]]


class EventLog:
    """The log, over a session in a transaction or a connection of one's own.

    *run* is `Statements.run`, if statements that go past SQLAlchemy are to be counted like all others.
    """

    def __init__(self, session: AsyncSession | AsyncConnection, run: Run | None = None) -> None:
        self._session = session
        self._run = run

    async def head(self) -> Head:
        """Where the log stands now, in one statement."""
        row = (await self._session.execute(_HEAD)).one()
        return Head(row.epoch, row.position, row.trimmed, row.pending)

    async def number(self, at_most: int = 500) -> Numbered:
        """Give the committed events that have none their positions, by ascending id, and return them.

        One statement on the server, so that a client that freezes holds no lock: see the function in the migrations.
        Its answer is short, since a server that cannot send all of it keeps the lock until somebody reads: what does
        not fit into any connection's buffers is read when the statement has ended.
        """
        rows = await self._fetch(_NUMBER, at_most, _TOLD_AT_ONCE)
        if not rows:
            return Numbered("", [], [])
        *_, count, epoch = rows[0]
        stored = [(position, kind, payload) for position, kind, payload, *_ in rows]
        if count > len(stored):
            stored += await self._after(stored[-1][0], count - len(stored))
        bodies = [[position, kind, orjson.Fragment(payload)] for position, kind, payload in stored]
        return Numbered(epoch, _decoded(stored), bodies)

    async def after(self, position: int, *, at_most: int = 500) -> list[LoggedEvent]:
        """The events behind a position, in order."""
        return _decoded(await self._after(position, at_most))

    async def _after(self, position: int, at_most: int) -> Sequence[Stored]:
        return await self._fetch(_AFTER, position, at_most)

    async def _fetch(self, text: str, *arguments: object) -> Sequence[Any]:
        """The rows of a statement that runs often: the driver runs it in a third of the time, and JSON stays text."""
        rows: Sequence[Any]
        if isinstance(self._session, AsyncSession):
            # The driver alone would not know of the transaction, which SQLAlchemy begins with its own first statement.
            connection = await self._session.connection()
            rows = (await connection.exec_driver_sql(text, arguments)).all()
            return rows
        driver: Any = (await self._session.get_raw_connection()).driver_connection
        if self._run is None:
            rows = await driver.fetch(text, *arguments)
        else:
            rows = await self._run(text, driver.fetch, text, *arguments)
        return rows

    async def access_between(self, position: int, up_to: int, *, at_most: int = 500) -> list[LoggedEvent]:
        """The changes of anybody's rights behind a position, up to and with another one, in order."""
        return _decoded(await self._fetch(_ACCESS, position, up_to, at_most))

    async def history(self, task_id: UUID, request: PageRequest) -> Page[LoggedEvent]:
        """A page of what happened to a task, the newest first.

        Raises:
            BadRequest: a cursor was not made by this API.
        """
        asked = reads.history([task_id], request).asked
        rows = (await self._session.execute(asked.rows.select(("kind", "payload")), asked.values)).all()
        facts = rows[0]._asdict() if request.facts else {}
        found = [LoggedEvent(row.place, read_event(row.kind, row.payload)) for row in rows if row.place is not None]
        return Page.of(request, found, facts, lambda event: reads.history_cursor(event.position, task_id))

    async def deleted_of(self, ids: Collection[UUID]) -> set[UUID]:
        """Those of the tasks that are known to have been deleted."""
        wanted = literal(list(ids), ARRAY(EventRow.task_id.type))
        query = select(EventRow.task_id).where(
            EventRow.task_id == any_(wanted), EventRow.kind == EventKind.TASK, _IS_DELETION
        )
        found = await self._session.execute(query)
        return {task_id for task_id in found.scalars() if task_id is not None}

    async def deletions_of(self, ids: Collection[UUID]) -> dict[UUID, People]:
        """Whose those of the tasks were that were deleted, when they were, as far back as events are kept."""
        wanted = literal(list(ids), ARRAY(EventRow.task_id.type))
        query = select(cast(EventRow.payload, Text)).where(
            EventRow.task_id == any_(wanted), EventRow.kind == EventKind.TASK, _IS_DELETION
        )
        rows = await self._session.execute(query.order_by(EventRow.id))
        events = [read_event(EventKind.TASK, _parsed(payload)) for payload in rows.scalars()]
        return {
            event.task_id: event.before
            for event in events
            if isinstance(event, TaskEvent) and event.deleted and event.before is not None
        }

    async def last_id(self) -> LastId:
        """The last id of a committed event; 0 if there is none since the floor was raised."""
        return LastId(*(await self._fetch(numbering.LAST_ID))[0])

    async def writers(self) -> Writers:
        """The transactions that may have drawn an id and have not ended."""
        rows = await self._fetch(numbering.WRITERS)
        return Writers(frozenset(name for name, _ in rows), any(prepared for _, prepared in rows))

    async def raise_floor(self, last: LastId) -> None:
        """Have numbering begin at the first event up to this id that has no position, or behind it.

        Every transaction that drew an id up to this one must have ended.
        """
        await self._fetch(numbering.RAISE, last.epoch, last.file, last.id)

    async def begin_epoch(self, *, instead_of: str | None = None) -> str | None:
        """Say that this is another history now, and return its name; every cursor of before leads nowhere.

        With *instead_of* only if that one still goes on; else None.
        """
        query = update(LogStateRow).values(epoch=new_epoch).returning(LogStateRow.epoch)
        if instead_of is not None:
            query = query.where(LogStateRow.epoch == instead_of)
        epoch: str | None = await self._session.scalar(query)
        if epoch is not None:
            await self._session.execute(delete(EventFloorRow).where(EventFloorRow.epoch != epoch))
        return epoch

    async def trim(self, recorded_before: datetime) -> int:
        """Remove numbered events that are older, from the beginning only and up to 10,000; returns how many.

        It ends before the first one that is not older, so that a past deed, recorded late, takes no younger event
        with it. The head remembers up to where, so that a listener who comes back too late is told so. Numbering waits
        from then on until the transaction ends: let that be soon.
        """
        last = await self._last_older(recorded_before)
        if last is None:
            return 0
        result = await self._session.execute(delete(EventRow).where(EventRow.position <= last))
        await self._session.execute(update(LogStateRow).values(trimmed=func.greatest(LogStateRow.trimmed, last)))
        return affected(result)

    async def _last_older(self, recorded_before: datetime) -> int | None:
        """The last position of the older ones at the beginning of the log, at most one step further."""
        step = (
            select(EventRow.position, EventRow.recorded_at)
            .where(EventRow.position.is_not(None))
            .order_by(EventRow.position)
            .limit(_TRIM_STEP)
            .subquery()
        )
        young = select(func.min(step.c.position)).where(step.c.recorded_at >= recorded_before).scalar_subquery()
        older = select(func.max(step.c.position)).where(step.c.position < func.coalesce(young, _GREATEST))
        last: int | None = await self._session.scalar(older)
        return last


def _decoded(stored: Sequence[Stored]) -> list[LoggedEvent]:
    return [LoggedEvent(position, read_event(kind, _parsed(payload))) for position, kind, payload in stored]


def _parsed(payload: str) -> Any:
    """The value; None for JSON that PostgreSQL can store and this parser cannot read, such as 1e400."""
    try:
        return orjson.loads(payload)
    except ValueError:
        return None
