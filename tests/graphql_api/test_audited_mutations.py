"""Every mutation and every REST operation writes an entry of the audit log, or is listed here with the reason."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from domain.audit import AuditAction
from domain.mail import LinkPurpose
from domain.project import ProjectRole
from domain.sign_in_code import challenge_of
from domain.user import Role
from graphql_api.auth.passwords import Passwords
from graphql_api.root import schema
from graphql_api.schema.ids import encode_id
from persistence.models import AuditRow, ProjectRow, UserRow
from rest_api.endpoints import OPERATIONS
from services import invitation as invitation_service
from services.invitation import CreatedInvitation
from services.sign_in_code import create_sign_in_code
from tests.support.api import Api
from tests.support.audit import entries

PASSWORD: Final = "Correct-horse1"
AGENT: Final = "Mozilla/5.0 [31m"

HISTORY: Final = "tasks, their labels and their comments have a history and events, and do not change access"
EXEMPT: Final = {
    **dict.fromkeys(
        (
            *("createTask", "updateTask", "updateTaskStatus", "updateTasks", "assignTask", "deleteTask", "moveTask"),
            *("restoreTask", "setTaskLabels", "setTaskParent", "createComment", "updateComment", "deleteComment"),
        ),
        HISTORY,
    ),
    **dict.fromkeys(("createLabel", "updateLabel", "deleteLabel"), "labels are words, and do not change access"),
    "createSignInCode": "the sign-in with the code has an entry",
    **dict.fromkeys(
        ("requestPasswordReset", "requestEmailVerification"),
        "they change nothing, and the first is open to everyone, who could fill the log; mails are rows of a table",
    ),
    "updateProject": "the key, the name and the description do not change access",
}
"""The reasons, by mutation."""
EXEMPT_REST: Final = {
    **dict.fromkeys(("create_task", "update_task", "delete_task"), HISTORY),
    **dict.fromkeys(("list_tasks", "get_task", "list_sessions", "about_me"), "it reads only"),
}


class Stage:
    """The people and projects of one scenario."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def mutate(self, name: str, kind: str | None, by: UserRow | str | None, /, **values: Any) -> dict[str, Any]:
        """A mutation that is not refused."""
        declared = f"($input: {kind}!)" if kind is not None else ""
        given = "(input: $input)" if kind is not None else ""
        query = f"mutation {declared} {{ {name}{given} {{ userErrors {{ message code }} }} }}"
        answer = await self.api.ask(
            query, by, headers={"user-agent": AGENT}, **({"input": values} if kind is not None else {})
        )
        return answer.payload(name)

    async def person(self, role: Role = Role.USER) -> UserRow:
        """A user with a known password."""
        passwords = Passwords(4)
        password_hash = await passwords.hash(PASSWORD)
        passwords.close()
        return await self.api.a_user(role, password_hash=password_hash)

    async def project(self, *members: tuple[UserRow, ProjectRole]) -> tuple[ProjectRow, str]:
        """A project, and its id in the API."""
        row = await self.api.build.a_project(*members)
        return row, encode_id("Project", row.id)

    async def tokens(self, user: UserRow) -> tuple[str, str]:
        """The access token and the refresh token of a sign-in."""
        query = (
            "mutation ($input: LoginInput!) { login(input: $input) { accessToken refreshToken userErrors { code } } }"
        )
        values = {"username": user.username, "password": PASSWORD, "returnRefreshToken": True}
        payload = (await self.api.ask(query, headers={"user-agent": AGENT}, input=values)).payload("login")
        return payload["accessToken"], payload["refreshToken"]

    async def role(self, name: str, kind: str, member_role: ProjectRole | None, **values: Any) -> UUID:
        """A change of the role of a member; returns the id of the manager."""
        boss, member = await self.person(), await self.person()
        others = [(member, member_role)] if member_role is not None else []
        _, project_id = await self.project((boss, ProjectRole.MANAGER), *others)
        await self.mutate(name, kind, boss, projectId=project_id, userId=encode_id("User", member.id), **values)
        return boss.id


