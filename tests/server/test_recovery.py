"""Signing in with recovery codes, on a server without passwords whose provider is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from domain.actor import OPERATOR
from domain.audit import AuditAction
from domain.errors import Forbidden
from domain.recovery import LIFETIME, PATH
from domain.user import Role, UserKind
from persistence.models import UserRow
from server.provider_settings import ProviderSettings
from services.recovery import create_recovery
from tests.support.api import URL, Api
from tests.support.api_server import an_api
from tests.support.audit import entries
from tests.support.browser import Browser, a_browser
from tests.support.fake_provider import SECRET
from tests.support.log import Log
from tests.support.ports import closed_port


@pytest.fixture(scope="module")
async def sso(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Api]:
    """An API without passwords, whose provider does not answer."""
    with closed_port() as port:
        provider = ProviderSettings(
            name="one", issuer=f"http://127.0.0.1:{port}", client_id="taskriver", client_secret=SECRET
        )
        settings = {
            "oidc_providers": (provider,),
            "public_url": URL,
            "cookie_secure": False,
            "password_login": False,
        }
        async with an_api(new_database(), new_redis(), settings) as api:
            yield api


@pytest.fixture
async def browser(sso: Api) -> AsyncIterator[Browser]:
    """A browser without cookies."""
    async with a_browser(sso) as browser:
        yield browser


async def a_code(api: Api, user: UserRow, *, now: datetime | None = None) -> str:
    """A code that the operator has just created, or at another time."""
    uow = api.build.as_(OPERATOR, now=now) if now is not None else api.build.as_(OPERATOR)
    return (await create_recovery(uow, user_id=user.id)).code


async def enter(browser: Browser, code: str, **headers: str) -> httpx.Response:
    """Send the form of the page."""
    return await browser.api.post(PATH, data={"code": code}, headers={"accept": "text/html"} | headers)


async def change(api: Api, user: UserRow, **changes: Any) -> None:
    """Change the stored user."""
    async with api.build.as_(None) as uow:
        uow.change(await uow.users.get(user.id), **changes)
        await uow.commit()


def refused(answer: httpx.Response, status: int = 401, words: str = "This code is not valid") -> None:
    """A page says why, and no session has started."""
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert "set-cookie" not in answer.headers


class TestSigningIn:
    async def test_once(self, sso: Api, browser: Browser):
        """The code starts a session of its user, with the rights of the user; then it is worth nothing."""
        user = await sso.build.a_user(Role.ADMIN)
        code = await a_code(sso, user)

        answer = await enter(browser, f"  {code} ")

        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        assert await browser.me("username role") | {"token": ""} == {
            "username": user.username,
            "role": "ADMIN",
            "token": "",
        }
        refused(await enter(browser, code))

    async def test_of_parallel_attempts_one_succeeds(self, sso: Api):
        """The others find no code any more."""
        code = await a_code(sso, await sso.build.a_user())
        async with a_browser(sso) as one, a_browser(sso) as two, a_browser(sso) as three:
            answers = await asyncio.gather(*(enter(each, code) for each in (one, two, three)))
        assert sorted(each.status_code for each in answers) == [303, 401, 401]

    async def test_only_the_newest_code_works(self, sso: Api, browser: Browser):
        """A new code replaces the one before; codes of others stay."""
        user, other = await sso.build.a_user(), await sso.build.a_user()
        theirs = await a_code(sso, other)
        old, new = await a_code(sso, user), await a_code(sso, user)
        refused(await enter(browser, old))
        assert [(await enter(browser, each)).status_code for each in (new, theirs)] == [303, 303]

    async def test_after_ten_minutes(self, sso: Api, browser: Browser):
        """The code has expired."""
        user = await sso.build.a_user()
        refused(await enter(browser, await a_code(sso, user, now=datetime.now(UTC) - LIFETIME)))
        in_time = datetime.now(UTC) - LIFETIME + timedelta(minutes=2)
        assert (await enter(browser, await a_code(sso, user, now=in_time))).status_code == 303

    @pytest.mark.parametrize("changes", [{"is_active": False}, {"kind": UserKind.SERVICE}], ids=["disabled", "service"])
    async def test_a_user_who_may_not_sign_in_any_more(self, sso: Api, browser: Browser, changes: dict[str, Any]):
        """The code was created before."""
        user = await sso.build.a_user()
        code = await a_code(sso, user)
        await change(sso, user, **changes)
        answer = await enter(browser, code)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers

    @pytest.mark.parametrize(
        "code", ["", "trv_rec_", "trv_rec_" + "a" * 43, "trv_rst_" + "a" * 43, "x" * 3_000, "\ud83d"]
    )
    async def test_texts_that_are_no_code(self, browser: Browser, code: str):
        """Each gets the same page."""
        refused(await enter(browser, code.encode("utf-8", "replace").decode()))

    async def test_it_is_audited_and_no_log_has_the_code(self, sso: Api, browser: Browser, no_secrets_in_logs: Log):
        """Who created it, who used it, and that a session started."""
        user = await sso.build.a_user()
        code = await a_code(sso, user)
        await enter(browser, code)
        own = [each for each in await entries(sso.server.database) if each.subject_name == user.username]
        assert [(each.action, each.actor_name) for each in own] == [
            (AuditAction.RECOVERY_CREATED, OPERATOR.name),
            (AuditAction.RECOVERY_USED, user.username),
            (AuditAction.SIGNED_IN, user.username),
        ]
        assert own[1].ip_address is not None
        assert code not in str([each.__dict__ for each in own]) + no_secrets_in_logs.text

    async def test_only_the_hash_is_stored(self, sso: Api):
        """The table has no column with the code."""
        code = await a_code(sso, await sso.build.a_user())
        async with sso.build.as_(None) as uow:
            rows = await uow.transaction.fetch("SELECT t::text FROM link_tokens AS t")
        assert rows
        assert code not in str(rows)


class TestCreating:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [({"is_active": False}, "is disabled"), ({"kind": UserKind.SERVICE}, "is a service account")],
    )
    async def test_users_who_may_not_sign_in(self, sso: Api, changes: dict[str, Any], words: str):
        """The operator learns it at once."""
        user = await sso.build.a_user()
        await change(sso, user, **changes)
        with pytest.raises(Forbidden, match=words):
            await a_code(sso, user)

    async def test_an_admin_cannot(self, sso: Api):
        """Admins must not sign in as others."""
        admin, other = await sso.build.a_user(Role.ADMIN), await sso.build.a_user()
        with pytest.raises(Forbidden, match="Only the operator"):
            await create_recovery(sso.build.as_(admin), user_id=other.id)


class TestPage:
    async def test_it_has_a_form_and_no_script(self, browser: Browser):
        """Its form goes to this server, no other site can frame it, and it is not stored."""
        page = await browser.api.get(PATH)
        policy = page.headers["content-security-policy"]
        assert page.status_code == 200
        assert "form-action 'self'; frame-ancestors 'none'" in policy
        assert "script" not in page.text + policy
        # With `no-referrer`, browsers send `Origin: null` with the form.
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize(
        "headers",
        [
            {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
            {"sec-fetch-site": "same-site", "origin": "https://other.example.org"},
            {"sec-fetch-site": "cross-site"},
            {"origin": "https://evil.example"},
            {"origin": "null"},
        ],
    )
    async def test_a_form_of_another_site_is_refused(self, sso: Api, browser: Browser, headers: dict[str, str]):
        """It would sign the browser in as the owner of the code; the code stays valid."""
        code = await a_code(sso, await sso.build.a_user())
        refused(await enter(browser, code, **headers), 403, "Pages of this origin may not call the API")
        assert (await enter(browser, code, origin=URL)).status_code == 303

    @pytest.mark.parametrize(
        ("body", "status"), [(b"", 400), (b"code=a&code=b", 400), (b"code=%ff", 400), (b"code=" + b"a" * 5_000, 413)]
    )
    async def test_bodies_that_are_no_form(self, browser: Browser, body: bytes, status: int):
        """Each is refused with a page, or with JSON for programs."""
        page = await browser.api.post(PATH, content=body, headers={"accept": "text/html"})
        refused(page, status, "You are not signed in")
        program = await browser.api.post(PATH, content=body, headers={"accept": "application/json"})
        assert (program.status_code, [*program.json()]) == (status, ["detail"])

    async def test_other_methods(self, browser: Browser):
        """They are refused with the ones that there are."""
        answer = await browser.api.put(PATH)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_attempts_are_limited(new_database: Callable[[], str], new_redis: Callable[[], str]):
    """Per address; the page says when to try again."""
    async with an_api(new_database(), new_redis(), {"cookie_secure": False}) as api, a_browser(api) as browser:
        answers = [await enter(browser, "trv_rec_x") for _ in range(101)]
    assert {each.status_code for each in answers[:100]} == {401}
    refused(answers[100], 429, "Too many recovery codes")
    assert int(answers[100].headers["retry-after"]) > 0
