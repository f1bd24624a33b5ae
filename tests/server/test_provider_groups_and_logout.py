"""What groups give at each sign-in, and sessions that a provider ends."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from domain.audit import AuditAction
from domain.project import ProjectRole
from domain.session import token_hash
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from server.provider_settings import ProviderSettings
from services.membership import set_member_role
from tests.support.api import URL, Api
from tests.support.api_server import an_api
from tests.support.audit import entries
from tests.support.browser import Browser, a_browser, query_of
from tests.support.fake_provider import SECRET, FakeProvider, a_provider

GROUPS = {
    "one": {
        "/admins": "ADMIN",
        "moderators": "moderator",
        "web": ["WEB:MEMBER", "OPS:VIEWER"],
        "web-leads": "WEB:MANAGER",
        "gone": "NOSUCH:MEMBER",
    }
}


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[FakeProvider]:
    """A provider with groups."""
    async with a_provider() as provider:
        yield provider


@pytest.fixture
async def sso(new_database: Callable[[], str], redis_url: str, provider: FakeProvider) -> AsyncIterator[Api]:
    """An API with an admin, and with the rules `GROUPS`."""
    fresh = FakeProvider()
    provider.__dict__.update(fresh.__dict__ | {"issuer": provider.issuer})
    provider.sign = provider.signed
    configured = ProviderSettings(
        name="one",
        issuer=provider.issuer,
        client_id="taskriver",
        client_secret=SECRET,
    )
    settings = {"oidc_providers": (configured,), "public_url": URL, "cookie_secure": False, "oidc_groups": GROUPS}
    async with an_api(new_database(), redis_url, settings) as api:
        await api.a_user(Role.ADMIN)
        yield api


async def signed_in(api: Api, provider: FakeProvider, *groups: str) -> UserRow:
    """The user after a sign-in with these groups."""
    provider.user["groups"] = list(groups)
    async with a_browser(api) as browser:
        answer = await browser.sign_in()
        assert answer.status_code == 303, answer.text
        name = (await browser.me())["username"]
    async with api.build.as_(None) as uow:
        user = await uow.users.find_by_name(name)
    assert user is not None
    return user


class TestRoles:
    async def test_the_highest_counts_and_ends_with_the_group(self, sso: Api, provider: FakeProvider):
        """At each sign-in."""
        for groups, role in (
            (("moderators", "/admins", "other"), Role.ADMIN),
            (("moderators",), Role.MODERATOR),
            ((), Role.USER),
        ):
            assert (await signed_in(sso, provider, *groups)).role is role

    async def test_a_provider_that_sends_no_groups_gives_none(self, sso: Api, provider: FakeProvider):
        """Some leave the claim out for a user without groups."""
        await signed_in(sso, provider, "/admins")
        provider.user.pop("groups")
        async with a_browser(sso) as browser:
            await browser.sign_in()
            assert (await browser.me("role"))["role"] == "USER"

    async def test_the_last_admin_stays(self, sso: Api, provider: FakeProvider):
        """Otherwise nobody could change anything."""
        user = await signed_in(sso, provider, "/admins")
        async with sso.build.as_(None) as uow:
            await uow.transaction.begin()
            await uow.transaction.write("UPDATE users SET is_active = false WHERE id <> $1 RETURNING 1", user.id)
            await uow.commit()
        assert (await signed_in(sso, provider)).role is Role.ADMIN

    async def test_groups_that_were_not_sent_because_there_are_too_many(self, sso: Api, provider: FakeProvider):
        """Are not known, so the sign-in is refused."""
        provider.user["_claim_names"] = {"groups": "src1"}
        async with a_browser(sso) as browser:
            answer = await browser.sign_in()
        assert (answer.status_code, "too many" in answer.text) == (403, True)

    async def test_the_session_never_has_rights_that_the_groups_do_not_give(self, sso: Api, provider: FakeProvider):
        """The role is taken before the session starts; the audit log says who took it."""
        await signed_in(sso, provider, "/admins")
        user = await signed_in(sso, provider)
        found = [each for each in await entries(sso.server.database) if each.subject_name == user.username]
        actions = [each.action for each in found]
        last_change = len(actions) - 1 - actions[::-1].index(AuditAction.ROLE_CHANGED)
        assert actions[last_change:] == [AuditAction.ROLE_CHANGED, AuditAction.SIGNED_IN]
        assert found[last_change].actor_name == "the groups of the provider one"


class TestMemberships:
    async def test_are_given_changed_and_taken(self, sso: Api, provider: FakeProvider):
        """A group gives several; of several groups the highest role counts; unknown projects are left out."""
        boss = await sso.a_user()
        web = await sso.build.a_project((boss, ProjectRole.MANAGER), key="WEB")
        ops = await sso.build.a_project((boss, ProjectRole.MANAGER), key="OPS")
        user = await signed_in(sso, provider, "web", "gone")
        assert (await sso.build.roles_in(web.id))[user.id] is ProjectRole.MEMBER
        assert (await sso.build.roles_in(ops.id))[user.id] is ProjectRole.VIEWER
        await signed_in(sso, provider, "web", "web-leads")
        assert (await sso.build.roles_in(web.id))[user.id] is ProjectRole.MANAGER
        await signed_in(sso, provider)
        assert user.id not in await sso.build.roles_in(web.id)
        assert user.id not in await sso.build.roles_in(ops.id)

    async def test_those_given_by_hand_stay(self, sso: Api, provider: FakeProvider):
        """With their role, and also those that a manager has changed."""
        boss = await sso.a_user()
        web = await sso.build.a_project((boss, ProjectRole.MANAGER), key="WEB")
        ops = await sso.build.a_project((boss, ProjectRole.MANAGER), key="OPS")
        user = await signed_in(sso, provider)
        await sso.build.a_member(web, user, ProjectRole.VIEWER)
        await signed_in(sso, provider, "web-leads", "web")
        assert (await sso.build.roles_in(web.id))[user.id] is ProjectRole.VIEWER
        await set_member_role(sso.build.as_(boss), project_id=ops.id, user_id=user.id, role=ProjectRole.MEMBER)
        await signed_in(sso, provider)
        assert (await sso.build.roles_in(web.id))[user.id] is ProjectRole.VIEWER
        assert (await sso.build.roles_in(ops.id))[user.id] is ProjectRole.MEMBER

    async def test_those_of_another_provider_stay(self, sso: Api, provider: FakeProvider):
        """Each provider decides about its own."""
        boss = await sso.a_user()
        web = await sso.build.a_project((boss, ProjectRole.MANAGER), key="WEB")
        user = await signed_in(sso, provider, "web")
        async with sso.build.as_(None) as uow:
            [row] = await uow.lock(uow.memberships.lock_of_pair(web.id, user.id))
            uow.change(row, provider="another")
            await uow.commit()
        await signed_in(sso, provider, "web-leads")
        assert (await sso.build.roles_in(web.id))[user.id] is ProjectRole.MEMBER
        await signed_in(sso, provider)
        assert user.id in await sso.build.roles_in(web.id)

    async def test_the_last_manager_stays(self, sso: Api, provider: FakeProvider):
        """The sign-in succeeds all the same."""
        web = await sso.build.a_project(key="WEB")
        user = await signed_in(sso, provider, "web-leads")
        await signed_in(sso, provider, "web")
        await signed_in(sso, provider)
        assert await sso.build.roles_in(web.id) == {user.id: ProjectRole.MANAGER}

    async def test_archived_projects_stay_as_they_are(self, sso: Api, provider: FakeProvider):
        """The sign-in succeeds all the same."""
        web = await sso.build.a_project(key="WEB", is_archived=True)
        user = await signed_in(sso, provider, "web")
        assert user.id not in await sso.build.roles_in(web.id)


async def log_out(browser: Browser, token: str, provider: str = "one") -> int:
    """The status of a notice of the provider."""
    answer = await browser.api.post(f"/auth/oidc/{provider}/backchannel-logout", data={"logout_token": token})
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code


async def is_signed_in(browser: Browser) -> bool:
    """Whether the refresh token is still accepted."""
    query = "mutation { refreshToken(input: {}) { userErrors { code } } }"
    answer = await browser.api.post("/graphql", json={"query": query})
    return bool(answer.json()["data"]["refreshToken"]["userErrors"] == [])


class TestBackChannelLogout:
    async def test_by_subject(self, sso: Api, provider: FakeProvider):
        """All sessions of the subject through this provider, and no other."""
        async with a_browser(sso) as one, a_browser(sso) as two, a_browser(sso) as other:
            await one.sign_in()
            await two.sign_in()
            own, provider.user = provider.user, FakeProvider().user
            await other.sign_in()
            provider.user = own
            assert await log_out(one, provider.logout_token()) == 200
            assert [await is_signed_in(each) for each in (one, two, other)] == [False, False, True]

    async def test_by_session(self, sso: Api, provider: FakeProvider):
        """Only the session that began with this `sid`, with and without the subject."""
        async with a_browser(sso) as one, a_browser(sso) as two, a_browser(sso) as three:
            for browser, sid in ((one, "s-1"), (two, "s-2"), (three, "s-3")):
                provider.changes = {"sid": sid}
                await browser.sign_in()
            assert await log_out(one, provider.logout_token(sid="s-1", sub=None)) == 200
            assert [await is_signed_in(each) for each in (one, two, three)] == [False, True, True]
            assert await log_out(one, provider.logout_token(sid="s-2")) == 200
            assert [await is_signed_in(each) for each in (two, three)] == [False, True]
            assert await log_out(one, provider.logout_token(sid="unknown")) == 200
            assert await is_signed_in(three)

    async def test_a_session_of_another_subject_is_not_ended(self, sso: Api, provider: FakeProvider):
        """A token with both must fit both."""
        async with a_browser(sso) as browser:
            provider.changes = {"sid": "s-1"}
            await browser.sign_in()
            assert await log_out(browser, provider.logout_token(sid="s-1", sub="another")) == 200
            assert await is_signed_in(browser)

    async def test_a_notice_twice(self, sso: Api, provider: FakeProvider):
        """A replayed token does not end the session that began after it."""
        token = provider.logout_token()
        async with a_browser(sso) as browser:
            await browser.sign_in()
            assert await log_out(browser, token) == 200
            await browser.sign_in()
            assert await log_out(browser, token) == 400
            assert await is_signed_in(browser)

    async def test_forged_notices(self, sso: Api, provider: FakeProvider):
        """Change nothing, and are answered as the standard says."""
        forger = FakeProvider()
        forger.issuer, forger.user = provider.issuer, provider.user
        async with a_browser(sso) as browser:
            await browser.sign_in()
            id_token = provider.signed(provider.claims("n"))
            for token in (forger.logout_token(), provider.logout_token(aud="another"), id_token, "", "x", "a.b.c"):
                assert await log_out(browser, token) == 400
            assert await log_out(browser, provider.logout_token(), "two") == 404
            answer = await browser.api.post("/auth/oidc/one/backchannel-logout", content=b"\xff" * 100)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
            answer = await browser.api.post("/auth/oidc/one/backchannel-logout", content=b"x" * 200_000)
            assert answer.status_code == 400
            assert await is_signed_in(browser)

    async def test_the_audit_log_says_why(self, sso: Api, provider: FakeProvider):
        """Each session has an entry."""
        async with a_browser(sso) as browser:
            await browser.sign_in()
            name = (await browser.me())["username"]
            await log_out(browser, provider.logout_token())
        last = (await entries(sso.server.database))[-1]
        assert (last.action, last.subject_name) == (AuditAction.SESSION_REVOKED, name)
        assert last.details == {"reason": "the provider has signed the user out", "provider": "one"}


class TestLogout:
    QUERY = "mutation { logout { endSessionUrl userErrors { code } } }"

    async def test_the_browser_can_sign_out_of_the_provider(self, sso: Api, provider: FakeProvider):
        """With the parameters of RP-Initiated Logout."""
        async with a_browser(sso) as browser:
            await browser.sign_in()
            token = (await browser.me())["token"]
            url = (await sso.ask(self.QUERY, token)).payload("logout")["endSessionUrl"]
        assert url.startswith(provider.issuer + "/logout?")
        assert query_of(url) == {"client_id": "taskriver", "post_logout_redirect_uri": URL + "/"}

    async def test_not_for_other_sessions(self, sso: Api, provider: FakeProvider):
        """Nor if the provider has no such page."""
        user = await sso.a_user()
        assert (await sso.ask(self.QUERY, user)).payload("logout")["endSessionUrl"] is None
        provider.metadata = {"end_session_endpoint": None}
        async with a_browser(sso) as browser:
            await browser.sign_in()
            token = (await browser.me())["token"]
            assert (await sso.ask(self.QUERY, token)).payload("logout")["endSessionUrl"] is None


IDENTITIES = "{ identities { id provider accountName lastUsedAt } }"
UNLINK = (
    "mutation ($id: ID!) { unlinkIdentity(input: {identityId: $id})"
    " { unlinkedIdentityId userErrors { code message path } } }"
)


async def with_password(api: Api, browser: Browser) -> tuple[UserRow, str]:
    """A user with a password who is signed in in this browser, and an access token."""
    user = await api.a_user()
    token = f"refresh-{user.username}"
    session = await api.build.a_session(user, token_hash=token_hash(token))
    browser.api.cookies.set("refresh_token", token, domain="testserver.local")
    return user, api.server.tokens.issue(user.id, session.id, datetime.now(UTC)).token


class TestLinking:
    async def test_link_list_sign_in_and_unlink(self, sso: Api, provider: FakeProvider):
        """A user with a password links an account, and signs in with it."""
        async with a_browser(sso) as browser, a_browser(sso) as another:
            user, token = await with_password(sso, browser)
            answer = await browser.sign_in(query="?link&return_to=/account")
            assert (answer.status_code, answer.headers["location"]) == (303, "/account")
            assert not any(each.startswith("refresh_token") for each in answer.headers.get_list("set-cookie"))
            [identity] = (await sso.ask(IDENTITIES, token)).data["identities"]
            assert identity["accountName"] == provider.user["email"]
            assert (identity["provider"], identity["lastUsedAt"]) == ("one", None)
            await another.sign_in()
            assert (await another.me())["username"] == user.username
            payload = (await sso.ask(UNLINK, token, id=identity["id"])).payload("unlinkIdentity")
            assert payload["unlinkedIdentityId"] == identity["id"]
            assert not await is_signed_in(another)
            assert (await sso.ask(IDENTITIES, token)).data["identities"] == []

    async def test_only_who_is_signed_in(self, sso: Api, provider: FakeProvider):
        """Without the cookie, with an old one, and with one that was used."""
        async with a_browser(sso) as browser:
            assert (await browser.start(query="?link")).status_code == 401
            await with_password(sso, browser)
            used = browser.refresh_token
            await browser.me()
            assert used is not None
            answer = await browser.api.get("/auth/oidc/one/start?link", headers={"cookie": f"refresh_token={used}"})
            assert answer.status_code in (400, 401)

    async def test_after_signing_out(self, sso: Api, provider: FakeProvider):
        """An account is not linked to a session that has ended."""
        async with a_browser(sso) as browser:
            _, token = await with_password(sso, browser)
            url = await browser.callback(query="?link")
            await sso.ask("mutation { logoutAll { userErrors { code } } }", token)
            answer = await browser.follow(url)
            assert (answer.status_code, "signed out in the meantime" in answer.text) == (401, True)

    async def test_an_account_of_another_user(self, sso: Api, provider: FakeProvider):
        """Is not taken over."""
        async with a_browser(sso) as first, a_browser(sso) as second:
            await first.sign_in()
            name = (await first.me())["username"]
            _, token = await with_password(sso, second)
            answer = await second.sign_in(query="?link")
            assert (answer.status_code, "linked to another user" in answer.text) == (409, True)
            assert (await sso.ask(IDENTITIES, token)).data["identities"] == []
            await first.sign_in()
            assert (await first.me())["username"] == name

    async def test_the_only_way_to_sign_in_stays(self, sso: Api, provider: FakeProvider):
        """Of a user without a password."""
        async with a_browser(sso) as browser:
            await browser.sign_in()
            token = (await browser.me())["token"]
            [identity] = (await sso.ask(IDENTITIES, token)).data["identities"]
            refusal = (await sso.ask(UNLINK, token, id=identity["id"])).refusal("unlinkIdentity")
            assert refusal["code"] == "FORBIDDEN"
            assert "only way to sign in" in refusal["message"]

    async def test_identities_of_others(self, sso: Api, provider: FakeProvider):
        """Are neither listed nor unlinked, also not by an admin."""
        async with a_browser(sso) as browser:
            await browser.sign_in()
            token = (await browser.me())["token"]
            [identity] = (await sso.ask(IDENTITIES, token)).data["identities"]
        admin = await sso.a_user(Role.ADMIN)
        assert (await sso.ask(IDENTITIES, admin)).data["identities"] == []
        assert (await sso.ask(UNLINK, admin, id=identity["id"])).refusal("unlinkIdentity")["code"] == "NOT_FOUND"
        node = "query ($id: ID!) { node(id: $id) { id } }"
        assert (await sso.ask(node, admin, id=identity["id"])).data["node"] is None
        assert (await sso.ask(node, token, id=identity["id"])).data["node"] == {"id": identity["id"]}
        unknown = encode_id("Identity", admin.id)
        assert (await sso.ask(UNLINK, admin, id=unknown)).refusal("unlinkIdentity")["code"] == "NOT_FOUND"


async def test_the_options_are_public(sso: Api):
    """For pages on which users sign in."""
    answer = await sso.ask("{ signInOptions { passwords providers { name label startPath } } }")
    assert answer.data["signInOptions"] == {
        "passwords": True,
        "providers": [{"name": "one", "label": "One", "startPath": "/auth/oidc/one/start"}],
    }
