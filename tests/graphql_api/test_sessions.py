"""Registering, signing in, staying signed in and signing out, over GraphQL."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

from domain.user import Role
from graphql_api.schema.ids import encode_id
from tests.support.api import Answer, Api
from tests.support.api_server import an_api
from tests.support.waiting import HANG_SECONDS

PASSWORD = "Correct-horse1"
REGISTER = """mutation ($input: RegisterInput!) { register(input: $input) {
  user { username email role } userErrors { message code path } } }"""
LOGIN = """mutation ($input: LoginInput!) { login(input: $input) {
  accessToken expiresAt refreshToken user { username } userErrors { message code path } } }"""
REFRESH = """mutation ($input: RefreshTokenInput!) { refreshToken(input: $input) {
  accessToken refreshToken userErrors { message code path } } }"""
PASSWORD_CHANGE = """mutation ($input: ChangePasswordInput!) { changePassword(input: $input) {
  user { username } userErrors { message code path } } }"""
ME = "{ me { username } }"

_numbers = count(1)


async def registered(api: Api, **values: Any) -> str:
    """The name of a new user with a known password."""
    name = f"newcomer{next(_numbers)}"
    values = {"username": name, "email": f"{name}@example.org", "password": PASSWORD} | values
    (await api.ask(REGISTER, input=values)).payload("register")
    return str(values["username"])


async def signed_in(api: Api, name: str, **values: Any) -> Answer:
    """The answer to a login."""
    api.client.cookies.clear()
    return await api.ask(LOGIN, input={"username": name, "password": PASSWORD} | values)


class TestRegister:
    async def test_a_new_user_has_role_user(self, api: Api):
        """Registering gives role USER, and does not sign in."""
        answer = await api.ask(
            REGISTER, input={"username": "Fresh.Face", "email": "fresh@example.org", "password": PASSWORD}
        )
        assert answer.payload("register")["user"] == {
            "username": "Fresh.Face",
            "email": "fresh@example.org",
            "role": "USER",
        }

    async def test_a_used_name_is_refused_ignoring_case(self, api: Api):
        """A name exists once."""
        name = await registered(api)
        values = {"username": name.upper(), "email": "other@example.org", "password": PASSWORD}
        refusal = (await api.ask(REGISTER, input=values)).refusal("register")
        assert refusal == {
            "message": "A user with this name already exists",
            "code": "ALREADY_EXISTS",
            "path": ["username"],
        }


class TestLogin:
    async def test_the_refresh_token_is_in_a_cookie_scripts_cannot_read(self, api: Api):
        """By default the payload has no refresh token; the cookie is HttpOnly, Secure and SameSite=Strict."""
        answer = await signed_in(api, await registered(api))
        payload = answer.payload("login")
        assert payload["refreshToken"] is None
        cookie = answer.http.headers["set-cookie"]
        assert cookie.startswith("refresh_token=")
        assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=604800"} <= set(cookie.split("; "))
        assert (await api.ask(ME, payload["accessToken"])).data["me"]["username"] == payload["user"]["username"]

    async def test_the_refresh_token_is_in_the_payload_when_asked_for(self, api: Api):
        """A client without cookies gets the token, and then no cookie."""
        answer = await signed_in(api, await registered(api), returnRefreshToken=True)
        assert answer.payload("login")["refreshToken"]
        assert "set-cookie" not in answer.http.headers

    async def test_unknown_and_wrong_are_the_same(self, api: Api):
        """An unknown name, a wrong password and a disabled user get one and the same answer."""
        name = await registered(api)
        disabled = await api.a_user(is_active=False)
        answers = [
            (await api.ask(LOGIN, input={"username": username, "password": "Wrong-horse1"})).refusal("login")
            for username in (name, "nobody-here", disabled.username)
        ]
        assert answers[0] == answers[1] == answers[2]
        assert answers[0]["code"] == "INVALID_CREDENTIALS"

    async def test_failures_are_limited_per_account_and_a_success_clears_them(self, api: Api):
        """After five failures the account is blocked for this address; a success before resets the count."""
        name = await registered(api)
        wrong = {"username": name, "password": "Wrong-horse1"}
        for _ in range(4):
            assert (await api.ask(LOGIN, input=wrong)).refusal("login")["code"] == "INVALID_CREDENTIALS"
        (await signed_in(api, name)).payload("login")
        for _ in range(5):
            assert (await api.ask(LOGIN, input=wrong)).refusal("login")["code"] == "INVALID_CREDENTIALS"

        shut = await api.ask(LOGIN, input=wrong)
        right_but_late = await signed_in(api, name)

        assert shut.codes == right_but_late.codes == ["RATE_LIMITED"]
        assert 0 < shut.body["errors"][0]["extensions"]["retryAfter"] <= 600

    async def test_parallel_guesses_are_limited_too(self, api: Api):
        """Of thirty guesses at the same time no more than five are looked at."""
        name = await registered(api)
        answers = await asyncio.gather(
            *(api.ask(LOGIN, input={"username": name, "password": f"Wrong-horse{i}"}) for i in range(30))
        )
        assert sum(answer.codes == [] for answer in answers) == 5
        assert sum(answer.codes == ["RATE_LIMITED"] for answer in answers) == 25

    async def test_failures_are_counted_across_processes(
        self, new_database: Callable[[], str], new_redis: Callable[[], str]
    ):
        """Five wrong passwords at either process block the account at both."""
        database_url, redis_url = new_database(), new_redis()
        async with an_api(database_url, redis_url) as here, an_api(database_url, redis_url) as there:
            wrong = {"username": await registered(here), "password": "Wrong-horse1"}
            answers = [await (here, there)[number % 2].ask(LOGIN, input=wrong) for number in range(7)]

        assert [answer.codes for answer in answers] == [[]] * 5 + [["RATE_LIMITED"]] * 2


class TestRefreshToken:
    async def test_the_cookie_goes_round(self, api: Api):
        """Each refresh answers with another cookie, and the new access token works."""
        first = await signed_in(api, await registered(api))
        second = await api.ask(REFRESH, input={}, headers=cookie_of(first))
        payload = second.payload("refreshToken")
        assert payload["refreshToken"] is None
        assert second.http.headers["set-cookie"] != first.http.headers["set-cookie"]
        (await api.ask(ME, payload["accessToken"])).data["me"]

    async def test_two_cookies_are_refused_and_cleared(self, api: Api):
        """Another site of the domain may have set one of them; neither is used."""
        cookies = [cookie_of(await signed_in(api, await registered(api)))["cookie"] for _ in range(2)]
        api.client.cookies.clear()
        answer = await api.ask(REFRESH, input={}, headers={"cookie": "; ".join(cookies)})
        assert answer.codes == ["BAD_REQUEST"]
        assert all("Max-Age=0" in each for each in answer.http.headers.get_list("set-cookie"))
        (await api.ask(REFRESH, input={}, headers={"cookie": cookies[1]})).payload("refreshToken")

    async def test_a_refresh_without_a_token_is_refused(self, api: Api):
        """Without a cookie and without an input."""
        api.client.cookies.clear()
        refusal = (await api.ask(REFRESH, input={})).refusal("refreshToken")
        assert refusal["message"] == "Refresh token missing"

    async def test_garbage_is_refused(self, api: Api):
        """A token that was never given out is an invalid one."""
        for token in ("x", "💥", "a" * 10_000, "' OR 1=1"):
            refusal = (await api.ask(REFRESH, input={"refreshToken": token})).refusal("refreshToken")
            assert refusal["code"] == "INVALID_CREDENTIALS"

    async def test_a_stolen_token_ends_the_session(self, api: Api):
        """A repeated grandparent revokes the session and its access token."""
        login = (await signed_in(api, await registered(api), returnRefreshToken=True)).payload("login")
        token, payload = login["refreshToken"], login
        for _ in range(2):
            payload = (await api.ask(REFRESH, input={"refreshToken": payload["refreshToken"]})).payload("refreshToken")

        replay = (await api.ask(REFRESH, input={"refreshToken": token})).refusal("refreshToken")

        assert replay["message"] == "Refresh token has been already used"
        last = (await api.ask(REFRESH, input={"refreshToken": payload["refreshToken"]})).refusal("refreshToken")
        assert last["message"] == "Invalid refresh token"
        await refused(api, payload["accessToken"])


class TestEndings:
    async def test_logout_ends_this_session_only(self, api: Api):
        """After logout this token is refused within a second, and the cookie is cleared; another session lives on."""
        name = await registered(api)
        one, two = [(await signed_in(api, name)).payload("login")["accessToken"] for _ in range(2)]

        answer = await api.ask("mutation { logout { userErrors { code } } }", one)

        assert "Max-Age=0" in answer.http.headers["set-cookie"]
        await refused(api, one)
        assert (await api.ask(ME, two)).codes == []

    async def test_logout_all_ends_every_session(self, api: Api):
        """After logoutAll no token of the user is accepted."""
        name = await registered(api)
        tokens = [(await signed_in(api, name)).payload("login")["accessToken"] for _ in range(3)]
        await api.ask("mutation { logoutAll { userErrors { code } } }", tokens[0])
        for token in tokens:
            await refused(api, token)

    async def test_only_an_own_session_can_be_revoked(self, api: Api):
        """`sessions` lists the user's sessions; revokeSession ends one of them."""
        name = await registered(api)
        one, two = [(await signed_in(api, name)).payload("login")["accessToken"] for _ in range(2)]
        listed = (await api.ask("{ sessions { id isCurrent ipAddress lastUsedAt } }", one)).data["sessions"]
        other = next(each for each in listed if not each["isCurrent"])
        revoke = """mutation ($input: RevokeSessionInput!) { revokeSession(input: $input) {
          revokedSessionId userErrors { code path } } }"""
        outsider = await api.a_user()

        refusal = (await api.ask(revoke, outsider, input={"sessionId": other["id"]})).refusal("revokeSession")
        assert refusal == {"code": "NOT_FOUND", "path": ["sessionId"]}
        answer = await api.ask(revoke, one, input={"sessionId": other["id"]})
        assert answer.payload("revokeSession")["revokedSessionId"] == other["id"]
        await refused(api, two)
        assert (await api.ask(ME, one)).codes == []

    async def test_changing_the_password_spares_this_session(self, api: Api):
        """ChangePassword wants the current one, ends every other session, and the new one signs in."""
        name = await registered(api)
        one, two = [(await signed_in(api, name)).payload("login")["accessToken"] for _ in range(2)]
        change = {"currentPassword": "Wrong-horse1", "newPassword": "Other-horse2"}
        refusal = (await api.ask(PASSWORD_CHANGE, one, input=change)).refusal("changePassword")
        assert (refusal["code"], refusal["path"]) == ("INVALID_CREDENTIALS", ["currentPassword"])

        change["currentPassword"] = PASSWORD
        (await api.ask(PASSWORD_CHANGE, one, input=change)).payload("changePassword")

        await refused(api, two)
        assert (await api.ask(ME, one)).codes == []
        (await signed_in(api, name, password="Other-horse2")).payload("login")

    async def test_disabling_and_roles_hold_at_once(self, api: Api):
        """A disabled user is refused within a second; a new role counts within a second, with the same token."""
        admin, user = await api.a_user(Role.ADMIN), await api.a_user()
        token, identity = await api.token(user), encode_id("User", user.id)
        assert (await api.ask("{ users { nodes { id } } }", token)).codes == ["FORBIDDEN"]
        role = "mutation ($input: SetUserRoleInput!) { setUserRole(input: $input) { userErrors { code } } }"
        (await api.ask(role, admin, input={"userId": identity, "role": "ADMIN"})).payload("setUserRole")
        await eventually(api, "{ users { nodes { id } } }", token, [])
        active = "mutation ($input: SetUserActiveInput!) { setUserActive(input: $input) { userErrors { code } } }"
        (await api.ask(active, admin, input={"userId": identity, "isActive": False})).payload("setUserActive")
        await refused(api, token)


def cookie_of(answer: Answer) -> dict[str, str]:
    """The request header that sends an answer's cookie back."""
    return {"cookie": answer.http.headers["set-cookie"].split(";")[0]}


async def refused(api: Api, token: str) -> None:
    """The token is refused within a second."""
    await eventually(api, ME, token, ["UNAUTHENTICATED"])


async def eventually(api: Api, query: str, token: str, codes: list[str]) -> None:
    """The answer has these codes within a second."""
    async with asyncio.timeout(HANG_SECONDS):
        while (await api.ask(query, token)).codes != codes:
            await asyncio.sleep(0.01)
