"""The event log: gives events their positions, reads them, and removes old ones."""

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import orjson

from domain.event_parsing import read_event
from domain.events import TASK_EVENT, EventKind, LoggedEvent, People, TaskChange, TaskEvent
from domain.stored_event import StoredEvent
from domain.stream_cursor import epoch_of
from persistence import numbering_floor
from persistence.epoch import IdentityQueries, KnownServer, LogServer, server_of
from persistence.numbering_floor import LastId, Writers

_TRIM_STEP: Final = 10_000  # rows that one statement removes well within its time-out
_MAX_RESULT_BYTES: Final = 12 * 1024  # bytes of events in the result of the statement that numbers them
_MAX_STATEMENTS: Final = 2  # of each kind: with the functions that identify a server, and without them
_NUMBER: Final = (
    "SELECT n.position, kind, payload, fingerprint, numbered, epoch FROM event_head,"
    " (SELECT position, kind, payload::text, fingerprint, count(*) OVER () AS numbered,"
    " sum(octet_length(payload::text)) OVER (ORDER BY position) AS size,"
    " position = min(position) OVER () AS first FROM number_events($1)) AS n"
    " WHERE size <= $2 OR first"
)
_AFTER: Final = (
    "SELECT position, kind, payload::text, fingerprint FROM events WHERE position > $1 ORDER BY position LIMIT $2"
)
_ACCESS: Final = (
    "SELECT position, kind, payload::text, fingerprint FROM events"
    " WHERE position > $1 AND position <= $2 AND kind = 'ACCESS' ORDER BY position LIMIT $3"
)
_NAME_OF_CHANGES: Final = TASK_EVENT.name_of("changes")
_DELETIONS: Final = (
    "SELECT task_id, payload::text FROM events WHERE task_id = ANY($1::uuid[])"  # noqa: S608 - of the event's format
    f" AND kind = '{EventKind.TASK.value}' AND payload->'{_NAME_OF_CHANGES}' ? '{TaskChange.DELETED.value}' ORDER BY id"
)
_HEAD_COLUMNS: Final = (
    "h.epoch, h.position, h.trimmed,"
    " EXISTS (SELECT FROM events WHERE events.position IS NULL AND id >= numbering_floor()),"
    " h.cursor_format = 2, h.cursor_fingerprint, s.promoted"
)
_HEAD: Final = f"SELECT {_HEAD_COLUMNS} FROM event_head AS h, log_state AS s"  # noqa: S608 - constants
_FINGERPRINT_AT: Final = (
    "SELECT position, fingerprint FROM events WHERE position = $1"
    " UNION ALL SELECT boundary, boundary_fingerprint FROM log_state WHERE boundary = $1 AND trimmed = $1"
)
_REMEMBER: Final = (
    "UPDATE log_state SET system_id = $1, timeline = $2, database_id = $3, table_id = $4, synchronous = $5,"
    " promoted = CASE WHEN timeline <> $2 THEN greatest(promoted, $6) ELSE promoted END"
    " WHERE epoch = $7 AND system_id IS NOT DISTINCT FROM $8 AND timeline IS NOT DISTINCT FROM $9"
    " AND database_id IS NOT DISTINCT FROM $10 AND table_id IS NOT DISTINCT FROM $11 RETURNING 1"
)
_SET_CURSOR_FORMAT: Final = "UPDATE log_state SET cursor_format = $1"
_BEGIN_EPOCH: Final = (
    "WITH begun AS (UPDATE log_state SET epoch = gen_random_uuid()::text, promoted = 0"
    " WHERE $1::text IS NULL OR epoch = $1"
    " RETURNING epoch), forgotten AS (DELETE FROM event_floors AS f USING begun WHERE f.epoch <> begun.epoch)"
    " SELECT epoch FROM begun"
)
_BEGIN_EPOCH_ON: Final = (
    "WITH begun AS (UPDATE log_state SET epoch = gen_random_uuid()::text, promoted = 0, system_id = $1,"
    " timeline = $2, database_id = $3, table_id = $4, synchronous = $5 WHERE epoch = $6 RETURNING epoch),"
    " forgotten AS (DELETE FROM event_floors AS f USING begun WHERE f.epoch <> begun.epoch) SELECT epoch FROM begun"
)
_LAST_OLDER: Final = (
    "WITH step AS (SELECT position, recorded_at FROM events WHERE position IS NOT NULL ORDER BY position LIMIT $2)"
    " SELECT max(position) FROM step WHERE position < coalesce("
    "(SELECT min(position) FROM step WHERE recorded_at >= $1), 9223372036854775807)"
)
_REMOVE: Final = (
    "WITH removed AS (DELETE FROM events WHERE position <= $1 RETURNING position, fingerprint)"
    " SELECT count(*), max(fingerprint) FILTER (WHERE position = $1) FROM removed"
)
_NOTE_TRIMMED: Final = "UPDATE log_state SET trimmed = $1, boundary = $1, boundary_fingerprint = $2 WHERE trimmed < $1"
_log: Final = logging.getLogger("taskriver.database")

