"""Deleted tasks: restored, listed in pages, and named in requests that find only tasks that are not deleted."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from tests.probes import documents, oracle
from tests.probes.operation import Document, Json, Operation, project_task
from tests.probes.scene import Scene
from tests.probes.things import DeletedTask, Task

Listed = Callable[[Scene], list[DeletedTask]]

_RESTORE: Final = documents.mutation("restoreTask", f"task {{ {documents.TASK} }}")
_PAGE: Final = (
    f"totalCount nodes {{ {documents.DELETED_TASK} }} pageInfo {{ startCursor endCursor hasNextPage hasPreviousPage }}"
)
_OF_PROJECT: Final = documents.query("$id: ID", "trash(projectId: $id, first: 100)", _PAGE)
_SIDES: Final = (("after", "first", "newest"), ("before", "last", "oldest"))
"""The last deletion comes first: what comes after the newest and before the oldest one is the whole list."""

_TASK: Final = documents.query("$id: ID!", "task(id: $id)", documents.TASK)
_BY_KEY: Final = documents.query("$key: String!", "taskByKey(key: $key)", documents.TASK)
_NODE: Final = documents.query("$id: ID!", "node(id: $id)", documents.NODE)
_SEARCH: Final = documents.query(
    "$search: String", "tasks(filter: {search: $search})", f"totalCount nodes {{ {documents.TASK_IN_LIST} }}"
)
_UPDATE: Final = documents.mutation("updateTask", f"task {{ {documents.TASK} }}")
_CREATE: Final = documents.mutation("createTask", f"task {{ {documents.TASK} }}")
_MOVE: Final = documents.mutation("moveTask", f"task {{ {documents.TASK} }}")
_COMMENT: Final = f"comment {{ {documents.COMMENT} }}"
_CREATE_COMMENT: Final = documents.mutation("createComment", _COMMENT)
_UPDATE_COMMENT: Final = documents.mutation("updateComment", _COMMENT)
_DELETE_COMMENT: Final = documents.mutation("deleteComment", "deletedCommentId")


def _id(task: Task) -> str:
    return encode_id("Task", task.id)


def _comment_id(task: Task) -> str:
    return encode_id("Comment", task.comment_id)


def _project_id(scene: Scene) -> str:
    return encode_id("Project", scene.project.id)


def _expected_restoration(scene: Scene) -> str:
    """Those who may not restore the task in an active project do not learn that it exists."""
    if not scene.deleted.is_readable_by(scene.actor):
        return oracle.NOT_FOUND
    return oracle.ALLOWED if scene.deleted.is_restorable_by(scene.actor) else oracle.FORBIDDEN


def _by_deleter(scene: Scene) -> Scene:
    """The owner of a personal task who deleted it, otherwise an admin; a manager of the project."""
    deleted = scene.deleted
    if deleted.task.project is not None:
        return scene.with_manager(Action.RESTORE_TASK)
    return scene.with_actor(deleted.by) if deleted.by is deleted.task.owner else scene.with_admin()


def _is_restored(payload: Any, scene: Scene) -> bool:
    """With its comment."""
    task = payload["task"]
    comments = [each["id"] for each in task["comments"]["nodes"]]
    return task["id"] == _id(scene.deleted.task) and comments == [_comment_id(scene.deleted.task)]


def _in_project(scene: Scene) -> list[DeletedTask]:
    found = [each for each in scene.world.deleted if each.task.project is scene.project]
    return [each for each in found if each.is_readable_by(scene.actor)]


def _personal(scene: Scene) -> list[DeletedTask]:
    return [each for each in scene.world.deleted if each.is_listed_for(scene.actor)]


def _is_page(listed: Listed, value: Any, scene: Scene) -> bool:
    found, expected = [node["id"] for node in value["nodes"]], {_id(each.task) for each in listed(scene)}
    return bool(found) and set(found) == expected and value["totalCount"] == len(expected) == len(found)


def _listed_in(listed: Listed, scene: Scene) -> str:
    return oracle.ALLOWED if listed(scene) else oracle.NOT_FOUND


def _word_in(listed: Listed, scene: Scene) -> str:
    return listed(scene)[0].task.word


def _pages(name: str, listed: Listed, side: str, size: str, end: str) -> Operation:
    """A page on one side of a cursor that no actor could get."""
    is_of_project = listed is _in_project
    text = documents.query("$id: ID, $cursor: String", f"trash(projectId: $id, {size}: 100, {side}: $cursor)", _PAGE)

    def make(scene: Scene) -> Document:
        cursor = scene.world.cursors[f"{end} deletion"]
        return Document(text, {"id": _project_id(scene) if is_of_project else None, "cursor": cursor})

    return _list(
        listed,
        name=f"{name} {side} one of another project",
        probes=frozenset({f"Query.trash.{side}"}),
        make=make,
        ids=(("id",),) if is_of_project else (),
    )


def _list(listed: Listed, **values: Any) -> Operation:
    return Operation(
        expected=partial(_listed_in, listed),
        control=lambda scene: scene.with_manager(Action.READ_PROJECT),
        secret=partial(_word_in, listed),
        shows=partial(_is_page, listed),
        **values,
    )


def _is_control(scene: Scene) -> bool:
    return scene.person is scene.world.keeper


def _named(scene: Scene) -> Task:
    """The deleted task; for the control the other one."""
    return scene.task if _is_control(scene) else scene.deleted.task


def _gone(name: str, text: str, variables: Callable[[Task], Json], action: Action, **values: Any) -> Operation:
    """A request that finds no deleted task for any user."""

    def control(scene: Scene) -> Scene:
        by_author = action in (Action.UPDATE_COMMENT, Action.DELETE_COMMENT)
        found = (
            scene.with_manager(Action.CREATE_COMMENT).with_admin() if by_author else scene.with_owner_or_manager(action)
        )
        return found.with_person(scene.world.keeper)

    return Operation(
        name=name,
        make=lambda scene: Document(text, variables(_named(scene))),
        expected=lambda scene: oracle.ALLOWED if _is_control(scene) else oracle.NOT_FOUND,
        control=control,
        **values,
    )


_query = partial(_gone, action=Action.READ_TASK, shows=lambda value, scene: value is not None)
_change = partial(_gone, copy=Scene.with_copied_task)

OPERATIONS: Final = (
    Operation(
        name="restoreTask",
        probes=frozenset({"Mutation.restoreTask.input.id"}),
        make=lambda scene: Document(_RESTORE, {"input": {"id": _id(scene.deleted.task)}}),
        expected=_expected_restoration,
        control=_by_deleter,
        copy=Scene.with_copied_deleted,
        shows=_is_restored,
        secret=lambda scene: scene.deleted.task.comment_word,
        ids=(("input", "id"),),
    ),
    _list(
        _in_project,
        name="trash of a project",
        probes=frozenset({"Query.trash.projectId"}),
        make=lambda scene: Document(_OF_PROJECT, {"id": _project_id(scene)}),
        ids=(("id",),),
    ),
    _list(_personal, name="trash of personal tasks", make=lambda scene: Document(_OF_PROJECT, {"id": None})),
    *(_pages("trash of a project", _in_project, *side) for side in _SIDES),
    *(_pages("trash of personal tasks", _personal, *side) for side in _SIDES),
    _query("task, a deleted one", _TASK, lambda task: {"id": _id(task)}),
    _query("node of a deleted task", _NODE, lambda task: {"id": _id(task)}),
    _query("taskByKey of a deleted task", _BY_KEY, lambda task: {"key": task.key}, fits=project_task),
    _query("node of a comment on a deleted task", _NODE, lambda task: {"id": _comment_id(task)}),
    _query(
        "tasks with the text of a deleted one",
        _SEARCH,
        lambda task: {"search": task.word},
        shows=lambda value, scene: [each["id"] for each in value["nodes"]] == [_id(_named(scene))],
    ),
    _change(
        "updateTask of a deleted task",
        _UPDATE,
        lambda task: {"input": {"id": _id(task), "title": "Changed"}},
        Action.UPDATE_TASK,
    ),
    _change(
        "moveTask of a deleted task",
        _MOVE,
        lambda task: {"input": {"id": _id(task), "status": "DONE"}},
        Action.CHANGE_STATUS,
    ),
    _change(
        "createTask below a deleted task",
        _CREATE,
        lambda task: {"input": {"title": "New", "parentId": _id(task)}},
        Action.CREATE_TASK,
        fits=project_task,
    ),
    _change(
        "createComment on a deleted task",
        _CREATE_COMMENT,
        lambda task: {"input": {"taskId": _id(task), "text": "New"}},
        Action.CREATE_COMMENT,
    ),
    _change(
        "updateComment on a deleted task",
        _UPDATE_COMMENT,
        lambda task: {"input": {"id": _comment_id(task), "text": "Changed"}},
        Action.UPDATE_COMMENT,
    ),
    _change(
        "deleteComment on a deleted task",
        _DELETE_COMMENT,
        lambda task: {"input": {"id": _comment_id(task)}},
        Action.DELETE_COMMENT,
    ),
)
