"""The settings of sign-in providers, a server without passwords, and linking by e-mail address."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from server.provider_settings import ProviderSettings
from server.settings import Settings
from tests.support.api import URL, Api
from tests.support.api_server import an_api
from tests.support.browser import a_browser
from tests.support.fake_provider import SECRET, FakeProvider, a_provider

GOOD = {
    "PUBLIC_URL": "https://tasks.example.org/",
    "OIDC_PROVIDERS": "corp, google",
    "OIDC_CORP_ISSUER": "https://login.example.org/realms/staff",
    "OIDC_CORP_CLIENT_ID": "taskriver",
    "OIDC_CORP_CLIENT_SECRET": "s3cret",
    "OIDC_CORP_LABEL": "Example staff",
    "OIDC_CORP_SCOPES": "openid email groups",
    "OIDC_GOOGLE_ISSUER": "https://accounts.google.com",
    "OIDC_GOOGLE_CLIENT_ID": "id",
    "OIDC_GOOGLE_CLIENT_SECRET": "secret",
    "OIDC_GROUPS": '{"corp": {"admins": "ADMIN", "web": ["WEB:MEMBER"]}}',
}
WRONG: dict[str, tuple[Mapping[str, str | None], str]] = {
    "no secret": ({"OIDC_CORP_CLIENT_SECRET": None}, "OIDC_CORP_CLIENT_SECRET is not set"),
    "no issuer": ({"OIDC_CORP_ISSUER": None}, "OIDC_CORP_ISSUER is not set"),
    "no URL": ({"OIDC_CORP_ISSUER": "login.example.org"}, "OIDC_CORP_ISSUER must be a URL"),
    "a query": ({"OIDC_CORP_ISSUER": "https://a.example?x=1"}, "OIDC_CORP_ISSUER must have no user, no query"),
    "no openid": ({"OIDC_CORP_SCOPES": "email"}, "OIDC_CORP_SCOPES must have openid"),
    "a bad name": ({"OIDC_PROVIDERS": "my-corp"}, "is not a name of 1 to 20"),
    "the same issuer": ({"OIDC_GOOGLE_ISSUER": GOOD["OIDC_CORP_ISSUER"]}, "the same issuer"),
    "no address": ({"PUBLIC_URL": None}, "PUBLIC_URL is not set"),
    "an address with a path": ({"PUBLIC_URL": "https://a.example/tasks"}, "must have no path"),
    "groups of another provider": ({"OIDC_GROUPS": '{"other": {}}'}, "which OIDC_PROVIDERS does not"),
    "groups with a bad role": ({"OIDC_GROUPS": '{"corp": {"a": "ROOT"}}'}, "OIDC_GROUPS: 'ROOT' is none of"),
    "groups with a bad key": ({"OIDC_GROUPS": '{"corp": {"a": "!:MEMBER"}}'}, "is not the key of a project"),
    "no provider and no passwords": (
        {"OIDC_PROVIDERS": None, "OIDC_GROUPS": None, "PASSWORD_LOGIN": "false"},
        "no user",
    ),
}


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, str | None]], Settings]:
    """Settings from these variables and those of `GOOD`."""

    def read(changes: Mapping[str, str | None]) -> Settings:
        for name, value in {**GOOD, **changes}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        return Settings(_env_file=None)

    return read


class TestVariables:
    def test_each_provider_has_five(self, variables: Callable[[Mapping[str, str | None]], Settings]):
        """In the order of the names; what can be left out has a default."""
        settings = variables({})
        corp, google = (each.config(settings.public_url or "") for each in settings.oidc_providers)
        assert (corp.name, corp.label, corp.issuer) == ("corp", "Example staff", GOOD["OIDC_CORP_ISSUER"])
        assert (corp.client_id, corp.client_secret) == ("taskriver", "s3cret")
        assert corp.scopes == ("openid", "email", "groups")
        assert corp.redirect_uri == "https://tasks.example.org/auth/oidc/corp/callback"
        assert (google.label, google.scopes) == ("Google", ("openid", "email", "profile"))
        assert "s3cret" not in repr(settings) + str(settings.oidc_providers) + repr(corp)

    @pytest.mark.parametrize(("changes", "words"), WRONG.values(), ids=WRONG)
    def test_wrong(
        self, variables: Callable[[Mapping[str, str | None]], Settings], changes: Mapping[str, str | None], words: str
    ):
        """The message names the variable, and has no secret."""
        with pytest.raises(ValidationError) as raised:
            variables(changes)
        messages = " ".join(each["msg"] for each in raised.value.errors(include_input=False))
        assert words in messages
        assert "s3cret" not in messages


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[FakeProvider]:
    """A provider."""
    async with a_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
async def sso(
    new_database: Callable[[], str], new_redis: Callable[[], str], provider: FakeProvider
) -> AsyncIterator[Api]:
    """An API without passwords that links by e-mail address and creates no users."""
    configured = ProviderSettings(name="one", issuer=provider.issuer, client_id="taskriver", client_secret=SECRET)
    settings = {
        "oidc_providers": (configured,),
        "public_url": URL,
        "cookie_secure": False,
        "password_login": False,
        "oidc_link_by_email": True,
        "oidc_create_users": False,
    }
    async with an_api(new_database(), new_redis(), settings) as api:
        yield api


class TestWithoutPasswords:
    @pytest.mark.parametrize(
        ("name", "kind", "values"),
        [
            ("login", "LoginInput", {"username": "alice", "password": "Correct-horse1"}),
            ("register", "RegisterInput", {"username": "a-1", "email": "a@example.org", "password": "Correct-horse1"}),
            ("changePassword", "ChangePasswordInput", {"currentPassword": "x", "newPassword": "Correct-horse1"}),
        ],
    )
    async def test_over_graphql(self, sso: Api, name: str, kind: str, values: dict[str, str]):
        """Each of them is refused, before a hash is computed."""
        query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ code message }} }} }}"
        by = await sso.a_user() if name == "changePassword" else None
        refusal = (await sso.ask(query, by, input=values)).refusal(name)
        assert refusal["code"] == "FORBIDDEN"
        assert "Passwords are switched off" in refusal["message"]

    async def test_over_rest(self, sso: Api):
        """With the same message."""
        form = {"username": "alice", "password": "Correct-horse1"}
        answers = [
            await sso.client.post("/api/v1/auth/login/", data=form),
            await sso.client.post("/api/v1/auth/register/", json=form | {"email": "a@example.org"}),
        ]
        assert [each.status_code for each in answers] == [403, 403]
        assert all("Passwords are switched off" in each.text for each in answers)

    async def test_the_options_say_so(self, sso: Api):
        """So that pages show no form."""
        assert (await sso.ask("{ signInOptions { passwords } }")).data["signInOptions"] == {"passwords": False}


class TestLinkingByAddress:
    @pytest.mark.parametrize(
        ("here", "there", "is_linked"), [(True, True, True), (False, True, False), (True, False, False)]
    )
    async def test_both_sides_must_have_verified_it(
        self, sso: Api, provider: FakeProvider, here: bool, there: bool, is_linked: bool
    ):
        """Otherwise a user who registers a foreign address first gets the sign-ins of its owner."""
        user = await sso.a_user(email_verified_at=datetime.now(UTC) if here else None)
        provider.user = FakeProvider().user | {"email": user.email.upper(), "email_verified": there}
        async with a_browser(sso) as browser:
            answer = await browser.sign_in()
            if is_linked:
                assert answer.status_code == 303, answer.text
                assert (await browser.me())["username"] == user.username
            else:
                assert (answer.status_code, "no account on this server" in answer.text) == (403, True)
