"""A personal access token ends within a second in every process, also on open sockets."""

import asyncio
import time

from tests.e2e.conftest import Serve, World
from tests.e2e.test_two_processes import listening, refused
from tests.support.figures import Figures
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import Socket

CREATE = """mutation { createAccessToken(input: { name: "CI", scopes: [TASKS_READ] }) {
  secret accessToken { id } userErrors { code } } }"""
REVOKE = """mutation ($input: RevokeAccessTokenInput!) {
  revokeAccessToken(input: $input) { revokedAccessTokenId userErrors { code } } }"""
CREATE_FOR_ONE = """mutation ($input: CreateAccessTokenInput!) {
  createAccessToken(input: $input) { secret userErrors { code } } }"""
PROJECT = (
    "mutation ($input: CreateProjectInput!) { createProject(input: $input) { project { id } userErrors { code } } }"
)
DELETE = "mutation ($input: DeleteProjectInput!) { deleteProject(input: $input) { userErrors { code } } }"
TIMES = 10


async def closed(socket: Socket) -> int:
    """The code with which the socket is closed."""
    async with asyncio.timeout(HANG_SECONDS):
        code, _ = await socket.closed()
    return code


async def test_revocation_reaches_every_process(serve: Serve, world: World, figures: Figures):
    """The requests and the sockets of the token at both processes; the user's session goes on."""
    a, b = await serve().ready(), await serve().ready()
    session = await world.signed_in(a, await world.a_user(a))
    taken: list[float] = []
    for _ in range(TIMES):
        created = (await world.ask(a, CREATE, session)).payload("createAccessToken")
        text, token_id = created["secret"], created["accessToken"]["id"]
        async with listening(world, a, text) as first, listening(world, b, text) as second:
            began = time.monotonic()
            answer = await world.ask(a, REVOKE, session, input={"accessTokenId": token_id})
            assert answer.payload("revokeAccessToken")["revokedAccessTokenId"] is not None
            assert set(await asyncio.gather(closed(first), closed(second))) == {4403}
            await asyncio.gather(refused(world, a, text), refused(world, b, text))
            taken.append(time.monotonic() - began)
    assert (await world.ask(b, "{ me { id } }", session)).codes == []
    figures.times("a revoked token is refused by two processes", taken)


async def test_leaving_a_project_ends_its_tokens_in_every_process(serve: Serve, world: World, figures: Figures):
    """The requests and the sockets of a token for the project at both processes; the user's session goes on."""
    a, b = await serve().ready(), await serve().ready()
    session = await world.signed_in(a, await world.a_user(a))
    taken: list[float] = []
    for number in range(TIMES):
        made = (await world.ask(a, PROJECT, session, input={"key": f"END{number}", "name": "End"})).payload(
            "createProject"
        )
        sent = {"name": "CI", "scopes": ["TASKS_READ"], "projectId": made["project"]["id"]}
        text = (await world.ask(a, CREATE_FOR_ONE, session, input=sent)).payload("createAccessToken")["secret"]
        async with listening(world, a, text) as first, listening(world, b, text) as second:
            began = time.monotonic()
            deleted = {"id": made["project"]["id"], "confirmKey": f"END{number}"}
            (await world.ask(a, DELETE, session, input=deleted)).payload("deleteProject")
            assert set(await asyncio.gather(closed(first), closed(second))) == {4403}
            await asyncio.gather(refused(world, a, text), refused(world, b, text))
            taken.append(time.monotonic() - began)
    assert (await world.ask(b, "{ me { id } }", session)).codes == []
    figures.times("a token of a lost project is refused by two processes", taken)
