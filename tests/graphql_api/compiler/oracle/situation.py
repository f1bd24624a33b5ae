"""The data that a mutation meets: users, sessions, tasks and keys, made from a seed with ids that never differ.

Every run of a case begins with the same rows, so the two executors get the same request, byte for byte.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid5

import orjson

from domain.actor import Actor
from domain.project import ProjectRole
from domain.rank import whole
from domain.session import child_token, token_hash
from domain.sign_in_code import challenge_of
from domain.task import TaskPriority, TaskStatus
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.database import Database
from persistence.models import membership_id
from tests.support.transactions import driver_connection

PASSWORD: Final = "Correct-horse1"
CREATED: Final = datetime(2020, 1, 1, tzinfo=UTC)
DUE: Final = datetime(2030, 6, 1, 12, tzinfo=UTC)
NEVER: Final = datetime(2100, 1, 1, tzinfo=UTC)

ROLES: Final = {
    "admin": Role.ADMIN,
    "deputy": Role.ADMIN,
    "moderator": Role.MODERATOR,
    "owner": Role.USER,
    "outsider": Role.USER,
    "inactive": Role.USER,
}
DEVICES: Final = ("phone", "laptop")
TASKS: Final = {
    "todo": ("owner", None, TaskStatus.TODO),
    "in progress": ("owner", "outsider", TaskStatus.IN_PROGRESS),
    "done": ("owner", None, TaskStatus.DONE),
    "cancelled": ("owner", "moderator", TaskStatus.CANCELLED),
    "of the outsider": ("outsider", "owner", TaskStatus.TODO),
    "of the moderator": ("moderator", "inactive", TaskStatus.DONE),
    "of the admin": ("admin", None, TaskStatus.TODO),
    "in web": ("owner", "outsider", TaskStatus.TODO),
    "in app": ("outsider", "owner", TaskStatus.IN_PROGRESS),
    "in old": ("owner", None, TaskStatus.TODO),
    "parent": ("owner", "outsider", TaskStatus.IN_PROGRESS),
    "subtask": ("outsider", None, TaskStatus.DONE),
    "open subtask": ("owner", "moderator", TaskStatus.TODO),
    "parent in app": ("outsider", None, TaskStatus.DONE),
    "subtask in app": ("owner", "outsider", TaskStatus.CANCELLED),
}
"""Each task's owner, assignee and status."""
TRASH: Final = {
    "thrown away": ("owner", "outsider", TaskStatus.TODO),
    "thrown away with it": ("outsider", None, TaskStatus.DONE),
    "subtask thrown away": ("owner", None, TaskStatus.DONE),
    "thrown away in old": ("owner", None, TaskStatus.TODO),
    "own trash": ("owner", None, TaskStatus.DONE),
    "taken away": ("owner", None, TaskStatus.TODO),
}
"""As `TASKS`, of tasks that were deleted by their owners; the last one by a moderator."""
PROJECTS: Final = {
    "web": {"owner": ProjectRole.MANAGER, "outsider": ProjectRole.MEMBER, "moderator": ProjectRole.VIEWER},
    "app": {"outsider": ProjectRole.MANAGER, "owner": ProjectRole.MANAGER, "inactive": ProjectRole.MEMBER},
    "old": {"moderator": ProjectRole.MANAGER, "owner": ProjectRole.MANAGER, "admin": ProjectRole.VIEWER},
}
"""Each project's members. "old" is archived, and had another key before."""
IN_PROJECTS: Final = {
    **dict.fromkeys(("in web", "parent", "subtask", "open subtask"), "web"),
    **dict.fromkeys(("thrown away", "thrown away with it", "subtask thrown away"), "web"),
    **dict.fromkeys(("in app", "parent in app", "subtask in app"), "app"),
    **dict.fromkeys(("in old", "thrown away in old"), "old"),
}
"""The projects of tasks; the others are personal."""
PARENTS: Final = {
    **dict.fromkeys(("subtask", "open subtask", "subtask thrown away"), "parent"),
    "subtask in app": "parent in app",
    "thrown away with it": "thrown away",
}
"""The parents of subtasks."""
NUMBERS: Final = {
    task: number
    for name in PROJECTS
    for number, task in enumerate((task for task, project in IN_PROJECTS.items() if project == name), start=1)
}
"""The numbers of the tasks of projects."""
EARLIER: Final = {"in web": "app", "todo": "web"}
"""The projects in which tasks were before."""
CHOSEN: Final = {
    name: UUID(int=(0x0170_0000_0000 << 80) | (7 << 76) | (2 << 62) | number)
    for number, name in enumerate(("a chosen one", "another chosen one"))
}
"""Ids for new tasks, of the year 2020."""
LABELS: Final = {"bug": "web", "urgent": "web", "design": "app", "archived": "old"}
"""Each label's project."""
COMMENTS: Final = {
    "on todo": ("todo", "owner"),
    "on in progress": ("in progress", "outsider"),
    "in web": ("in web", "owner"),
    "in app": ("in app", "outsider"),
    "in old": ("in old", "owner"),
    "on a subtask": ("subtask", "owner"),
    "in the trash": ("thrown away", "outsider"),
}
"""Each comment's task and author."""
DELETED: Final = "deleted"
"""The name of a task that is not there any more."""

