"""Moves of tasks: of foreign tasks, beside a task of another project, to a foreign project, and out of one."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from tests.probes import documents, oracle
from tests.probes.operation import Document, Operation, project_task
from tests.probes.rows import rank_of
from tests.probes.scene import Scene
from tests.probes.things import Project, Task

_MOVE: Final = documents.mutation("moveTask", f"task {{ {documents.TASK} }}")


def _id(task: Task) -> str:
    return encode_id("Task", task.id)


def _document(scene: Scene, **values: str | None) -> Document:
    return Document(_MOVE, {"input": {"id": _id(scene.task), **values}})


def _is_task(payload: Any, scene: Scene) -> bool:
    return bool(payload["task"]["id"] == _id(scene.task))


def _expected(action: Action, scene: Scene) -> str:
    return oracle.answer(may=scene.may(action), reads=scene.may(Action.READ_TASK))


def _expected_in_order(scene: Scene) -> str:
    """Personal tasks have no order. Beside a task that the project does not have, the task is placed last."""
    found = _expected(Action.UPDATE_TASK, scene)
    return oracle.INVALID if found == oracle.ALLOWED and scene.task.project is None else found


def _is_after_other(payload: Any, scene: Scene) -> bool:
    return _is_task(payload, scene) and payload["task"]["rank"] > rank_of(scene.other)


def _is_last(payload: Any, scene: Scene) -> bool:
    others = [rank_of(each) for each in scene.world.tasks.values() if each.project is scene.project]
    return _is_task(payload, scene) and payload["task"]["rank"] > max(others)


def _beside(side: str) -> Operation:
    return Operation(
        name=f"moveTask {side} a task of another project",
        probes=frozenset({f"Mutation.moveTask.input.{side}"}),
        make=lambda scene: _document(scene, **{side: _id(scene.other)}),
        expected=_expected_in_order,
        control=lambda scene: scene.with_manager(Action.UPDATE_TASK),
        copy=Scene.with_task_in_project,
        keeps=lambda scene: (scene.other,),
        shows=_is_last,
        secret=lambda scene: scene.task.word,
        ids=(("input", "id"), ("input", side)),
        prefers=lambda scene: _expected_in_order(scene) == oracle.ALLOWED,
    )


def _elsewhere(scene: Scene) -> Project:
    return scene.world.elsewhere


def _of_the_actor(scene: Scene) -> Project:
    """Another project than that of the task, with a role of the actor if the actor has one in it."""
    project = scene.task.project
    return scene.world.archived if project is scene.world.active else scene.world.active


def _expected_in(target: Callable[[Scene], Project], scene: Scene) -> str:
    """Users who may change the task may move it to a project in which they may create one."""
    project = target(scene)
    if not (project.permits(scene.actor, Action.READ_PROJECT) and scene.may(Action.READ_TASK)):
        return oracle.NOT_FOUND
    may = project.permits(scene.actor, Action.CREATE_TASK) and scene.may(Action.UPDATE_TASK)
    return oracle.ALLOWED if may else oracle.FORBIDDEN


def _by_manager(scene: Scene) -> Scene:
    """A personal task of the manager, who may create tasks in each project that is not archived."""
    manager = scene.world.manager
    return replace(scene, actor=manager, task=scene.world.personal_task_of(manager), project=scene.world.active)


def _is_refused_there(scene: Scene) -> bool:
    """The actor may change the task, and sees the project without being permitted to create tasks in it."""
    return scene.may(Action.UPDATE_TASK) and _expected_in(_of_the_actor, scene) == oracle.FORBIDDEN


def _to_project(
    name: str,
    argument: str,
    target: Callable[[Scene], Project],
    prefers: Callable[[Scene], bool] | None = None,
) -> Operation:
    def project_id(scene: Scene) -> str:
        return encode_id("Project", target(scene).id)

    return Operation(
        name=name,
        probes=frozenset({f"Mutation.moveTask.input.{argument}"}),
        make=lambda scene: _document(scene, projectId=project_id(scene)),
        expected=partial(_expected_in, target),
        control=_by_manager,
        copy=Scene.with_copied_task,
        shows=lambda payload, scene: (
            _is_task(payload, scene) and payload["task"]["inProject"]["id"] == project_id(scene)
        ),
        secret=lambda scene: scene.task.word,
        ids=(("input", "id"), ("input", "projectId")),
        prefers=prefers,
    )


def _expected_out_of_project(scene: Scene) -> str:
    """It becomes a personal task of its owner, which the actor has to be permitted to change, too."""
    if not scene.may(Action.READ_TASK):
        return oracle.NOT_FOUND
    owns = scene.actor is scene.task.owner
    may = oracle.with_personal_task(scene.actor.role, Action.UPDATE_TASK, owns=owns, is_assigned=False)
    return oracle.ALLOWED if may and scene.may(Action.UPDATE_TASK) else oracle.FORBIDDEN


OPERATIONS: Final = (
    Operation(
        name="moveTask to another column",
        probes=frozenset({"Mutation.moveTask.input.id"}),
        make=partial(_document, status="DONE"),
        expected=partial(_expected, Action.CHANGE_STATUS),
        control=lambda scene: scene.with_owner_or_manager(Action.CHANGE_STATUS),
        copy=Scene.with_copied_task,
        shows=_is_task,
        secret=lambda scene: scene.task.word,
        ids=(("input", "id"),),
    ),
    Operation(
        name="moveTask in the order",
        probes=frozenset({"Mutation.moveTask.input.id"}),
        make=lambda scene: _document(scene, after=_id(scene.other)),
        expected=_expected_in_order,
        prepare=Scene.with_task_beside,
        control=lambda scene: scene.with_manager(Action.UPDATE_TASK).with_task_beside(),
        copy=Scene.with_both_in_project,
        keeps=lambda scene: (scene.other,),
        shows=_is_after_other,
        secret=lambda scene: scene.task.word,
        ids=(("input", "id"), ("input", "after")),
    ),
    *(_beside(side) for side in ("after", "before")),
    _to_project("moveTask to a foreign project", "projectId", _elsewhere),
    _to_project("moveTask of a foreign task to a project", "id", _of_the_actor),
    _to_project("moveTask to a project for readers", "projectId", _of_the_actor, _is_refused_there),
    Operation(
        name="moveTask out of a project",
        probes=frozenset({"Mutation.moveTask.input.id"}),
        make=partial(_document, projectId=None),
        expected=_expected_out_of_project,
        control=lambda scene: scene.with_manager(Action.UPDATE_TASK).with_admin(),
        copy=Scene.with_copied_task,
        shows=lambda payload, scene: _is_task(payload, scene) and payload["task"]["project"] is None,
        secret=lambda scene: scene.task.word,
        ids=(("input", "id"),),
        fits=project_task,
    ),
)
