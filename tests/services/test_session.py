"""Signing in, staying signed in, signing out, and what happens when several do so at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from domain.actor import OPERATOR
from domain.errors import InvalidCredentials, NotFound, Unauthenticated
from domain.events import AccessChange, AccessEvent
from domain.session import ABSOLUTE_LIFETIME, IDLE_LIFETIME, REPLAY_GRACE, token_hash
from domain.user import Role, UserKind, Verification
from persistence.models import SessionRow, UserRow
from services.session import (
    INVALID,
    USED,
    WRONG,
    OpenSession,
    find_session_of,
    list_sessions,
    open_session,
    refresh_session,
    revoke_session,
    sign_in,
    sign_out,
    sign_out_everywhere,
)
from services.user import change_password, set_user_active
from tests.services.passwords import hash_password, verify_password
from tests.support.builders import Builders

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
OLD, NEW = {"old": b"old key"}, {"new": b"new key", "old": b"old key"}
TICK = timedelta(microseconds=1)


async def a_member(build: Builders, **values: Any) -> UserRow:
    """A user whose password is `right`."""
    return await build.a_user(**({"password_hash": "hash of right"} | values))


async def enter(build: Builders, name: str, password: str = "right", now: datetime = NOON) -> OpenSession:
    """Sign in on some device."""
    return await sign_in(
        build.as_(None, now=now),
        username=name,
        password=password,
        verify_password=verify_password,
        key_ring=OLD,
        ip_address="192.0.2.7",
        user_agent="Browser",
    )


async def refresh(build: Builders, token: str, now: datetime, key_ring: dict[str, bytes] = OLD) -> OpenSession:
    """Give a refresh token in."""
    return await refresh_session(build.as_(None, now=now), refresh_token=token, key_ring=key_ring)


async def sessions_of(build: Builders) -> list[SessionRow]:
    """Every session that there is."""
    return [SessionRow(id=row[0], user_id=row[1]) for row in (await build.snapshot())["sessions"]]


async def access_events(build: Builders) -> list[tuple[AccessChange, Any]]:
    """What was recorded: the change, and the session it is about."""
    events = await build.recorded_events()
    return [(event.change, event.session_id) for event in events if isinstance(event, AccessEvent)]


class TestSignIn:
    async def test_a_session_begins(self, build: Builders):
        """The session is the user's, for seven days, and only a hash of its token is stored."""
        user = await a_member(build)
        opened = await enter(build, user.username.upper())

        (row,) = (await build.snapshot())["sessions"]
        session = opened.session
        assert opened.user.id == session.user_id == user.id
        assert session.expires_at == NOON + IDLE_LIFETIME
        assert (session.ip_address, session.user_agent, session.last_used_at) == ("192.0.2.7", "Browser", None)
        assert token_hash(opened.refresh_token) in row
        assert opened.refresh_token not in row

    async def test_each_refusal_is_the_same(self, build: Builders):
        """A wrong password, an unknown or disabled user, one without a password, an invalid name: one message."""
        user, gone = await a_member(build), await a_member(build, is_active=False)
        without, service = await a_member(build, has_password=False), await a_member(build, kind=UserKind.SERVICE)
        for name, password in (
            (user.username, "wrong"),
            ("nobody", "right"),
            (gone.username, "right"),
            (without.username, "right"),
            (service.username, "right"),
            ("a\x00", "right"),
            ("\ud800", "right"),
        ):
            async with build.unchanged():
                with pytest.raises(InvalidCredentials) as refusal:
                    await enter(build, name, password)
            assert (refusal.value.message, refusal.value.path) == (WRONG, ())

    async def test_every_sign_in_costs_one_verification(self, build: Builders):
        """Also for an unknown user, and for one without a password, whose stored hash may have another cost."""
        user, gone = await a_member(build), await a_member(build, is_active=False)
        without, service = await a_member(build, has_password=False), await a_member(build, kind=UserKind.SERVICE)
        asked: list[str | None] = []

        async def note(password: str, known: str | None) -> Verification:
            asked.append(known)
            return Verification(False)

        for name in (user.username, gone.username, without.username, service.username, "nobody"):
            with pytest.raises(InvalidCredentials):
                await sign_in(
                    build.as_(None),
                    username=name,
                    password="right",
                    verify_password=note,
                    key_ring=OLD,
                    ip_address="",
                    user_agent=None,
                )
        assert asked == [user.password_hash, None, None, None, None]

    async def test_a_password_that_is_removed_meanwhile_is_refused(self, build: Builders):
        """Between the check of the password and the session."""
        user = await a_member(build)

        async def lose(password: str, known: str | None) -> Verification:
            async with build.database.engine.begin() as connection:
                await connection.execute(text("UPDATE users SET has_password = false"))
            return await verify_password(password, known)

        with pytest.raises(InvalidCredentials):
            await sign_in(
                build.as_(None),
                username=user.username,
                password="right",
                verify_password=lose,
                key_ring=OLD,
                ip_address="",
                user_agent=None,
            )
        assert await sessions_of(build) == []

    async def test_a_service_account_has_no_session_whatever_proves_it(self, build: Builders):
        """Every way to sign in ends in `open_session`; and a session that got there is not refreshed."""
        service = await a_member(build, kind=UserKind.SERVICE, has_password=False)
        uow = build.as_(None)
        with pytest.raises(InvalidCredentials, match=WRONG):
            async with uow:
                await open_session(uow, service, key_ring=OLD, ip_address="", user_agent=None)
        session = await build.a_session(service, token_hash=token_hash("stolen"), expires_at=NOON + IDLE_LIFETIME)
        async with build.unchanged():
            with pytest.raises(InvalidCredentials, match=INVALID):
                await refresh(build, "stolen", session.created_at)

    async def test_no_refresh_outlives_a_disabling(self, build: Builders):
        """A concurrent sign-in is refused, or its session is revoked."""
        for _ in range(5):
            user, admin = await a_member(build), await build.an_actor(Role.ADMIN)
            await asyncio.gather(
                *(enter(build, user.username) for _ in range(4)),
                set_user_active(build.as_(admin), user_id=user.id, is_active=False),
                *(enter(build, user.username) for _ in range(4)),
                return_exceptions=True,
            )
            assert await sessions_of(build) == []

    async def test_no_session_of_the_old_password_remains(self, build: Builders):
        """A concurrent sign-in is refused, or its session is revoked."""
        for _ in range(5):
            await Builders.clear(build.database)
            user = await a_member(build)
            here = await build.a_session(user)
            await asyncio.gather(
                *(enter(build, user.username) for _ in range(4)),
                change_password(
                    build.as_(build.actor(user, here.id)),
                    current_password="right",
                    new_password="N3w-password",
                    hash_password=hash_password,
                    verify_password=verify_password,
                ),
                *(enter(build, user.username) for _ in range(4)),
                return_exceptions=True,
            )
            assert [session.id for session in await sessions_of(build)] == [here.id]


