"""Signing in through providers that behave well, and through those that do not."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from domain.audit import AuditAction
from domain.user import UserKind
from persistence.models import UserRow
from server.provider_settings import ProviderSettings
from tests.support.api import URL, Api
from tests.support.api_server import an_api
from tests.support.audit import entries
from tests.support.browser import Browser, a_browser, query_of
from tests.support.fake_provider import SECRET, FakeProvider, Key, a_provider
from tests.support.log import Log


@pytest.fixture(scope="module")
async def providers() -> AsyncIterator[tuple[FakeProvider, FakeProvider]]:
    """Two providers."""
    async with a_provider() as one, a_provider() as two:
        yield one, two


@pytest.fixture(scope="module")
async def sso(
    new_database: Callable[[], str], new_redis: Callable[[], str], providers: tuple[FakeProvider, FakeProvider]
) -> AsyncIterator[Api]:
    """An API with two providers."""
    configured = tuple(
        ProviderSettings(name=name, issuer=each.issuer, client_id=each.client_id, client_secret=SECRET)
        for name, each in zip(("one", "two"), providers, strict=True)
    )
    settings = {"oidc_providers": configured, "public_url": URL, "cookie_secure": False}
    async with an_api(new_database(), new_redis(), settings) as api:
        yield api


@pytest.fixture
def one(providers: tuple[FakeProvider, FakeProvider]) -> FakeProvider:
    """The first provider, with a new user, as it is without changes; its keys stay."""
    return _reset(providers[0])


@pytest.fixture
def two(providers: tuple[FakeProvider, FakeProvider]) -> FakeProvider:
    """The second provider."""
    return _reset(providers[1])


def _reset(provider: FakeProvider) -> FakeProvider:
    fresh = FakeProvider()
    kept = {"issuer": provider.issuer, "key": provider.key, "published": provider.published}
    provider.__dict__.update(fresh.__dict__ | kept)
    provider.sign = provider.signed
    return provider


@pytest.fixture
async def browser(sso: Api) -> AsyncIterator[Browser]:
    """A browser without cookies."""
    async with a_browser(sso) as browser:
        yield browser


def refused(answer: httpx.Response, status: int, words: str) -> None:
    """The answer says why, sets no session, and is not stored."""
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert "refresh_token" not in answer.headers.get("set-cookie", "")
    assert answer.headers["referrer-policy"] == "no-referrer"


async def users(api: Api) -> set[str]:
    """The names of all users."""
    async with api.build.as_(None) as uow:
        return {row[0] for row in await uow.transaction.fetch("SELECT username FROM users")}


class TestSignIn:
    async def test_the_first_creates_the_user_and_the_second_finds_it(self, sso: Api, one: FakeProvider):
        """By issuer and subject: name and address at the provider may have changed since."""
        found = []
        for _ in range(2):
            async with a_browser(sso) as browser:
                answer = await browser.sign_in()
                assert (answer.status_code, answer.headers["location"]) == (303, "/board")
                found.append(await browser.me("id username email role"))
            one.user |= {"preferred_username": "changed", "email": "changed@example.org"}
        assert found[0]["id"] == found[1]["id"]
        assert found[0]["role"] == "USER"
        assert found[0]["username"] == found[1]["username"] != "changed"
        async with sso.build.as_(None) as uow:
            user = await uow.users.find_by_name(found[0]["username"])
        assert user is not None
        assert not user.has_password

    async def test_the_request_has_what_it_needs(self, one: FakeProvider, browser: Browser):
        """PKCE, state, nonce, and the redirect URI of this provider; the secret does not go through the browser."""
        started = await browser.start()
        url = started.headers["location"]
        asked = query_of(url)
        assert urlsplit(url)[:3] == urlsplit(one.issuer + "/authorize")[:3]
        assert asked.keys() == {
            *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
            *("code_challenge", "code_challenge_method"),
        }
        assert asked["redirect_uri"] == f"{URL}/auth/oidc/one/callback"
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
        assert SECRET not in str(started.headers)
        again = query_of((await browser.start()).headers["location"])
        assert not {asked["state"], asked["nonce"]} & {again["state"], again["nonce"]}

    async def test_cookies(self, one: FakeProvider, browser: Browser):
        """The one of the flow is Lax, because the provider is another site; it is deleted at the callback."""
        started = await browser.start()
        cookie = started.headers["set-cookie"]
        assert re.fullmatch(r"sign_in=[\w.-]+; Max-Age=600; Path=/; HttpOnly; SameSite=Lax", cookie)
        answer = await browser.follow(await browser.at_provider(started))
        cookies = answer.headers.get_list("set-cookie")
        assert cookies[0] == "sign_in=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
        assert "SameSite=Strict" in cookies[1]
        assert cookies[1].startswith("refresh_token=")
        assert answer.headers["cache-control"] == started.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == started.headers["referrer-policy"] == "no-referrer"

    async def test_names_that_are_taken_get_a_number(self, sso: Api, one: FakeProvider, browser: Browser):
        """And characters that usernames do not have are replaced."""
        await sso.a_user(username="Jane-Doe")
        one.user |= {"preferred_username": "jane doe@corp", "email": "jd@example.org"}
        await browser.sign_in()
        assert (await browser.me())["username"] == "jane-doe-2"

    async def test_an_address_of_another_user_is_not_taken_over(self, sso: Api, one: FakeProvider, browser: Browser):
        """Registered first or not: the provider's user links from within the account, or gets another address."""
        victim = await sso.a_user(email="Victim@example.org")
        one.user |= {"email": "victim@example.org", "email_verified": True}
        refused(await browser.sign_in(), 409, "Sign in to that account in another way")
        async with sso.build.as_(None) as uow:
            assert await uow.identities.list_of_user(victim.id, at_most=5) == []

    async def test_parallel_first_sign_ins_create_one_user(self, sso: Api, one: FakeProvider):
        """Every one of them succeeds."""
        before = await users(sso)
        async with a_browser(sso) as first, a_browser(sso) as second, a_browser(sso) as third:
            browsers = (first, second, third)
            callbacks = [await each.callback() for each in browsers]
            answers = await asyncio.gather(*(b.follow(url) for b, url in zip(browsers, callbacks, strict=True)))
            assert [answer.status_code for answer in answers] == [303] * 3, [answer.text for answer in answers]
            assert len({(await each.me())["username"] for each in browsers}) == 1
        assert len(await users(sso) - before) == 1

    async def test_another_subject_is_another_user(self, sso: Api, one: FakeProvider):
        """A provider that changes `sub` gives no access to the account, even with the same address."""
        async with a_browser(sso) as browser:
            await browser.sign_in()
        one.user |= {"sub": "another"}
        async with a_browser(sso) as browser:
            refused(await browser.sign_in(), 409, "has your e-mail address already")

    async def test_the_same_subject_of_another_provider_is_another_user(
        self, sso: Api, one: FakeProvider, two: FakeProvider
    ):
        """Subjects are only unique within their issuer."""
        two.user = one.user | {"email": "other@example.org"}
        names = set()
        for provider in ("one", "two"):
            async with a_browser(sso) as browser:
                await browser.sign_in(provider)
                names.add((await browser.me())["username"])
        assert len(names) == 2

    @pytest.mark.parametrize("changes", [{"is_active": False}, {"kind": UserKind.SERVICE}], ids=["disabled", "service"])
    async def test_disabled_users_and_service_accounts_are_refused(
        self, sso: Api, one: FakeProvider, browser: Browser, changes: dict[str, Any]
    ):
        """At each sign-in, also if an account is linked; no session starts."""
        await browser.sign_in()
        name = (await browser.me())["username"]
        async with sso.build.as_(None) as uow:
            user = await uow.users.find_by_name(name)
            assert user is not None
            before = [each.id for each in await uow.sessions.list_of_user(user.id, now=uow.now, at_most=10)]
            uow.change(user, **changes)
            await uow.commit()
        refused(await browser.sign_in(), 403, "may not sign in")
        async with sso.build.as_(None) as uow:
            assert await uow.identities.list_of_user(user.id, at_most=10)
            after = await uow.sessions.list_of_user(user.id, now=uow.now, at_most=10)
            assert [each.id for each in after] == before

    async def test_claims_that_the_id_token_lacks_come_from_user_info(self, one: FakeProvider, browser: Browser):
        """Some providers keep the ID token small."""
        one.changes = {"email": None, "preferred_username": None}
        await browser.sign_in()
        assert (await browser.me("email"))["email"] == one.user["email"]

    async def test_user_info_about_another_subject_is_refused(self, one: FakeProvider, browser: Browser):
        """OpenID Connect Core 1.0, 5.3.2."""
        one.changes = {"email": None}

        async def other(request: Request) -> Response:
            return JSONResponse({"sub": "another", "email": "a@example.org"})

        one.answers["/userinfo"] = other
        refused(await browser.sign_in(), 502, "is not valid")

    async def test_without_an_address_there_is_no_account(self, one: FakeProvider, browser: Browser):
        """And the message says what the operator can do."""
        one.user |= {"email": None}
        refused(await browser.sign_in(), 403, "scope and the claim")

    async def test_entries_of_the_audit_log(self, sso: Api, one: FakeProvider, browser: Browser):
        """With the provider, and without a token or an address."""
        await browser.sign_in()
        name = (await browser.me())["username"]
        found = [each for each in await entries(sso.server.database) if each.actor_name == name]
        assert [each.action for each in found] == [
            AuditAction.USER_CREATED,
            AuditAction.IDENTITY_LINKED,
            AuditAction.SIGNED_IN,
        ]
        assert found[1].details == {"provider": "one", "issuer": one.issuer}
        assert found[2].details["provider"] == "one"
        assert found[2].ip_address is not None


