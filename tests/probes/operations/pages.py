"""Pages of lists that begin at a row of another user: the cursor is a position, and shows nothing of the row."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from persistence.pagination import page_cursor
from persistence.queries.audit import AUDIT_ORDER
from persistence.queries.project import project_cursor
from persistence.queries.user import USER_ORDER
from tests.probes import documents, oracle
from tests.probes.operation import Document, Operation
from tests.probes.scene import Scene
from tests.probes.things import Project, Task

PAGE: Final = 10
_ENTRY: Final = "id at action actorName subjectId subjectName details actor { id }"
_SIDES: Final = (("after", "first"), ("before", "last"))


def _tasks(side: str, scene: Scene) -> list[str]:
    """The page of tasks on one side of the foreign task, the oldest first."""
    foreign = _place(scene.task)
    readable = sorted(scene.world.readable_by(scene.actor), key=_place)
    if side == "after":
        found = [task for task in readable if _place(task) > foreign][:PAGE]
    else:
        found = [task for task in readable if _place(task) < foreign][-PAGE:]
    return [encode_id("Task", task.id) for task in found]


def _projects(side: str, scene: Scene) -> list[str]:
    """The page of projects on one side of the foreign project, by key."""
    foreign = scene.project.key
    readable = sorted((each for each in scene.world.projects if each.is_readable_by(scene.actor)), key=_key)
    if side == "after":
        found = [each for each in readable if each.key > foreign][:PAGE]
    else:
        found = [each for each in readable if each.key < foreign][-PAGE:]
    return [encode_id("Project", each.id) for each in found]


def _place(task: Task) -> tuple[Any, Any]:
    return task.created_at, task.id


def _key(project: Project) -> str:
    return project.key


def _cursor_of_task(scene: Scene) -> str:
    return page_cursor("CREATED_ASC", scene.task.created_at.isoformat(), scene.task.id)


def _cursor_of_project(scene: Scene) -> str:
    return project_cursor(scene.project.key, scene.project.id)


def _cursor_of_user(scene: Scene) -> str:
    return page_cursor(USER_ORDER, scene.task.created_at.isoformat(), scene.person.id)


def _cursor_of_entry(scene: Scene) -> str:
    return page_cursor(AUDIT_ORDER, scene.task.created_at.isoformat(), scene.person.id)


def _list(
    field: str, arguments: str, selection: str, side: str, size: str, cursor: Callable[[Scene], str]
) -> Callable[[Scene], Document]:
    page = f"nodes {{ {selection} }} pageInfo {{ startCursor endCursor hasNextPage hasPreviousPage }}"
    text = documents.query("$cursor: String", f"{field}({arguments}{size}: {PAGE}, {side}: $cursor)", page)
    return lambda scene: Document(text, {"cursor": cursor(scene)})


def _is_page(expected: Callable[[Scene], list[str]], value: Any, scene: Scene) -> bool:
    return [node["id"] for node in value["nodes"]] == expected(scene)


def _allowed(scene: Scene) -> str:
    return oracle.ALLOWED


def _by_admin(scene: Scene) -> str:
    is_permitted = oracle.with_user(scene.actor.role, Action.LIST_USERS, is_self=False)
    return oracle.ALLOWED if is_permitted else oracle.FORBIDDEN


def _by_auditor(scene: Scene) -> str:
    is_permitted = oracle.with_user(scene.actor.role, Action.READ_AUDIT, is_self=False)
    return oracle.ALLOWED if is_permitted else oracle.FORBIDDEN


def _of_tasks(side: str, size: str) -> Operation:
    return Operation(
        name=f"tasks {side} a foreign task",
        probes=frozenset({f"Query.tasks.{side}"}),
        make=_list("tasks", "orderBy: CREATED_ASC, ", documents.TASK_IN_LIST, side, size, _cursor_of_task),
        expected=_allowed,
        control=Scene.with_admin,
        shows=partial(_is_page, partial(_tasks, side)),
    )


def _of_projects(side: str, size: str) -> Operation:
    return Operation(
        name=f"projects {side} a foreign project",
        probes=frozenset({f"Query.projects.{side}"}),
        make=_list("projects", "", documents.PROJECT_IN_LIST, side, size, _cursor_of_project),
        expected=_allowed,
        control=Scene.with_admin,
        shows=partial(_is_page, partial(_projects, side)),
    )


def _of_users(side: str, size: str) -> Operation:
    return Operation(
        name=f"users {side} a user",
        probes=frozenset({f"Query.users.{side}"}),
        make=_list("users", "", documents.USER, side, size, _cursor_of_user),
        expected=_by_admin,
        control=Scene.with_admin,
        admins_only=True,
    )


def _of_audit(side: str, size: str) -> Operation:
    return Operation(
        name=f"the audit log {side} an entry about a user",
        probes=frozenset({f"Query.auditLog.{side}"}),
        make=_list("auditLog", "", _ENTRY, side, size, _cursor_of_entry),
        expected=_by_auditor,
        control=Scene.with_admin,
        admins_only=True,
    )


def _entries_of_actor(scene: Scene) -> Document:
    text = documents.query("$id: ID!", "auditLog(first: 5, filter: {actorId: $id})", f"nodes {{ {_ENTRY} }}")
    return Document(text, {"id": encode_id("User", scene.person.id)})


_AUDIT_OF_A_USER: Final = Operation(
    name="the audit log of a user",
    probes=frozenset({"Query.auditLog.filter.actorId"}),
    make=_entries_of_actor,
    expected=_by_auditor,
    control=Scene.with_admin,
    admins_only=True,
)
OPERATIONS: Final = (
    *(make(*side) for side in _SIDES for make in (_of_tasks, _of_projects, _of_users, _of_audit)),
    _AUDIT_OF_A_USER,
)
