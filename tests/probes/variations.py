"""Requests that differ from an ordinary one in an id, or in the expected version."""

from dataclasses import replace
from functools import reduce
from random import Random
from typing import Any, Final, NamedTuple
from uuid import UUID

from graphql_api.schema.ids import decode_id, encode_id
from tests.probes import oracle
from tests.probes.operation import Document, Operation, Path, Request, placed
from tests.probes.scene import Scene

_TYPES: Final = ("Task", "Project", "User", "Membership", "Session")
_VERSIONED: Final = (
    "updateTask",
    "updateTaskStatus",
    "assignTask",
    "moveTask",
    "setTaskParent",
    "deleteTask",
    "updateProject",
    "archiveProject",
    "deleteProject",
    "updateComment",
    "updateLabel",
    "deleteLabel",
    "setTaskLabels",
    "deleteComment",
)
_WRONG_VERSION: Final = 77


class Varied(NamedTuple):
    """A request, and the expected answer."""

    request: Request
    expected: str


def varied(operation: Operation, scene: Scene, chance: Random) -> Varied:
    """The request as it is, or, for a part of them, with an id of another type or of another object."""
    request, expected = operation.make(scene), operation.expected(scene)
    place = chance.random()
    if isinstance(request, Document) and operation.ids and place < 0.16:
        if place < 0.08 and operation.is_typed:
            return Varied(_of_another_type(request, operation, chance), _refused(operation, scene, oracle.BAD_REQUEST))
        return Varied(_of_another_object(request, operation, scene), _refused(operation, scene, oracle.NOT_FOUND))
    if expected in (oracle.NOT_FOUND, oracle.FORBIDDEN) and operation.has_version and place > 0.5:
        return Varied(_of_another_version(request), expected)
    return Varied(request, expected)


def _refused(operation: Operation, scene: Scene, answer: str) -> str:
    """Who may not use the field at all gets FORBIDDEN, before the arguments are examined."""
    is_admin = operation.control(scene).actor.role is scene.actor.role
    return answer if is_admin or not operation.admins_only else oracle.FORBIDDEN


def _of_another_type(request: Document, operation: Operation, chance: Random) -> Document:
    """The same row as an id of another type."""
    path = chance.choice(operation.ids)
    kind, row_id = _decoded(request, path)
    other = chance.choice([each for each in _TYPES if each != kind])
    return _with_id(request, path, other, row_id)


def _of_another_object(request: Document, operation: Operation, scene: Scene) -> Document:
    """An id of the right type with a row of another type."""
    path = operation.ids[0]
    kind, _ = _decoded(request, path)
    row_id = scene.project.id if kind == "Task" else scene.task.id
    return _with_id(request, path, kind, row_id)


def _of_another_version(request: Request) -> Request:
    if not isinstance(request, Document) or not any(f"{name}(" in request.text for name in _VERSIONED):
        return request
    return replace(request, variables=placed(request.variables, ("input", "expectedVersion"), _WRONG_VERSION))


def _decoded(request: Document, path: Path) -> tuple[str, UUID]:
    variables: Any = request.variables
    text = reduce(lambda value, step: value[step], path, variables)
    return decode_id(text, field="id")


def _with_id(request: Document, path: Path, kind: str, row_id: UUID) -> Document:
    return replace(request, variables=placed(request.variables, path, encode_id(kind, row_id)))