VERIFIER: Final = "v" * 43
PORT: Final = 8765
"""What all sign-in codes are for."""

_DELETE: Final = (
    "DELETE FROM used_tokens; DELETE FROM sign_in_codes; DELETE FROM sessions; DELETE FROM access_tokens; "
    "DELETE FROM identities; "
    "DELETE FROM events; DELETE FROM idempotency_keys; "
    "DELETE FROM comments; DELETE FROM labels; DELETE FROM task_keys; DELETE FROM tasks; DELETE FROM trash; "
    "DELETE FROM task_counters; DELETE FROM memberships; "
    "DELETE FROM project_keys; DELETE FROM projects; DELETE FROM users;"
)
_TABLES: Final = (
    *(
        "users",
        "sessions",
        "sign_in_codes",
        "access_tokens",
        "identities",
        "used_tokens",
        "tasks",
        "projects",
        "project_keys",
        "memberships",
    ),
    *("task_counters", "task_keys", "labels", "comments", "trash"),
)
_INSERT_ROWS: Final = (
    "TABLE_rows AS (INSERT INTO TABLE OVERRIDING SYSTEM VALUE"
    " SELECT * FROM jsonb_populate_recordset(null::TABLE, $1::jsonb -> 'TABLE'))"
)
_READ_ROWS: Final = "'TABLE', (SELECT coalesce(jsonb_agg(to_jsonb(row) - 'CONTINUED'), '[]') FROM TABLE AS row)"
_CONTINUED: Final = {"memberships": "number", "trash": "place"}
"""The columns of tables whose numbers of new rows continue those of earlier runs."""
# The fingerprints are random.
_READ_EVENTS: Final = (
    "'events', (SELECT coalesce(jsonb_agg(to_jsonb(row) - 'fingerprint' ORDER BY id), '[]') FROM events AS row)"
)
_INSERT: Final = "WITH " + ", ".join(_INSERT_ROWS.replace("TABLE", table) for table in _TABLES) + " SELECT"
_READ_TABLES: Final = [
    _READ_ROWS.replace("TABLE", table).replace("CONTINUED", _CONTINUED.get(table, ""))
    for table in (*_TABLES, "task_texts", "idempotency_keys")
]
_READ: Final = f"SELECT jsonb_build_object({', '.join([*_READ_TABLES, _READ_EVENTS])})::text"

Rows = dict[str, list[dict[str, Any]]]


def id_of(name: str) -> UUID:
    """The id of a row of this name, the same in every run."""
    return CHOSEN[name] if name in CHOSEN else uuid5(NAMESPACE_OID, name)


def global_id(kind: str, name: str) -> str:
    """The id as clients know it."""
    return encode_id(kind, id_of(name))


def session_name(user: str, device: str) -> str:
    """The name of a user's session."""
    return f"{user}'s {device}"


@dataclass(frozen=True)
class Tokens:
    """Refresh tokens of one session: the current one, its parent, which may come again, and one used long ago."""

    current: str
    parent: str
    stale: str

    @classmethod
    def of(cls, session: str, key: bytes) -> "Tokens":
        """Those of the session of this name."""
        parent = f"parent of {session}"
        return cls(child_token(parent, key), parent, f"stale of {session}")


