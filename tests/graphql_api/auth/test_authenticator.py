"""From a token to an actor: cached while the lease is fresh, and not longer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from asgi.client import Identity
from asgi.errors import ExpiredToken, InvalidToken, RevokedToken
from domain.errors import Unauthenticated, Unavailable
from domain.events import AccessChange, AccessEvent
from domain.user import Role
from graphql_api.auth import authenticator as module
from graphql_api.auth.authenticator import Authenticator
from graphql_api.auth.tokens import AccessTokens
from persistence.models import SessionRow, UserRow
from services import session as session_service
from services import user as user_service
from streaming.lease import LEASE_SECONDS
from tests.streaming.support import Process, until
from tests.support.builders import Builders
from tests.support.waiting import HANG_SECONDS

TOKENS = AccessTokens({"k": b"k" * 32}, "issuer", "audience", timedelta(minutes=15))


@dataclass
class AuthProcess:
    """One process with its authenticator, and a signed-in user."""

    process: Process
    access: Authenticator
    user: UserRow
    session: SessionRow
    statements: int = 0

    @property
    def build(self) -> Builders:
        """To write as this process."""
        return self.process.build

    def bearer(self, session: SessionRow | None = None, now: datetime | None = None) -> str:
        """The header of a session."""
        session = session or self.session
        return f"Bearer {TOKENS.issue(session.user_id, session.id, now or datetime.now(UTC)).token}"

    async def authenticate(self, header: str) -> Identity:
        """Authenticate a header."""
        identity = await self.access.authenticate(header)
        assert identity is not None
        return identity

    async def reads_database(self, header: str) -> bool:
        """Whether the database is read for this header."""
        before = self.statements
        await self.authenticate(header)
        return self.statements > before


async def a_process(build: Builders, redis_url: str, channel: str) -> Process:
    """A process on the database of `build`."""
    process = Process(build.database.engine.url.render_as_string(hide_password=False), redis_url, channel)
    await process.stream.start()
    return process


@pytest.fixture
async def auth(build: Builders, valkey_url: str) -> AsyncIterator[AuthProcess]:
    """A process with an authenticator."""
    process = await a_process(build, valkey_url, f"test:{uuid4()}")
    user = await build.a_user()
    auth = AuthProcess(
        process, Authenticator(process.database, TOKENS, process.stream), user, await build.a_session(user)
    )

    def count(text: str) -> None:
        auth.statements += "FROM sessions" in text

    process.database.statements.watch(count, lambda begun, failure: None)
    yield auth
    await process.stop()


@pytest.fixture
async def other(build: Builders, valkey_url: str) -> AsyncIterator[Process]:
    """Another process, whose notifications this one does not receive."""
    process = await a_process(build, valkey_url, f"test:{uuid4()}")
    yield process
    await process.stop()


async def is_refused(auth: AuthProcess, header: str) -> None:
    """Wait until a header is refused."""
    with suppress(Unauthenticated):
        async with asyncio.timeout(HANG_SECONDS):
            while True:
                await auth.authenticate(header)
                await asyncio.sleep(0.01)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock of the authenticator; `ahead` moves it on."""
    moved = SimpleNamespace(ahead=timedelta())
    monkeypatch.setattr(module, "datetime", SimpleNamespace(now=lambda zone: datetime.now(zone) + moved.ahead))
    return moved


class TestAuthenticate:
    async def test_a_request_without_a_header_is_anonymous(self, auth: AuthProcess):
        """There is no identity, and no refusal."""
        assert await auth.access.authenticate(None) is None

    async def test_a_token_gives_its_user(self, auth: AuthProcess):
        """The identity has the stored role, and the token's expiry."""
        identity = await auth.authenticate(auth.bearer())

        assert (identity.actor.user_id, identity.actor.session_id) == (auth.user.id, auth.session.id)
        assert (identity.actor.role, identity.actor.access_version) == (Role.USER, 1)
        assert identity.expires_at > datetime.now(UTC)

    async def test_an_invalid_token_and_an_expired_one_differ(self, auth: AuthProcess):
        """Each has its own error."""
        with pytest.raises(InvalidToken):
            await auth.access.authenticate("Bearer garbage")
        with pytest.raises(ExpiredToken):
            await auth.access.authenticate(auth.bearer(now=datetime.now(UTC) - timedelta(hours=1)))

    @pytest.mark.parametrize("fate", ["unknown", "expired", "disabled", "of another user"])
    async def test_a_token_of_an_ended_session_is_refused(self, auth: AuthProcess, fate: str):
        """As are tokens of disabled users."""
        user = await auth.build.a_user(is_active=fate != "disabled")
        long_ago = {"expires_at": datetime.now(UTC) - timedelta(seconds=1)} if fate == "expired" else {}
        session = await auth.build.a_session(user, **long_ago)
        outsider = auth.user.id if fate == "of another user" else user.id
        session_id = uuid4() if fate == "unknown" else session.id
        header = f"Bearer {TOKENS.issue(outsider, session_id, datetime.now(UTC)).token}"

        with pytest.raises(RevokedToken, match="Invalid token"):
            await auth.access.authenticate(header)