LOCAL = ["/", "/board", "/board?task=1&x=%2F%2Fevil.example", "/account#providers"]
ELSEWHERE = [
    *("//evil.example", "///evil.example", "https://evil.example", "http:evil.example", "evil.example", ""),
    *("/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example", " //evil.example"),
    *("https://testserver@evil.example", "javascript:alert(1)", "/ü", "/" + "a" * 600, "/board\r\nset-cookie: a=b"),
]


class TestWhereTheBrowserGoes:
    @pytest.mark.parametrize("path", LOCAL)
    async def test_paths_of_this_server(self, one: FakeProvider, browser: Browser, path: str):
        """The browser comes back to them, and stays on this server."""
        answer = await browser.sign_in(query=f"?return_to={quote(path, safe='')}")
        assert answer.headers["location"] == path
        assert httpx.URL(URL).join(path).host == "testserver"

    @pytest.mark.parametrize("path", ELSEWHERE)
    async def test_no_other_place(self, one: FakeProvider, browser: Browser, path: str):
        """Nothing that a browser could take for another server."""
        refused(await browser.start(query=f"?return_to={quote(path, safe='')}"), 400, "must be a path of this server")

    async def test_the_place_is_in_the_signed_cookie(self, one: FakeProvider, browser: Browser):
        """A parameter of the callback does not change it."""
        answer = await browser.follow(await browser.callback() + "&return_to=//evil.example")
        assert answer.headers["location"] == "/board"

    async def test_the_redirect_uri_does_not_depend_on_the_host_header(self, one: FakeProvider, browser: Browser):
        """Otherwise the code would be sent to a host that a client chooses."""
        answer = await browser.api.get("/auth/oidc/one/start", headers={"host": "evil.example"})
        assert query_of(answer.headers["location"])["redirect_uri"].startswith(URL + "/")


