"""Mutations of projects."""

from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from tests.probes import documents, oracle
from tests.probes.operation import Document, Json, Operation
from tests.probes.scene import Scene

_WITH_PROJECT: Final = f"project {{ {documents.PROJECT} }}"
_CREATE: Final = documents.mutation("createProject", _WITH_PROJECT)


def _id(scene: Scene) -> str:
    return encode_id("Project", scene.project.id)


def _is_project(payload: Any, scene: Scene) -> bool:
    return bool(payload["project"]["id"] == _id(scene))


def _is_deleted(payload: Any, scene: Scene) -> bool:
    return bool(payload["deletedProjectId"] == _id(scene))


def _input(name: str, scene: Scene) -> Json:
    values: dict[str, Json] = {
        "updateProject": {"name": "Changed", "description": "Changed"},
        "archiveProject": {"isArchived": not scene.project.is_archived},
        "deleteProject": {"confirmKey": scene.project.key},
    }
    return {"id": _id(scene)} | values[name]


def _change(name: str, action: Action) -> Operation:
    is_deletion = action is Action.DELETE_PROJECT
    text = documents.mutation(name, "deletedProjectId" if is_deletion else _WITH_PROJECT)
    return Operation(
        name=name,
        probes=frozenset({f"Mutation.{name}.input.id"}),
        make=lambda scene: Document(text, {"input": _input(name, scene)}),
        expected=lambda scene: oracle.answer(
            may=scene.may_in_project(action), reads=scene.may_in_project(Action.READ_PROJECT)
        ),
        control=lambda scene: scene.with_manager(action),
        copy=Scene.with_copied_project,
        shows=_is_deleted if is_deletion else _is_project,
        ids=(("input", "id"),),
    )


def _creation(scene: Scene) -> Document:
    """With a key that the project had; the control uses a key that no project had."""
    is_control = scene.person is scene.world.keeper
    key = f"N{scene.task.id.hex[-9:].upper()}" if is_control else scene.project.old_key
    return Document(_CREATE, {"input": {"key": key, "name": "New"}})


OPERATIONS: Final = (
    _change("updateProject", Action.UPDATE_PROJECT),
    _change("archiveProject", Action.ARCHIVE_PROJECT),
    _change("deleteProject", Action.DELETE_PROJECT),
    Operation(
        name="createProject with a taken key",
        make=_creation,
        expected=lambda scene: oracle.ALLOWED if scene.person is scene.world.keeper else oracle.ALREADY_EXISTS,
        control=lambda scene: scene.with_person(scene.world.keeper),
        copy=Scene.with_copied_project,
    ),
)
