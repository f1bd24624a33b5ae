"""What ends a socket: each way to lose a session or a right, and an expired token."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from websockets.exceptions import ConnectionClosed

from domain.user import Role
from graphql_api.auth.tokens import AccessTokens
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from tests.graphql_api.stream_client import MOVES, PASSWORD, set_role, signed_in
from tests.graphql_api.test_tasks import user_id
from tests.support.api import Api
from tests.support.websocket_client import connected


@pytest.fixture
async def person(live: Api) -> tuple[UserRow, list[str]]:
    """A user with a known password, and the tokens of two devices."""
    user = await live.a_user(password_hash=await live.server.passwords.hash(PASSWORD))
    sessions = [await live.build.a_session(user) for _ in range(2)]
    return user, [live.server.tokens.issue(user.id, each.id, datetime.now(UTC)).token for each in sessions]


async def _logout(api: Api, user: UserRow, tokens: list[str]) -> None:
    (await api.ask("mutation { logout { userErrors { code } } }", tokens[0])).payload("logout")


async def _logout_all(api: Api, user: UserRow, tokens: list[str]) -> None:
    (await api.ask("mutation { logoutAll { userErrors { code } } }", tokens[1])).payload("logoutAll")


async def _revoke(api: Api, user: UserRow, tokens: list[str]) -> None:
    query = "mutation ($input: RevokeSessionInput!) { revokeSession(input: $input) { userErrors { code } } }"
    session = api.server.tokens.read(tokens[0], datetime.now(UTC)).session_id
    answer = await api.ask(query, tokens[1], input={"sessionId": encode_id("Session", session)})
    answer.payload("revokeSession")


async def _change_password(api: Api, user: UserRow, tokens: list[str]) -> None:
    query = "mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code } } }"
    wanted = {"currentPassword": PASSWORD, "newPassword": "Other-horse2"}
    (await api.ask(query, tokens[1], input=wanted)).payload("changePassword")


async def _disable(api: Api, user: UserRow, tokens: list[str]) -> None:
    query = "mutation ($input: SetUserActiveInput!) { setUserActive(input: $input) { userErrors { code } } }"
    admin = await api.a_user(Role.ADMIN)
    (await api.ask(query, admin, input={"userId": user_id(user), "isActive": False})).payload("setUserActive")


async def _promote(api: Api, user: UserRow, tokens: list[str]) -> None:
    await set_role(api, user, "MODERATOR")


Ending = Callable[[Api, UserRow, list[str]], Awaitable[None]]


class TestEndings:
    @pytest.mark.parametrize(
        ("ending", "second_lives"),
        [
            (_logout, True),
            (_logout_all, False),
            (_revoke, True),
            (_change_password, True),
            (_disable, False),
            (_promote, False),
        ],
    )
    async def test_the_right_sockets_are_closed(
        self, live: Api, person: tuple[UserRow, list[str]], ending: Ending, second_lives: bool
    ):
        """What takes away rights closes the sockets that had them with 4403 within a second, and no others."""
        user, tokens = person
        async with (
            signed_in(live, tokens[0]) as first,
            signed_in(live, tokens[1]) as second,
            signed_in(live, await live.a_user()) as outsider,
        ):
            await first.listen(MOVES)
            await ending(live, user, tokens)

            assert await first.is_closed() == 4403
            if second_lives:
                await second.lives()
            else:
                assert await second.is_closed() == 4403
            await outsider.lives()

    async def test_an_expired_token_closes_the_socket(self, live: Api):
        """When the token's time is over the socket is closed with 4403, so that the client comes back with another."""
        user, settings = await live.a_user(), live.server.settings
        short = AccessTokens(settings.key_ring, settings.token_issuer, settings.token_audience, timedelta(seconds=1.9))
        session = await live.build.a_session(user)
        issued = short.issue(user.id, session.id, datetime.now(UTC))
        async with connected(str(live.client.base_url).rstrip("/")) as socket:
            # On a slow machine it has expired before this; the code is the same.
            with suppress(ConnectionClosed):
                await socket.send(type="connection_init", payload={"token": issued.token})
                await socket.subscribe("1", MOVES)

            assert (await socket.closed())[0] == 4403
            assert datetime.now(UTC) >= issued.expires_at

    async def test_a_revoked_token_opens_no_socket(self, live: Api, person: tuple[UserRow, list[str]]):
        """4403."""
        user, tokens = person
        async with signed_in(live, tokens[0]) as first:
            await _logout(live, user, tokens)
            assert await first.is_closed() == 4403
        async with connected(str(live.client.base_url).rstrip("/")) as socket:
            await socket.send(type="connection_init", payload={"token": tokens[0]})
            assert (await socket.closed())[0] == 4403