Fetch = Callable[..., Awaitable[Sequence[Any]]]
"""Executes a statement with its arguments, and returns its rows."""

Stored = tuple[int, str, str, int | None]
"""A stored event: its position, its kind, its JSON, and its fingerprint."""


@dataclass(frozen=True, slots=True)
class Head:
    """The extent of the log: positions up to `position` are assigned, events up to `trimmed` are removed."""

    epoch: str
    position: int
    trimmed: int
    pending: bool
    """Whether there are committed events without a position."""
    has_fingerprints: bool = False
    """Whether new stream cursors have fingerprints."""
    fingerprint: int | None = None
    """The fingerprint at `position`, if new stream cursors have fingerprints and it is known."""
    promoted: int = 0
    """The last position at which a promoted standby continued the epoch; 0 if none did."""

    @property
    def cursor_epoch(self) -> str:
        """The epoch of a stream cursor at the head."""
        return epoch_of(self.epoch, self.promoted, self.fingerprint)


@dataclass(frozen=True, slots=True)
class Observation:
    """The head, the server that has it, and the fingerprint at the position asked for; all of one instant."""

    head: Head
    server: LogServer
    fingerprint: int | None = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """Events that have just got their positions, and the epoch of these; without events the epoch is empty.

    `bodies` has the same events for notifications, see `read_logged`, with the stored text of the payload.
    """

    epoch: str
    events: list[LoggedEvent]
    bodies: list[list[Any]]