async def register(stage: Stage) -> UUID:
    """A new user, who is the actor."""
    name = "newcomer"
    await stage.mutate("register", "RegisterInput", None, username=name, email="n@example.org", password=PASSWORD)
    async with stage.api.build.as_(None) as uow:
        found = await uow.users.find_by_name(name)
    assert found is not None
    return found.id


async def login(stage: Stage) -> UUID:
    """A sign-in."""
    user = await stage.person()
    await stage.tokens(user)
    return user.id


async def refresh(stage: Stage) -> None:
    """A token that is used again after its successor was used."""
    user = await stage.person()
    _, first = await stage.tokens(user)
    query = "mutation ($input: RefreshTokenInput!) { refreshToken(input: $input) { refreshToken userErrors { code } } }"
    token = first
    for _ in range(2):
        token = (await stage.api.ask(query, input={"refreshToken": token})).payload("refreshToken")["refreshToken"]
    refusal = (await stage.api.ask(query, input={"refreshToken": first})).refusal("refreshToken")
    assert refusal["code"] == "INVALID_CREDENTIALS"


async def change_password(stage: Stage) -> UUID:
    """A new password."""
    user = await stage.person()
    values = {"currentPassword": PASSWORD, "newPassword": PASSWORD + "2"}
    await stage.mutate("changePassword", "ChangePasswordInput", user, **values)
    return user.id


async def logout(stage: Stage) -> UUID:
    """One session."""
    user = await stage.person()
    await stage.mutate("logout", None, (await stage.tokens(user))[0])
    return user.id


async def logout_all(stage: Stage) -> UUID:
    """All sessions."""
    user = await stage.person()
    await stage.mutate("logoutAll", None, user)
    return user.id


async def revoke(stage: Stage) -> UUID:
    """Another session."""
    user = await stage.person()
    other = await stage.api.build.a_session(user)
    await stage.mutate("revokeSession", "RevokeSessionInput", user, sessionId=encode_id("Session", other.id))
    return user.id


async def exchange_code(stage: Stage) -> UUID:
    """With a code of another session of the actor."""
    user = await stage.person()
    session = await stage.api.build.a_session(user)
    uow = stage.api.build.as_(stage.api.build.actor(user, session.id))
    created = await create_sign_in_code(uow, challenge=challenge_of("v" * 43), port=1, client_name="x")
    values = {"code": created.code, "codeVerifier": "v" * 43, "port": 1}
    await stage.mutate("exchangeSignInCode", "ExchangeSignInCodeInput", None, **values)
    return user.id


async def create_access_token(stage: Stage) -> UUID:
    """For the actor."""
    user = await stage.person()
    await stage.mutate("createAccessToken", "CreateAccessTokenInput", user, name="CI", scopes=["TASKS_READ"])
    return user.id


async def create_invitation(stage: Stage) -> UUID:
    """One to a project."""
    boss = await stage.person()
    _, project_id = await stage.project((boss, ProjectRole.MANAGER))
    values = {"email": "i@example.org", "projectId": project_id, "projectRole": "VIEWER"}
    await stage.mutate("createInvitation", "CreateInvitationInput", boss, **values)
    return boss.id


async def revoke_invitation(stage: Stage) -> UUID:
    """One of an admin."""
    admin = await stage.person(Role.ADMIN)
    created = await invited(stage, admin, "r@example.org", None)
    invitation_id = encode_id("Invitation", created.row.id)
    await stage.mutate("revokeInvitation", "RevokeInvitationInput", admin, invitationId=invitation_id)
    return admin.id


async def accept_invitation(stage: Stage) -> UUID:
    """To a project, by a user with an account."""
    admin, user = await stage.person(Role.ADMIN), await stage.person()
    project, _ = await stage.project((admin, ProjectRole.MANAGER))
    created = await invited(stage, admin, user.email, project.id)
    token = str(created.link).partition("#token=")[2]
    await stage.mutate("acceptInvitation", "AcceptInvitationInput", user, token=token)
    return user.id