class TestRefreshSession:
    async def test_a_token_is_exchanged_for_its_successor(self, build: Builders):
        """The session is extended by seven days; there is no event, since no right has changed."""
        opened = await enter(build, (await a_member(build)).username)
        later = NOON + timedelta(days=2)
        continued = await refresh(build, opened.refresh_token, later)

        assert continued.session.id == opened.session.id
        assert continued.user.id == opened.user.id
        assert continued.refresh_token != opened.refresh_token
        assert (continued.session.expires_at, continued.session.last_used_at) == (later + IDLE_LIFETIME, later)
        assert await access_events(build) == []

    async def test_the_direct_parent_gets_the_same_successor_within_ten_seconds(self, build: Builders):
        """Two tabs, or a lost answer: the same successor again, and nothing changes by it."""
        opened = await enter(build, (await a_member(build)).username)
        first = await refresh(build, opened.refresh_token, NOON)
        async with build.unchanged():
            for instant in (NOON - TICK, NOON, NOON + REPLAY_GRACE):
                again = await refresh(build, opened.refresh_token, instant)
                assert again.refresh_token == first.refresh_token

    async def test_a_reuse_after_the_grace_time_ends_the_session(self, build: Builders):
        """With an event; the successor is invalid, too."""
        opened = await enter(build, (await a_member(build)).username)
        first = await refresh(build, opened.refresh_token, NOON)
        with pytest.raises(InvalidCredentials, match=USED):
            await refresh(build, opened.refresh_token, NOON + REPLAY_GRACE + TICK)

        assert await sessions_of(build) == []
        assert await access_events(build) == [(AccessChange.SESSION_REVOKED, opened.session.id)]
        with pytest.raises(InvalidCredentials, match=INVALID):
            await refresh(build, first.refresh_token, NOON + REPLAY_GRACE)

    async def test_a_reuse_of_an_older_token_ends_the_session(self, build: Builders):
        """However recent its use was."""
        opened = await enter(build, (await a_member(build)).username)
        child = await refresh(build, opened.refresh_token, NOON)
        await refresh(build, child.refresh_token, NOON)
        with pytest.raises(InvalidCredentials, match=USED):
            await refresh(build, opened.refresh_token, NOON)

        assert await access_events(build) == [(AccessChange.SESSION_REVOKED, opened.session.id)]
        assert (await build.snapshot())["used_tokens"] == []

    async def test_a_reuse_ends_one_session_only(self, build: Builders):
        """Other sessions of the user continue."""
        name = (await a_member(build)).username
        stolen, other = await enter(build, name), await enter(build, name)
        await refresh(build, stolen.refresh_token, NOON)
        with pytest.raises(InvalidCredentials):
            await refresh(build, stolen.refresh_token, NOON + timedelta(minutes=1))

        assert (await refresh(build, other.refresh_token, NOON)).session.id == other.session.id

    @pytest.mark.parametrize("token", ["", "x", "a\x00b", "\ud800", "x" * 100_000])
    async def test_an_unknown_token_is_refused(self, build: Builders, token: str):
        """Any other text is no token, and changes nothing."""
        await enter(build, (await a_member(build)).username)
        async with build.unchanged():
            with pytest.raises(InvalidCredentials, match=INVALID):
                await refresh(build, token, NOON)

    async def test_a_session_ends_after_seven_days_without_use(self, build: Builders):
        """One tick before the end it is valid; at the end it is not."""
        opened = await enter(build, (await a_member(build)).username)
        async with build.unchanged():
            with pytest.raises(InvalidCredentials, match=INVALID):
                await refresh(build, opened.refresh_token, NOON + IDLE_LIFETIME)

        assert (await refresh(build, opened.refresh_token, NOON + IDLE_LIFETIME - TICK)).refresh_token

    async def test_thirty_days_are_the_end_of_any_session(self, build: Builders):
        """However often it is used, it ends thirty days after its beginning."""
        opened = await enter(build, (await a_member(build)).username)
        token, end = opened.refresh_token, NOON + ABSOLUTE_LIFETIME
        for days in (6, 12, 18, 24, 29):
            continued = await refresh(build, token, NOON + timedelta(days=days))
            token = continued.refresh_token

        assert continued.session.expires_at == end
        with pytest.raises(InvalidCredentials, match=INVALID):
            await refresh(build, token, end)

    async def test_a_new_key_in_between_changes_nothing(self, build: Builders):
        """The successor that the old key made is given again, and its own successor is made with the new key."""
        opened = await enter(build, (await a_member(build)).username)
        first = await refresh(build, opened.refresh_token, NOON, OLD)
        again = await refresh(build, opened.refresh_token, NOON, NEW)
        second = await refresh(build, first.refresh_token, NOON, NEW)

        assert again.refresh_token == first.refresh_token
        assert second.session.key_id == "new"
        assert (await refresh(build, first.refresh_token, NOON, NEW)).refresh_token == second.refresh_token

    async def test_a_repeat_with_a_removed_key_ends_the_session(self, build: Builders):
        """The successor cannot be derived again, so the repeat counts as theft."""
        opened = await enter(build, (await a_member(build)).username)
        await refresh(build, opened.refresh_token, NOON, OLD)
        with pytest.raises(InvalidCredentials, match=USED):
            await refresh(build, opened.refresh_token, NOON, {"new": b"new key"})

        assert await sessions_of(build) == []

    async def test_concurrent_refreshes_have_one_successor(self, build: Builders):
        """Twenty uses of one token at the same time, twenty times: no session ends."""
        opened = await enter(build, (await a_member(build)).username)
        token = opened.refresh_token
        for step in range(20):
            ring = OLD if step < 10 else NEW
            now = NOON + timedelta(minutes=step)
            opens = await asyncio.gather(*(refresh(build, token, now, ring) for _ in range(20)))
            (token,) = {opened.refresh_token for opened in opens}

        assert len((await build.snapshot())["used_tokens"]) == 20
        assert await access_events(build) == []
        assert (await refresh(build, token, NOON + timedelta(hours=1), NEW)).refresh_token != token

    async def test_no_refresh_outlives_a_disabling(self, build: Builders):
        """A concurrent refresh is refused, or its session is revoked."""
        for _ in range(5):
            user, admin = await a_member(build), await build.an_actor(Role.ADMIN)
            opens = [await enter(build, user.username) for _ in range(4)]
            outcomes = await asyncio.gather(
                *(refresh(build, opened.refresh_token, NOON) for opened in opens),
                set_user_active(build.as_(admin), user_id=user.id, is_active=False),
                return_exceptions=True,
            )
            assert await sessions_of(build) == []
            refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
            assert all(isinstance(refusal, InvalidCredentials) for refusal in refused)


