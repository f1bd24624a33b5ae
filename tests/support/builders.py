"""Builders of rows for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import select

from domain.access_token import Scope, new_token, token_hash
from domain.actor import OPERATOR, Actor
from domain.event_parsing import read_event
from domain.events import RecordedEvent
from domain.idempotency import IdempotencyKey
from domain.label import folded
from domain.project import ProjectRole
from domain.rank import whole
from domain.task import TaskPriority, TaskStatus
from domain.user import Role, UserKind
from persistence.database import Database
from persistence.models import (
    AccessTokenRow,
    Base,
    EventRow,
    IdentityRow,
    LabelRow,
    MembershipRow,
    ProjectKeyRow,
    ProjectRow,
    SessionRow,
    TaskRow,
    UserRow,
    VisibleTaskRow,
    membership_id,
)
from persistence.models.base import new_id
from persistence.unit_of_work import UnitOfWork
from tests.support.transactions import driver_connection, kept_engine, orm_session

_numbers = count(1)
TABLES = (
    "mails",
    "link_tokens",
    "invitations",
    "audit_entries",
    "used_tokens",
    "sign_in_codes",
    "single_uses",
    "identities",
    "sessions",
    "access_tokens",
    "events",
    "event_floors",
    "idempotency_keys",
    "comments",
    "labels",
    "task_keys",
    "tasks",
    "trash",
    "task_counters",
    "memberships",
    "project_keys",
    "projects",
    "user_deletions",
    "users",
    "reserved_names",
    "trusted_documents",
)
"""The tables that tests fill, rows that refer to others first."""
_CLEAR: Final = "; ".join(
    (
        "UPDATE log_state SET trimmed = 0, boundary = NULL, boundary_fingerprint = NULL, cursor_format = 2",
        *(f"DELETE FROM {table}" for table in TABLES),  # noqa: S608 - of the names above
        "SELECT setval(pg_get_serial_sequence('events', 'id'), 1, false)",
    )
)
"""Sent as one message, this is one transaction."""
_ROWS_OF: Final = "SELECT '{0}', row::text FROM {0} AS row"
_UNION: Final = " UNION ALL ".join(_ROWS_OF.format(table.name) for table in Base.metadata.sorted_tables)
_ALL_ROWS: Final = f"{_UNION} ORDER BY 1, 2"
"""All stored rows, in one statement."""
AnyTask = TaskRow | VisibleTaskRow
FAR: Final = 1_000_000
"""Numbers of built tasks of projects are beyond this: services give smaller ones."""
Row = TypeVar("Row", AccessTokenRow, IdentityRow, LabelRow, UserRow, SessionRow, TaskRow, ProjectRow, MembershipRow)


def _place() -> dict[str, Any]:
    """The number and the rank of a built task of a project: they are greater than those of the tasks before it."""
    number = FAR + next(_numbers)
    return {"number": number, "rank": whole(number)}


class Builders:
    """A database with builders."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @staticmethod
    async def clear(database: Database) -> None:
        """Empty every table and reset the log; for few rows this is faster than TRUNCATE. The head is first, as in
        numbering, because a killed process may still hold a lock.
        """
        async with driver_connection(database) as connection:
            await connection.execute(_CLEAR)

    async def a_user(self, role: Role = Role.USER, **values: Any) -> UserRow:
        """A user; with a password hash that no password has, unless one is given."""
        name = f"user{next(_numbers)}"
        now = datetime.now(UTC)
        row = UserRow(
            **{"username": name, "email": f"{name}@example.org", "password_hash": "!", "role": role, "is_active": True}
            | {"access_version": 1, "created_at": now, "updated_at": now, "kind": UserKind.HUMAN, "has_password": True}
            | values
        )
        return await self._added(row)

    async def an_actor(self, role: Role = Role.USER) -> Actor:
        """A user of this role, signed in."""
        return self.actor(await self.a_user(role))

    @staticmethod
    def actor(user: UserRow, session_id: UUID | None = None) -> Actor:
        """The user as an actor."""
        return Actor(user.id, user.role, session_id or uuid4(), user.access_version)

    async def a_session(self, user: UserRow, **values: Any) -> SessionRow:
        """A signed-in device of a user, for a day."""
        now = datetime.now(UTC)
        row = SessionRow(
            **{"user_id": user.id, "token_hash": uuid4().bytes * 2, "key_id": "dev", "ip_address": "127.0.0.1"}
            | {
                "user_agent": None,
                "created_at": now,
                "expires_at": now + timedelta(days=1),
                "last_used_at": None,
            }
            | values
        )
        return await self._added(row)

    async def an_access_token(
        self, user: UserRow, *scopes: Scope, text: str | None = None, **values: Any
    ) -> tuple[AccessTokenRow, str]:
        """A personal access token of a user, for a day, and its text."""
        now, text = datetime.now(UTC), text or new_token()
        row = AccessTokenRow(
            **{"user_id": user.id, "name": f"Token {next(_numbers)}", "token_hash": token_hash(text)}
            | {
                "scopes": [scope.value for scope in scopes],
                "created_at": now,
                "expires_at": now + timedelta(days=1),
                "last_used_at": None,
            }
            | values
        )
        return await self._added(row), text

    async def an_identity(self, user: UserRow, **values: Any) -> IdentityRow:
        """An account at a provider that is linked to a user."""
        now, number = datetime.now(UTC), next(_numbers)
        row = IdentityRow(
            **{"user_id": user.id, "provider": "one", "issuer": "https://one.example", "subject": f"subject {number}"}
            | {"account_name": None, "created_at": now, "last_used_at": None}
            | values
        )
        return await self._added(row)

    async def a_task(self, owner: UserRow | Actor | None = None, **values: Any) -> TaskRow:
        """A task, of a new user by default."""
        now = datetime.now(UTC)
        owner_id = _id_of(owner) if owner is not None else (await self.a_user()).id
        place = _place() if values.get("project_id") is not None else {}
        row = TaskRow(
            **{"title": f"Task {next(_numbers)}", "description": "", "status": TaskStatus.TODO}
            | {
                "priority": TaskPriority.MEDIUM,
                "due_at": None,
                "owner_id": owner_id,
                "assignee_id": None,
                "version": 1,
                "comment_count": 0,
                "label_ids": [],
                "parent_id": None,
                "subtask_count": 0,
                "done_subtask_count": 0,
            }
            | {"created_at": now, "updated_at": now, "completed_at": None}
            | place
            | values
        )
        return await self._added(row)

    async def a_project(self, *members: tuple[UserRow | Actor, ProjectRole], **values: Any) -> ProjectRow:
        """A project with these members."""
        now = datetime.now(UTC)
        row = ProjectRow(
            **{"key": f"P{next(_numbers)}", "name": "A project", "description": "", "is_archived": False}
            | {"version": 1, "created_at": now, "updated_at": now}
            | values
        )
        await self._added(row)
        async with self.database.unit_of_work(None) as uow:
            uow.projects.add_key(row)
            await uow.commit()
        for user, role in members:
            await self.a_member(row, user, role)
        return row

    async def a_key(self, project: ProjectRow, key: str) -> None:
        """A key that the project had before."""
        async with self.database.unit_of_work(None) as uow:
            uow.write_set.insert(ProjectKeyRow(key=key, project_id=project.id))
            await uow.commit()

    async def a_label(self, project: ProjectRow, name: str) -> LabelRow:
        """A label of a project."""
        now = datetime.now(UTC)
        row = LabelRow(
            **{"id": new_id(), "project_id": project.id, "name": name, "folded_name": folded(name), "color": "#1a7f37"}
            | {"version": 1, "created_at": now, "updated_at": now}
        )
        return await self._added(row)

    async def a_member(
        self, project: ProjectRow, user: UserRow | Actor, role: ProjectRole = ProjectRole.MEMBER
    ) -> MembershipRow:
        """A member of a project."""
        user_id = _id_of(user)
        values = {"project_id": project.id, "user_id": user_id, "role": role, "created_at": datetime.now(UTC)}
        return await self._added(MembershipRow(id=membership_id(project.id, user_id), **values))

    async def roles_in(self, project_id: UUID) -> dict[UUID, ProjectRole]:
        """The members of a project and their roles, as they are stored now."""
        async with self.database.connect() as connection:
            query = select(MembershipRow.user_id, MembershipRow.role).where(MembershipRow.project_id == project_id)
            return {row[0]: row[1] for row in await connection.execute(query)}

    def as_(
        self, user_or_actor: Actor | UserRow | None, *, now: datetime | None = None, key: IdempotencyKey | None = None
    ) -> UnitOfWork:
        """A unit of work of a user or actor, now or at another time, with or without a key."""
        actor = self.actor(user_or_actor) if isinstance(user_or_actor, UserRow) else user_or_actor
        return self.database.unit_of_work(actor, request_id="test", now=now, idempotency=key)

    async def task(self, task_id: UUID) -> VisibleTaskRow | None:
        """The task as it is stored now."""
        async with self.database.unit_of_work(OPERATOR) as uow:
            return await uow.tasks.find(task_id)

    async def user(self, user_id: UUID) -> UserRow | None:
        """The user as it is stored now."""
        async with self.database.unit_of_work(OPERATOR) as uow:
            return await uow.users.find(user_id)

    async def status_of(self, task: AnyTask) -> TaskStatus:
        """The task's status as it is stored now."""
        stored = await self.task(task.id)
        assert stored is not None
        return stored.status

    async def recorded_events(self, *, of: UUID | None = None) -> list[RecordedEvent]:
        """All recorded events, or those of one task, in the order of recording."""
        query = select(EventRow).order_by(EventRow.id)
        async with orm_session(self.database) as session:
            rows = await session.scalars(query if of is None else query.where(EventRow.task_id == of))
            return [_recorded(row) for row in rows]

    async def events_by(self, actor_id: UUID) -> list[RecordedEvent]:
        """The events of a user, in the order of recording."""
        query = select(EventRow).where(EventRow.payload["by"].astext == str(actor_id)).order_by(EventRow.id)
        async with orm_session(self.database) as session:
            return [_recorded(row) for row in await session.scalars(query)]

    async def snapshot(self) -> dict[str, list[tuple[Any, ...]]]:
        """All stored rows."""
        async with kept_engine(self.database).connect() as connection:
            return {
                table.name: [tuple(row) for row in await connection.execute(select(table).order_by(*table.primary_key))]
                for table in Base.metadata.sorted_tables
            }

    @asynccontextmanager
    async def unchanged(self) -> AsyncIterator[None]:
        """What is done inside stores nothing, changes nothing and records nothing."""
        before = await self._all_rows()
        yield
        assert await self._all_rows() == before

    async def _all_rows(self) -> list[tuple[Any, ...]]:
        async with driver_connection(self.database) as connection:
            return [tuple(row) for row in await connection.fetch(_ALL_ROWS)]

    async def _added(self, row: Row) -> Row:
        async with self.database.unit_of_work(None) as uow:
            if row.id is None:
                row.id = new_id()
            uow.write_set.insert(row)
            await uow.commit()
        return row


def _id_of(owner: UserRow | Actor) -> UUID:
    return owner.user_id if isinstance(owner, Actor) else owner.id


def _recorded(row: EventRow) -> RecordedEvent:
    event = read_event(row.kind, row.payload)
    assert isinstance(event, RecordedEvent)
    return event
