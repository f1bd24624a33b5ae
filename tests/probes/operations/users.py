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
_DELETE: Final = documents.mutation("deleteUser", "deletedUserId")
_REVOKE: Final = documents.mutation("revokeSession", "revokedSessionId")
_UNLINK: Final = documents.mutation("unlinkIdentity", "unlinkedIdentityId")
_CREATE_TOKEN: Final = documents.mutation("createAccessToken", "accessToken { project { id } }")
_CREATE_ACCOUNT: Final = documents.mutation("createServiceAccount", "user { kind }")
_TOKENS: Final = documents.query("$id: ID!", "accessTokens(userId: $id)", "id")
_ACCOUNTS: Final = documents.query("$id: ID!", "serviceAccounts(projectId: $id)", "id")
_REVOKE_TOKEN: Final = documents.mutation("revokeAccessToken", "revokedAccessTokenId")


def _id(scene: Scene) -> str:
    return encode_id("User", scene.person.id)


def _deletion(scene: Scene) -> Document:
    """The actor gets the tasks."""
    return Document(_DELETE, {"input": {"userId": _id(scene), "transferTasksTo": encode_id("User", scene.actor.id)}})


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


def _identity(scene: Scene) -> str:
    """The identity has the id of the session."""
    return encode_id("Identity", scene.session.id)


def _new_token(scene: Scene) -> Json:
    return {"name": "CI", "scopes": ["TASKS_READ"], "projectId": encode_id("Project", scene.project.id)}


def _account(scene: Scene) -> str:
    return encode_id("User", scene.world.account_id)


def _active(scene: Scene) -> str:
    return encode_id("Project", scene.world.active.id)


def _of_account(scene: Scene) -> str:
    """The service account of the active project: those who do not manage it find nothing."""
    is_managed = scene.world.active.permits(scene.actor, Action.MANAGE_SERVICE_ACCOUNTS)
    return oracle.ALLOWED if is_managed else oracle.NOT_FOUND


def _by_manager(scene: Scene) -> Scene:
    return scene.with_actor(scene.world.manager)


def _new_token_of_account(scene: Scene) -> Json:
    return {"name": "CI", "scopes": ["TASKS_READ"], "userId": _account(scene)}


def _new_account(scene: Scene) -> Json:
    project_id = scene.project.id
    return {"username": f"new{project_id.hex[-12:]}", "projectId": encode_id("Project", project_id)}


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
        name="unlinkIdentity",
        probes=frozenset({"Mutation.unlinkIdentity.input.identityId"}),
        make=lambda scene: Document(_UNLINK, {"input": {"identityId": _identity(scene)}}),
        expected=partial(_of_session, Action.MANAGE_IDENTITIES),
        control=lambda scene: scene.with_actor(scene.session.user),
        copy=Scene.with_new_session,
        shows=lambda payload, scene: payload["unlinkedIdentityId"] == _identity(scene),
        ids=(("input", "identityId"),),
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
    Operation(
        name="createAccessToken of a service account",
        probes=frozenset({"Mutation.createAccessToken.input.userId"}),
        make=lambda scene: Document(_CREATE_TOKEN, {"input": _new_token_of_account(scene)}),
        expected=_of_account,
        control=_by_manager,
        copy=Scene.with_new_session,
        shows=lambda payload, scene: payload["accessToken"]["project"]["id"] == _active(scene),
        ids=(("input", "userId"),),
    ),
    Operation(
        name="accessTokens of a service account",
        probes=frozenset({"Query.accessTokens.userId"}),
        make=lambda scene: Document(_TOKENS, {"id": _account(scene)}),
        expected=_of_account,
        control=_by_manager,
        shows=lambda value, scene: {"id": encode_id("AccessToken", scene.world.account_id)} in value,
        ids=(("id",),),
    ),
    Operation(
        name="serviceAccounts",
        probes=frozenset({"Query.serviceAccounts.projectId"}),
        make=lambda scene: Document(_ACCOUNTS, {"id": _active(scene)}),
        expected=_of_account,
        control=_by_manager,
        shows=lambda value, scene: value == [{"id": _account(scene)}],
        ids=(("id",),),
    ),
    Operation(
        name="createServiceAccount",
        probes=frozenset({"Mutation.createServiceAccount.input.projectId"}),
        make=lambda scene: Document(_CREATE_ACCOUNT, {"input": _new_account(scene)}),
        expected=lambda scene: oracle.answer(
            may=scene.may_in_project(Action.MANAGE_MEMBERS), reads=scene.may_in_project(Action.READ_PROJECT)
        ),
        control=lambda scene: scene.with_manager(Action.MANAGE_MEMBERS),
        copy=Scene.with_copied_project,
        shows=lambda payload, scene: payload["user"]["kind"] == "SERVICE",
        ids=(("input", "projectId"),),
    ),
    _administration("setUserRole", {"role": "MODERATOR"}),
    _administration("setUserActive", {"isActive": False}),
    Operation(
        name="deleteUser",
        probes=frozenset({"Mutation.deleteUser.input.userId", "Mutation.deleteUser.input.transferTasksTo"}),
        make=_deletion,
        expected=_by_admin,
        control=Scene.with_admin,
        copy=Scene.with_new_person,
        shows=lambda payload, scene: payload["deletedUserId"] == _id(scene),
        ids=(("input", "userId"), ("input", "transferTasksTo")),
        admins_only=True,
    ),
)
