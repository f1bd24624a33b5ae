"""Invitations: to projects of others, and those of others."""

from typing import Any, Final

from domain.policy import Action
from domain.project import ProjectRole
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.pagination import page_cursor
from persistence.queries.invitation import INVITATION_ORDER
from tests.probes import documents, oracle
from tests.probes.operation import Document, Json, Operation
from tests.probes.rows import invitation_id
from tests.probes.scene import Scene

_CREATE: Final = documents.mutation("createInvitation", "invitation { projectId }")
_REVOKE: Final = documents.mutation("revokeInvitation", "revokedInvitationId")
_OF_PROJECT: Final = documents.query("$id: ID", "invitations(projectId: $id)", "nodes { id projectId }")


def _project_id(scene: Scene) -> str:
    return encode_id("Project", scene.project.id)


def _new(scene: Scene) -> Json:
    return {"email": "grace@example.org", "projectId": _project_id(scene), "projectRole": "VIEWER"}


def _invited(scene: Scene) -> str:
    may, reads = scene.may_in_project(Action.MANAGE_INVITATIONS), scene.may_in_project(Action.READ_PROJECT)
    return oracle.answer(may=may, reads=reads)


def _is_of_project(payload: Any, scene: Scene) -> bool:
    return bool(payload["invitation"]["projectId"] == _project_id(scene))


def _managed(scene: Scene) -> str:
    """Others than managers do not see an invitation. It can be revoked in an archived project, too."""
    return oracle.ALLOWED if _sees(scene) else oracle.NOT_FOUND


def _sees(scene: Scene) -> bool:
    is_manager = scene.project.members.get(scene.actor.id) is ProjectRole.MANAGER
    return is_manager or scene.actor.role is Role.ADMIN


def _invitation(scene: Scene) -> str:
    return encode_id("Invitation", invitation_id(scene.project.id))


def _is_list(value: Any, scene: Scene) -> bool:
    """The invitations of this project, and of no other."""
    nodes = value["nodes"]
    is_there = any(node["id"] == _invitation(scene) for node in nodes)
    return is_there and all(node["projectId"] == _project_id(scene) for node in nodes)


def _is_part(value: Any, scene: Scene) -> bool:
    """None of a project that the actor does not manage: the cursor selects among those that the actor sees."""
    return _sees(scene) or all(node["id"] != _invitation(scene) for node in value["nodes"])


def _page(side: str, size: str) -> Operation:
    field = f"invitations({size}: 5, {side}: $cursor)"
    text = documents.query("$cursor: String", field, "nodes { id projectId }")

    def make(scene: Scene) -> Document:
        at = scene.task.created_at.isoformat()
        return Document(text, {"cursor": page_cursor(INVITATION_ORDER, at, invitation_id(scene.project.id))})

    return Operation(
        name=f"invitations {side} a foreign one",
        probes=frozenset({f"Query.invitations.{side}"}),
        make=make,
        expected=lambda scene: oracle.ALLOWED,
        control=Scene.with_admin,
        shows=_is_part,
    )


OPERATIONS: Final = (
    Operation(
        name="createInvitation to a project",
        probes=frozenset({"Mutation.createInvitation.input.projectId"}),
        make=lambda scene: Document(_CREATE, {"input": _new(scene)}),
        expected=_invited,
        control=lambda scene: scene.with_manager(Action.MANAGE_INVITATIONS),
        copy=Scene.with_copied_project,
        shows=_is_of_project,
        ids=(("input", "projectId"),),
    ),
    Operation(
        name="revokeInvitation to a project",
        probes=frozenset({"Mutation.revokeInvitation.input.invitationId"}),
        make=lambda scene: Document(_REVOKE, {"input": {"invitationId": _invitation(scene)}}),
        expected=_managed,
        control=Scene.with_admin,
        copy=Scene.with_copied_project,
        shows=lambda payload, scene: payload["revokedInvitationId"] == _invitation(scene),
        ids=(("input", "invitationId"),),
    ),
    Operation(
        name="invitations to a project",
        probes=frozenset({"Query.invitations.projectId"}),
        make=lambda scene: Document(_OF_PROJECT, {"id": _project_id(scene)}),
        expected=_managed,
        control=Scene.with_admin,
        shows=_is_list,
        ids=(("id",),),
    ),
    *(_page(*side) for side in (("after", "first"), ("before", "last"))),
)