async def invited(stage: Stage, by: UserRow, email: str, project_id: UUID | None) -> CreatedInvitation:
    """An invitation."""
    return await invitation_service.create_invitation(
        stage.api.build.as_(by),
        email=email,
        role=Role.USER,
        project_id=project_id,
        project_role=ProjectRole.VIEWER if project_id is not None else None,
        lifetime=timedelta(days=1),
        links=stage.api.server.links,
        sends_mail=False,
    )


async def link_token(stage: Stage, user: UserRow, purpose: LinkPurpose) -> str:
    """The token of a link that was mailed."""
    row_id, links = uuid4(), stage.api.server.links
    async with stage.api.build.as_(None) as uow:
        await uow.link_tokens.put(
            id=row_id,
            purpose=purpose.value,
            user_id=user.id,
            email=user.email,
            token_hash=links.hash(purpose, row_id),
            expires_at=uow.now + timedelta(hours=1),
        )
        await uow.commit()
    return links.token(purpose, row_id)


async def reset_password(stage: Stage) -> UUID:
    """A new password with a link, by its user."""
    user = await stage.person()
    token = await link_token(stage, user, LinkPurpose.RESET)
    await stage.mutate("resetPassword", "ResetPasswordInput", None, token=token, newPassword=PASSWORD + "2")
    return user.id


async def verify_email(stage: Stage) -> UUID:
    """With a link, by its user."""
    user = await stage.person()
    token = await link_token(stage, user, LinkPurpose.VERIFY)
    await stage.mutate("verifyEmail", "VerifyEmailInput", None, token=token)
    return user.id


async def create_service_account(stage: Stage) -> UUID:
    """Without a project."""
    admin = await stage.person(Role.ADMIN)
    await stage.mutate("createServiceAccount", "CreateServiceAccountInput", admin, username="robot")
    return admin.id


async def revoke_access_token(stage: Stage) -> UUID:
    """One of the actor."""
    user = await stage.person()
    token, _ = await stage.api.build.an_access_token(user)
    values = {"accessTokenId": encode_id("AccessToken", token.id)}
    await stage.mutate("revokeAccessToken", "RevokeAccessTokenInput", user, **values)
    return user.id


async def unlink_identity(stage: Stage) -> UUID:
    """One of the actor, who has a password, too."""
    user = await stage.person()
    identity = await stage.api.build.an_identity(user)
    await stage.mutate("unlinkIdentity", "UnlinkIdentityInput", user, identityId=encode_id("Identity", identity.id))
    return user.id


async def set_role(stage: Stage) -> UUID:
    """By an admin."""
    admin, user = await stage.person(Role.ADMIN), await stage.person()
    await stage.mutate("setUserRole", "SetUserRoleInput", admin, userId=encode_id("User", user.id), role="MODERATOR")
    return admin.id


async def set_active(stage: Stage) -> UUID:
    """By an admin."""
    admin, user = await stage.person(Role.ADMIN), await stage.person()
    await stage.mutate("setUserActive", "SetUserActiveInput", admin, userId=encode_id("User", user.id), isActive=False)
    return admin.id


async def delete_user(stage: Stage) -> UUID:
    """By an admin."""
    admin, user = await stage.person(Role.ADMIN), await stage.person()
    await stage.mutate("deleteUser", "DeleteUserInput", admin, userId=encode_id("User", user.id))
    return admin.id


async def create_project(stage: Stage) -> UUID:
    """By its manager."""
    boss = await stage.person()
    await stage.mutate("createProject", "CreateProjectInput", boss, key="AUD", name="Audited")
    return boss.id


async def archive_project(stage: Stage) -> UUID:
    """By its manager."""
    boss = await stage.person()
    _, project_id = await stage.project((boss, ProjectRole.MANAGER))
    await stage.mutate("archiveProject", "ArchiveProjectInput", boss, id=project_id, isArchived=True)
    return boss.id