class TestMemory:
    async def test_the_database_is_asked_once(self, auth: AuthProcess):
        """Under a fresh lease a token is looked up once."""
        header = auth.bearer()

        assert [await auth.reads_database(header), await auth.reads_database(header)] == [True, False]

    async def test_without_a_lease_the_database_is_read(self, auth: AuthProcess, monkeypatch: pytest.MonkeyPatch):
        """If it is down, the error is Unavailable."""
        header = auth.bearer()
        await auth.authenticate(header)
        auth.process.database.cut = True
        await until(lambda: not auth.process.stream.lease.fresh)
        asked = await auth.reads_database(header)
        monkeypatch.setattr(auth.process.database, "reading", _Down)

        assert asked
        with pytest.raises(Unavailable):
            await auth.authenticate(header)

    async def test_an_expired_token_is_not_cached(self, auth: AuthProcess, clock: SimpleNamespace):
        """It is refused at its expiry."""
        header = auth.bearer()
        await auth.authenticate(header)
        clock.ahead = timedelta(minutes=15)

        with pytest.raises(ExpiredToken):
            await auth.authenticate(header)

    async def test_a_session_that_ends_before_its_token(self, auth: AuthProcess, clock: SimpleNamespace):
        """The cache entry ends with the session."""
        session = await auth.build.a_session(auth.user, expires_at=datetime.now(UTC) + timedelta(minutes=5))
        header = auth.bearer(session)
        await auth.authenticate(header)
        clock.ahead = timedelta(minutes=5)

        with pytest.raises(RevokedToken):
            await auth.authenticate(header)

    async def test_the_cache_is_bounded(self, auth: AuthProcess):
        """The least recently used token is removed."""
        access = Authenticator(auth.process.database, TOKENS, auth.process.stream, max_cached=2)
        auth.access = access
        headers = [auth.bearer(await auth.build.a_session(auth.user)) for _ in range(3)]
        for header in (headers[0], headers[1], headers[0], headers[2]):
            await auth.authenticate(header)

        assert [await auth.reads_database(each) for each in (headers[0], headers[2], headers[1])] == [
            False,
            False,
            True,
        ]


class TestRevocation:
    async def test_a_revocation_counts_after_its_event(self, auth: AuthProcess):
        """The token is refused as soon as the stream has read a sign-out; other sessions are not affected."""
        mine, spared = auth.bearer(), auth.bearer(await auth.build.a_session(auth.user))
        await auth.authenticate(mine)
        await auth.authenticate(spared)
        position = auth.process.stream.position
        await session_service.sign_out(auth.build.as_(Builders.actor(auth.user, auth.session.id)))
        await auth.process.reaches(position + 1)

        with pytest.raises(RevokedToken):
            await auth.authenticate(mine)
        assert not await auth.reads_database(spared)

    async def test_a_revocation_counts_within_the_lease_without_a_notifier(self, auth: AuthProcess, other: Process):
        """The token is refused when the log is read next."""
        header = auth.bearer()
        await auth.authenticate(header)
        await session_service.sign_out(other.build.as_(Builders.actor(auth.user, auth.session.id)))

        await is_refused(auth, header)

    async def test_a_revocation_counts_within_the_lease_when_cut_off(self, auth: AuthProcess, other: Process):
        """A process that cannot read the log trusts its cache only until its lease expires."""
        header = auth.bearer()
        await auth.authenticate(header)
        auth.process.database.cut = True
        await session_service.sign_out(other.build.as_(Builders.actor(auth.user, auth.session.id)))
        auth.process.sleep_through(LEASE_SECONDS)

        with pytest.raises(RevokedToken):
            await auth.authenticate(header)

    async def test_a_new_role_counts_after_its_event(self, auth: AuthProcess):
        """The same token has the new role."""
        header = auth.bearer()
        await auth.authenticate(header)
        admin, position = await auth.build.an_actor(Role.ADMIN), auth.process.stream.position
        await user_service.set_user_role(auth.build.as_(admin), user_id=auth.user.id, role=Role.MODERATOR)
        await auth.process.reaches(position + 1)
        actor = (await auth.authenticate(header)).actor

        assert (actor.role, actor.access_version) == (Role.MODERATOR, 2)

    async def test_a_lookup_before_a_revocation_is_not_cached(self, auth: AuthProcess):
        """A lookup that began before a change of rights must not be used after it."""
        header = auth.bearer()
        looking = asyncio.create_task(auth.authenticate(header))
        await asyncio.sleep(0)
        gone = AccessEvent(uuid4(), AccessChange.DISABLED, None, None, uuid4(), datetime.now(UTC), None)
        auth.access._forget(gone)
        await looking

        assert await auth.reads_database(header)

    async def test_a_slow_lookup_is_repeated(self, auth: AuthProcess, monkeypatch: pytest.MonkeyPatch):
        """An identity that is older than a lease is not used; if the database stays slow, it counts as unavailable."""
        pauses = [1.5, 0.0, 1.5, 1.5, 1.5]
        ask, asked = auth.access._query, []

        async def slowly(*arguments: Any) -> Any:
            asked.append(arguments)
            known = await ask(*arguments)
            auth.process.sleep_through(pauses.pop(0))
            return known

        monkeypatch.setattr(auth.access, "_query", slowly)
        auth.access._forget_all()
        await auth.authenticate(auth.bearer())

        assert len(asked) == 2
        auth.access._forget_all()
        with pytest.raises(Unavailable):
            await auth.authenticate(auth.bearer())

    async def test_a_gap_in_the_log_empties_the_cache(self, auth: AuthProcess):
        """Changes of rights may have been missed."""
        header = auth.bearer()
        await auth.authenticate(header)
        auth.access._forget_all()

        assert await auth.reads_database(header)


class _Down:
    """A reading without a database."""

    async def __aenter__(self):
        raise Unavailable("Down.")

    async def __aexit__(self, *_: object):
        pass
