"""Queries for one task."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from tests.probes import documents
from tests.probes.operation import Document, Json, Operation, project_task
from tests.probes.oracle import ALLOWED, NOT_FOUND
from tests.probes.scene import Scene


def _expected(scene: Scene) -> str:
    return ALLOWED if scene.may(Action.READ_TASK) else NOT_FOUND


def _control(scene: Scene) -> Scene:
    return scene.with_owner_or_manager(Action.READ_TASK)


def _secret(scene: Scene) -> str:
    return scene.task.word


def _is_task(value: Any, scene: Scene) -> bool:
    found = value[0] if isinstance(value, list) and len(value) == 1 else value
    return isinstance(found, dict) and found["id"] == _id(scene)


def _id(scene: Scene) -> str:
    return encode_id("Task", scene.task.id)


def _key(scene: Scene, *, old: bool) -> str:
    project = scene.project
    return f"{project.old_key if old else project.key}-{scene.task.number}"


def _earlier_key(scene: Scene) -> str:
    return f"{scene.world.earlier_project_of(scene.task).key}-{scene.task.version}"


def _that_left_the_project(scene: Scene) -> Scene:
    """A task that the project of the actor had before; now it is in a project in which no actor has a role."""
    return replace(scene, task=scene.other, project=scene.world.elsewhere)


def _of(text: str, variables: Callable[[Scene], Json]) -> Callable[[Scene], Document]:
    return lambda scene: Document(text, variables(scene))


_query = partial(Operation, expected=_expected, control=_control, secret=_secret, shows=_is_task)
_BY_KEY: Final = documents.query("$key: String!", "taskByKey(key: $key)", documents.TASK)

OPERATIONS: Final = (
    _query(
        name="task",
        probes=frozenset({"Query.task.id"}),
        make=_of(documents.query("$id: ID!", "task(id: $id)", documents.TASK), lambda scene: {"id": _id(scene)}),
        ids=(("id",),),
    ),
    _query(
        name="node of a task",
        probes=frozenset({"Query.node.id"}),
        make=_of(documents.query("$id: ID!", "node(id: $id)", documents.NODE), lambda scene: {"id": _id(scene)}),
        ids=(("id",),),
        is_typed=False,
    ),
    _query(
        name="nodes of a task",
        probes=frozenset({"Query.nodes.ids"}),
        make=_of(documents.query("$id: [ID!]!", "nodes(ids: $id)", documents.NODE), lambda scene: {"id": [_id(scene)]}),
        ids=(("id", 0),),
        is_typed=False,
    ),
    *(
        _query(
            name=name,
            probes=frozenset({"Query.taskByKey.key"}),
            make=_of(_BY_KEY, lambda scene, old=old: {"key": _key(scene, old=old)}),  # type: ignore[misc]
            fits=project_task,
        )
        for name, old in (("taskByKey", False), ("taskByKey with an old key", True))
    ),
    *(
        _query(
            name=f"taskByKey with a key in another project, {name}",
            probes=frozenset({"Query.taskByKey.key"}),
            make=_of(_BY_KEY, lambda scene: {"key": _earlier_key(scene)}),
            prepare=prepare,
        )
        for name, prepare in (("any task", lambda scene: scene), ("a foreign task", _that_left_the_project))
    ),
)