class TestTheBrowser:
    async def test_a_callback_in_another_browser(self, sso: Api, one: FakeProvider, browser: Browser):
        """Login CSRF: a foreign code and state sign nobody in."""
        url = await browser.callback()
        async with a_browser(sso) as victim:
            refused(await victim.follow(url), 400, "not started in this browser")
            await victim.start()
            refused(await victim.follow(url), 400, "not started in this browser")
        assert (await browser.follow(url)).status_code == 303

    async def test_a_callback_twice(self, one: FakeProvider, browser: Browser):
        """Also if the provider accepts the code twice, and the cookie is kept."""
        one.allows_reuse = True
        url = await browser.callback()
        kept = browser.api.cookies["sign_in"]
        assert (await browser.follow(url)).status_code == 303
        refused(await browser.follow(url), 400, "finished already")
        browser.api.cookies.set("sign_in", kept, domain="testserver.local")
        answer = await browser.api.get(url.removeprefix(URL), headers={"cookie": f"sign_in={kept}"})
        refused(answer, 401, "finished already")

    async def test_a_code_twice(self, one: FakeProvider, browser: Browser):
        """A code of an earlier sign-in with the state of this one."""
        first = await browser.callback()
        await browser.follow(first)
        second = query_of(await browser.callback())
        used = f"/auth/oidc/one/callback?state={second['state']}&iss={second['iss']}&code={query_of(first)['code']}"
        refused(await browser.follow(used), 400, "used already")

    async def test_a_code_of_another_sign_in(self, sso: Api, one: FakeProvider, browser: Browser):
        """Code injection: PKCE and the nonce bind a code to the browser that has started."""
        async with a_browser(sso) as other:
            stolen = query_of(await other.callback())["code"]
        own = query_of(await browser.callback())
        url = f"/auth/oidc/one/callback?state={own['state']}&iss={quote(own['iss'])}&code={stolen}"
        refused(await browser.follow(url), 400, "expired or was used already")

    async def test_a_session_is_always_a_new_one(self, one: FakeProvider, browser: Browser):
        """Session fixation: a cookie that someone has set is replaced."""
        browser.api.cookies.set("refresh_token", "chosen-by-an-attacker", domain="testserver.local")
        answer = await browser.sign_in()
        [cookie] = [each for each in answer.headers.get_list("set-cookie") if each.startswith("refresh_token=")]
        assert "chosen" not in cookie

    @pytest.mark.parametrize("kept", ["", "x", "a.b.c", "e30.e30.e30"])
    async def test_a_cookie_that_is_not_ours(self, one: FakeProvider, browser: Browser, kept: str):
        """No text opens a flow that this server has not sealed."""
        url = await browser.callback()
        answer = await browser.api.get(url.removeprefix(URL), headers={"cookie": f"sign_in={kept}"})
        refused(answer, 400, "not started in this browser")

    async def test_an_access_token_is_no_flow(self, sso: Api, one: FakeProvider, browser: Browser):
        """It is signed with the same key ring, but with another key."""
        url = await browser.callback()
        token = await sso.token(await sso.a_user())
        answer = await browser.api.get(url.removeprefix(URL), headers={"cookie": f"sign_in={token}"})
        refused(answer, 400, "not started in this browser")

    async def test_two_cookies(self, one: FakeProvider, browser: Browser):
        """Another host of the domain may have set one of them."""
        url = await browser.callback()
        kept = browser.api.cookies["sign_in"]
        answer = await browser.api.get(url.removeprefix(URL), headers={"cookie": f"sign_in={kept}; sign_in=x"})
        refused(answer, 400, "not started in this browser")

    async def test_a_parameter_twice(self, one: FakeProvider, browser: Browser):
        """RFC 6749, 3.1."""
        refused(await browser.follow(await browser.callback() + "&code=another"), 400, "sent twice")

    async def test_the_user_cancels(self, one: FakeProvider, browser: Browser):
        """The message is ours: others may have written the text of the provider."""
        state = query_of((await browser.start()).headers["location"])["state"]
        url = f"/auth/oidc/one/callback?state={state}&iss={quote(one.issuer)}&error=access_denied"
        answer = await browser.api.get(url + "&error_description=Call+555-evil", headers={"accept": "text/html"})
        refused(answer, 400, "was cancelled")
        assert "555-evil" not in answer.text
        assert 'href="/auth/oidc/one/start"' in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]

    @pytest.mark.parametrize("path", ["/auth/oidc/three/start", "/auth/oidc/three/callback?code=1&state=2"])
    async def test_an_unknown_provider(self, browser: Browser, path: str):
        """Is not found."""
        refused(await browser.api.get(path), 404, "no sign-in provider")

    async def test_other_methods(self, browser: Browser):
        """Are not allowed."""
        for path in ("start", "callback"):
            assert (await browser.api.post(f"/auth/oidc/one/{path}")).status_code == 405
        assert (await browser.api.get("/auth/oidc/one/backchannel-logout")).status_code == 405


