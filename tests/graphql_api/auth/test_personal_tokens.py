"""Personal access tokens in the authenticator: found, cached, ended, and never taken for another kind of token."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from asgi.client import Identity
from asgi.errors import DamagedAccessToken, ExpiredAccessToken, InvalidToken, RevokedAccessToken
from domain.access_token import Scope, new_token
from domain.errors import InvalidCredentials, Unauthenticated
from domain.project import ProjectRole
from domain.user import Role, UserDirectory
from graphql_api.auth.authenticator import Authenticator
from graphql_api.auth.token_uses import INTERVAL_SECONDS, TokenUses
from graphql_api.auth.tokens import AccessTokens
from persistence.models import UserRow
from services import access_token as access_token_service
from services import session as session_service
from services import user as user_service
from streaming.lease import LEASE_SECONDS
from tests.graphql_api.auth.test_authenticator import TOKENS, a_process
from tests.streaming.support import Process, until
from tests.support.builders import Builders
from tests.support.waiting import HANG_SECONDS


@dataclass
class TokenProcess:
    """A process with its authenticator."""

    process: Process
    access: Authenticator
    uses: TokenUses
    statements: int = 0

    async def identity(self, text: str) -> Identity:
        """The identity of a token."""
        identity = await self.access.authenticate(f"Bearer {text}")
        assert identity is not None
        return identity

    async def refusal(self, text: str) -> type[Exception]:
        """The error with which a token is refused, once it is."""
        async with asyncio.timeout(HANG_SECONDS):
            while True:
                try:
                    await self.identity(text)
                except Unauthenticated as error:
                    return type(error)
                await asyncio.sleep(0.01)


@pytest.fixture
async def auth(build: Builders, valkey_url: str) -> AsyncIterator[TokenProcess]:
    """A process with an authenticator that counts its statements."""
    process, uses = await a_process(build, valkey_url, f"test:{uuid4()}"), TokenUses()
    access = Authenticator(process.database, TOKENS, process.stream, directory=UserDirectory.PROJECTS, uses=uses)
    auth = TokenProcess(process, access, uses)

    def count(text: str) -> None:
        auth.statements += "FROM access_tokens" in text

    process.database.statements.watch(count, lambda begun, failure: None)
    yield auth
    await process.stop()


class TestAuthenticate:
    async def test_a_token_gives_its_user_and_its_scopes(self, auth: TokenProcess, build: Builders):
        """With those that they include, and the end of the token."""
        user = await build.a_user()
        row, text = await build.an_access_token(user, Scope.TASKS_WRITE, Scope.ACCOUNT)
        identity = await auth.identity(text)

        assert (identity.actor.user_id, identity.actor.session_id) == (user.id, None)
        assert identity.actor.token_id == identity.actor.grant_id == row.id
        assert identity.actor.scopes == frozenset({Scope.TASKS_READ, Scope.TASKS_WRITE, Scope.ACCOUNT})
        assert identity.expires_at == row.expires_at

    @pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
    async def test_a_token_acts_with_the_role_only_with_the_scope_admin(
        self, auth: TokenProcess, build: Builders, role: Role
    ):
        """Otherwise as USER, also for the settings that depend on the role."""
        user = await build.a_user(role)
        _, without = await build.an_access_token(user, *(set(Scope) - {Scope.ADMIN}))
        _, with_it = await build.an_access_token(user, *Scope)
        actors = [(await auth.identity(text)).actor for text in (without, with_it)]
        assert [(actor.role, actor.finds_everyone) for actor in actors] == [(Role.USER, False), (role, True)]

    async def test_a_token_has_the_roles_in_projects(self, auth: TokenProcess, build: Builders):
        """They are read with it, and shared with the sessions of the user."""
        user = await build.a_user()
        project = await build.a_project((user, ProjectRole.MANAGER))
        _, text = await build.an_access_token(user, Scope.TASKS_READ)
        assert (await auth.identity(text)).actor.projects.of(project.id) is ProjectRole.MANAGER

    async def test_a_known_token_is_not_looked_up(self, auth: TokenProcess, build: Builders):
        """A damaged one is refused without a query."""
        _, text = await build.an_access_token(await build.a_user(), Scope.TASKS_READ)
        await auth.identity(text)
        before = auth.statements
        await auth.identity(text)
        for damaged in (text[:-1], text[:-1] + ("x" if text[-1] != "x" else "y"), "trv_pat_", text + "x"):
            with pytest.raises(DamagedAccessToken):
                await auth.identity(damaged)
        assert auth.statements == before

    async def test_a_token_that_is_not_valid(self, auth: TokenProcess, build: Builders):
        """Unknown, expired, or of a disabled user: each is refused with what helps."""
        user, disabled = await build.a_user(), await build.a_user(is_active=False)
        _, expired = await build.an_access_token(user, expires_at=datetime.now(UTC) - timedelta(seconds=1))
        _, of_disabled = await build.an_access_token(disabled)
        for text, error in (
            (new_token(), RevokedAccessToken),
            (expired, ExpiredAccessToken),
            (of_disabled, RevokedAccessToken),
        ):
            with pytest.raises(error):
                await auth.identity(text)


class TestEnd:
    async def _revoke(self, build: Builders, user: UserRow, token_id: UUID) -> None:
        await access_token_service.revoke_access_token(build.as_(user), token_id=token_id)

    async def test_a_revoked_token_is_refused_and_the_others_are_not(self, auth: TokenProcess, build: Builders):
        """Those of the same user stay in the cache."""
        user = await build.a_user()
        row, revoked = await build.an_access_token(user, Scope.TASKS_READ)
        _, kept = await build.an_access_token(user, Scope.TASKS_READ)
        for text in (revoked, kept):
            await auth.identity(text)
        await self._revoke(build, user, row.id)
        assert await auth.refusal(revoked) is RevokedAccessToken
        before = auth.statements
        await auth.identity(kept)
        assert auth.statements == before

    async def test_disabling_the_user_ends_the_tokens(self, auth: TokenProcess, build: Builders):
        """Also for a process that has cached them."""
        user, admin = await build.a_user(), await build.a_user(Role.ADMIN)
        _, text = await build.an_access_token(user, Scope.TASKS_READ)
        await auth.identity(text)
        await user_service.set_user_active(build.as_(admin), user_id=user.id, is_active=False)
        assert await auth.refusal(text) is RevokedAccessToken

    async def test_a_lost_role_counts_at_once(self, auth: TokenProcess, build: Builders):
        """The scope `admin` keeps no right that the user has lost."""
        user, admin = await build.a_user(Role.ADMIN), await build.a_user(Role.ADMIN)
        _, text = await build.an_access_token(user, *Scope)
        assert (await auth.identity(text)).actor.role is Role.ADMIN
        await user_service.set_user_role(build.as_(admin), user_id=user.id, role=Role.USER)
        async with asyncio.timeout(HANG_SECONDS):
            while (await auth.identity(text)).actor.role is not Role.USER:
                await asyncio.sleep(0.01)

    async def test_signing_out_everywhere_ends_no_token(self, auth: TokenProcess, build: Builders):
        """Programs go on, also from the cache; a token ends when it is revoked."""
        user = await build.a_user()
        _, text = await build.an_access_token(user, Scope.TASKS_READ)
        await auth.identity(text)
        statements = auth.statements
        before = auth.process.stream.position
        await session_service.sign_out_everywhere(build.as_(user))
        await until(lambda: auth.process.stream.position > before)
        assert (await auth.identity(text)).actor.user_id == user.id
        assert auth.statements == statements

    async def test_a_stale_lease_asks_the_database(self, auth: TokenProcess, build: Builders):
        """A process that does not read the log does not trust its cache."""
        user = await build.a_user()
        row, text = await build.an_access_token(user, Scope.TASKS_READ)
        await auth.identity(text)
        await auth.process.stream.stop()
        auth.process.stream.lease.since -= 2 * LEASE_SECONDS
        await self._revoke(build, user, row.id)
        with pytest.raises(RevokedAccessToken):
            await auth.identity(text)


class TestUses:
    async def test_a_use_is_noted_once_in_ten_minutes(self, auth: TokenProcess, build: Builders):
        """Of a token that was looked up, and of one that was cached."""
        row, text = await build.an_access_token(await build.a_user(), Scope.TASKS_READ)
        await auth.identity(text)
        assert auth.uses.take() == [row.id]
        await auth.identity(text)
        assert auth.uses.take() == []

    def test_the_interval_and_the_limit(self):
        """After ten minutes a use is noted again; only the last tokens are remembered."""
        now = [0.0]
        uses = TokenUses(lambda: now[0], max_noted=2)
        first, second, third = (UUID(int=number) for number in (1, 2, 3))
        uses.note(first)
        now[0] = INTERVAL_SECONDS - 1
        uses.note(first)
        assert uses.take() == [first]
        uses.note(first)
        assert uses.take() == []
        now[0] = INTERVAL_SECONDS
        uses.note(first)
        assert uses.take() == [first]
        for each in (second, third, first):
            uses.note(each)
        assert uses.take() == [first, second, third]

    async def test_waiting_for_a_use(self):
        """It ends with the first one, and what could not be stored is there again."""
        uses, token_id = TokenUses(), uuid4()
        waiting = asyncio.create_task(uses.wait())
        uses.note(token_id)
        async with asyncio.timeout(HANG_SECONDS):
            await waiting
        uses.put_back(uses.take())
        assert uses.take() == [token_id]


class TestConfusion:
    """A token of one kind where another kind is expected."""

    async def test_a_personal_token_is_no_access_token_of_a_session(self):
        """The verification of JWTs refuses it."""
        with pytest.raises(InvalidToken):
            TOKENS.read(new_token(), datetime.now(UTC))

    async def test_a_personal_token_refreshes_nothing(self, build: Builders):
        """It is no refresh token, and starts no session."""
        _, text = await build.an_access_token(await build.a_user(), *Scope)
        assert await session_service.find_session_of(build.as_(None), refresh_token=text) is None
        with pytest.raises(InvalidCredentials):
            await session_service.refresh_session(build.as_(None), refresh_token=text, key_ring={"k": b"k" * 32})

    async def test_other_tokens_are_no_personal_tokens(self, auth: TokenProcess, build: Builders):
        """Neither a refresh token, nor a JWT of another key, nor one of them with the prefix."""
        user = await build.a_user()
        session = await build.a_session(user)
        foreign = AccessTokens({"k": b"x" * 32}, "issuer", "audience", timedelta(minutes=15))
        refresh = "Zm9vYmFy" * 5 + "abc"
        jwt = foreign.issue(user.id, session.id, datetime.now(UTC)).token
        own = TOKENS.issue(user.id, session.id, datetime.now(UTC)).token
        for text in (refresh, jwt, f"trv_pat_{own}", f"trv_pat_{refresh}", "trv_pat_" + "0" * 36):
            with pytest.raises(InvalidToken):
                await auth.identity(text)

    async def test_the_hash_of_a_token_is_no_token(self, auth: TokenProcess, build: Builders):
        """Who reads the table cannot sign in."""
        row, _ = await build.an_access_token(await build.a_user(), *Scope)
        with pytest.raises(InvalidToken):
            await auth.identity(row.token_hash.hex())