class TestFindSessionOf:
    async def test_a_token_names_its_session(self, build: Builders):
        """The current token and those before it belong to the session, any other text to none."""
        opened = await enter(build, (await a_member(build)).username)
        continued = await refresh(build, opened.refresh_token, NOON)

        async def of(token: str) -> object:
            return await find_session_of(build.as_(None), refresh_token=token)

        assert await of(opened.refresh_token) == await of(continued.refresh_token) == opened.session.id
        assert await of("x") is await of("\ud800") is None


class TestSignOut:
    async def test_a_sign_out_ends_the_session_once(self, build: Builders):
        """With one event, however often it is repeated; others stay."""
        user = await build.a_user()
        here, there = await build.a_session(user), await build.a_session(user)
        actor = build.actor(user, here.id)
        await asyncio.gather(*(sign_out(build.as_(actor)) for _ in range(4)))

        assert [session.id for session in await sessions_of(build)] == [there.id]
        assert await access_events(build) == [(AccessChange.SESSION_REVOKED, here.id)]

    async def test_a_sign_out_with_another_sessions_token_ends_both(self, build: Builders):
        """A third session of the actor stays."""
        user = await build.a_user()
        here, there = await build.a_session(user), await build.a_session(user, token_hash=token_hash("cookie"))
        third = await build.a_session(user)
        await sign_out(build.as_(build.actor(user, here.id)), refresh_token="cookie")

        assert [session.id for session in await sessions_of(build)] == [third.id]
        assert {event[1] for event in await access_events(build)} == {here.id, there.id}

    async def test_a_sign_out_with_a_foreign_token_ends_nothing(self, build: Builders):
        """Not even the actor's session."""
        user = await build.a_user()
        here = await build.a_session(user)
        await build.a_session(await build.a_user(), token_hash=token_hash("theirs"))
        for token in ("theirs", "unknown", ""):
            async with build.unchanged():
                with pytest.raises(NotFound, match="Token not found"):
                    await sign_out(build.as_(build.actor(user, here.id)), refresh_token=token)

    async def test_a_sign_out_without_a_session(self, build: Builders):
        """The operator's has no effect; an anonymous one is refused."""
        await build.a_session(await build.a_user())
        async with build.unchanged():
            await sign_out(build.as_(OPERATOR))
            with pytest.raises(Unauthenticated):
                await sign_out(build.as_(None))