class TestMixUp:
    """An attacker controls one of two providers (RFC 9700, 4.4)."""

    async def test_the_response_of_another_provider(self, one: FakeProvider, two: FakeProvider, browser: Browser):
        """`iss` is compared before the code is sent anywhere."""
        started = await browser.start("two")
        flow = query_of(started.headers["location"])
        answer = await browser.net.get(
            f"{one.issuer}/authorize", params=flow | {"redirect_uri": f"{URL}/auth/oidc/two/callback"}
        )
        two.requests.clear()
        refused(await browser.follow(answer.headers["location"]), 502, "is not valid")
        assert "/token" not in two.requests

    async def test_the_callback_of_another_provider(self, one: FakeProvider, two: FakeProvider, browser: Browser):
        """Each provider has its own, and the flow knows with which one it was started."""
        url = (await browser.callback("one")).replace("/oidc/one/", "/oidc/two/")
        two.requests.clear()
        refused(await browser.follow(url), 400, "not started in this browser")
        assert two.requests == []

    async def test_a_response_without_iss(self, one: FakeProvider, browser: Browser):
        """If the provider says that it always sends it."""
        url = re.sub(r"&iss=[^&]*", "", await browser.callback())
        refused(await browser.follow(url), 502, "is not valid")

    async def test_an_id_token_of_another_provider(self, one: FakeProvider, two: FakeProvider, browser: Browser):
        """A provider that passes on what another one has signed."""
        one.sign = lambda claims: two.key.sign(claims | {"iss": two.issuer})
        refused(await browser.sign_in(), 502, "is not valid")