async def delete_project(stage: Stage) -> UUID:
    """By its manager."""
    boss = await stage.person()
    _, project_id = await stage.project((boss, ProjectRole.MANAGER))
    await stage.mutate("deleteProject", "DeleteProjectInput", boss, id=project_id)
    return boss.id


async def leave_project(stage: Stage) -> UUID:
    """By a member."""
    boss, member = await stage.person(), await stage.person()
    _, project_id = await stage.project((boss, ProjectRole.MANAGER), (member, ProjectRole.VIEWER))
    await stage.mutate("leaveProject", "LeaveProjectInput", member, projectId=project_id)
    return member.id


Scenario = Callable[[Stage], Awaitable[UUID | None]]
AUDITED: Final[dict[str, tuple[Scenario, AuditAction]]] = {
    "register": (register, AuditAction.USER_CREATED),
    "login": (login, AuditAction.SIGNED_IN),
    "exchangeSignInCode": (exchange_code, AuditAction.SIGNED_IN),
    "refreshToken": (refresh, AuditAction.TOKEN_REUSED),
    "changePassword": (change_password, AuditAction.PASSWORD_CHANGED),
    "logout": (logout, AuditAction.SIGNED_OUT),
    "logoutAll": (logout_all, AuditAction.SIGNED_OUT_EVERYWHERE),
    "revokeSession": (revoke, AuditAction.SESSION_REVOKED),
    "createAccessToken": (create_access_token, AuditAction.ACCESS_TOKEN_CREATED),
    "createServiceAccount": (create_service_account, AuditAction.USER_CREATED),
    "revokeAccessToken": (revoke_access_token, AuditAction.ACCESS_TOKEN_REVOKED),
    "createInvitation": (create_invitation, AuditAction.INVITATION_CREATED),
    "revokeInvitation": (revoke_invitation, AuditAction.INVITATION_REVOKED),
    "acceptInvitation": (accept_invitation, AuditAction.INVITATION_ACCEPTED),
    "resetPassword": (reset_password, AuditAction.PASSWORD_RESET),
    "verifyEmail": (verify_email, AuditAction.EMAIL_VERIFIED),
    "unlinkIdentity": (unlink_identity, AuditAction.IDENTITY_UNLINKED),
    "setUserRole": (set_role, AuditAction.ROLE_CHANGED),
    "deleteUser": (delete_user, AuditAction.USER_DELETED),
    "setUserActive": (set_active, AuditAction.USER_DISABLED),
    "createProject": (create_project, AuditAction.PROJECT_CREATED),
    "archiveProject": (archive_project, AuditAction.PROJECT_ARCHIVED),
    "deleteProject": (delete_project, AuditAction.PROJECT_DELETED),
    "addMember": (
        lambda stage: stage.role("addMember", "AddMemberInput", None, role="MEMBER"),
        AuditAction.MEMBER_ADDED,
    ),
    "setMemberRole": (
        lambda stage: stage.role("setMemberRole", "SetMemberRoleInput", ProjectRole.VIEWER, role="MEMBER"),
        AuditAction.MEMBER_ROLE_CHANGED,
    ),
    "removeMember": (
        lambda stage: stage.role("removeMember", "RemoveMemberInput", ProjectRole.VIEWER),
        AuditAction.MEMBER_REMOVED,
    ),
    "leaveProject": (leave_project, AuditAction.MEMBER_LEFT),
}
"""What each mutation does, and the action of its entry."""


async def rest_register(stage: Stage) -> UUID:
    """A new user over REST."""
    body = {"username": "rester", "email": "rester@example.org", "password": PASSWORD}
    response = await stage.api.client.post("/api/v1/auth/register/", json=body)
    assert response.status_code == 201
    return UUID(response.json()["uuid"])


