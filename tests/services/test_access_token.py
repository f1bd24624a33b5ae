"""Personal access tokens: created, listed, revoked, and ended with their user."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.access_token import KEPT_AFTER_EXPIRY, MAX_LIFETIME, MAX_TOKENS, Scope, is_intact, token_hash
from domain.actor import Actor
from domain.errors import Forbidden, Invalid, NotFound
from domain.events import AccessChange, AccessEvent
from domain.user import Role
from persistence.models import UserRow
from services import access_token as service
from services import user as user_service
from services.access_token import CreatedToken, create_access_token, list_access_tokens, revoke_access_token
from services.cleanup import clean_up
from tests.support.builders import Builders

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


async def create(
    build: Builders, user: UserRow, *scopes: Scope, by: Actor | None = None, expires_at: datetime | None = None
) -> CreatedToken:
    """A new token of a user, by the user unless another one is given."""
    return await create_access_token(
        build.as_(by or user, now=NOON),
        user_id=user.id,
        name=" CI ",
        scopes=scopes or (Scope.TASKS_READ,),
        expires_at=expires_at,
        max_lifetime=MAX_LIFETIME,
    )


def with_token(user: UserRow) -> Actor:
    """The user, with a token of all scopes."""
    return Actor(user.id, user.role, None, 1, token_id=uuid4(), scopes=frozenset(Scope))


class TestCreate:
    async def test_a_token_is_stored_as_its_hash(self, build: Builders):
        """The text is returned once, and is nowhere in the row."""
        user = await build.a_user()
        created = await create(build, user, Scope.ACCOUNT, Scope.TASKS_WRITE)
        [row] = await list_access_tokens(build.as_(user), user_id=user.id)

        assert is_intact(created.secret)
        assert (row.id, row.name, row.token_hash) == (created.row.id, "CI", token_hash(created.secret))
        assert row.scopes == ["tasks:write", "account"]
        assert (row.created_at, row.expires_at, row.last_used_at) == (NOON, NOON + timedelta(days=90), None)
        assert created.secret not in str(vars(row))

    async def test_only_a_session_of_the_user_creates_one(self, build: Builders):
        """Not an admin, who would act as another user, and no token, whatever its scopes."""
        user, admin = await build.a_user(), await build.a_user(Role.ADMIN)
        for actor, refusal in ((build.actor(admin), NotFound), (with_token(user), Forbidden)):
            with pytest.raises(refusal):
                await create(build, user, by=actor)
        assert await list_access_tokens(build.as_(user), user_id=user.id) == []

    async def test_a_user_has_at_most_a_hundred(self, build: Builders):
        """Expired ones count until they are removed."""
        user = await build.a_user()
        for _ in range(MAX_TOKENS):
            await build.an_access_token(user, expires_at=NOON - timedelta(days=1))
        with pytest.raises(Invalid, match="the maximum"):
            await create(build, user)

    async def test_values_that_break_a_rule(self, build: Builders):
        """The scope `admin` of a user, an end in the past; a disabled user."""
        user, disabled = await build.a_user(), await build.a_user(is_active=False)
        with pytest.raises(Invalid):
            await create(build, user, Scope.ADMIN)
        with pytest.raises(Invalid):
            await create(build, user, expires_at=NOON)
        with pytest.raises(Invalid):
            await create(build, disabled)


class TestRevoke:
    async def test_the_token_is_deleted_and_the_processes_learn_of_it(self, build: Builders):
        """The event names the token, and no session."""
        user = await build.a_user()
        kept, gone = await create(build, user), await create(build, user)
        assert await revoke_access_token(build.as_(user), token_id=gone.row.id) == gone.row.id

        assert [row.id for row in await list_access_tokens(build.as_(user), user_id=user.id)] == [kept.row.id]
        event = (await build.events_by(user.id))[-1]
        assert isinstance(event, AccessEvent)
        assert (event.change, event.user_id) == (AccessChange.TOKEN_REVOKED, user.id)
        assert (event.token_id, event.session_id) == (gone.row.id, None)

    async def test_a_token_of_another_user_is_not_found(self, build: Builders):
        """Nor is one that was revoked before; a token revokes none."""
        user, other = await build.a_user(), await build.a_user()
        created = await create(build, user)
        with pytest.raises(NotFound):
            await revoke_access_token(build.as_(other), token_id=created.row.id)
        for actor, refusal in ((build.actor(other), NotFound), (with_token(user), Forbidden)):
            with pytest.raises(refusal):
                await revoke_access_token(build.as_(actor), token_id=created.row.id)
            with pytest.raises(refusal):
                await list_access_tokens(build.as_(actor), user_id=user.id)
        await revoke_access_token(build.as_(user), token_id=created.row.id)
        with pytest.raises(NotFound):
            await revoke_access_token(build.as_(user), token_id=created.row.id)


class TestEnds:
    async def test_disabling_a_user_deletes_the_tokens(self, build: Builders):
        """They do not come back when the user is enabled again."""
        user, admin = await build.a_user(), await build.a_user(Role.ADMIN)
        await create(build, user)
        for is_active in (False, True):
            await user_service.set_user_active(build.as_(admin), user_id=user.id, is_active=is_active)
            assert await list_access_tokens(build.as_(user), user_id=user.id) == []

    async def test_expired_tokens_are_removed_after_30_days(self, build: Builders):
        """Until then the user sees why they are refused."""
        user = await build.a_user()
        ends = [NOON - KEPT_AFTER_EXPIRY - timedelta(seconds=1), NOON - timedelta(days=1)]
        for end in ends:
            await build.an_access_token(user, expires_at=end)
        removed = await clean_up(build.as_(None, now=NOON), event_retention=timedelta(days=7))
        assert removed is not None
        assert removed.tokens == 1
        assert [row.expires_at for row in await list_access_tokens(build.as_(user), user_id=user.id)] == ends[1:]


class TestUse:
    async def test_the_time_never_goes_back(self, build: Builders):
        """Processes store it in any order; tokens that do not exist any more are left out."""
        user = await build.a_user()
        row, _ = await build.an_access_token(user)
        for at in (NOON, NOON - timedelta(minutes=1)):
            await service.note_use(build.as_(None, now=at), token_ids=[row.id, uuid4()])
        [found] = await list_access_tokens(build.as_(user), user_id=user.id)
        assert found.last_used_at == NOON
