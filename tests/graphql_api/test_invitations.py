"""Invitations: who may send them, what their links permit, and what they do not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, update

from domain.invitation import MAX_A_DAY
from domain.mail import BAD_LINK
from domain.project import ProjectRole
from domain.registration import CLOSED, Registration
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import InvitationRow, MembershipRow, ProjectRow, UserRow
from tests.support.api import Answer, Api
from tests.support.api_server import an_api
from tests.support.audit import entries
from tests.support.mail_server import HOST, MailServer, mail_server, token_in
from tests.support.transactions import orm_session

PASSWORD = "Correct-horse1"
CREATE = """mutation ($input: CreateInvitationInput!) { createInvitation(input: $input) {
  link invitation { id email role projectId projectRole acceptedAt inviter { username } }
  userErrors { code message } } }"""
REVOKE = """mutation ($input: RevokeInvitationInput!) { revokeInvitation(input: $input) {
  revokedInvitationId userErrors { code message } } }"""
ACCEPT = """mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
  membership { role user { username } } userErrors { code message } } }"""
REGISTER = """mutation ($input: RegisterInput!) { register(input: $input) {
  user { id username role emailVerifiedAt } userErrors { code message } } }"""
LIST = "query ($projectId: ID) { invitations(projectId: $projectId) { nodes { id email } } }"


@pytest.fixture(scope="module")
async def api(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Api]:
    """A server without mail, on which only invited users register."""
    settings = {"registration": Registration.INVITE, "public_url": "https://tasks.example.org"}
    async with an_api(new_database(), new_redis(), settings) as api:
        yield api


@pytest.fixture(scope="module")
async def mails() -> AsyncIterator[MailServer]:
    """A mail server."""
    async with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
async def mailing(
    new_database: Callable[[], str], new_redis: Callable[[], str], mails: MailServer
) -> AsyncIterator[Api]:
    """A server that sends mail."""
    settings = {
        "registration": Registration.INVITE,
        "public_url": "https://tasks.example.org",
        "smtp_host": HOST,
        "smtp_port": mails.port,
        "smtp_security": "none",
        "mail_from": "noreply@example.org",
    }
    async with an_api(new_database(), new_redis(), settings) as api:
        yield api


def address() -> str:
    """An address that no other test uses."""
    return f"{uuid4().hex[:12]}@example.org"


async def invite(api: Api, by: UserRow, email: str | None = None, **values: Any) -> Answer:
    """Invite a person."""
    return await api.ask(CREATE, by, input={"email": email or address()} | values)


async def join(api: Api, token: str, email: str, **values: Any) -> dict[str, Any]:
    """Register with a token; returns the payload."""
    given = {"username": f"u{uuid4().hex[:12]}", "email": email, "password": PASSWORD, "invitation": token}
    found: dict[str, Any] = (await api.ask(REGISTER, input=given | values)).data["register"]
    return found


async def token_of(api: Api, by: UserRow, email: str, **values: Any) -> str:
    """The token of a new invitation, from the link that is shown."""
    link: str = (await invite(api, by, email, **values)).payload("createInvitation")["link"]
    start, _, token = link.partition("#token=")
    assert start == "https://tasks.example.org/join"
    return token


async def team(api: Api) -> tuple[ProjectRow, dict[ProjectRole, UserRow]]:
    """A project with a member of each role."""
    members = {role: await api.a_user() for role in ProjectRole}
    project = await api.build.a_project(*((user, role) for role, user in members.items()))
    return project, members


def to(project: ProjectRow, role: ProjectRole = ProjectRole.MEMBER) -> dict[str, Any]:
    """The input for an invitation to a project."""
    return {"projectId": encode_id("Project", project.id), "projectRole": role.name}


class TestWhoMayInvite:
    @pytest.mark.parametrize("role", ProjectRole)
    async def test_managers_invite_to_their_project(self, api: Api, role: ProjectRole):
        """Others may see the project, but not invite."""
        project, members = await team(api)
        answer = await invite(api, members[role], **to(project))
        if role is ProjectRole.MANAGER:
            invitation = answer.payload("createInvitation")["invitation"]
            assert invitation["inviter"] == {"username": members[role].username}
            assert (invitation["projectId"], invitation["projectRole"]) == tuple(to(project).values())
        else:
            assert answer.refusal("createInvitation")["code"] == "FORBIDDEN"

    @pytest.mark.parametrize("role", [Role.USER, Role.MODERATOR])
    @pytest.mark.parametrize("values", [{}, {"role": "ADMIN"}, {"role": "MODERATOR"}], ids=str)
    async def test_only_admins_invite_without_a_project(self, api: Api, role: Role, values: dict[str, Any]):
        """Whatever the role of the new account is."""
        answer = await invite(api, await api.a_user(role), **values)
        assert answer.refusal("createInvitation")["code"] == "FORBIDDEN"

    @pytest.mark.parametrize("role", ["ADMIN", "MODERATOR"])
    async def test_a_manager_gives_no_role(self, api: Api, role: str):
        """Also not with a project: the account would have rights beyond it."""
        project, members = await team(api)
        answer = await invite(api, members[ProjectRole.MANAGER], role=role, **to(project))
        assert answer.refusal("createInvitation")["code"] == "FORBIDDEN"

    async def test_a_project_of_others_is_not_found(self, api: Api):
        """As if it did not exist."""
        project, _ = await team(api)
        for project_id in (project.id, uuid4()):
            answer = await invite(
                api, await api.a_user(), projectId=encode_id("Project", project_id), projectRole="MEMBER"
            )
            assert answer.refusal("createInvitation")["code"] == "NOT_FOUND"

    async def test_an_archived_project(self, api: Api):
        """Nothing changes there."""
        manager = await api.a_user()
        project = await api.build.a_project((manager, ProjectRole.MANAGER), is_archived=True)
        assert (await invite(api, manager, **to(project))).refusal("createInvitation")["code"] == "FORBIDDEN"

    @pytest.mark.parametrize("missing", ["projectId", "projectRole"])
    async def test_a_project_has_a_role(self, api: Api, missing: str):
        """One without the other says what is missing."""
        project, _ = await team(api)
        values = to(project)
        del values[missing]
        refusal = (await invite(api, await api.a_user(Role.ADMIN), **values)).refusal("createInvitation")
        assert (refusal["code"], refusal["message"].partition(" ")[0]) == ("INVALID", missing)

    async def test_a_user_invites_a_limited_number_a_day(self, api: Api):
        """Each could be a mail to someone who does not want it."""
        project, members = await team(api)
        manager, now = members[ProjectRole.MANAGER], datetime.now(UTC)
        async with orm_session(api.build.database) as session:
            session.add_all(
                InvitationRow(
                    email=address(), role=Role.USER, project_id=project.id, project_role=ProjectRole.MEMBER,
                    inviter_id=manager.id, is_mailed=True, created_at=now, expires_at=now + timedelta(days=1),
                )
                for _ in range(MAX_A_DAY)
            )  # fmt: skip
            await session.commit()
        assert (await invite(api, manager, **to(project))).refusal("createInvitation")["code"] == "INVALID"


class TestAccepting:
    async def test_an_invited_user_registers(self, api: Api):
        """With the role and the membership. The address is not verified: nobody has mailed to it."""
        project, _ = await team(api)
        email = address()
        token = await token_of(api, await api.a_user(Role.ADMIN), email, role="MODERATOR", **to(project))
        payload = await join(api, token, email.upper().replace("EXAMPLE.ORG", "example.org"))
        assert payload["userErrors"] == []
        assert payload["user"]["role"] == "MODERATOR"
        assert payload["user"]["emailVerifiedAt"] is None
        roles = await api.build.roles_in(project.id)
        assert ProjectRole.MEMBER in roles.values()
        actions = [row.action.value for row in await entries(api.build.database)][-3:]
        assert actions == ["USER_CREATED", "INVITATION_ACCEPTED", "MEMBER_ADDED"]

    async def test_a_second_use_is_refused(self, api: Api):
        """With the message for an unknown token."""
        email = address()
        token = await token_of(api, await api.a_user(Role.ADMIN), email)
        assert (await join(api, token, email))["userErrors"] == []
        assert (await join(api, token, email))["userErrors"] == [{"code": "INVALID_CREDENTIALS", "message": BAD_LINK}]

    async def test_a_parallel_use_succeeds_once(self, api: Api):
        """Ten registrations with one token at the same time, over two servers on one database."""
        email = address()
        token = await token_of(api, await api.a_user(Role.ADMIN), email)
        url = api.build.database.engine.url.render_as_string(hide_password=False)
        redis = api.server.settings.redis_url
        assert redis is not None
        settings = {"registration": Registration.INVITE}
        async with an_api(url, redis.get_secret_value(), settings) as other:
            tried = await asyncio.gather(*(join(each, token, email) for each in (api, other) * 5))
        errors = [tuple(error["code"] for error in payload["userErrors"]) for payload in tried]
        assert errors.count(()) == 1
        assert set(errors) - {()} <= {("INVALID_CREDENTIALS",), ("ALREADY_EXISTS",)}

    async def test_a_parallel_acceptance_succeeds_once(self, api: Api):
        """By a user who has an account."""
        project, members = await team(api)
        user = await api.a_user()
        token = await token_of(api, members[ProjectRole.MANAGER], user.email, **to(project))
        answers = await asyncio.gather(*(api.ask(ACCEPT, user, input={"token": token}) for _ in range(6)))
        assert [each.data["acceptInvitation"]["userErrors"] == [] for each in answers].count(True) == 1
        assert (await api.build.roles_in(project.id))[user.id] is ProjectRole.MEMBER

    async def test_another_address(self, api: Api):
        """Neither a new account nor an existing one with another address uses the link."""
        project, members = await team(api)
        token = await token_of(api, members[ProjectRole.MANAGER], address(), **to(project))
        assert (await join(api, token, address()))["userErrors"][0]["code"] == "FORBIDDEN"
        answer = await api.ask(ACCEPT, await api.a_user(), input={"token": token})
        assert answer.refusal("acceptInvitation")["code"] == "FORBIDDEN"

    async def test_an_existing_account_keeps_its_role(self, api: Api):
        """It joins the project; without one there is nothing to accept."""
        admin, user = await api.a_user(Role.ADMIN), await api.a_user()
        project, _ = await team(api)
        token = await token_of(api, admin, user.email, role="ADMIN", **to(project, ProjectRole.VIEWER))
        membership = (await api.ask(ACCEPT, user, input={"token": token})).payload("acceptInvitation")["membership"]
        assert membership == {"role": "VIEWER", "user": {"username": user.username}}
        row = await api.build.user(user.id)
        assert row is not None
        assert row.role is Role.USER
        token = await token_of(api, admin, user.email, role="ADMIN")
        assert (await api.ask(ACCEPT, user, input={"token": token})).refusal("acceptInvitation")["code"] == "INVALID"

    @pytest.mark.parametrize("lost", ["disabled", "left", "member", "deleted right"])
    async def test_an_inviter_who_lost_the_right(self, api: Api, lost: str):
        """The invitation is refused, and can be used if the inviter gets the right again."""
        email, inviter = address(), await api.a_user(Role.ADMIN if lost == "deleted right" else Role.USER)
        project = await api.build.a_project((inviter, ProjectRole.MANAGER), (await api.a_user(), ProjectRole.MANAGER))
        values = {} if lost == "deleted right" else to(project)
        token = await token_of(api, inviter, email, **values)
        change: Any = {
            "disabled": update(UserRow).where(UserRow.id == inviter.id).values(is_active=False),
            "deleted right": update(UserRow).where(UserRow.id == inviter.id).values(role=Role.MODERATOR),
        }.get(lost)
        async with orm_session(api.build.database) as session:
            if change is not None:
                await session.execute(change)
            else:
                await change_role(session, project.id, inviter.id, ProjectRole.MEMBER if lost == "member" else None)
            await session.commit()
        assert (await join(api, token, email))["userErrors"][0]["code"] == "FORBIDDEN"

    async def test_an_expired_or_revoked_link(self, api: Api):
        """Both are refused as an unknown one is."""
        admin, emails = await api.a_user(Role.ADMIN), [address(), address()]
        tokens = [await token_of(api, admin, email) for email in emails]
        async with orm_session(api.build.database) as session:
            late = update(InvitationRow).where(InvitationRow.email == emails[0])
            await session.execute(late.values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
            await session.commit()
        nodes = (await api.ask(LIST, admin)).data["invitations"]["nodes"]
        [revoked] = [node["id"] for node in nodes if node["email"] == emails[1]]
        payload = (await api.ask(REVOKE, admin, input={"invitationId": revoked})).payload("revokeInvitation")
        assert payload == {"revokedInvitationId": revoked, "userErrors": []}
        for token, email in zip(tokens, emails, strict=True):
            assert (await join(api, token, email))["userErrors"] == [
                {"code": "INVALID_CREDENTIALS", "message": BAD_LINK}
            ]

    @pytest.mark.parametrize("token", ["", "x", "trv_inv_", "trv_rst_" + "a" * 43, "trv_inv_é", "a" * 100_000], ids=len)
    async def test_other_texts_are_no_tokens(self, api: Api, token: str):
        """An error that says what to do, and never a bug."""
        assert (await join(api, token, address()))["userErrors"] == [
            {"code": "INVALID_CREDENTIALS", "message": BAD_LINK}
        ]
        refusal = (await api.ask(ACCEPT, await api.a_user(), input={"token": token})).refusal("acceptInvitation")
        assert refusal["code"] == "INVALID_CREDENTIALS"

    async def test_a_refused_registration_does_not_use_the_link(self, api: Api):
        """A username that is taken can be replaced by another one."""
        email, taken = address(), await api.a_user()
        token = await token_of(api, await api.a_user(Role.ADMIN), email)
        assert (await join(api, token, email, username=taken.username))["userErrors"][0]["code"] == "ALREADY_EXISTS"
        assert (await join(api, token, email, password="weak"))["userErrors"][0]["code"] == "INVALID"
        assert (await join(api, token, email))["userErrors"] == []

    async def test_a_closed_server_accepts_no_invitation(self, api: Api, monkeypatch: pytest.MonkeyPatch):
        """Nobody registers."""
        email = address()
        token = await token_of(api, await api.a_user(Role.ADMIN), email)
        monkeypatch.setattr(api.server.backend.accounts, "registration", Registration.CLOSED)
        assert (await join(api, token, email))["userErrors"] == [{"code": "FORBIDDEN", "message": CLOSED}]


async def change_role(session: Any, project_id: UUID, user_id: UUID, role: ProjectRole | None) -> None:
    """Change a membership, or delete it, without the services."""
    mine = (MembershipRow.project_id == project_id) & (MembershipRow.user_id == user_id)
    await session.execute(
        delete(MembershipRow).where(mine) if role is None else update(MembershipRow).where(mine).values(role=role)
    )


class TestListing:
    async def test_managers_see_those_of_their_projects(self, api: Api):
        """Admins see all. A member sees none, and revokes none."""
        project, members = await team(api)
        admin, manager, member = await api.a_user(Role.ADMIN), members[ProjectRole.MANAGER], members[ProjectRole.MEMBER]
        mine = (await invite(api, manager, **to(project))).payload("createInvitation")["invitation"]["id"]
        other = (await invite(api, admin)).payload("createInvitation")["invitation"]["id"]

        async def seen(by: UserRow, **values: Any) -> set[str]:
            nodes = (await api.ask(LIST, by, **values)).data["invitations"]["nodes"]
            return {node["id"] for node in nodes} & {mine, other}

        assert await seen(manager) == {mine}
        assert await seen(admin) == {mine, other}
        assert await seen(member) == set()
        assert await seen(await api.a_user(Role.MODERATOR)) == set()
        assert await seen(admin, projectId=encode_id("Project", project.id)) == {mine}
        for by, invitation_id in ((member, mine), (manager, other)):
            refusal = (await api.ask(REVOKE, by, input={"invitationId": invitation_id})).refusal("revokeInvitation")
            assert refusal["code"] == "NOT_FOUND"
        assert (await api.ask(REVOKE, manager, input={"invitationId": mine})).payload("revokeInvitation")


class TestWithMail:
    async def test_the_link_is_mailed_and_not_shown(self, mailing: Api, mails: MailServer):
        """Only the invited person knows it, so it also verifies the address."""
        email = address()
        payload = (await invite(mailing, await mailing.a_user(Role.ADMIN), email)).payload("createInvitation")
        assert payload["link"] is None
        token = token_in(await mails.message_to(email))
        joined = await join(mailing, token, email)
        assert joined["userErrors"] == []
        assert joined["user"]["emailVerifiedAt"] is not None

    async def test_a_revoked_invitation_is_not_mailed(self, mailing: Api, mails: MailServer):
        """A mail that waits is dropped."""
        mails.rcpt_answer = "451 later"
        email, admin = address(), await mailing.a_user(Role.ADMIN)
        invitation = (await invite(mailing, admin, email)).payload("createInvitation")["invitation"]
        await mailing.ask(REVOKE, admin, input={"invitationId": invitation["id"]})
        mails.rcpt_answer = None
        worker = mailing.server.mail_worker
        assert worker is not None
        while await worker.send_next():
            pass
        assert mails.to(email) == []

    async def test_an_address_is_not_flooded(self, mailing: Api):
        """Mails to one address are limited, for all senders together."""
        email, codes = address(), []
        for _ in range(mailing.server.settings.mails_per_recipient + 1):
            answer = await invite(mailing, await mailing.a_user(Role.ADMIN), email)
            codes.append(answer.codes)
        assert codes == [[]] * mailing.server.settings.mails_per_recipient + [["RATE_LIMITED"]]
