"""Queries for one project, its members, and the users who can be assigned to its tasks."""

from functools import partial
from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from persistence.models import membership_id
from tests.probes import documents
from tests.probes.operation import Document, Operation
from tests.probes.oracle import ALLOWED, NOT_FOUND
from tests.probes.scene import Scene


def _expected(scene: Scene) -> str:
    return ALLOWED if scene.may_in_project(Action.READ_PROJECT) else NOT_FOUND


def _id(scene: Scene) -> str:
    return encode_id("Project", scene.project.id)


def _membership(scene: Scene) -> str:
    return encode_id("Membership", membership_id(scene.project.id, scene.world.keeper.id))


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _is_project(value: Any, scene: Scene) -> bool:
    found = _first(value)
    return bool(found) and found["id"] == _id(scene)


def _is_membership(value: Any, scene: Scene) -> bool:
    found = _first(value)
    return bool(found) and found["id"] == _membership(scene)


def _are_members(value: Any, scene: Scene) -> bool:
    expected = {encode_id("User", user_id) for user_id in scene.project.members}
    return {user["id"] for user in value} == expected


_query = partial(
    Operation,
    expected=_expected,
    control=lambda scene: scene.with_manager(Action.READ_PROJECT),
    secret=lambda scene: scene.project.word,
    shows=_is_project,
)
_of_members = partial(_query, secret=lambda scene: None)
_BY_ID: Final = documents.query("$id: ID", "project(id: $id)", documents.PROJECT)
_BY_KEY: Final = documents.query("$key: String", "project(key: $key)", documents.PROJECT)
_NODE: Final = documents.query("$id: ID!", "node(id: $id)", documents.NODE)
_NODES: Final = documents.query("$id: [ID!]!", "nodes(ids: $id)", documents.NODE)
_MEMBERS: Final = documents.query("$id: ID", 'assignableUsers(search: "", first: 50, projectId: $id)', documents.USER)

OPERATIONS: Final = (
    _query(
        name="project",
        probes=frozenset({"Query.project.id"}),
        make=lambda scene: Document(_BY_ID, {"id": _id(scene)}),
        ids=(("id",),),
    ),
    _query(
        name="project by its key",
        probes=frozenset({"Query.project.key"}),
        make=lambda scene: Document(_BY_KEY, {"key": scene.project.key}),
    ),
    _query(
        name="project by an old key",
        probes=frozenset({"Query.project.key"}),
        make=lambda scene: Document(_BY_KEY, {"key": scene.project.old_key.lower()}),
    ),
    _query(
        name="node of a project",
        probes=frozenset({"Query.node.id"}),
        make=lambda scene: Document(_NODE, {"id": _id(scene)}),
        secret=lambda scene: scene.project.word,
        ids=(("id",),),
        is_typed=False,
    ),
    _of_members(
        name="node of a membership",
        probes=frozenset({"Query.node.id"}),
        make=lambda scene: Document(_NODE, {"id": _membership(scene)}),
        shows=_is_membership,
        ids=(("id",),),
        is_typed=False,
    ),
    _of_members(
        name="nodes of a membership",
        probes=frozenset({"Query.nodes.ids"}),
        make=lambda scene: Document(_NODES, {"id": [_membership(scene)]}),
        shows=_is_membership,
        ids=(("id", 0),),
        is_typed=False,
    ),
    _of_members(
        name="assignableUsers",
        probes=frozenset({"Query.assignableUsers.projectId"}),
        make=lambda scene: Document(_MEMBERS, {"id": _id(scene)}),
        shows=_are_members,
        ids=(("id",),),
    ),
)
