"""Comments on tasks: read by their ids and in pages, written, changed and deleted."""

from dataclasses import replace
from functools import partial
from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from persistence.queries.comment import COMMENTS
from tests.probes import documents, oracle
from tests.probes.operation import Document, Operation
from tests.probes.scene import Scene
from tests.probes.things import Project

_NODE: Final = documents.query("$id: ID!", "node(id: $id)", documents.NODE)
_CREATE: Final = documents.mutation("createComment", f"comment {{ {documents.COMMENT} }}")
_SIDES: Final = (("after", "first"), ("before", "last"))


def _task_id(scene: Scene) -> str:
    return encode_id("Task", scene.task.id)


def _comment_id(scene: Scene) -> str:
    return encode_id("Comment", scene.task.comment_id)


def _secret(scene: Scene) -> str:
    return scene.task.comment_word


def _is_comment(value: Any, scene: Scene) -> bool:
    return value is not None and value["id"] == _comment_id(scene)


def _is_own_list(value: Any, scene: Scene) -> bool:
    """The comment on the task, and none on another one."""
    if value is None or value["id"] != _task_id(scene):
        return False
    return [each["id"] for each in value["comments"]["nodes"]] == [_comment_id(scene)]


def _readable(scene: Scene) -> str:
    return oracle.ALLOWED if scene.may(Action.READ_TASK) else oracle.NOT_FOUND


def _expected(action: Action, scene: Scene) -> str:
    may = scene.task.permits_with_comment(scene.actor, action)
    return oracle.answer(may=may, reads=scene.may(Action.READ_TASK))


def _by_admin(action: Action, scene: Scene) -> Scene:
    """Admins change and delete every comment, but not in an archived project."""
    return replace(scene.with_manager(action), actor=scene.world.admin)


def _change(name: str, action: Action, values: dict[str, str], selection: str) -> Operation:
    text = documents.mutation(name, selection)
    return Operation(
        name=name,
        probes=frozenset({f"Mutation.{name}.input.id"}),
        make=lambda scene: Document(text, {"input": {"id": _comment_id(scene)} | values}),
        expected=partial(_expected, action),
        control=partial(_by_admin, Action.CREATE_TASK),
        copy=Scene.with_copied_task,
        ids=(("input", "id"),),
    )


def _page(side: str, size: str) -> Operation:
    comments = f"comments({size}: 50, {side}: $cursor) {{ {documents.COMMENTS} }}"
    text = documents.query("$id: ID!, $cursor: String", "task(id: $id)", f"id title {comments}")

    def make(scene: Scene) -> Document:
        outside = scene.world.earlier if side == "after" else scene.world.elsewhere
        return Document(text, {"id": _task_id(scene), "cursor": _cursor(scene, outside)})

    return _read(name=f"comments {side} one of another task", probes=_probed(f"Task.comments.{side}"), make=make)


def _cursor(scene: Scene, project: Project) -> str:
    """The cursor of a comment that no actor may read, older or newer than all others."""
    task = next(each for each in scene.world.tasks.values() if each.project is project)
    return COMMENTS.cursor(task.comment_id, task.id)


def _probed(argument: str) -> frozenset[str]:
    return frozenset({argument})


_read = partial(
    Operation,
    expected=_readable,
    control=lambda scene: scene.with_owner_or_manager(Action.READ_TASK),
    secret=_secret,
    shows=_is_own_list,
    ids=(("id",),),
)

OPERATIONS: Final = (
    _read(
        name="node of a comment",
        probes=frozenset({"Query.node.id"}),
        make=lambda scene: Document(_NODE, {"id": _comment_id(scene)}),
        shows=_is_comment,
        is_typed=False,
    ),
    *(_page(*side) for side in _SIDES),
    Operation(
        name="createComment",
        probes=frozenset({"Mutation.createComment.input.taskId"}),
        make=lambda scene: Document(_CREATE, {"input": {"taskId": _task_id(scene), "text": "New"}}),
        expected=lambda scene: oracle.answer(may=scene.may(Action.CREATE_COMMENT), reads=scene.may(Action.READ_TASK)),
        control=lambda scene: scene.with_owner_or_manager(Action.CREATE_COMMENT),
        copy=Scene.with_copied_task,
        ids=(("input", "taskId"),),
    ),
    _change("updateComment", Action.UPDATE_COMMENT, {"text": "Changed"}, f"comment {{ {documents.COMMENT} }}"),
    _change("deleteComment", Action.DELETE_COMMENT, {}, "deletedCommentId"),
)