@dataclass(frozen=True)
class Situation:
    """The rows of a seed."""

    rows: Mapping[str, list[dict[str, Any]]]
    tokens: Mapping[str, Tokens]
    """By the session's name."""

    @classmethod
    def of(cls, seed: int, *, key_id: str, key: bytes, password_hash: str) -> "Situation":
        """The situation of this seed; all users have the same password."""
        chance = random.Random(f"situation {seed}")
        names = [session_name(user, device) for user in ROLES for device in DEVICES]
        tokens = {name: Tokens.of(name, key) for name in names}
        rows = {
            "users": [_user(name, chance, password_hash) for name in ROLES],
            "sessions": [_session(user, device, key_id, tokens) for user in ROLES for device in DEVICES],
            "sign_in_codes": [_sign_in_code(session_name(user, DEVICES[0])) for user in ROLES],
            "access_tokens": [_access_token(user) for user in ROLES],
            "identities": [_identity(user) for user in ROLES],
            "used_tokens": [row for name in names for row in _used_tokens(name, tokens[name])],
            "tasks": [_task(name, chance) for name in TASKS],
            "trash": [_deleted(name, place, chance) for place, name in enumerate(TRASH, start=-len(TRASH))],
            "task_counters": [{"id": id_of(name), **_last(name)} for name in PROJECTS],
            "task_keys": [_earlier_number(name) for name in EARLIER],
            "labels": [_label(name) for name in LABELS],
            "comments": [_comment(name, chance) for name in COMMENTS],
            "projects": [_project(name) for name in PROJECTS],
            "project_keys": [_key(name, key) for name in PROJECTS for key in _keys(name)],
            "memberships": [
                _membership(project, user, role, number)
                for number, (project, user, role) in enumerate(
                    (project, user, role) for project, members in PROJECTS.items() for user, role in members.items()
                )
            ],
        }
        return cls(rows, tokens)

    def actor(self, name: str) -> Actor:
        """The user, signed in on the phone."""
        return Actor(id_of(name), ROLES[name], id_of(session_name(name, DEVICES[0])), access_version=1)

    async def restore(self, database: Database) -> None:
        """Replace all rows by those of this situation. The process forgets the places of tasks, which may differ."""
        database._task_places._places.clear()
        async with driver_connection(database) as connection, connection.transaction():
            await connection.execute(_DELETE)
            await connection.execute(_INSERT, orjson.dumps(self.rows).decode())


async def stored(database: Database) -> Rows:
    """All stored rows; events in the order of recording."""
    async with driver_connection(database) as connection:
        found: Rows = orjson.loads(await connection.fetchval(_READ))
    return found


def code_name(session: str) -> str:
    """The sign-in code of the session of this name."""
    return f"code of {session}"


def _sign_in_code(session: str) -> dict[str, Any]:
    return {
        "session_id": id_of(session),
        "code_hash": _bytea(token_hash(code_name(session))),
        "challenge": challenge_of(VERIFIER),
        "port": PORT,
        "client_name": "taskriver",
        "expires_at": NEVER,
    }


def _access_token(user: str) -> dict[str, Any]:
    name = f"token of {user}"
    return {
        "id": id_of(name),
        "user_id": id_of(user),
        "name": name,
        "token_hash": _bytea(token_hash(name)),
        "scopes": ["tasks:read", "account"],
        "created_at": CREATED,
        "expires_at": NEVER,
        "last_used_at": None,
    }


def _identity(user: str) -> dict[str, Any]:
    name = f"identity of {user}"
    return {
        "id": id_of(name),
        "user_id": id_of(user),
        "provider": "one",
        "issuer": "https://one.example",
        "subject": name,
        "account_name": f"{user}@corp.example",
        "created_at": CREATED,
        "last_used_at": None,
    }


def _user(name: str, chance: random.Random, password_hash: str) -> dict[str, Any]:
    # With one admin, there is a last one that has to stay.
    is_active = name != "inactive" and (name != "deputy" or chance.random() < 0.5)
    return {
        "id": id_of(name),
        "username": name,
        "email": f"{name}@example.org",
        "password_hash": password_hash,
        "role": ROLES[name],
        "is_active": is_active,
        "access_version": 1,
        "created_at": CREATED,
        "updated_at": CREATED,
        "kind": "HUMAN",
        "has_password": True,
    }


def _session(user: str, device: str, key_id: str, tokens: Mapping[str, Tokens]) -> dict[str, Any]:
    name = session_name(user, device)
    return {
        "id": id_of(name),
        "user_id": id_of(user),
        "token_hash": _bytea(token_hash(tokens[name].current)),
        "key_id": key_id,
        "ip_address": "127.0.0.1",
        "user_agent": device,
        "created_at": NEVER,  # so that a refresh extends it
        "expires_at": NEVER,
        "last_used_at": None,
    }


