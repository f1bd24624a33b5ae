"""Changes of several tasks by one request, with a result for each of them."""

from functools import partial
from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from tests.probes import answers, documents, oracle
from tests.probes.operation import Document, Operation, project_task
from tests.probes.operations.labels import labels_of, of_another_project, without_foreign_label
from tests.probes.operations.task_changes import control_of_assignee, expected_of_assignee
from tests.probes.scene import Scene
from tests.probes.things import Task

_UPDATE: Final = documents.mutation(
    "updateTasks", f"results {{ taskId {documents.ERRORS} task {{ {documents.TASK} }} }}"
)


def _id(task: Task) -> str:
    return encode_id("Task", task.id)


def _document(scene: Scene, **values: Any) -> Document:
    return Document(_UPDATE, {"input": {"ids": [_id(scene.task)], **values}})


def _is_changed(result: Any, task: Task) -> bool:
    is_result = result["taskId"] == _id(task) and not result["userErrors"]
    return is_result and result["task"]["id"] == _id(task)


def _is_only_result(payload: Any, scene: Scene) -> bool:
    [result] = payload["results"]
    return _is_changed(result, scene.task)


def _expected(action: Action, scene: Scene) -> str:
    return oracle.answer(may=scene.may(action), reads=scene.may(Action.READ_TASK))


def _with_own_task(scene: Scene) -> Scene:
    return scene.with_other(scene.world.personal_task_of(scene.actor))


async def _with_copies(scene: Scene) -> Scene:
    own = await scene.world.copy_of_task(scene.other, None)
    return (await scene.with_copied_task()).with_other(own)


def _own_is_changed(payload: Any, scene: Scene) -> bool:
    """The own task is changed, and the other one is changed or refused as if it were the only one."""
    own, other = payload["results"]
    expected = _expected(Action.UPDATE_TASK, scene)
    if not _is_changed(own, scene.other):
        return False
    return _is_changed(other, scene.task) if expected == oracle.ALLOWED else answers.refusal_of(other) == expected


def _refused(scene: Scene) -> tuple[Task, ...]:
    return () if _expected(Action.UPDATE_TASK, scene) == oracle.ALLOWED else (scene.task,)


_update = partial(
    Operation,
    copy=Scene.with_copied_task,
    shows=_is_only_result,
    secret=lambda scene: scene.task.word,
    ids=(("input", "ids", 0),),
)

OPERATIONS: Final = (
    *(
        _update(
            name=f"updateTasks, {name}",
            probes=frozenset({"Mutation.updateTasks.input.ids"}),
            make=lambda scene, name=name, value=value: _document(scene, **{name: value}),  # type: ignore[misc]
            expected=partial(_expected, action),
            control=partial(Scene.with_owner_or_manager, action=action),
        )
        for name, value, action in (
            ("status", "DONE", Action.CHANGE_STATUS),
            ("priority", "URGENT", Action.UPDATE_TASK),
            ("dueAt", "2030-01-01T12:00:00Z", Action.UPDATE_TASK),
        )
    ),
    Operation(
        name="updateTasks, an own task and another one",
        probes=frozenset({"Mutation.updateTasks.input.ids"}),
        make=lambda scene: Document(
            _UPDATE, {"input": {"ids": [_id(scene.other), _id(scene.task)], "priority": "LOW"}}
        ),
        expected=lambda scene: oracle.ALLOWED,
        prepare=_with_own_task,
        control=Scene.with_admin,
        copy=_with_copies,
        keeps=_refused,
        shows=_own_is_changed,
        prefers=lambda scene: not scene.may(Action.UPDATE_TASK),
    ),
    _update(
        name="updateTasks for a user outside the project",
        probes=frozenset({"Mutation.updateTasks.input.assigneeId"}),
        make=lambda scene: _document(scene, assigneeId=encode_id("User", scene.person.id)),
        expected=partial(expected_of_assignee, Action.ASSIGN_TASK),
        control=partial(control_of_assignee, Action.ASSIGN_TASK),
        ids=(("input", "ids", 0), ("input", "assigneeId")),
        fits=project_task,
        prefers=lambda scene: scene.may(Action.ASSIGN_TASK),
    ),
    _update(
        name="updateTasks to a label of another project",
        probes=frozenset({"Mutation.updateTasks.input.labelIds"}),
        make=lambda scene: _document(scene, labelIds=labels_of(scene)),
        expected=partial(of_another_project, Action.UPDATE_TASK),
        control=partial(without_foreign_label, Action.UPDATE_TASK),
        ids=(("input", "ids", 0), ("input", "labelIds", 0)),
        fits=project_task,
        prefers=lambda scene: scene.may(Action.UPDATE_TASK),
    ),
)