class TestTheIdTokenIsNoAccessToken:
    async def test_anywhere(self, sso: Api, one: FakeProvider, browser: Browser):
        """Neither in a header nor as a refresh token."""
        tokens: list[str] = []

        def sign(claims: dict[str, Any]) -> str:
            tokens.append(one.signed(claims))
            return tokens[-1]

        one.sign = sign
        await browser.sign_in()
        answer = await sso.ask("{ me { username } }", tokens[0])
        assert answer.codes == ["UNAUTHENTICATED"]
        rest = await sso.client.get("/api/v1/users/about_me/", headers={"authorization": f"Bearer {tokens[0]}"})
        assert rest.status_code == 401
        query = "mutation ($t: String) { refreshToken(input: {refreshToken: $t}) { userErrors { code } } }"
        assert (await sso.ask(query, t=tokens[0])).refusal("refreshToken")["code"] == "INVALID_CREDENTIALS"


class TestOutages:
    @pytest.mark.parametrize("path", ["/token", "/userinfo"])
    @pytest.mark.parametrize("status", [500, 503])
    async def test_errors_of_the_provider(self, one: FakeProvider, browser: Browser, path: str, status: int):
        """The page says that it is the provider, and what to do."""
        one.changes = {"email": None}

        async def fail(request: Request) -> Response:
            return Response("<h1>stack trace</h1>", status)

        one.answers[path] = fail
        answer = await browser.sign_in()
        refused(answer, 502, "Try again in a minute")
        assert "stack trace" not in answer.text

    async def test_redirects_are_not_followed(self, one: FakeProvider, browser: Browser):
        """The secret is not sent elsewhere."""

        async def elsewhere(request: Request) -> Response:
            return RedirectResponse(one.issuer + "/elsewhere", 307)

        one.answers["/token"] = elsewhere
        refused(await browser.sign_in(), 502, "is not valid")
        assert "/elsewhere" not in one.requests

    async def test_huge_answers(self, one: FakeProvider, browser: Browser):
        """Are not read to their end."""
        one.user |= {"groups": ["x" * 100] * 5_000}
        refused(await browser.sign_in(), 502, "is not valid")

    async def test_the_server_starts_without_the_provider(self, new_database: Callable[[], str], redis_url: str):
        """And says at the sign-in that it cannot be reached; other sign-ins work."""
        dead = ProviderSettings(name="dead", issuer="http://127.0.0.1:9", client_id="x", client_secret="y")
        settings = {"oidc_providers": (dead,), "public_url": URL}
        async with an_api(new_database(), redis_url, settings) as api, a_browser(api) as browser:
            refused(await browser.start("dead"), 502, "cannot be reached")
            assert (await api.ask("{ __typename }")).data


class TestSecrets:
    async def test_logs_have_no_code_token_or_secret(
        self, sso: Api, one: FakeProvider, browser: Browser, no_secrets_in_logs: Log
    ):
        """Not of a success, and not of a failure."""
        url = await browser.callback()
        await browser.follow(url)
        one.changes = {"nonce": "swapped"}
        failed = await browser.callback()
        await browser.follow(failed)
        sso.server.requests.flush()
        lines = no_secrets_in_logs.text
        assert "the nonce of the ID token" in lines
        for secret in (*query_of(url).values(), *query_of(failed).values()):
            if secret != one.issuer:
                assert secret not in lines
        for form in one.forms:
            assert form["code_verifier"] not in lines
        assert SECRET not in lines
        assert str(browser.refresh_token) not in lines
        assert one.user["email"] not in lines

    async def test_failures_are_counted_in_the_audit_log(self, sso: Api, one: FakeProvider, browser: Browser):
        """Together, without a name."""
        one.changes = {"nonce": "swapped"}
        counted: list[tuple[AuditAction, UserRow | None]] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                sso.server.failed_sign_ins, "add", lambda action, user, address: counted.append((action, user))
            )
            for _ in range(3):
                await browser.sign_in()
        assert counted == [(AuditAction.SIGN_IN_FAILED, None)] * 3


class TestKeys:
    async def test_rotation(self, one: FakeProvider, browser: Browser, sso: Api):
        """A key that is not known is looked for once, and then no more for a while."""
        await browser.sign_in()
        keys = sso.server.sign_ins.providers["one"]._tokens._keys
        keys._next_at = 0.0  # the pause since the last request is over
        one.key = Key("second")
        one.published = [one.key]
        assert (await browser.sign_in()).status_code == 303
        one.requests.clear()
        one.sign = lambda claims: Key("unknown").sign(claims)
        for _ in range(5):
            refused(await browser.sign_in(), 502, "is not valid")
        assert one.requests.count("/jwks") == 0