def _used_tokens(name: str, tokens: Tokens) -> list[dict[str, Any]]:
    # The time of the parent's use lies ahead: however slow a machine is, it is within the grace period.
    used = {tokens.parent: NEVER, tokens.stale: CREATED}
    return [
        {"token_hash": _bytea(token_hash(token)), "session_id": id_of(name), "used_at": at}
        for token, at in used.items()
    ]


def _task(name: str, chance: random.Random) -> dict[str, Any]:
    owner, assignee, status = (TASKS | TRASH)[name]
    subtasks = [each for each, parent in PARENTS.items() if parent == name and (each in TASKS or name in TRASH)]
    return {
        "id": id_of(name),
        "title": f"Task {name}",
        "description": chance.choice(("", "100% of a_b\\", "ünïcode 💥")),
        "status": status,
        "priority": chance.choice(list(TaskPriority)).value,
        "due_at": chance.choice((None, DUE)),
        "owner_id": id_of(owner),
        "assignee_id": id_of(assignee) if assignee is not None else None,
        "version": chance.choice((1, 1, 2, 7)),
        "created_at": CREATED,
        "updated_at": CREATED,
        "completed_at": CREATED if status is TaskStatus.DONE else None,
        "project_id": id_of(IN_PROJECTS[name]) if name in IN_PROJECTS else None,
        "number": NUMBERS.get(name),
        "comment_count": sum(task == name for task, _ in COMMENTS.values()),
        "label_ids": [id_of("bug")] if name == "in web" else [],
        "rank": whole(NUMBERS[name]) + chance.choice(("", "V")) if name in IN_PROJECTS else None,
        "parent_id": id_of(PARENTS[name]) if name in PARENTS else None,
        "subtask_count": len(subtasks),
        "done_subtask_count": sum((TASKS | TRASH)[each][2] is TaskStatus.DONE for each in subtasks),
    }


def _deleted(name: str, place: int, chance: random.Random) -> dict[str, Any]:
    root = PARENTS[name] if PARENTS.get(name) in TRASH else name
    deleted_by = TRASH[name][0] if name != "taken away" else "moderator"
    deletion = {"deleted_at": CREATED, "deleted_by": id_of(deleted_by), "root_id": id_of(root), "place": place}
    task = _task(name, chance)
    has_other_rank = name not in IN_PROJECTS or chance.random() < 0.7
    return task | deletion | ({} if has_other_rank else {"rank": whole(1)})


def _last(project: str) -> dict[str, int]:
    numbers = [number for task, number in NUMBERS.items() if IN_PROJECTS[task] == project]
    last = len(numbers) + sum(earlier == project for earlier in EARLIER.values())
    return {"last": last, "last_rank": last}


def _earlier_number(name: str) -> dict[str, Any]:
    return {"project_id": id_of(EARLIER[name]), "number": _last(EARLIER[name])["last"], "task_id": id_of(name)}


def _label(name: str) -> dict[str, Any]:
    return {
        "id": id_of(name),
        "project_id": id_of(LABELS[name]),
        "name": name.title(),
        "folded_name": name,
        "color": "#1a7f37",
        "version": 1,
        "created_at": CREATED,
        "updated_at": CREATED,
    }


def _comment(name: str, chance: random.Random) -> dict[str, Any]:
    task, author = COMMENTS[name]
    return {
        "id": id_of(f"comment {name}"),
        "task_id": id_of(task),
        "author_id": id_of(author),
        "text": f"Comment {name}",
        "version": chance.choice((1, 1, 2)),
        "created_at": CREATED,
        "updated_at": CREATED,
    }


def _project(name: str) -> dict[str, Any]:
    return {
        "id": id_of(name),
        "key": name.upper(),
        "name": f"Project {name}",
        "description": "",
        "is_archived": name == "old",
        "version": 1,
        "created_at": CREATED,
        "updated_at": CREATED,
    }


def _keys(name: str) -> list[str]:
    return [name.upper(), "BEFORE"] if name == "old" else [name.upper()]


def _key(name: str, key: str) -> dict[str, Any]:
    return {"key": key, "project_id": id_of(name)}


def _membership(project: str, user: str, role: ProjectRole, number: int) -> dict[str, Any]:
    return {
        "id": membership_id(id_of(project), id_of(user)),
        "project_id": id_of(project),
        "user_id": id_of(user),
        "role": role,
        "number": number - 100,  # before those of new members
        "created_at": CREATED,
    }


def _bytea(value: bytes) -> str:
    return "\\x" + value.hex()
