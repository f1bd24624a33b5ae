"""Labels of projects: read by their ids and in pages, changed, and set on tasks of another project."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from persistence.queries.child_list import ChildList
from persistence.queries.label import LABELS, TASK_LABELS
from tests.probes import documents, oracle
from tests.probes.operation import Document, Json, Operation, project_task
from tests.probes.scene import Scene
from tests.probes.things import Project

_LABEL: Final = f"label {{ {documents.LABEL} }}"
_NODE: Final = documents.query("$id: ID!", "node(id: $id)", documents.NODE)
_CREATE: Final = documents.mutation("createLabel", _LABEL)
_UPDATE: Final = documents.mutation("updateLabel", _LABEL)
_DELETE: Final = documents.mutation("deleteLabel", "deletedLabelId")
_SET: Final = documents.mutation("setTaskLabels", f"task {{ {documents.TASK} }}")
_CREATE_TASK: Final = documents.mutation("createTask", f"task {{ {documents.TASK} }}")
_SIDES: Final = (("after", "first"), ("before", "last"))


def _label(project: Project) -> str:
    return encode_id("Label", project.label_id)


def _task_id(scene: Scene) -> str:
    return encode_id("Task", scene.task.id)


def _project_id(scene: Scene) -> str:
    return encode_id("Project", scene.project.id)


def _is_control(scene: Scene) -> bool:
    return scene.person is scene.world.keeper


def _readable(scene: Scene) -> str:
    return oracle.ALLOWED if scene.may_in_project(Action.READ_PROJECT) else oracle.NOT_FOUND


def _expected(action: Action, scene: Scene) -> str:
    return oracle.answer(may=scene.may_in_project(action), reads=scene.may_in_project(Action.READ_PROJECT))


def of_another_project(action: Action, scene: Scene) -> str:
    """Labels of another project are invalid."""
    found = _expected(action, scene)
    return oracle.INVALID if found == oracle.ALLOWED and not _is_control(scene) else found


def without_foreign_label(action: Action, scene: Scene) -> Scene:
    """A manager, who names no label."""
    return scene.with_manager(action).with_person(scene.world.keeper)


def _managed(scene: Scene) -> Scene:
    return scene.with_manager(Action.MANAGE_LABELS)


def labels_of(scene: Scene) -> list[str]:
    """A label of another project; none for the control."""
    return [] if _is_control(scene) else [_label(scene.world.elsewhere)]


def _new_task(scene: Scene) -> Json:
    return {"title": "New", "projectId": _project_id(scene), "labelIds": labels_of(scene)}


def _are_own_labels(value: Any, scene: Scene) -> bool:
    if value is None or value["id"] not in (_task_id(scene), _project_id(scene)):
        return False
    return [each["id"] for each in value["labels"]["nodes"]] == [_label(scene.project)]


def _page(
    field: str, kind: str, children: ChildList, identity: Callable[[Scene], str], side: str, size: str
) -> Operation:
    labels = f"labels({size}: 50, {side}: $cursor) {{ {documents.LABELS} }}"
    text = documents.query("$id: ID!, $cursor: String", f"{field}(id: $id)", f"id {labels}")

    def make(scene: Scene) -> Document:
        outside = scene.world.earlier if side == "after" else scene.world.elsewhere
        cursor = children.cursor(outside.label_name, outside.id)
        return Document(text, {"id": identity(scene), "cursor": cursor})

    return _read(
        name=f"labels of a {field} {side} one of another project",
        probes=frozenset({f"{kind}.labels.{side}"}),
        make=make,
        shows=_are_own_labels,
        fits=project_task,
    )


_read = partial(
    Operation,
    expected=_readable,
    control=lambda scene: scene.with_manager(Action.READ_PROJECT),
    secret=lambda scene: scene.project.word,
    ids=(("id",),),
)
_change = partial(
    Operation,
    expected=partial(_expected, Action.MANAGE_LABELS),
    control=_managed,
    copy=Scene.with_copied_project,
)

OPERATIONS: Final = (
    _read(
        name="node of a label",
        probes=frozenset({"Query.node.id"}),
        make=lambda scene: Document(_NODE, {"id": _label(scene.project)}),
        shows=lambda value, scene: value is not None and value["id"] == _label(scene.project),
        is_typed=False,
    ),
    *(_page("task", "Task", TASK_LABELS, _task_id, *side) for side in _SIDES),
    *(_page("project", "Project", LABELS, _project_id, *side) for side in _SIDES),
    _change(
        name="createLabel",
        probes=frozenset({"Mutation.createLabel.input.projectId"}),
        make=lambda scene: Document(
            _CREATE, {"input": {"projectId": _project_id(scene), "name": "New", "color": "#000000"}}
        ),
        ids=(("input", "projectId"),),
    ),
    _change(
        name="updateLabel",
        probes=frozenset({"Mutation.updateLabel.input.id"}),
        make=lambda scene: Document(_UPDATE, {"input": {"id": _label(scene.project), "name": "Changed"}}),
        ids=(("input", "id"),),
    ),
    _change(
        name="deleteLabel",
        probes=frozenset({"Mutation.deleteLabel.input.id"}),
        make=lambda scene: Document(_DELETE, {"input": {"id": _label(scene.project)}}),
        ids=(("input", "id"),),
    ),
    Operation(
        name="setTaskLabels",
        probes=frozenset({"Mutation.setTaskLabels.input.id"}),
        make=lambda scene: Document(_SET, {"input": {"id": _task_id(scene), "labelIds": []}}),
        expected=partial(_expected, Action.UPDATE_TASK),
        control=lambda scene: scene.with_manager(Action.UPDATE_TASK),
        copy=Scene.with_copied_task,
        ids=(("input", "id"),),
        fits=project_task,
    ),
    Operation(
        name="setTaskLabels to a label of another project",
        probes=frozenset({"Mutation.setTaskLabels.input.labelIds"}),
        make=lambda scene: Document(_SET, {"input": {"id": _task_id(scene), "labelIds": labels_of(scene)}}),
        expected=partial(of_another_project, Action.UPDATE_TASK),
        control=partial(without_foreign_label, Action.UPDATE_TASK),
        copy=Scene.with_copied_task,
        ids=(("input", "id"), ("input", "labelIds", 0)),
        fits=project_task,
        prefers=lambda scene: scene.may(Action.UPDATE_TASK),
    ),
    Operation(
        name="createTask with a label of another project",
        probes=frozenset({"Mutation.createTask.input.labelIds"}),
        make=lambda scene: Document(_CREATE_TASK, {"input": _new_task(scene)}),
        expected=partial(of_another_project, Action.CREATE_TASK),
        control=partial(without_foreign_label, Action.CREATE_TASK),
        copy=Scene.with_copied_project,
        ids=(("input", "projectId"), ("input", "labelIds", 0)),
        prefers=lambda scene: scene.may_in_project(Action.CREATE_TASK),
    ),
)
