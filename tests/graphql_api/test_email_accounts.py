"""Forgotten passwords and the verification of addresses: what others can do with them, and what they cannot."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from domain.access_token import Scope
from domain.mail import BAD_LINK, NO_MAIL
from domain.user import Role
from graphql_api.auth.email_links import TOO_MANY_MAILS, TOO_MANY_REQUESTS
from persistence.models import LinkTokenRow, MailRow, SessionRow, UserRow
from persistence.statement_counts import Statements
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.audit import entries
from tests.support.mail_server import HOST, MailServer, mail_server, text_of, token_in
from tests.support.transactions import orm_session
from tests.support.waiting import HANG_SECONDS

PASSWORD, NEW = "Correct-horse1", "Correct-horse2"
REQUEST = """mutation ($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) {
  userErrors { code message path } } }"""
RESET = "mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) { userErrors { code message } } }"
ASK = "mutation { requestEmailVerification { userErrors { code message } } }"
VERIFY = "mutation ($input: VerifyEmailInput!) { verifyEmail(input: $input) { userErrors { code message } } }"
LOGIN = """mutation ($input: LoginInput!) { login(input: $input) {
  accessToken user { username } userErrors { code } } }"""
REGISTER = "mutation ($input: RegisterInput!) { register(input: $input) { user { id } userErrors { code message } } }"
INVITE = "mutation ($input: CreateInvitationInput!) { createInvitation(input: $input) { userErrors { code } } }"
ME = "{ me { username emailVerifiedAt } }"


@pytest.fixture(scope="module")
async def mails() -> AsyncIterator[MailServer]:
    """A mail server."""
    async with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
async def api(new_database: Callable[[], str], new_redis: Callable[[], str], mails: MailServer) -> AsyncIterator[Api]:
    """A server that sends mail."""
    settings = {
        "public_url": "https://tasks.example.org",
        "smtp_host": HOST,
        "smtp_port": mails.port,
        "smtp_security": "none",
        "mail_from": "noreply@example.org",
        "mail_requests_per_address": 1_000_000,
    }
    async with an_api(new_database(), new_redis(), settings) as api:
        yield api


async def a_user(api: Api, **values: Any) -> UserRow:
    """A user with a password and an address of their own."""
    password_hash = await api.server.passwords.hash(PASSWORD)
    return await api.build.a_user(
        **{"password_hash": password_hash, "email": f"{uuid4().hex[:12]}@example.org"} | values
    )


async def request(api: Api, email: str, **headers: str) -> dict[str, Any]:
    """Request a link; returns the body of the answer."""
    return (await api.ask(REQUEST, headers=headers, input={"email": email})).body


async def reset_token(api: Api, mails: MailServer, user: UserRow) -> str:
    """The token of a mail for a new password."""
    await request(api, user.email)
    return token_in(await mails.message_to(user.email))


async def reset(api: Api, token: str, password: str = NEW) -> list[dict[str, str]]:
    """Set a new password; returns the refusals."""
    found: list[dict[str, str]] = (await api.ask(RESET, input={"token": token, "newPassword": password})).data[
        "resetPassword"
    ]["userErrors"]
    return found


async def may_sign_in(api: Api, user: UserRow, password: str) -> bool:
    """Whether this is the password."""
    payload = (await api.ask(LOGIN, input={"username": user.username, "password": password})).data["login"]
    return bool(payload["userErrors"] == [])


REFUSED = [{"code": "INVALID_CREDENTIALS", "message": BAD_LINK}]


class TestForgottenPasswords:
    async def test_a_new_password(self, api: Api, mails: MailServer):
        """All sessions end, the address is verified, personal access tokens stay, and the link works once."""
        user = await a_user(api)
        token = await api.token(user)
        _, program = await api.build.an_access_token(user, Scope.ACCOUNT)
        link = await reset_token(api, mails, user)
        assert await reset(api, link) == []
        async with asyncio.timeout(HANG_SECONDS):
            while "errors" not in (await api.ask(ME, token)).body:
                await asyncio.sleep(0.02)
        assert (await api.ask(ME, program)).data["me"]["username"] == user.username
        assert not await may_sign_in(api, user, PASSWORD)
        assert await may_sign_in(api, user, NEW)
        async with orm_session(api.build.database) as session:
            sessions = (await session.scalars(select(SessionRow).where(SessionRow.user_id == user.id))).all()
        assert len(sessions) == 1  # the new one
        row = await api.build.user(user.id)
        assert row is not None
        assert row.email_verified_at is not None
        assert await reset(api, link) == REFUSED
        own = [each.action.value for each in await entries(api.build.database, actor_id=user.id)]
        assert own.count("PASSWORD_RESET") == 1

    async def test_two_uses_at_the_same_time(self, api: Api, mails: MailServer):
        """One of them succeeds."""
        user = await a_user(api)
        link = await reset_token(api, mails, user)
        tried = await asyncio.gather(*(reset(api, link, f"{NEW}{number}") for number in range(4)))
        assert sorted(map(len, tried)) == [0, 1, 1, 1]

    async def test_all_links_of_a_user_end_together(self, api: Api, mails: MailServer):
        """A second mail, that an attacker may have, has no effect after the first was used."""
        user = await a_user(api)
        first = await reset_token(api, mails, user)
        await request(api, user.email)
        async with asyncio.timeout(HANG_SECONDS):
            while len(mails.to(user.email)) < 2:
                await asyncio.sleep(0.02)
        second = token_in(mails.to(user.email)[1])
        assert second != first
        assert await reset(api, second) == []
        assert await reset(api, first) == REFUSED

    async def test_a_weak_password_does_not_use_the_link(self, api: Api, mails: MailServer):
        """The rule is named, and the next attempt succeeds."""
        link = await reset_token(api, mails, await a_user(api))
        [refusal] = await reset(api, link, "weak")
        assert (refusal["code"], "at least 8 characters" in refusal["message"]) == ("INVALID", True)
        assert await reset(api, link) == []

    @pytest.mark.parametrize("change", ["expired", "disabled", "other address", "no password"])
    async def test_what_happened_since(self, api: Api, mails: MailServer, change: str):
        """The answer is that for an unknown token."""
        user = await a_user(api)
        link = await reset_token(api, mails, user)
        of_user = update(UserRow).where(UserRow.id == user.id)
        async with orm_session(api.build.database) as session:
            statements: dict[str, Any] = {
                "expired": update(LinkTokenRow)
                .where(LinkTokenRow.user_id == user.id)
                .values(expires_at=datetime.now(UTC) - timedelta(seconds=1)),
                "disabled": of_user.values(is_active=False),
                "other address": of_user.values(email=f"{uuid4().hex}@example.org"),
                "no password": of_user.values(has_password=False),
            }
            await session.execute(statements[change])
            await session.commit()
        assert await reset(api, link) == REFUSED

    @pytest.mark.parametrize("kind", ["session", "access token", "invitation", "verification"])
    async def test_a_token_of_another_kind(self, api: Api, mails: MailServer, kind: str):
        """It permits nothing here, and a link for a password permits nothing there."""
        user = await a_user(api)
        if kind == "session":
            other = await api.token(user)
        elif kind == "access token":
            _, other = await api.build.an_access_token(user, Scope.ACCOUNT)
        elif kind == "invitation":
            await api.ask(INVITE, await api.a_user(Role.ADMIN), input={"email": user.email})
            other = token_in(await mails.message_to(user.email))
        else:
            await api.ask(ASK, user)
            other = token_in(await mails.message_to(user.email))
        assert await reset(api, other) == REFUSED
        assert await may_sign_in(api, user, PASSWORD)

        victim = await a_user(api)
        link = await reset_token(api, mails, victim)
        assert (await api.ask(ME, link)).codes == ["UNAUTHENTICATED"]
        assert (await api.ask(VERIFY, input={"token": link})).data["verifyEmail"]["userErrors"] == REFUSED
        given = {"username": f"u{uuid4().hex[:9]}", "email": victim.email, "password": NEW, "invitation": link}
        assert (await api.ask(REGISTER, input=given)).refusal("register")["code"] == "INVALID_CREDENTIALS"
        assert await reset(api, link) == []


class TestEnumeration:
    async def test_the_answer_and_the_work_are_the_same(self, api: Api, monkeypatch: pytest.MonkeyPatch):
        """For known, unknown and disabled users, and those without a password: the same bytes, headers and statements.

        The request reads no user, so the time cannot depend on one.
        """
        people = [
            (await a_user(api)).email,
            (await a_user(api, is_active=False)).email,
            (await a_user(api, has_password=False)).email,
            f"{uuid4().hex[:12]}@example.org",
        ]
        texts: list[str] = []
        run = Statements.run

        def recording(self: Statements, text: str, *arguments: Any) -> Any:
            texts.append(text)
            return run(self, text, *arguments)

        async def idle() -> bool:
            return False

        monkeypatch.setattr(api.server.mail_worker, "send_next", idle)
        await request(api, f"{uuid4().hex}@example.org")  # so that the document is known
        monkeypatch.setattr(Statements, "run", recording)
        seen = []
        for email in people:
            texts.clear()
            answer = await api.ask(REQUEST, input={"email": email})
            statements = [text for text in texts if "mails" in text or "users" in text]
            varying = {"date", "x-request-id"}
            headers = {name: value for name, value in answer.http.headers.items() if name not in varying}
            seen.append((answer.http.status_code, answer.http.content, headers, statements))
        assert all(each == seen[0] for each in seen)
        assert len(seen[0][3]) == 1
        assert "users" not in seen[0][3][0]

    async def test_the_limits_are_the_same(self, api: Api):
        """A limit per recipient counts addresses of nobody, too."""
        for email in ((await a_user(api)).email, f"{uuid4().hex[:12]}@example.org"):
            limit = api.server.settings.mails_per_recipient
            bodies = [await request(api, email if each % 2 else email.upper()) for each in range(limit + 1)]
            assert all("errors" not in body for body in bodies[:-1])
            [error] = bodies[-1]["errors"]
            assert (error["message"], error["extensions"]["code"]) == (TOO_MANY_MAILS, "RATE_LIMITED")

    @pytest.mark.parametrize(
        "email", ["x", "a@b", "a@b.org\r\nBcc: c@d.org", "a@b.org, c@d.org", '"a b"@c.org'], ids=ascii
    )
    async def test_what_is_no_address(self, api: Api, email: str):
        """It is refused by its form only. So no header can be injected."""
        [refusal] = (await request(api, email))["data"]["requestPasswordReset"]["userErrors"]
        assert (refusal["code"], refusal["path"]) == ("INVALID", ["email"])

    async def test_an_address_of_a_client_requests_a_limited_number(
        self, new_database: Callable[[], str], new_redis: Callable[[], str], mails: MailServer
    ):
        """For all recipients together."""
        settings = {
            "public_url": "https://x.org", "smtp_host": HOST, "smtp_port": mails.port, "smtp_security": "none",
            "mail_from": "noreply@example.org", "mail_requests_per_address": 2,
        }  # fmt: skip
        async with an_api(new_database(), new_redis(), settings) as api:
            bodies = [await request(api, f"{uuid4().hex}@example.org") for _ in range(3)]
        assert [body.get("errors", [{}])[0].get("message") for body in bodies] == [None, None, TOO_MANY_REQUESTS]


class TestLinks:
    @pytest.mark.parametrize("header", ["host", "x-forwarded-host", "forwarded", "origin", "x-forwarded-proto"])
    async def test_a_forged_header_changes_no_link(self, api: Api, mails: MailServer, header: str):
        """Links begin with PUBLIC_URL, whatever the request says."""
        user = await a_user(api)
        forged = {"forwarded": "host=evil.example", "origin": "http://testserver"}.get(header, "evil.example")
        await request(api, user.email, **{header: forged})
        message = await mails.message_to(user.email)
        assert "https://tasks.example.org/reset-password#token=" in text_of(message)
        assert "evil" not in message.as_string()

    async def test_no_mail_without_a_mail_server(self, new_database: Callable[[], str], new_redis: Callable[[], str]):
        """It is said, the same to everyone; nothing is stored."""
        async with an_api(new_database(), new_redis()) as api:
            user = await a_user(api)
            for email in (user.email, f"{uuid4().hex}@example.org"):
                [refusal] = (await request(api, email))["data"]["requestPasswordReset"]["userErrors"]
                assert (refusal["code"], refusal["message"]) == ("FORBIDDEN", NO_MAIL)
            assert (await api.ask(ASK, user)).refusal("requestEmailVerification")["message"] == NO_MAIL
            async with orm_session(api.build.database) as session:
                assert (await session.scalars(select(MailRow))).all() == []

    async def test_no_token_is_in_the_log(self, api: Api, mails: MailServer, caplog: pytest.LogCaptureFixture):
        """Neither when a mail is sent, nor when a link is used, rightly or wrongly."""
        caplog.set_level("DEBUG")
        user = await a_user(api)
        link = await reset_token(api, mails, user)
        for token in (link[:-1], link):
            await reset(api, token)
        logged = [
            record.getMessage() for record in caplog.records if record.name != "mail.log"
        ]  # the mail server's own
        assert logged
        assert not any(link[:-1] in line or user.email in line for line in logged)


class TestVerification:
    async def test_a_new_user_gets_a_mail(self, api: Api, mails: MailServer):
        """Its link verifies the address, once."""
        name = f"u{uuid4().hex[:12]}"
        given = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        assert (await api.ask(REGISTER, input=given)).payload("register")
        token = token_in(await mails.message_to(given["email"]))
        login = (await api.ask(LOGIN, input={"username": name, "password": PASSWORD})).payload("login")
        assert (await api.ask(ME, login["accessToken"])).data["me"]["emailVerifiedAt"] is None
        assert (await api.ask(VERIFY, input={"token": token})).payload("verifyEmail") == {"userErrors": []}
        assert (await api.ask(ME, login["accessToken"])).data["me"]["emailVerifiedAt"] is not None
        assert (await api.ask(VERIFY, input={"token": token})).data["verifyEmail"]["userErrors"] == REFUSED
        assert (await api.ask(ASK, login["accessToken"])).refusal("requestEmailVerification")["code"] == "INVALID"

    async def test_a_user_asks_again(self, api: Api, mails: MailServer):
        """Within the limit per recipient."""
        user = await a_user(api)
        codes = [(await api.ask(ASK, user)).codes for _ in range(api.server.settings.mails_per_recipient + 1)]
        assert codes == [[]] * api.server.settings.mails_per_recipient + [["RATE_LIMITED"]]
        token = token_in(await mails.message_to(user.email))
        assert (await api.ask(VERIFY, input={"token": token})).payload("verifyEmail")

    async def test_a_program_may_not(self, api: Api):
        """A token of a program causes no mail."""
        _, program = await api.build.an_access_token(await a_user(api), Scope.ACCOUNT)
        assert (await api.ask(ASK, program)).codes == ["FORBIDDEN"]

    async def test_others_do_not_see_it(self, api: Api):
        """As the address itself."""
        user, other = await a_user(api, email_verified_at=datetime.now(UTC)), await a_user(api)
        query = "query ($name: String!) { assignableUsers(search: $name) { email emailVerifiedAt } }"
        [seen] = (await api.ask(query, other, name=user.username)).data["assignableUsers"]
        assert seen == {"email": None, "emailVerifiedAt": None}

    @pytest.mark.parametrize("token", ["", "trv_vrf_", "trv_vrf_" + "é" * 43, "x" * 50_000], ids=len)
    async def test_other_texts(self, api: Api, token: str):
        """The answer for an unknown token."""
        assert (await api.ask(VERIFY, input={"token": token})).data["verifyEmail"]["userErrors"] == REFUSED
