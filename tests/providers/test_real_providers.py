"""oidc-provider and Canaille sign users in, on another site than the API."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from domain.user import Role
from server.provider_settings import ProviderSettings
from tests.providers.forms import walk
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.ports import reserved_port
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS

FOLDER = Path(__file__).parent
CANAILLE_PYTHON = FOLDER.parents[1] / ".venv" / "canaille" / "bin" / "python"
COMMANDS = {
    "node": ["node", "oidc_provider.mjs"],
    "canaille": [str(CANAILLE_PYTHON), "canaille_server.py"],
}
ME = "mutation { refreshToken(input: {}) { accessToken userErrors { code } user { username email role } } }"
SCOPES = {"node": "openid email profile", "canaille": "openid email profile groups"}


@dataclass
class Site:
    """The API on `localhost`, and a provider on 127.0.0.1: two sites."""

    api: Api
    url: str
    name: str
    issuer: str

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[httpx.AsyncClient]:
        """A browser without cookies."""
        async with httpx.AsyncClient(timeout=HANG_SECONDS) as client:
            yield client

    async def sign_in(self, browser: httpx.AsyncClient) -> httpx.Response:
        """The answer to the callback after the user has answered all questions of the provider."""
        start = f"{self.url}/auth/oidc/{self.name}/start?return_to=/board"
        callback = await walk(browser, start, until=f"{self.url}/auth/oidc/{self.name}/callback")
        return await browser.get(callback)

    async def me(self, browser: httpx.AsyncClient) -> dict[str, object]:
        """The user who is signed in."""
        answer = await browser.post(f"{self.url}/graphql", json={"query": ME})
        payload = answer.json()["data"]["refreshToken"]
        assert payload["userErrors"] == [], payload
        return {"token": payload["accessToken"], **payload["user"]}


@pytest.fixture(params=COMMANDS)
async def site(
    request: pytest.FixtureRequest, new_database: Callable[[], str], new_redis: Callable[[], str]
) -> AsyncIterator[Site]:
    """The API and one of the providers."""
    name: str = request.param
    port, api_port = reserved_port(), reserved_port()
    issuer, url = f"http://127.0.0.1:{port}", f"http://localhost:{api_port}"
    provider = ProviderSettings(
        name=name,
        issuer=issuer,
        client_id="taskriver",
        client_secret="secret-of-the-client",
        scopes=SCOPES[name],
    )
    settings = {
        "oidc_providers": (provider,),
        "public_url": url,
        "cookie_secure": False,
        "oidc_groups": {name: {"engineers": "MODERATOR"}},
    }
    arguments = [str(port), f"{url}/auth/oidc/{name}/callback", f"{url}/", f"{url}/auth/oidc/{name}/backchannel-logout"]
    process = await asyncio.create_subprocess_exec(
        *COMMANDS[name], *arguments, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ
    )
    try:
        async with asyncio.timeout(HANG_SECONDS):
            assert process.stdout is not None
            while (line := await process.stdout.readline()) and line.strip() != b"ready":
                pass
            assert line, f"{name} did not start; `make providers` installs it"
        async with an_api(new_database(), new_redis(), settings) as api, serving(api.server.asgi(), port=api_port):
            yield Site(api, url, name, issuer)
    finally:
        process.kill()
        await process.wait()


async def test_sign_in_again_and_out(site: Site):
    """A user is created, found again, gets the role of the group, and can sign out of the provider."""
    names = set()
    for _ in range(2):
        async with site.browser() as browser:
            answer = await site.sign_in(browser)
            assert (answer.status_code, answer.headers.get("location")) == (303, "/board"), answer.text
            user = await site.me(browser)
            assert (user["email"], user["role"]) == ("ada@example.org", Role.MODERATOR.value)
            names.add(user["username"])
            query = "mutation { logout { endSessionUrl userErrors { code } } }"
            url = (await site.api.ask(query, str(user["token"]))).payload("logout")["endSessionUrl"]
            assert url.startswith(site.issuer)
            # The provider asks, or sends the browser back: both accept the address.
            assert (await browser.get(url)).status_code in (200, 302, 303)
    assert len(names) == 1


async def test_a_callback_twice(site: Site):
    """The provider and this server each refuse it."""
    async with site.browser() as browser:
        start = f"{site.url}/auth/oidc/{site.name}/start"
        callback = await walk(browser, start, until=f"{site.url}/auth/oidc/{site.name}/callback")
        kept = browser.cookies["sign_in"]
        assert (await browser.get(callback)).status_code == 303
    async with site.browser() as copy:
        answer = await copy.get(callback, headers={"cookie": f"sign_in={kept}"})
        assert answer.status_code in (400, 401)
        assert "set-cookie" not in answer.headers


async def test_the_user_cancels(site: Site):
    """The answer of the provider leads to a page that says so."""
    if site.name != "node":
        return  # Canaille has no such link on its pages
    async with site.browser() as browser:
        answer = await browser.get(f"{site.url}/auth/oidc/{site.name}/start")
        answer = await browser.get(answer.headers["location"])
        page = await browser.get(
            f"{site.issuer}{httpx.URL(answer.headers['location']).path}/abort", follow_redirects=False
        )
        while page.is_redirect and not str(page.headers["location"]).startswith(site.url):
            page = await browser.get(httpx.URL(str(page.url)).join(page.headers["location"]))
        answer = await browser.get(page.headers["location"])
        assert (answer.status_code, "was cancelled" in answer.text) == (400, True)


def test_canaille_has_an_environment_of_its_own():
    """Its packages are not among those of the server."""
    assert CANAILLE_PYTHON.exists()
    assert str(CANAILLE_PYTHON) != sys.executable