class TestSignOutEverywhere:
    async def test_all_sessions_of_the_actor_end(self, build: Builders):
        """With one event; sessions of other users stay."""
        user, other = await build.a_user(), await build.a_user()
        here, theirs = await build.a_session(user), await build.a_session(other)
        await build.a_session(user)
        await sign_out_everywhere(build.as_(build.actor(user, here.id)))

        (event,) = await build.recorded_events()
        assert isinstance(event, AccessEvent)
        assert (event.change, event.user_id) == (AccessChange.SESSIONS_REVOKED, user.id)
        assert (event.session_id, event.spared_session_id) == (None, None)
        assert [session.id for session in await sessions_of(build)] == [theirs.id]


class TestRevokeSession:
    async def test_another_session_of_the_actor_is_revoked(self, build: Builders):
        """With an event; the current one continues."""
        user = await build.a_user()
        here, there = await build.a_session(user), await build.a_session(user)
        assert await revoke_session(build.as_(build.actor(user, here.id)), session_id=there.id) == there.id

        assert [session.id for session in await sessions_of(build)] == [here.id]
        assert await access_events(build) == [(AccessChange.SESSION_REVOKED, there.id)]

    @pytest.mark.parametrize("role", Role)
    async def test_sessions_of_other_users_are_not_found(self, build: Builders, role: Role):
        """Also for an admin; like unknown ones."""
        theirs, actor = await build.a_session(await build.a_user()), await build.an_actor(role)
        for session_id in (theirs.id, uuid4()):
            async with build.unchanged():
                with pytest.raises(NotFound) as refusal:
                    await revoke_session(build.as_(actor), session_id=session_id)
            assert refusal.value.path == ("sessionId",)


class TestListSessions:
    async def test_the_list_has_the_actors_active_sessions(self, build: Builders):
        """The newest first, without expired ones."""
        user = await build.a_user()
        rows = [await build.a_session(user, created_at=NOON + timedelta(hours=hour)) for hour in range(3)]
        await build.a_session(user, expires_at=NOON)
        await build.a_session(await build.a_user())

        listed = await list_sessions(build.as_(user, now=NOON))
        assert [row.id for row in listed] == [row.id for row in reversed(rows)]
