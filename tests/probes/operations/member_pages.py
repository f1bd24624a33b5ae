"""Pages of the members of a project that begin at a member of another project."""

from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from tests.probes import documents
from tests.probes.operation import Document, Operation
from tests.probes.oracle import ALLOWED, NOT_FOUND
from tests.probes.scene import Scene

_SIDES: Final = (("after", "first", "first"), ("before", "last", "last"))


def _are_own_members(value: Any, scene: Scene) -> bool:
    if value is None or value["id"] != encode_id("Project", scene.project.id):
        return False
    found = [each["user"]["id"] for each in value["members"]["nodes"]]
    return sorted(found) == sorted(encode_id("User", user_id) for user_id in scene.project.members)


def _of_members(side: str, size: str, end: str) -> Operation:
    members = f"members({size}: 50, {side}: $cursor) {{ {documents.MEMBERS} }}"
    text = documents.query("$id: ID!, $cursor: String", "project(id: $id)", f"id name {members}")

    def make(scene: Scene) -> Document:
        variables = {"id": encode_id("Project", scene.project.id), "cursor": scene.world.cursors[f"{end} member"]}
        return Document(text, variables)

    return Operation(
        name=f"members {side} a member of another project",
        probes=frozenset({f"Project.members.{side}"}),
        make=make,
        expected=lambda scene: ALLOWED if scene.may_in_project(Action.READ_PROJECT) else NOT_FOUND,
        control=lambda scene: scene.with_manager(Action.READ_PROJECT),
        secret=lambda scene: scene.project.word,
        shows=_are_own_members,
        ids=(("id",),),
    )


OPERATIONS: Final = tuple(_of_members(*side) for side in _SIDES)
