"""Mutations answer the same in both ways, compiled and in general, whether they succeed, are refused or fail."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final
from uuid import uuid4

import orjson
import pytest

from asgi.client import Client, Identity
from asgi.request_context import RequestContext
from domain.project import ProjectRole
from domain.user import Role
from graphql_api.auth.passwords import Passwords
from graphql_api.context import Context
from graphql_api.execution.compiled_executor import CompiledExecutor
from graphql_api.execution.executor import Executor, Operation
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response
from graphql_api.root import schema
from graphql_api.schema.ids import encode_id
from persistence.models import AccessTokenRow, IdentityRow, ProjectRow, SessionRow, UserRow
from tests.support.api import Api
from tests.support.builders import Builders
from tests.support.waiting import HANG_SECONDS

PASSWORD: Final = "Correct-horse1"
USER: Final = "__typename id username email role isActive createdAt"
TOKENS: Final = f"accessToken expiresAt refreshToken user {{ {USER} }}"
ERRORS: Final = "errors: userErrors { __typename message code path }"
_NEW: Final = re.compile(rb'"(accessToken|expiresAt|refreshToken|createdAt|id)":"[^"<]+"')
_addresses = count(1)


@dataclass
class Situation:
    """A user with a password, two sessions and a project, and another user."""

    user: UserRow
    session: SessionRow
    other_session: SessionRow
    other: UserRow
    project: ProjectRow
    token: AccessTokenRow
    identity: IdentityRow
    refresh_token: str
    address: str

    def hidden(self, body: bytes) -> bytes:
        """The body without what sets one situation apart from another."""
        ids = [encode_id("User", each.id) for each in (self.user, self.other)]
        ids += [encode_id("Session", each.id) for each in (self.session, self.other_session)]
        ids += [encode_id("Project", self.project.id), encode_id("AccessToken", self.token.id)]
        ids += [encode_id("Identity", self.identity.id)]
        for number, name in enumerate([*ids, self.user.username, self.other.username]):
            body = body.replace(name.encode(), b"<%d>" % number)
        return _NEW.sub(rb'"\1":"<new>"', body)


@dataclass(frozen=True)
class Case:
    """A mutation, and the role of its sender; None is anonymous."""

    name: str
    field: str
    selected: str
    input: Callable[[Situation], dict[str, Any]] | None = None
    role: Role | None = Role.USER
    headers: Callable[[Situation], dict[str, str]] = lambda _: {}

    @property
    def document(self) -> str:
        """The text."""
        kind = f"{self.field[0].upper()}{self.field[1:]}Input"
        variables, argument = (f"($input: {kind}!)", "(input: $input)") if self.input is not None else ("", "")
        return f"mutation {variables} {{ result: {self.field}{argument} {{ {self.selected} {ERRORS} }} }}"


def _newcomer(situation: Situation, **values: str) -> dict[str, Any]:
    name = situation.other.username + "x"
    return {"username": name, "email": f"{name}@example.org", "password": PASSWORD} | values


def _invited(situation: Situation) -> dict[str, Any]:
    project_id = encode_id("Project", situation.project.id)
    return {"email": "i@example.org", "projectId": project_id, "projectRole": "VIEWER"}


def _nothing() -> str:
    return encode_id("Invitation", uuid4())


def _account(situation: Situation) -> dict[str, Any]:
    return {"username": situation.other.username + "x", "projectId": encode_id("Project", situation.project.id)}


def _cookie(situation: Situation) -> dict[str, str]:
    return {"cookie": f"refresh_token={situation.refresh_token}"}


ME: Final = f"user {{ {USER} }}"
PROJECT: Final = "project { id name isArchived version viewerRole viewerCanUpdate }"
MEMBER: Final = f"membership {{ id role user {{ {USER} }} }}"
GONE: Final = "id: deletedMembershipId"
DELETED: Final = "id: deletedUserId"
TOKEN: Final = "accessToken { __typename name scopes lastUsedAt }"
INVITED: Final = "invitation { __typename email role projectRole acceptedAt inviter { role } }"
CASES: Final = (
    Case("invites", "createInvitation", INVITED, lambda _: {"email": "i@example.org"}, Role.ADMIN),
    Case("invites, as a user", "createInvitation", INVITED, lambda _: {"email": "i@example.org"}),
    Case("invites, to a project", "createInvitation", INVITED, _invited, Role.ADMIN),
    Case("invites, no address", "createInvitation", INVITED, lambda _: {"email": "x"}, Role.ADMIN),
    Case("revokes nothing", "revokeInvitation", "id: revokedInvitationId", lambda _: {"invitationId": _nothing()}),
    Case("accepts nothing", "acceptInvitation", MEMBER, lambda _: {"token": "trv_inv_x"}),
    Case("accepts, anonymous", "acceptInvitation", MEMBER, lambda _: {"token": "trv_inv_x"}, None),
    Case("asks for a password", "requestPasswordReset", "__typename", lambda _: {"email": "i@example.org"}, None),
    Case("a new password", "resetPassword", "__typename", lambda _: {"token": "x", "newPassword": PASSWORD}, None),
    Case("a weak new password", "resetPassword", "__typename", lambda _: {"token": "x", "newPassword": "x"}, None),
    Case("asks for a mail", "requestEmailVerification", "__typename"),
    Case("asks for a mail, anonymous", "requestEmailVerification", "__typename", role=None),
    Case("verifies", "verifyEmail", "__typename", lambda _: {"token": "trv_vrf_x"}, None),
    Case("registers, invited by nobody", "register", ME, lambda s: _newcomer(s, invitation="trv_inv_x"), None),
    Case("in", "login", TOKENS, lambda s: {"username": s.user.username, "password": PASSWORD}, None),
    Case(
        "in, with the token returned",
        "login",
        TOKENS,
        lambda s: {"username": s.user.username, "password": PASSWORD, "returnRefreshToken": True},
        None,
    ),
    Case("in, while signed in", "login", TOKENS, lambda s: {"username": s.user.username, "password": PASSWORD}),
    Case("in, wrong password", "login", TOKENS, lambda s: {"username": s.user.username, "password": "Wrong1!"}, None),
    Case("in, no such user", "login", TOKENS, lambda s: {"username": "nobody.here", "password": PASSWORD}, None),
    Case("stays", "refreshToken", TOKENS, lambda s: {"refreshToken": s.refresh_token}, None),
    Case("stays, by cookie", "refreshToken", TOKENS, lambda _: {}, None, _cookie),
    Case("stays, without a token", "refreshToken", TOKENS, lambda _: {}, None),
    Case("stays, by garbage", "refreshToken", TOKENS, lambda _: {"refreshToken": "x.y"}, None),
    Case("out", "logout", "__typename"),
    Case("out, anonymous", "logout", "__typename", role=None),
    Case("out everywhere", "logoutAll", "__typename"),
    Case("ends another", "revokeSession", "id: revokedSessionId", lambda s: {"sessionId": _session(s)}),
    Case("ends a user's", "revokeSession", "id: revokedSessionId", lambda s: {"sessionId": _id(s.user)}),
    Case(
        "ends what is gone",
        "revokeSession",
        "id: revokedSessionId",
        lambda _: {"sessionId": encode_id("Session", uuid4())},
    ),
    Case("code", "createSignInCode", "__typename", lambda _: {"codeChallenge": "x" * 43, "port": 1, "clientName": "x"}),
    Case(
        "code, by no session",
        "createSignInCode",
        "__typename",
        lambda _: {"codeChallenge": "x" * 43, "port": 1, "clientName": "x"},
        None,
    ),
    Case("code, wrong", "createSignInCode", "code", lambda _: {"codeChallenge": "x", "port": 1, "clientName": "x"}),
    Case(
        "code, unknown",
        "exchangeSignInCode",
        TOKENS,
        lambda _: {"code": "x", "codeVerifier": "x" * 43, "port": 1},
        None,
    ),
    Case("token", "createAccessToken", TOKEN, lambda _: {"name": "CI", "scopes": ["TASKS_READ"]}),
    Case("token, without scopes", "createAccessToken", TOKEN, lambda _: {"name": "CI", "scopes": []}),
    Case("token, anonymous", "createAccessToken", TOKEN, lambda _: {"name": "CI", "scopes": ["ADMIN"]}, None),
    Case("token, ended", "revokeAccessToken", "id: revokedAccessTokenId", lambda s: {"accessTokenId": _token(s)}),
    Case("token, unknown", "revokeAccessToken", "id: revokedAccessTokenId", lambda s: {"accessTokenId": _id(s.user)}),
    Case("identity", "unlinkIdentity", "id: unlinkedIdentityId", lambda s: {"identityId": _identity(s)}),
    Case(
        "identity, unknown",
        "unlinkIdentity",
        "id: unlinkedIdentityId",
        lambda s: {"identityId": encode_id("Identity", uuid4())},
    ),
    Case("account", "createServiceAccount", "user { kind isActive email }", _account),
    Case("account, of admins", "createServiceAccount", ME, lambda s: {"username": f"{s.other.username}x"}),
    Case("account, anonymous", "createServiceAccount", ME, lambda s: {"username": "robot"}, None),
    Case("registers", "register", ME, _newcomer, None),
    Case("registers, taken", "register", ME, lambda s: _newcomer(s, username=s.other.username), None),
    Case("registers, weak", "register", ME, lambda s: _newcomer(s, password="weak"), None),
    Case("password", "changePassword", ME, lambda _: {"currentPassword": PASSWORD, "newPassword": "Another-horse1"}),
    Case("password, wrong", "changePassword", ME, lambda _: {"currentPassword": "Wrong1!", "newPassword": PASSWORD}),
    Case("role", "setUserRole", ME, lambda s: {"userId": _id(s.other), "role": "MODERATOR"}, Role.ADMIN),
    Case("role, as a user", "setUserRole", ME, lambda s: {"userId": _id(s.other), "role": "ADMIN"}),
    Case("role, anonymous", "setUserRole", ME, lambda s: {"userId": _id(s.other), "role": "ADMIN"}, None),
    Case("cut off", "setUserActive", ME, lambda s: {"userId": _id(s.other), "isActive": False}, Role.ADMIN),
    Case("deleted", "deleteUser", DELETED, lambda s: {"userId": _id(s.other), "deleteTasks": True}, Role.ADMIN),
    Case("deleted, oneself", "deleteUser", DELETED, lambda s: {"userId": _id(s.user), "currentPassword": "Wrong1!"}),
    Case("deleted, as a user", "deleteUser", DELETED, lambda s: {"userId": _id(s.other)}),
    Case("project", "createProject", PROJECT, lambda s: {"key": _new_key(s), "name": "Site"}),
    Case("project, bad key", "createProject", PROJECT, lambda _: {"key": "1", "name": "Site"}),
    Case("project, renamed", "updateProject", PROJECT, lambda s: {"id": _project(s), "name": "Other"}),
    Case("project, of others", "updateProject", PROJECT, lambda _: {"id": encode_id("Project", uuid4())}),
    Case("project, archived", "archiveProject", PROJECT, lambda s: {"id": _project(s)}),
    Case("project, deleted", "deleteProject", "id: deletedProjectId", lambda s: {"id": _project(s)}),
    Case("member", "addMember", MEMBER, lambda s: {"projectId": _project(s), "userId": _id(s.other)}),
    Case("member, again", "addMember", MEMBER, lambda s: {"projectId": _project(s), "userId": _id(s.user)}),
    Case(
        "member, the last manager",
        "setMemberRole",
        MEMBER,
        lambda s: {"projectId": _project(s), "userId": _id(s.user), "role": "VIEWER"},
    ),
    Case("member, unknown", "removeMember", GONE, lambda s: {"projectId": _project(s), "userId": _id(s.other)}),
    Case("member, leaves", "leaveProject", GONE, lambda s: {"projectId": _project(s)}),
    Case("cut off, no id", "setUserActive", ME, lambda _: {"userId": "?", "isActive": False}, Role.ADMIN),
)


def _id(user: UserRow) -> str:
    return encode_id("User", user.id)


def _project(situation: Situation) -> str:
    return encode_id("Project", situation.project.id)


def _new_key(situation: Situation) -> str:
    return f"{situation.project.key}N"


def _identity(situation: Situation) -> str:
    return encode_id("Identity", situation.identity.id)


def _token(situation: Situation) -> str:
    return encode_id("AccessToken", situation.token.id)


def _session(situation: Situation) -> str:
    return encode_id("Session", situation.other_session.id)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.field}: {case.name}")
async def test_both_executors_give_the_same_answer(api: Api, case: Case):
    """The same response and cookie for equal rows; only a refused permission has no plan."""
    general: Executor[Context] = Executor(schema, api.server.documents, timeout=HANG_SECONDS)
    compiled = CompiledExecutor(schema._schema, strict=True)
    first, second = [await _situation(api, case) for _ in range(2)]
    operation = [await _prepared(general, case, each) for each in (first, first, second)]
    facts = [_facts(each, case) for each in (first, second)]

    by_plan = await compiled.execute(
        operation[1].document, operation[1].node, operation[1].request, Context(api.server.backend, facts[0])
    )
    in_general = await general.execute(operation[2], Context(api.server.backend, facts[1]))

    if by_plan is None:
        assert _codes(in_general)[0] in {"UNAUTHENTICATED", "FORBIDDEN"}
    else:
        assert first.hidden(_bytes(by_plan)) == second.hidden(_bytes(in_general))
        assert _cookies(facts[0]) == _cookies(facts[1])


def test_every_mutation_of_users_is_compared():
    """All mutations except those of tasks, labels and comments, which the random ones cover."""
    others, root = ("Task", "Label", "Comment"), schema._schema.mutation_type
    assert root is not None
    fields = {name for name in root.fields if not any(other in name for other in others)}
    assert {case.field for case in CASES} == fields


async def _situation(api: Api, case: Case) -> Situation:
    user = await api.a_user(case.role or Role.USER, password_hash=await Passwords(4).hash(PASSWORD))
    address = f"10.1.2.{next(_addresses)}"
    signed_in = await api.server.backend.accounts.sign_in(
        Client(address, None), username=user.username, password=PASSWORD, request_id="same"
    )
    session, other_session = [await api.build.a_session(user) for _ in range(2)]
    project = await api.build.a_project((user, ProjectRole.MANAGER))
    token, _ = await api.build.an_access_token(user)
    identity = await api.build.an_identity(user)
    other = await api.a_user()
    return Situation(user, session, other_session, other, project, token, identity, signed_in.refresh_token, address)


async def _prepared(executor: Executor[Context], case: Case, situation: Situation) -> Operation:
    variables = {"input": case.input(situation)} if case.input is not None else {}
    operation = await executor.prepare(OperationRequest(case.document, None, variables, {}), request_id="same")
    assert isinstance(operation, Operation), operation
    return operation


def _facts(situation: Situation, case: Case) -> RequestContext:
    actor = Builders.actor(situation.user, situation.session.id)
    identity = Identity(actor, datetime(2100, 1, 1, tzinfo=UTC)) if case.role is not None else None
    headers = [(name.encode(), value.encode()) for name, value in case.headers(situation).items()]
    return RequestContext(identity, None, "same", "http", {"client": (situation.address, 1), "headers": headers})


def _bytes(response: Response) -> bytes:
    return orjson.dumps(response.body, option=orjson.OPT_UTC_Z)


def _codes(response: Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.body["errors"]]


def _cookies(facts: RequestContext) -> list[bytes]:
    return [re.sub(rb"refresh_token=[^;]+", b"refresh_token=<new>", value) for _, value in facts.response_headers]
