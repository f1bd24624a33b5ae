"""Mutations of tasks."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from tests.probes import documents, oracle
from tests.probes.operation import Document, Json, Operation, project_task
from tests.probes.scene import Scene

_WITH_TASK: Final = f"task {{ {documents.TASK} }}"


def _id(scene: Scene) -> str:
    return encode_id("Task", scene.task.id)


def _is_task(payload: Any, scene: Scene) -> bool:
    return bool(payload["task"]["id"] == _id(scene))


def _to_keeper(scene: Scene) -> Json:
    return {"assigneeId": encode_id("User", scene.world.keeper.id)}


def _nothing(scene: Scene) -> Json:
    return {}


def _change(name: str, action: Action, values: Callable[[Scene], Json]) -> Operation:
    """A change of a task by its id; a new assignee is the keeper."""
    text = documents.mutation(name, _WITH_TASK if action is not Action.DELETE_TASK else "deletedTaskId")
    return Operation(
        name=name,
        probes=frozenset({f"Mutation.{name}.input.id"}),
        make=lambda scene: Document(text, {"input": {"id": _id(scene)} | values(scene)}),
        expected=lambda scene: oracle.answer(may=scene.may(action), reads=scene.may(Action.READ_TASK)),
        control=lambda scene: scene.with_owner_or_manager(action),
        copy=Scene.with_copied_task,
        shows=_is_task
        if action is not Action.DELETE_TASK
        else lambda payload, scene: payload["deletedTaskId"] == _id(scene),
        ids=(("input", "id"),),
    )


def expected_of_assignee(action: Action, scene: Scene) -> str:
    """Only members of the project can be assigned."""
    found = oracle.answer(may=scene.may_in_project(action), reads=scene.may_in_project(Action.READ_PROJECT))
    if found == oracle.ALLOWED and scene.person.id not in scene.project.members:
        return oracle.INVALID
    return found


def control_of_assignee(action: Action, scene: Scene) -> Scene:
    """A manager, who names a member."""
    return scene.with_manager(action).with_person(scene.world.keeper)


def _assignment(scene: Scene) -> Json:
    return {"id": _id(scene), "assigneeId": encode_id("User", scene.person.id)}


def _creation(scene: Scene) -> Json:
    project_id, user_id = encode_id("Project", scene.project.id), encode_id("User", scene.person.id)
    return {"title": "New", "projectId": project_id, "assigneeId": user_id}


def _is_control(scene: Scene) -> bool:
    return scene.person is scene.world.keeper


def _with_new_id(scene: Scene) -> str:
    """For the control an id that no task has: that of the project, which is a UUID of version 7 as well."""
    return encode_id("Task", scene.project.id)


def _with_id_of_task(scene: Scene) -> Json:
    task_id = _with_new_id(scene) if _is_control(scene) else _id(scene)
    return {"title": "New", "projectId": encode_id("Project", scene.project.id), "id": task_id}


def _with_id_of_deleted(scene: Scene) -> Json:
    deleted_id = encode_id("Task", scene.deleted.task.id)
    return {"title": "New", "id": _with_new_id(scene) if _is_control(scene) else deleted_id}


def _expected_of_id(scene: Scene) -> str:
    """That an id is taken is no secret."""
    found = oracle.answer(may=scene.may_in_project(Action.CREATE_TASK), reads=scene.may_in_project(Action.READ_PROJECT))
    return oracle.ALREADY_EXISTS if found == oracle.ALLOWED and not _is_control(scene) else found


def _is_new(payload: Any, scene: Scene) -> bool:
    return bool(payload["task"]["id"] == _with_new_id(scene))


_CREATE: Final = documents.mutation("createTask", _WITH_TASK)
_ASSIGN: Final = documents.mutation("assignTask", _WITH_TASK)

OPERATIONS: Final = (
    _change("updateTask", Action.UPDATE_TASK, lambda scene: {"title": "Changed"}),
    _change("updateTaskStatus", Action.CHANGE_STATUS, lambda scene: {"status": "DONE"}),
    _change("assignTask", Action.ASSIGN_TASK, _to_keeper),
    _change("deleteTask", Action.DELETE_TASK, _nothing),
    Operation(
        name="assignTask to a user outside the project",
        probes=frozenset({"Mutation.assignTask.input.assigneeId"}),
        make=lambda scene: Document(_ASSIGN, {"input": _assignment(scene)}),
        expected=partial(expected_of_assignee, Action.ASSIGN_TASK),
        control=partial(control_of_assignee, Action.ASSIGN_TASK),
        copy=Scene.with_copied_task,
        shows=_is_task,
        ids=(("input", "id"), ("input", "assigneeId")),
        fits=project_task,
        prefers=lambda scene: scene.may(Action.ASSIGN_TASK),
    ),
    Operation(
        name="createTask in a project",
        probes=frozenset({"Mutation.createTask.input.projectId"}),
        make=lambda scene: Document(_CREATE, {"input": _creation(scene) | {"assigneeId": None}}),
        expected=lambda scene: oracle.answer(
            may=scene.may_in_project(Action.CREATE_TASK), reads=scene.may_in_project(Action.READ_PROJECT)
        ),
        control=lambda scene: scene.with_manager(Action.CREATE_TASK),
        copy=Scene.with_copied_project,
        ids=(("input", "projectId"),),
    ),
    Operation(
        name="createTask for a user outside the project",
        probes=frozenset({"Mutation.createTask.input.assigneeId"}),
        make=lambda scene: Document(_CREATE, {"input": _creation(scene)}),
        expected=partial(expected_of_assignee, Action.CREATE_TASK),
        control=partial(control_of_assignee, Action.CREATE_TASK),
        copy=Scene.with_copied_project,
        ids=(("input", "projectId"), ("input", "assigneeId")),
        prefers=lambda scene: scene.may_in_project(Action.CREATE_TASK),
    ),
    Operation(
        name="createTask with the id of another task",
        probes=frozenset({"Mutation.createTask.input.id"}),
        make=lambda scene: Document(_CREATE, {"input": _with_id_of_task(scene)}),
        expected=_expected_of_id,
        control=partial(control_of_assignee, Action.CREATE_TASK),
        copy=Scene.with_copied_project,
        shows=_is_new,
        ids=(("input", "projectId"), ("input", "id")),
        prefers=lambda scene: scene.may_in_project(Action.CREATE_TASK),
    ),
    Operation(
        name="createTask with the id of a deleted task",
        probes=frozenset({"Mutation.createTask.input.id"}),
        make=lambda scene: Document(_CREATE, {"input": _with_id_of_deleted(scene)}),
        expected=lambda scene: oracle.ALLOWED if _is_control(scene) else oracle.ALREADY_EXISTS,
        control=partial(control_of_assignee, Action.CREATE_TASK),
        copy=Scene.with_copied_project,
        shows=_is_new,
    ),
)
