"""Subtasks: read in pages, created below a foreign task, and set to a parent in another project."""

from functools import partial
from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from persistence.queries.task import SUBTASKS
from tests.probes import documents, oracle
from tests.probes.operation import Document, Json, Operation, project_task
from tests.probes.rows import rank_of
from tests.probes.scene import Scene
from tests.probes.things import Project, Task

_WITH_TASK: Final = f"task {{ {documents.TASK} }}"
_CREATE: Final = documents.mutation("createTask", _WITH_TASK)
_SET: Final = documents.mutation("setTaskParent", _WITH_TASK)
_SIDES: Final = (("after", "first"), ("before", "last"))


def has_subtasks(scene: Scene) -> bool:
    """For requests that need a task with subtasks."""
    return bool(scene.world.subtasks_of(scene.task))


def _id(task: Task) -> str:
    return encode_id("Task", task.id)


def _project_id(scene: Scene) -> str:
    return encode_id("Project", scene.project.id)


def _is_beside(scene: Scene) -> bool:
    return scene.other.project is scene.project


def _are_own_subtasks(value: Any, scene: Scene) -> bool:
    """The subtasks of the task, and none of another one."""
    if value is None or value["id"] != _id(scene.task):
        return False
    return [each["id"] for each in value["subtasks"]["nodes"]] == [_id(each) for each in _subtasks(scene)]


def _subtasks(scene: Scene) -> list[Task]:
    return scene.world.subtasks_of(scene.task)


def _page(side: str, size: str) -> Operation:
    text = documents.query(
        "$id: ID!, $cursor: String",
        "task(id: $id)",
        f"id title subtasks({size}: 50, {side}: $cursor) {{ {documents.SUBTASKS} }}",
    )

    def make(scene: Scene) -> Document:
        outside = scene.world.earlier if side == "after" else scene.world.elsewhere
        return Document(text, {"id": _id(scene.task), "cursor": _cursor(scene, outside)})

    return Operation(
        name=f"subtasks {side} one of another task",
        probes=frozenset({f"Task.subtasks.{side}"}),
        make=make,
        expected=lambda scene: oracle.ALLOWED if scene.may(Action.READ_TASK) else oracle.NOT_FOUND,
        control=lambda scene: scene.with_owner_or_manager(Action.READ_TASK),
        secret=lambda scene: _subtasks(scene)[0].word,
        shows=_are_own_subtasks,
        ids=(("id",),),
        fits=has_subtasks,
    )


def _cursor(scene: Scene, project: Project) -> str:
    """The cursor of a subtask that no actor may read, with a lower or a higher rank than all others."""
    parent = scene.world.task_in(project)
    [subtask] = scene.world.subtasks_of(parent)
    return SUBTASKS.cursor(rank_of(subtask), parent.id)


def _expected_parent(scene: Scene) -> str:
    """A task of the same project can be the parent of a task of a project that has no subtasks."""
    found = oracle.answer(may=scene.may(Action.UPDATE_TASK), reads=scene.may(Action.READ_TASK))
    if found != oracle.ALLOWED:
        return found
    if scene.task.project is None or has_subtasks(scene):
        return oracle.INVALID
    return oracle.ALLOWED if _is_beside(scene) else oracle.NOT_FOUND


def _beside(action: Action, scene: Scene) -> Scene:
    return scene.with_manager(action).with_task_beside()


def _change(scene: Scene) -> Json:
    return {"id": _id(scene.task), "parentId": _id(scene.other)}


def _expected_below_task(scene: Scene) -> str:
    """The project is that of the parent. A personal task has no subtasks."""
    if not scene.may(Action.READ_TASK):
        return oracle.NOT_FOUND
    if scene.task.project is None:
        return oracle.INVALID
    return oracle.ALLOWED if scene.may_in_project(Action.CREATE_TASK) else oracle.FORBIDDEN


def _expected_in_project(scene: Scene) -> str:
    found = oracle.answer(may=scene.may_in_project(Action.CREATE_TASK), reads=scene.may_in_project(Action.READ_PROJECT))
    return oracle.NOT_FOUND if found == oracle.ALLOWED and not _is_beside(scene) else found


def _has_parent(parent: Task, payload: Any) -> bool:
    found = payload["task"]["parent"]  # null, if a fault lets a task have a parent that the actor may not see
    return found is not None and bool(found["id"] == _id(parent))


_set = partial(
    Operation,
    make=lambda scene: Document(_SET, {"input": _change(scene)}),
    expected=_expected_parent,
    control=partial(_beside, Action.UPDATE_TASK),
    copy=Scene.with_both_in_project,
    shows=lambda payload, scene: payload["task"]["id"] == _id(scene.task) and _has_parent(scene.other, payload),
    secret=lambda scene: scene.other.word,
    ids=(("input", "id"), ("input", "parentId")),
)

OPERATIONS: Final = (
    *(_page(*side) for side in _SIDES),
    _set(
        name="setTaskParent",
        probes=frozenset({"Mutation.setTaskParent.input.id"}),
        prepare=Scene.with_task_beside,
    ),
    _set(
        name="setTaskParent to a task of another project",
        probes=frozenset({"Mutation.setTaskParent.input.parentId"}),
        prefers=lambda scene: _expected_parent(scene) == oracle.NOT_FOUND and scene.may(Action.UPDATE_TASK),
        has_version=False,
    ),
    Operation(
        name="createTask below a task",
        probes=frozenset({"Mutation.createTask.input.parentId"}),
        make=lambda scene: Document(_CREATE, {"input": {"title": "New", "parentId": _id(scene.task)}}),
        expected=_expected_below_task,
        control=lambda scene: scene.with_manager(Action.CREATE_TASK),
        copy=Scene.with_task_in_project,
        shows=lambda payload, scene: _has_parent(scene.task, payload),
        secret=lambda scene: scene.task.word,
        ids=(("input", "parentId"),),
    ),
    Operation(
        name="createTask below a task of another project",
        probes=frozenset({"Mutation.createTask.input.parentId"}),
        make=lambda scene: Document(
            _CREATE, {"input": {"title": "New", "projectId": _project_id(scene), "parentId": _id(scene.other)}}
        ),
        expected=_expected_in_project,
        control=partial(_beside, Action.CREATE_TASK),
        copy=Scene.with_both_in_project,
        shows=lambda payload, scene: _has_parent(scene.other, payload),
        secret=lambda scene: scene.other.word,
        ids=(("input", "projectId"), ("input", "parentId")),
        fits=project_task,
        prefers=lambda scene: scene.may_in_project(Action.CREATE_TASK),
    ),
)
