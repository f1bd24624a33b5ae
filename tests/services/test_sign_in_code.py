"""Sign-in codes: exchanged once, in time, by the program for which the user confirmed them, and by no other."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.access_token import Scope
from domain.actor import Actor
from domain.errors import Forbidden, Invalid, InvalidCredentials
from domain.sign_in_code import LIFETIME, challenge_of
from domain.user import Role
from persistence.models import SessionRow, UserRow
from services import session as session_service
from services.session import OpenSession
from services.sign_in_code import CreatedCode, create_sign_in_code, exchange_sign_in_code
from services.user import set_user_active
from tests.support.builders import Builders

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
VERIFIER = "a-secret-of-the-program-with-43-characters.~"
PORT = 50_123


class Scene:
    """A user with a session in a browser."""

    def __init__(self, build: Builders, user: UserRow, session: SessionRow) -> None:
        self.build, self.user, self.session = build, user, session
        self.actor = build.actor(user, session.id)

    async def create(self, **values: Any) -> CreatedCode:
        """A code for the program."""
        usual: dict[str, Any] = {"challenge": challenge_of(VERIFIER), "port": PORT, "client_name": "taskriver"}
        return await create_sign_in_code(self.build.as_(self.actor, now=NOON), **(usual | values))

    async def exchange(self, code: str, *, after: timedelta = timedelta(0), **values: Any) -> OpenSession:
        """A session for the code."""
        usual: dict[str, Any] = {"verifier": VERIFIER, "port": PORT}
        return await exchange_sign_in_code(
            self.build.as_(None, now=NOON + after),
            code=code,
            **(usual | values),
            key_ring={"k": b"x" * 32},
            ip_address="127.0.0.1",
            user_agent="taskriver",
        )

    async def count(self) -> int:
        """The sessions of the user."""
        async with self.build.as_(None, now=NOON) as uow:
            return len(await uow.sessions.list_of_user(self.user.id, now=NOON, at_most=100))


@pytest.fixture
async def scene(build: Builders) -> Scene:
    """With a session that lasts."""
    user = await build.a_user()
    return Scene(build, user, await build.a_session(user, created_at=NOON, expires_at=NOON + timedelta(days=7)))


async def test_the_example_of_the_rfc():
    """RFC 7636, appendix B."""
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def test_a_code_becomes_a_session_of_its_own(scene: Scene):
    """Of the same user, with tokens that the browser never had."""
    created = await scene.create()
    opened = await scene.exchange(created.code)
    assert (opened.user.id, created.expires_at) == (scene.user.id, NOON + LIFETIME)
    assert opened.session.id != scene.session.id
    assert await scene.count() == 2


@pytest.mark.parametrize(
    "values",
    [
        {"verifier": "b" * 43},
        {"verifier": challenge_of(VERIFIER)},
        {"verifier": ""},
        {"verifier": "é" * 43},
        {"verifier": VERIFIER + "\n"},
        {"port": PORT + 1},
        {"after": LIFETIME},
    ],
    ids=lambda values: str(values)[:24],
)
async def test_a_stolen_or_late_code_is_used_up(scene: Scene, values: dict[str, Any]):
    """Without the program's secret, at another port, or after a minute: then it is worth nothing to anyone."""
    created = await scene.create()
    for tried in (values, {}):
        with pytest.raises(InvalidCredentials):
            await scene.exchange(created.code, **tried)
    assert await scene.count() == 1


async def test_a_code_used_in_parallel_works_once(scene: Scene):
    """Whichever process is first."""
    created = await scene.create()
    found = await asyncio.gather(*(scene.exchange(created.code) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(each, OpenSession) for each in found) == 1
    assert sum(isinstance(each, InvalidCredentials) for each in found) == 7
    assert await scene.count() == 2


async def test_a_code_ends_with_the_session_that_confirmed_it(scene: Scene):
    """A user who signs out at once has not let a program in."""
    created = await scene.create()
    await session_service.sign_out_everywhere(scene.build.as_(scene.actor, now=NOON))
    with pytest.raises(InvalidCredentials):
        await scene.exchange(created.code)


async def test_a_code_of_a_disabled_user_is_worth_nothing(scene: Scene):
    """Disabling ends the sessions, and with them the codes."""
    created = await scene.create()
    await set_user_active(scene.build.as_(await scene.build.a_user(Role.ADMIN)), user_id=scene.user.id, is_active=False)
    with pytest.raises(InvalidCredentials):
        await scene.exchange(created.code)


async def test_a_session_has_one_code(scene: Scene):
    """A newer one replaces it."""
    first, second = await scene.create(), await scene.create()
    with pytest.raises(InvalidCredentials):
        await scene.exchange(first.code)
    assert (await scene.exchange(second.code)).user.id == scene.user.id


async def test_only_the_hash_is_stored(scene: Scene):
    """No row has the code."""
    created = await scene.create()
    async with scene.build.as_(None) as uow:
        [row] = await uow.transaction.fetch("SELECT c::text FROM sign_in_codes AS c")
    assert created.code not in str(row)


async def test_other_secrets_are_no_codes(scene: Scene):
    """A refresh token is none, and a code is no refresh token."""
    created = await scene.create()
    opened = await scene.exchange(created.code)
    other = await scene.create()
    with pytest.raises(InvalidCredentials):
        await scene.exchange(opened.refresh_token)
    with pytest.raises(InvalidCredentials):
        await session_service.refresh_session(
            scene.build.as_(None, now=NOON), refresh_token=other.code, key_ring={"k": b"x" * 32}
        )


async def test_a_personal_access_token_creates_none(scene: Scene):
    """Whatever its scopes: it would become a session, which may do everything."""
    actor = Actor(scene.user.id, scene.user.role, None, 1, token_id=uuid4(), scopes=frozenset(Scope))
    with pytest.raises(Forbidden):
        await create_sign_in_code(
            scene.build.as_(actor), challenge=challenge_of(VERIFIER), port=PORT, client_name="taskriver"
        )


@pytest.mark.parametrize(
    "values",
    [
        {"challenge": "plain"},
        {"challenge": "x" * 42 + "="},
        {"challenge": "x" * 43 + "\n"},
        {"port": 0},
        {"port": 65_536},
        {"client_name": " "},
        {"client_name": "x" * 101},
        {"client_name": "nul \0 byte"},
    ],
    ids=str,
)
async def test_values_that_break_a_rule(scene: Scene, values: dict[str, Any]):
    """The error names the field."""
    with pytest.raises(Invalid) as error:
        await scene.create(**values)
    assert len(error.value.path) == 1
