"""Lists of tasks with filters that name a foreign object. The result is compared with all tasks that match."""

from collections.abc import Callable
from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from tests.probes import documents
from tests.probes.operation import Document, Json, Operation, Path, any_scene, project_task
from tests.probes.operations.subtasks import has_subtasks
from tests.probes.oracle import ALLOWED, NOT_FOUND
from tests.probes.scene import Scene
from tests.probes.things import Task

_LIST: Final = documents.query(
    "$filter: TaskFilter",
    "tasks(first: 100, filter: $filter)",
    f"totalCount nodes {{ {documents.TASK_IN_LIST} }}",
)
Matches = Callable[[Task, Scene], bool]


def _list(
    name: str,
    argument: str,
    matches: Matches,
    wanted: Callable[[Scene], Json],
    fits: Callable[[Scene], bool] = any_scene,
    *,
    path: Path | None = None,
    has_id: bool = True,
) -> Operation:
    def shows(value: Any, scene: Scene) -> bool:
        expected = _matching(matches, scene)
        found = [node["id"] for node in value["nodes"]]
        return bool(found) and set(found) == expected and value["totalCount"] == len(expected) == len(found)

    return Operation(
        name=name,
        probes=frozenset({f"Query.tasks.filter.{argument}"}),
        make=lambda scene: Document(_LIST, {"filter": wanted(scene)}),
        expected=lambda scene: ALLOWED if _matching(matches, scene) else NOT_FOUND,
        control=lambda scene: scene.with_owner_or_manager(Action.READ_TASK),
        secret=lambda scene: scene.task.word if scene.may(Action.READ_TASK) else None,
        shows=shows,
        ids=(path or ("filter", argument),) if has_id else (),
        fits=fits,
    )


def _matching(matches: Matches, scene: Scene) -> set[str]:
    return {encode_id("Task", task.id) for task in scene.world.readable_by(scene.actor) if matches(task, scene)}


def _is_assigned(scene: Scene) -> bool:
    return scene.task.assignee is not None


OPERATIONS: Final = (
    _list(
        "tasks of a project",
        "projectId",
        lambda task, scene: task.project is scene.project,
        lambda scene: {"projectId": encode_id("Project", scene.project.id)},
        project_task,
    ),
    _list(
        "tasks with a label",
        "labelIds",
        lambda task, scene: task.project is scene.project,
        lambda scene: {"labelIds": [encode_id("Label", scene.project.label_id)]},
        project_task,
        path=("filter", "labelIds", 0),
    ),
    _list(
        "subtasks of a task",
        "parentId",
        lambda task, scene: task.parent is scene.task,
        lambda scene: {"parentId": encode_id("Task", scene.task.id)},
        has_subtasks,
    ),
    _list(
        "tasks of an owner",
        "ownerId",
        lambda task, scene: task.owner is scene.task.owner,
        lambda scene: {"ownerId": encode_id("User", scene.task.owner.id)},
    ),
    _list(
        "tasks of an assignee",
        "assigneeId",
        lambda task, scene: task.assignee is scene.task.assignee,
        lambda scene: {"assigneeId": encode_id("User", scene.task.assignee.id) if scene.task.assignee else None},
        _is_assigned,
    ),
    _list(
        "tasks with a text",
        "search",
        lambda task, scene: task is scene.task,
        lambda scene: {"search": scene.task.word},
        has_id=False,
    ),
)
