"""Users and their sessions: e-mail addresses, roles, and the devices of others."""

from functools import partial
from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from tests.probes import documents, oracle
from tests.probes.operation import Document, Json, Operation
from tests.probes.scene import Scene

_USER: Final = documents.query("$id: ID!", "user(id: $id)", documents.USER)
_NODE: Final = documents.query("$id: ID!", "node(id: $id)", documents.NODE)
_REVOKE: Final = documents.mutation("revokeSession", "revokedSessionId")
_CREATE_TOKEN: Final = documents.mutation("createAccessToken", "accessToken { project { id } }")
_REVOKE_TOKEN: Final = documents.mutation("revokeAccessToken", "revokedAccessTokenId")


def _id(scene: Scene) -> str:
    return encode_id("User", scene.person.id)


def _session(scene: Scene) -> str:
    return encode_id("Session", scene.session.id)


def _is_user(value: Any, scene: Scene) -> bool:
    """All users may read a user, without the e-mail address."""
    if value is None or value["id"] != _id(scene):
        return False
    return (value["email"] is not None) is scene.person.is_readable_by(scene.actor)


def _by_admin(scene: Scene) -> str:
    is_permitted = oracle.with_user(scene.actor.role, Action.SET_ROLE, is_self=False)
    return oracle.ALLOWED if is_permitted else oracle.FORBIDDEN


def _token(scene: Scene) -> str:
    """The token has the id of the session."""
    return encode_id("AccessToken", scene.session.id)


def _new_token(scene: Scene) -> Json:
    return {"name": "CI", "scopes": ["TASKS_READ"], "projectId": encode_id("Project", scene.project.id)}


def _of_session(action: Action, scene: Scene) -> str:
    return oracle.ALLOWED if scene.session.permits(scene.actor, action) else oracle.NOT_FOUND


def _administration(name: str, values: Json) -> Operation:
    text = documents.mutation(name, f"user {{ {documents.USER} }}")
    return Operation(
        name=name,
        probes=frozenset({f"Mutation.{name}.input.userId"}),
        make=lambda scene: Document(text, {"input": {"userId": _id(scene)} | values}),
        expected=_by_admin,
        control=Scene.with_admin,
        copy=Scene.with_new_person,
        ids=(("input", "userId"),),
        admins_only=True,
    )


_user = partial(
    Operation,
    expected=lambda scene: oracle.ALLOWED,
    control=Scene.with_admin,
    shows=_is_user,
    ids=(("id",),),
)

OPERATIONS: Final = (
    _user(
        name="user",
        probes=frozenset({"Query.user.id"}),
        make=lambda scene: Document(_USER, {"id": _id(scene)}),
    ),
    _user(
        name="node of a user",
        probes=frozenset({"Query.node.id"}),
        make=lambda scene: Document(_NODE, {"id": _id(scene)}),
        is_typed=False,
    ),
    Operation(
        name="node of a session",
        probes=frozenset({"Query.node.id"}),
        make=lambda scene: Document(_NODE, {"id": _session(scene)}),
        expected=partial(_of_session, Action.LIST_SESSIONS),
        control=lambda scene: scene.with_actor(scene.session.user),
        shows=lambda value, scene: value is not None and value["id"] == _session(scene),
        secret=lambda scene: scene.session.word,
        ids=(("id",),),
        is_typed=False,
    ),
    Operation(
        name="revokeSession",
        probes=frozenset({"Mutation.revokeSession.input.sessionId"}),
        make=lambda scene: Document(_REVOKE, {"input": {"sessionId": _session(scene)}}),
        expected=partial(_of_session, Action.REVOKE_SESSION),
        control=lambda scene: scene.with_actor(scene.session.user),
        copy=Scene.with_new_session,
        shows=lambda payload, scene: payload["revokedSessionId"] == _session(scene),
        ids=(("input", "sessionId"),),
    ),
    Operation(
        name="revokeAccessToken",
        probes=frozenset({"Mutation.revokeAccessToken.input.accessTokenId"}),
        make=lambda scene: Document(_REVOKE_TOKEN, {"input": {"accessTokenId": _token(scene)}}),
        expected=partial(_of_session, Action.REVOKE_TOKEN),
        control=lambda scene: scene.with_actor(scene.session.user),
        copy=Scene.with_new_session,
        shows=lambda payload, scene: payload["revokedAccessTokenId"] == _token(scene),
        ids=(("input", "accessTokenId"),),
    ),
    Operation(
        name="createAccessToken for a project",
        probes=frozenset({"Mutation.createAccessToken.input.projectId"}),
        make=lambda scene: Document(_CREATE_TOKEN, {"input": _new_token(scene)}),
        expected=lambda scene: oracle.ALLOWED if scene.actor.id in scene.project.members else oracle.NOT_FOUND,
        control=lambda scene: scene.with_actor(scene.world.manager),
        copy=Scene.with_copied_project,
        shows=lambda payload, scene: payload["accessToken"]["project"]["id"] == encode_id("Project", scene.project.id),
        ids=(("input", "projectId"),),
    ),
    _administration("setUserRole", {"role": "MODERATOR"}),
    _administration("setUserActive", {"isActive": False}),
)