async def rest_login(stage: Stage) -> UUID:
    """A sign-in over REST."""
    user = await stage.person()
    await _rest_tokens(stage, user)
    return user.id


async def rest_logout(stage: Stage) -> UUID:
    """One session over REST."""
    return await _rest_sign_out(stage, "logout")


async def rest_logout_all(stage: Stage) -> UUID:
    """All sessions over REST."""
    return await _rest_sign_out(stage, "logout_all")


async def rest_refresh(stage: Stage) -> None:
    """A token that is used again over REST."""
    cookies = await _rest_tokens(stage, await stage.person())
    sent = cookies[1]
    for status in (200, 200, 401):
        stage.api.client.cookies.clear()
        cookie = cookies[1] if status == 401 else sent
        response = await stage.api.client.post("/api/v1/auth/refresh/", headers={"cookie": cookie})
        assert response.status_code == status
        sent = response.headers["set-cookie"].partition(";")[0] if status == 200 else sent
    stage.api.client.cookies.clear()


async def _rest_tokens(stage: Stage, user: UserRow) -> tuple[str, str]:
    form = {"username": user.username, "password": PASSWORD}
    response = await stage.api.client.post("/api/v1/auth/login/", data=form)
    assert response.status_code == 200, response.text
    stage.api.client.cookies.clear()
    return response.json()["access_token"], response.headers["set-cookie"].partition(";")[0]


async def _rest_sign_out(stage: Stage, name: str) -> UUID:
    user = await stage.person()
    token, cookie = await _rest_tokens(stage, user)
    headers = {"authorization": f"Bearer {token}", "cookie": cookie}
    assert (await stage.api.client.post(f"/api/v1/auth/{name}/", headers=headers)).status_code == 204
    stage.api.client.cookies.clear()
    return user.id


AUDITED_REST: Final[dict[str, tuple[Scenario, AuditAction]]] = {
    "register": (rest_register, AuditAction.USER_CREATED),
    "login": (rest_login, AuditAction.SIGNED_IN),
    "refresh": (rest_refresh, AuditAction.TOKEN_REUSED),
    "logout": (rest_logout, AuditAction.SIGNED_OUT),
    "logout_all": (rest_logout_all, AuditAction.SIGNED_OUT_EVERYWHERE),
}


def test_each_mutation_is_audited_or_exempt():
    """A new mutation needs a scenario, or a reason."""
    assert schema._schema.mutation_type is not None
    assert {*schema._schema.mutation_type.fields} == AUDITED.keys() | EXEMPT.keys()
    assert AUDITED.keys() & EXEMPT.keys() == set()


def test_each_rest_operation_is_audited_or_exempt():
    """A new operation, too."""
    assert {each.name for each in OPERATIONS} == AUDITED_REST.keys() | EXEMPT_REST.keys()


@pytest.mark.parametrize("name", AUDITED)
async def test_a_mutation_writes_its_entry(api: Api, name: str):
    """Of the actor, with the username and the address."""
    scenario, action = AUDITED[name]
    await _check(api, scenario, action)


@pytest.mark.parametrize("name", AUDITED_REST)
async def test_a_rest_operation_writes_its_entry(api: Api, name: str):
    """In the same way."""
    scenario, action = AUDITED_REST[name]
    await _check(api, scenario, action)


async def _check(api: Api, scenario: Scenario, action: AuditAction) -> None:
    before = {row.id for row in await entries(api.server.database)}
    actor_id = await scenario(Stage(api))
    added = [row for row in await entries(api.server.database, action) if row.id not in before]
    [entry] = added
    assert entry.actor_id == actor_id
    assert entry.ip_address == "127.0.0.1"
    if actor_id is not None:
        user = await api.build.user(actor_id)
        assert user is not None
        assert entry.actor_name == user.username
    _check_without_secrets(entry)


def _check_without_secrets(entry: AuditRow) -> None:
    stored = str(entry.__dict__)
    for secret in (PASSWORD, "example.org", "$2b$", "eyJ"):
        assert secret not in stored
