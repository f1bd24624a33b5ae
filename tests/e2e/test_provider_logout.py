"""A provider ends the sessions of a user within a second in every process, also on open sockets."""

import asyncio
import time

import httpx

from tests.e2e.conftest import Serve, World
from tests.e2e.test_token_revocation import closed
from tests.e2e.test_two_processes import listening, refused
from tests.support.fake_provider import SECRET, a_provider
from tests.support.figures import Figures
from tests.support.waiting import HANG_SECONDS

REFRESH = "mutation { refreshToken(input: {}) { accessToken userErrors { code } } }"
PUBLIC_URL = "http://localhost:8000"
TIMES = 5


async def test_a_logout_reaches_every_process(serve: Serve, world: World, figures: Figures):
    """The provider tells one process; the requests and sockets of the session end at both."""
    taken: list[float] = []
    async with a_provider() as provider:
        settings = {
            "PUBLIC_URL": PUBLIC_URL,
            "OIDC_PROVIDERS": "one",
            "OIDC_ONE_ISSUER": provider.issuer,
            "OIDC_ONE_CLIENT_ID": provider.client_id,
            "OIDC_ONE_CLIENT_SECRET": SECRET,
            "COOKIE_SECURE": "false",
        }
        a, b = await serve(**settings).ready(), await serve(**settings).ready()
        for _ in range(TIMES):
            async with httpx.AsyncClient(timeout=HANG_SECONDS) as browser:
                # Another process than that of the start serves the callback.
                started = await browser.get(f"{a.url}/auth/oidc/one/start")
                back = await browser.get(started.headers["location"])
                callback = back.headers["location"].replace(PUBLIC_URL, b.url)
                assert (await browser.get(callback)).status_code == 303
                answer = await browser.post(f"{b.url}/graphql", json={"query": REFRESH})
                token = answer.json()["data"]["refreshToken"]["accessToken"]
            async with listening(world, a, token) as first, listening(world, b, token) as second:
                began = time.monotonic()
                notice = {"logout_token": provider.logout_token()}
                answer = await world.client.post(f"{a.url}/auth/oidc/one/backchannel-logout", data=notice)
                assert answer.status_code == 200, answer.text
                assert set(await asyncio.gather(closed(first), closed(second))) == {4403}
                await asyncio.gather(refused(world, a, token), refused(world, b, token))
                taken.append(time.monotonic() - began)
    figures.times("a session that its provider has ended is refused by two processes", taken)
