"""The event log: gives events their positions, reads them, and removes old ones."""

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
from persistence import numbering_floor
from persistence.epoch import new_epoch
from persistence.models import EVENT_HEAD, EventFloorRow, EventRow, LogStateRow
from persistence.numbering_floor import LastId, Writers
from persistence.sql_helpers import affected

_MAX_POSITION: Final = 2**63 - 1  # the largest position
_TRIM_STEP: Final = 10_000  # rows that one statement removes well within its time-out
_MAX_RESULT_BYTES: Final = 12 * 1024  # bytes of events in the result of the statement that numbers them
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
"""A stored event: its position, its kind, and its JSON."""


@dataclass(frozen=True, slots=True)
class Head:
    """The extent of the log: positions up to `position` are assigned, events up to `trimmed` are removed."""

    epoch: str
    position: int
    trimmed: int
    pending: bool
    """Whether there are committed events without a position."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """Events that have just got their positions, and the epoch of these; without events the epoch is empty.

    `bodies` has the same events for JSON, like `LoggedEvent.to_json`, but with the stored text of the payload.
    """

    epoch: str
    events: list[LoggedEvent]
    bodies: list[list[Any]]


class EventLog:
    """The event log, on a session in a transaction or on a separate connection.

    *run* is `Statements.run`. With it, statements that do not go through SQLAlchemy are counted, too.
    """

    def __init__(self, session: AsyncSession | AsyncConnection, run: Run | None = None) -> None:
        self._session = session
        self._run = run

    async def head(self) -> Head:
        """The current head, read by one statement."""
        row = (await self._session.execute(_HEAD)).one()
        return Head(row.epoch, row.position, row.trimmed, row.pending)

    async def number(self, at_most: int = 500) -> Numbered:
        """Give positions to committed events that have none, by ascending id, and return these events.

        It is one statement on the server (see the function in the migrations), so that a client that is suspended holds
        no lock. Its result is small, because a server that cannot send the whole result keeps the lock until the client
        reads. Events that do not fit into the buffers of a connection are read by another statement.
        """
        rows = await self._fetch(_NUMBER, at_most, _MAX_RESULT_BYTES)
        if not rows:
            return Numbered("", [], [])
        *_, count, epoch = rows[0]
        stored = [(position, kind, payload) for position, kind, payload, *_ in rows]
        if count > len(stored):
            stored += await self._after(stored[-1][0], count - len(stored))
        bodies = [[position, kind, orjson.Fragment(payload)] for position, kind, payload in stored]
        return Numbered(epoch, _decoded(stored), bodies)

    async def after(self, position: int, *, at_most: int = 500) -> list[LoggedEvent]:
        """The events after a position, in order."""
        return _decoded(await self._after(position, at_most))

    async def _after(self, position: int, at_most: int) -> Sequence[Stored]:
        return await self._fetch(_AFTER, position, at_most)

    async def _fetch(self, text: str, *arguments: object) -> Sequence[Any]:
        """The rows of a frequent statement. Without SQLAlchemy it takes a third of the time, and JSON stays text."""
        rows: Sequence[Any]
        if isinstance(self._session, AsyncSession):
            # SQLAlchemy begins the transaction with its first statement; the driver alone would not be in it.
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
        """The changes of users' rights after *position*, up to and including *up_to*, in order."""
        return _decoded(await self._fetch(_ACCESS, position, up_to, at_most))

    async def deleted_of(self, ids: Collection[UUID]) -> set[UUID]:
        """The tasks among *ids* that have an event of their deletion."""
        wanted = literal(list(ids), ARRAY(EventRow.task_id.type))
        query = select(EventRow.task_id).where(
            EventRow.task_id == any_(wanted), EventRow.kind == EventKind.TASK, _IS_DELETION
        )
        found = await self._session.execute(query)
        return {task_id for task_id in found.scalars() if task_id is not None}

    async def deletions_of(self, ids: Collection[UUID]) -> dict[UUID, People]:
        """The owner and the assignee of deleted tasks at the time of the deletion, as long as events are stored."""
        wanted = literal(list(ids), ARRAY(EventRow.task_id.type))
        query = select(cast(EventRow.payload, Text)).where(
            EventRow.task_id == any_(wanted), EventRow.kind == EventKind.TASK, _IS_DELETION
        )
        rows = await self._session.execute(query.order_by(EventRow.id))
        events = [read_event(EventKind.TASK.value, _parsed(payload)) for payload in rows.scalars()]
        return {
            event.task_id: event.before
            for event in events
            if isinstance(event, TaskEvent) and event.deleted and event.before is not None
        }

    async def last_id(self) -> LastId:
        """The last id of a committed event; 0 if there is none since the floor was raised."""
        return LastId(*(await self._fetch(numbering_floor.LAST_ID))[0])

    async def writers(self) -> Writers:
        """The open transactions that may have drawn an id."""
        rows = await self._fetch(numbering_floor.WRITERS)
        return Writers(frozenset(name for name, _ in rows), any(prepared for _, prepared in rows))

    async def raise_floor(self, last: LastId) -> None:
        """Raise the numbering floor to the first event up to this id without a position, or to the id after it.

        All transactions that drew an id up to this one must have ended.
        """
        await self._fetch(numbering_floor.RAISE, last.epoch, last.file, last.id)

    async def begin_epoch(self, *, instead_of: str | None = None) -> str | None:
        """Start a new epoch and return its name; all existing cursors become invalid.

        With *instead_of* only if this is the current epoch; otherwise nothing is changed and None is returned.
        """
        query = update(LogStateRow).values(epoch=new_epoch).returning(LogStateRow.epoch)
        if instead_of is not None:
            query = query.where(LogStateRow.epoch == instead_of)
        epoch: str | None = await self._session.scalar(query)
        if epoch is not None:
            await self._session.execute(delete(EventFloorRow).where(EventFloorRow.epoch != epoch))
        return epoch

    async def trim(self, recorded_before: datetime) -> int:
        """Remove up to 10,000 older events from the beginning of the log; returns the number of removed events.

        It stops at the first event that is not older, so that an event with a time in the past does not remove younger
        events before it. The head records the last removed position, so that a client with an older cursor gets a
        resync. No event gets a position until the transaction ends, so end it soon.
        """
        last = await self._last_older(recorded_before)
        if last is None:
            return 0
        result = await self._session.execute(delete(EventRow).where(EventRow.position <= last))
        await self._session.execute(update(LogStateRow).values(trimmed=func.greatest(LogStateRow.trimmed, last)))
        return affected(result)

    async def _last_older(self, recorded_before: datetime) -> int | None:
        """The last position of the older events at the beginning of the log, within one step."""
        step = (
            select(EventRow.position, EventRow.recorded_at)
            .where(EventRow.position.is_not(None))
            .order_by(EventRow.position)
            .limit(_TRIM_STEP)
            .subquery()
        )
        young = select(func.min(step.c.position)).where(step.c.recorded_at >= recorded_before).scalar_subquery()
        older = select(func.max(step.c.position)).where(step.c.position < func.coalesce(young, _MAX_POSITION))
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