class EventLog:
    """The event log, in the transaction of *fetch*, or with a transaction for each statement.

    *write* executes the statements that write; it is *fetch* if it is not given.
    Statements that a process follows the log with are checked to reach the *known* server.
    """

    def __init__(self, fetch: Fetch, known: KnownServer | None = None, *, write: Fetch | None = None) -> None:
        self._fetch = fetch
        self._write = write or fetch
        self._known = known or KnownServer()

    async def head(self) -> Head:
        """The current head, read by one statement."""
        return Head(*(await self._fetch(_HEAD))[0])

    async def observe(self, position: int) -> Observation:
        """The current head, its server, and the fingerprint at a position.

        Raises:
            OtherServer: the server is a standby.
        """
        row = tuple((await self._fetch_known(_observe(self._known.queries), position))[0])
        return Observation(Head(*row[:7]), server_of(row[8:]), row[7])

    async def remember(self, seen: Observation) -> None:
        """Remember the server in this epoch, unless the epoch or the remembered server has changed since."""
        server, head = seen.server, seen.head
        identity, before = astuple(server.identity), astuple(server.remembered)
        updated = await self._write(_REMEMBER, *identity, server.is_synchronous, head.position, head.epoch, *before)
        if updated and server.identity.contradicts(server.remembered):
            _log.warning("a standby was promoted that has all changes, as far as it is known: the epoch continues")

    async def begin_epoch_on(self, seen: Observation) -> None:
        """Start a new epoch and remember the server, unless another process has started one since."""
        server = seen.server
        if await self._write(_BEGIN_EPOCH_ON, *astuple(server.identity), server.is_synchronous, seen.head.epoch):
            _log.warning(
                "the log was at %s and is at %s, or has lost events: a new epoch starts, and clients load their lists"
                " again",
                server.remembered,
                server.here,
            )

    async def number(self, at_most: int = 500) -> Numbered:
        """Give positions to committed events that have none, by ascending id, and return these events.

        It is one statement on the server (see the function in the migrations), so that a client that is suspended holds
        no lock. Its result is small, because a server that cannot send the whole result keeps the lock until the client
        reads. Events that do not fit into the buffers of a connection are read by another statement.
        """
        rows = await self._fetch_followed(_NUMBER, at_most, _MAX_RESULT_BYTES, execute=self._write)
        if not rows:
            return Numbered("", [], [])
        *_, count, epoch = rows[0]
        stored = [(position, kind, payload, fingerprint) for position, kind, payload, fingerprint, *_ in rows]
        if count > len(stored):
            stored += await self._after(stored[-1][0], count - len(stored))
        bodies = [
            [position, kind, orjson.Fragment(payload), fingerprint] for position, kind, payload, fingerprint in stored
        ]
        return Numbered(epoch, _logged(stored), bodies)

    async def after(self, position: int, *, at_most: int = 500) -> list[LoggedEvent]:
        """The events after a position, in order."""
        return _logged(await self._after(position, at_most))

    async def fingerprint_at(self, position: int) -> int | None:
        """The fingerprint of the event at a position, also if it was the last one removed; None if it is unknown."""
        rows = await self._fetch_followed(_FINGERPRINT_AT, position)
        return rows[0][1] if rows else None

    async def use_fingerprints(self, *, enabled: bool) -> None:
        """Let new stream cursors of all processes have fingerprints (format 2), or not (format 1)."""
        await self._write(_SET_CURSOR_FORMAT, 2 if enabled else 1)

    async def _after(self, position: int, at_most: int) -> Sequence[Stored]:
        return await self._fetch_followed(_AFTER, position, at_most)

    async def access_between(self, position: int, up_to: int, *, at_most: int = 500) -> list[LoggedEvent]:
        """The changes of users' rights after *position*, up to and including *up_to*, in order."""
        return _logged(await self._fetch_followed(_ACCESS, position, up_to, at_most))

    async def deleted_of(self, ids: Collection[UUID]) -> set[UUID]:
        """The tasks among *ids* that have an event of their deletion."""
        return {task_id for task_id, _ in await self._fetch(_DELETIONS, list(ids))}

    async def deletions_of(self, ids: Collection[UUID]) -> dict[UUID, People]:
        """The people of deleted tasks at the time of the deletion, as long as events are stored."""
        stored = await self._fetch(_DELETIONS, list(ids))
        events = [read_event(EventKind.TASK, _parsed(payload)) for _, payload in stored]
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
        await self._write(numbering_floor.RAISE, last.epoch, last.file, last.id)

    async def begin_epoch(self, *, instead_of: str | None = None) -> str | None:
        """Start a new epoch and return its name; all existing cursors become invalid.

        With *instead_of* only if this is the current epoch; otherwise nothing is changed and None is returned.
        """
        rows = await self._write(_BEGIN_EPOCH, instead_of)
        return rows[0][0] if rows else None

    async def _fetch_followed(self, statement: str, *arguments: Any, execute: Fetch | None = None) -> list[Any]:
        """The rows of a statement whose first column is a position.

        Raises:
            OtherServer: the statement reached another server than the known one.
        """
        rows = await self._fetch_known(_with_key(statement, self._known.queries), *arguments, execute=execute)
        self._known.check(rows[0][0])
        return [row[1:] for row in map(tuple, rows) if row[1] is not None]

    async def _fetch_known(self, text: str, *arguments: Any, execute: Fetch | None = None) -> Sequence[Any]:
        try:
            return await (execute or self._fetch)(text, *arguments)
        except Exception as error:
            raise self._known.translate(error) from error

    async def trim(self, recorded_before: datetime) -> int:
        """Remove up to 10,000 older events from the beginning of the log; returns the number of removed events.

        It stops at the first event that is not older, so that an event with a time in the past does not remove younger
        events before it. The head records the last removed position, so that a client with an older cursor gets a
        resync. No event gets a position until the transaction ends, so end it soon.
        """
        last = (await self._fetch(_LAST_OLDER, recorded_before, _TRIM_STEP))[0][0]
        if last is None:
            return 0
        removed, fingerprint = (await self._write(_REMOVE, last))[0]
        await self._write(_NOTE_TRIMMED, last, fingerprint)
        return int(removed)


@lru_cache(maxsize=_MAX_STATEMENTS)
def _observe(queries: IdentityQueries) -> str:
    found = f"(SELECT fingerprint FROM ({_FINGERPRINT_AT}) AS f LIMIT 1)"  # noqa: S608 - constants
    return f"SELECT {_HEAD_COLUMNS}, {found}, {queries.columns} FROM event_head AS h, log_state AS s"  # noqa: S608


@lru_cache(maxsize=4 * _MAX_STATEMENTS)
def _with_key(statement: str, queries: IdentityQueries) -> str:
    """The statement with the key of the server before its columns; without rows, one row has the key alone."""
    server = f"(SELECT {queries.key} AS key) AS server"
    return f"SELECT server.key, found.* FROM {server} LEFT JOIN ({statement}) AS found ON true ORDER BY found.position"  # noqa: S608


class _LogRow(StoredEvent):
    """A stored event that keeps the text of its payload, which takes less memory than what is parsed from it."""

    __slots__ = ()

    def _parsed(self) -> Any:
        return _parsed(self._stored)


def _logged(stored: Sequence[Stored]) -> list[LoggedEvent]:
    return [_LogRow(*each) for each in stored]


def _parsed(payload: str) -> Any:
    """The value; None for JSON that PostgreSQL can store and this parser cannot read, such as 1e400."""
    try:
        return orjson.loads(payload)
    except ValueError:
        return None
