"""The REST API: tasks by their ids, and the list of tasks."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from tests.probes import oracle
from tests.probes.operation import Json, Operation, RestRequest
from tests.probes.scene import Scene

_LIMIT: Final = 100
_NO_HEADERS: Final[Mapping[str, str]] = {}


def _path(scene: Scene) -> str:
    return f"/tasks/{scene.task.id}"


def _is_task(value: Any, scene: Scene) -> bool:
    return value is None or value["uuid"] == str(scene.task.id)


def _task(
    name: str,
    method: str,
    action: Action,
    body: Json | None = None,
    headers: Mapping[str, str] = _NO_HEADERS,
    *,
    shows_secret: bool = False,
) -> Operation:
    def secret(scene: Scene) -> str | None:
        return scene.task.word if shows_secret else None

    copy = {} if action is Action.READ_TASK else {"copy": Scene.with_copied_task}
    return Operation(
        name=name,
        probes=frozenset({f"{method} /tasks/{{task_id}}"}),
        make=lambda scene: RestRequest(method, _path(scene), body, headers),
        expected=lambda scene: oracle.answer(may=scene.may(action), reads=scene.may(Action.READ_TASK)),
        control=lambda scene: scene.with_owner_or_manager(action),
        secret=secret,
        shows=_is_task,
        **copy,  # type: ignore[arg-type]
    )


def _wrong(name: str, identity: Callable[[Scene], str], answer: str) -> Operation:
    """An id that is none of a task; the control has the id of the task."""
    return Operation(
        name=name,
        make=lambda scene: RestRequest("GET", _path(scene) if _is_control(scene) else f"/tasks/{identity(scene)}"),
        expected=lambda scene: oracle.ALLOWED if _is_control(scene) else answer,
        control=lambda scene: scene.with_owner_or_manager(Action.READ_TASK).with_person(scene.world.keeper),
        shows=_is_task,
    )


def _is_control(scene: Scene) -> bool:
    return scene.person is scene.world.keeper


def _listed(scene: Scene) -> list[str]:
    """The ids of the listed tasks, the oldest first."""
    tasks = [task for task in scene.world.tasks.values() if task.is_listed_for(scene.actor)]
    return [str(task.id) for task in sorted(tasks, key=lambda task: (task.created_at, task.id))]


def _is_list(value: Any, scene: Scene) -> bool:
    return [task["uuid"] for task in value] == _listed(scene)[:_LIMIT]


_read = partial(_task, action=Action.READ_TASK, shows_secret=True)

OPERATIONS: Final = (
    _read("GET", "GET"),
    _read("HEAD", "HEAD", shows_secret=False),
    _read("GET with any known version", "GET", headers={"if-none-match": "*"}, shows_secret=False),
    _task("PUT", "PUT", Action.UPDATE_TASK, {"title": "Changed", "description": "Changed"}),
    _task("PATCH", "PATCH", Action.CHANGE_STATUS, {"completed": True}),
    _task("PATCH of any version", "PATCH", Action.UPDATE_TASK, {"title": "Changed"}, {"if-match": "*"}),
    _task("DELETE", "DELETE", Action.DELETE_TASK),
    _wrong("GET with the id of a project", lambda scene: str(scene.project.id), oracle.NOT_FOUND),
    _wrong("GET of a deleted task", lambda scene: str(scene.deleted.task.id), oracle.NOT_FOUND),
    _wrong("GET with an id of GraphQL", lambda scene: encode_id("Task", scene.task.id), oracle.INVALID),
    Operation(
        name="list of tasks",
        make=lambda scene: RestRequest("GET", f"/tasks/?limit={_LIMIT}"),
        expected=lambda scene: oracle.ALLOWED,
        control=lambda scene: scene.with_admin(),
        shows=_is_list,
    ),
)
