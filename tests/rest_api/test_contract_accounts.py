"""The older API's contract in detail: registering, signing in, refreshing, signing out."""

from uuid import UUID

import pytest

from tests.rest_api.support import PASSWORD, Rest, tokens_of
from tests.rest_api.test_contract import instant


class TestRegister:
    async def test_every_invalid_field_is_reported(self, rest: Rest):
        """At once, each with its name, without the input."""
        values = {"username": "ab", "email": "nowhere", "password": "short Secret1!", "role": "ADMIN"}
        response = await rest.send("POST", "/auth/register/", json=values)
        body = response.json()
        assert response.status_code == 422
        assert set(body) == {"error", "details", "body"}
        assert (body["error"], body["body"]) == ("Validation error", None)
        assert [problem["field"] for problem in body["details"]] == ["username", "email", "password", "role"]
        assert all(set(problem) == {"field", "message"} for problem in body["details"])
        assert "Secret" not in response.text

    @pytest.mark.parametrize(
        "password", ["Sh0rt-a", "no-upper-1", "NO-LOWER-1", "No-digit-x", "NoSymbol12", "A b-1234"]
    )
    async def test_a_password_has_its_rules(self, rest: Rest, password: str):
        """At least 8 characters with upper, lower, digit and symbol, and no spaces."""
        values = {"username": "someone", "email": "someone@example.org", "password": password}
        response = await rest.send("POST", "/auth/register/", json=values)
        assert [problem["field"] for problem in response.json()["details"]] == ["password"]

    async def test_a_taken_name_or_address_is_400(self, rest: Rest):
        """As before, ignoring case."""
        visitor = await rest.a_visitor()
        other = {"username": visitor.name.upper(), "email": "free@example.org", "password": PASSWORD}
        response = await rest.send("POST", "/auth/register/", json=other)
        assert (response.status_code, response.json()) == (400, {"detail": "A user with this name already exists"})
        other = {"username": f"x{visitor.name}", "email": f"{visitor.name}@EXAMPLE.org", "password": PASSWORD}
        response = await rest.send("POST", "/auth/register/", json=other)
        assert (response.status_code, response.json()) == (400, {"detail": "A user with this email already exists"})

    async def test_a_registration_gives_role_user(self, rest: Rest):
        """Another role cannot be chosen."""
        visitor = await rest.a_visitor()
        stored = await rest.api.build.user(UUID(visitor.uuid))
        assert stored is not None
        assert stored.role == "USER"


class TestLogin:
    async def test_a_multipart_form_is_accepted(self, rest: Rest):
        """Both encodings of the form sign in."""
        visitor = await rest.a_visitor()
        form = {"username": (None, visitor.name), "password": (None, PASSWORD), "client_id": (None, "")}
        tokens_of(await rest.send("POST", "/auth/login/", files=form))

    async def test_the_grant_type_is_password_or_empty(self, rest: Rest):
        """Another one is refused."""
        visitor = await rest.a_visitor()
        tokens_of(await rest.login(visitor.name, grant_type=""))
        response = await rest.login(visitor.name, grant_type="client_credentials")
        assert response.status_code == 422
        assert response.json()["details"][0]["field"] == "grant_type"

    async def test_a_json_sign_in_is_refused(self, rest: Rest):
        """The fields of the form are reported as missing, as before."""
        response = await rest.send("POST", "/auth/login/", json={"username": "a", "password": "b"})
        assert response.status_code == 422
        assert response.json()["details"] == [
            {"field": "username", "message": "Field required"},
            {"field": "password", "message": "Field required"},
            {
                "field": "body",
                "message": "Input should be a form: send it with the header "
                "Content-Type: application/x-www-form-urlencoded",
            },
        ]


class TestRefresh:
    async def test_a_refresh_uses_the_cookie_only(self, rest: Rest):
        """Each refresh sets another cookie; the session reports its refresh."""
        visitor = await rest.a_visitor()
        token, cookie = tokens_of(await rest.send("POST", "/auth/refresh/", cookie=visitor.cookie))
        assert cookie != visitor.cookie
        [session] = (await rest.send("GET", "/auth/sessions/", token)).json()
        assert session["used"] is True
        assert instant(session["used_at"]) >= instant(session["created_at"])

    async def test_its_refusals_are_in_the_older_words(self, rest: Rest):
        """Missing, invalid, and used too long ago or twice over."""
        visitor = await rest.a_visitor()
        cookie = visitor.cookie
        for _ in range(2):
            _, cookie = tokens_of(await rest.send("POST", "/auth/refresh/", cookie=cookie))
        for sent, detail in (
            (None, "Refresh token missing"),
            ("garbage", "Invalid refresh token"),
            (visitor.cookie, "Refresh token has been already used"),
            (cookie, "Invalid refresh token"),
        ):
            response = await rest.send("POST", "/auth/refresh/", cookie=sent)
            assert (response.status_code, response.json()) == (401, {"detail": detail})
            assert response.headers["www-authenticate"] == "Bearer"

    async def test_a_token_in_the_body_or_the_header_is_not_taken(self, rest: Rest):
        """The refresh token comes from the cookie or not at all."""
        visitor = await rest.a_visitor()
        body = {"refresh_token": visitor.cookie}
        headers = {"authorization": f"Bearer {visitor.cookie}"}
        response = await rest.send("POST", "/auth/refresh/", headers=headers, json=body)
        assert (response.status_code, response.json()) == (401, {"detail": "Refresh token missing"})


class TestLogout:
    async def test_a_logout_without_its_cookie_is_404(self, rest: Rest):
        """As before: "Token not found", for no cookie, an invalid one and another user's; no session ends."""
        visitor, other = await rest.a_visitor(), await rest.a_visitor()
        for cookie in (None, "garbage", other.cookie):
            response = await rest.send("POST", "/auth/logout/", visitor, cookie=cookie)
            assert (response.status_code, response.json()) == (404, {"detail": "Token not found"})
            assert "set-cookie" not in response.headers
        for each in (visitor, other):
            tokens_of(await rest.send("POST", "/auth/refresh/", cookie=each.cookie))

    async def test_a_logout_ends_the_session(self, rest: Rest):
        """Its access token and its cookie are refused; other sessions continue."""
        visitor = await rest.a_visitor()
        elsewhere, _ = tokens_of(await rest.login(visitor.name))
        assert (await rest.send("POST", "/auth/logout/", visitor, cookie=visitor.cookie)).status_code == 204
        await rest.refused(visitor.token)
        response = await rest.send("POST", "/auth/refresh/", cookie=visitor.cookie)
        assert response.json() == {"detail": "Invalid refresh token"}
        assert (await rest.send("GET", "/users/about_me/", elsewhere)).status_code == 200

    async def test_logout_all_ends_every_session(self, rest: Rest):
        """No token of the user is accepted any more."""
        visitor = await rest.a_visitor()
        elsewhere, _ = tokens_of(await rest.login(visitor.name))
        assert (await rest.send("POST", "/auth/logout_all/", elsewhere)).status_code == 204
        for token in (visitor.token, elsewhere):
            await rest.refused(token)
