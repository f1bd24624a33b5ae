"""What can be done with users: registering, passwords, roles, and that somebody keeps the keys."""

import asyncio
import random
from typing import Any
from uuid import uuid4

import pytest

from domain.actor import OPERATOR, Actor
from domain.errors import (
    AlreadyExists,
    Forbidden,
    Invalid,
    InvalidCredentials,
    LastAdmin,
    NotFound,
    Refusal,
    Unauthenticated,
)
from domain.events import AccessChange, AccessEvent
from domain.user import Role
from persistence.models import UserRow
from services.task import create_task
from services.user import (
    change_password,
    count_users,
    get_user,
    get_user_by_name,
    register,
    set_user_active,
    set_user_role,
)
from tests.services.passwords import hash_password, verify_password
from tests.support.builders import Builders

STRONG = "Str0ng-password"
NEWCOMER = {"username": "newcomer", "email": "newcomer@example.org", "password": STRONG}


async def join(build: Builders, actor: Actor | None = None, **values: Any) -> UserRow:
    """Register somebody."""
    return await register(build.as_(actor), **(NEWCOMER | {"hash_password": hash_password} | values))


async def change(build: Builders, actor: Actor, current: str, new: str = STRONG) -> UserRow:
    """Change one's password."""
    return await change_password(
        build.as_(actor),
        current_password=current,
        new_password=new,
        hash_password=hash_password,
        verify_password=verify_password,
    )


async def stored(build: Builders, user_id: Any) -> UserRow:
    """The user as it is stored now."""
    row = await build.user(user_id)
    assert row is not None
    return row


async def the_event(build: Builders) -> AccessEvent:
    """The one event that was recorded."""
    (event,) = await build.recorded_events()
    assert isinstance(event, AccessEvent)
    return event


class TestRegister:
    async def test_anybody_becomes_a_user(self, build: Builders):
        """A new user is active, of role USER, and only a hash of the password is stored; nobody needs to be told."""
        user = await join(build, email=" newcomer@example.org ")

        row = await stored(build, user.id)
        assert (row.username, row.email, row.role, row.is_active) == (*list(NEWCOMER.values())[:2], Role.USER, True)
        assert (row.password_hash, row.access_version) == (f"hash of {STRONG}", 1)
        assert await build.recorded_events() == []

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"username": "ab"}, "username"),
            ({"username": "new\x00comer"}, "username"),
            ({"email": "newcomer"}, "email"),
            ({"email": "x" * 250 + "@example.org"}, "email"),
            ({"password": "weak"}, "password"),
            ({"password": STRONG + "\ud800"}, "password"),
        ],
    )
    async def test_a_value_that_breaks_a_rule_is_refused(self, build: Builders, values: dict[str, Any], field: str):
        """The refusal names the field, and there is no new user."""
        async with build.unchanged():
            with pytest.raises(Invalid) as refusal:
                await join(build, **values)
        assert refusal.value.path == (field,)

    @pytest.mark.parametrize(
        ("values", "field"), [({"username": "TAKEN"}, "username"), ({"email": "Taken@Example.ORG"}, "email")]
    )
    async def test_what_is_taken_is_refused_ignoring_case(self, build: Builders, values: dict[str, Any], field: str):
        """The refusal names the field that is taken, and there is no new user."""
        await build.a_user(username="Taken", email="taken@example.org")
        async with build.unchanged():
            with pytest.raises(AlreadyExists) as refusal:
                await join(build, **values)
        assert refusal.value.path == (field,)

    @pytest.mark.parametrize("field", ["username", "email"])
    async def test_of_many_at_once_exactly_one_wins(self, build: Builders, field: str):
        """Ten that ask for the same name or address at the same time: one user, nine refusals at that field."""

        def values(number: int) -> dict[str, Any]:
            one = {"username": f"user-{number}", "email": f"user-{number}@example.org"}
            same = NEWCOMER[field]
            return one | {field: same.upper() if number % 2 and field == "username" else same}

        outcomes = await asyncio.gather(
            *(join(build, **values(number)) for number in range(10)), return_exceptions=True
        )
        refusals = [outcome for outcome in outcomes if isinstance(outcome, AlreadyExists)]
        assert len((await build.snapshot())["users"]) == 1
        assert [refusal.path for refusal in refusals] == [(field,)] * 9

    @pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
    async def test_only_those_who_give_roles_create_them(self, build: Builders, role: Role):
        """Nobody and a user may not create a moderator or an admin; an admin and the operator may."""
        admin, user = await build.an_actor(Role.ADMIN), await build.an_actor()
        async with build.unchanged():
            with pytest.raises(Unauthenticated):
                await join(build, role=role)
            with pytest.raises(Forbidden) as refusal:
                await join(build, user, role=role)
        assert refusal.value.path == ("role",)

        assert (await join(build, admin, role=role)).role is role
        assert (await join(build, OPERATOR, role=role, username="other", email="other@example.org")).role is role


class TestChangePassword:
    async def test_it_spares_the_current_session_only(self, build: Builders):
        """The hash is new, this session goes on, the actor's others end with one event, other people's stay."""
        user = await build.a_user(password_hash="hash of old")
        here, theirs = await build.a_session(user), await build.a_session(await build.a_user())
        for _ in range(3):
            await build.a_session(user)
        await change(build, build.actor(user, here.id), "old")

        event = await the_event(build)
        left = {row[0] for row in (await build.snapshot())["sessions"]}
        assert (await stored(build, user.id)).password_hash == f"hash of {STRONG}"
        assert left == {here.id, theirs.id}
        assert (event.change, event.user_id) == (AccessChange.PASSWORD_CHANGED, user.id)
        assert (event.session_id, event.spared_session_id) == (None, here.id)

    @pytest.mark.parametrize(
        ("current", "new", "refusal", "field"),
        [
            ("wrong", STRONG, InvalidCredentials, "currentPassword"),
            ("old", "weak", Invalid, "newPassword"),
            ("wrong", "weak", Invalid, "newPassword"),
        ],
    )
    async def test_each_refusal(self, build: Builders, current: str, new: str, refusal: type[Refusal], field: str):
        """A wrong password or a weak one: the old one stays, and so do all sessions."""
        user = await build.a_user(password_hash="hash of old")
        await build.a_session(user)
        async with build.unchanged():
            with pytest.raises(refusal) as caught:
                await change(build, build.actor(user), current, new)
        assert caught.value.path == (field,)

    async def test_of_two_at_once_one_wins(self, build: Builders):
        """The second one finds that its current password is not current any more."""
        user = await build.a_user(password_hash="hash of old")
        actor = build.actor(user)
        outcomes = await asyncio.gather(
            *(change(build, actor, "old", f"{STRONG}{number}") for number in range(4)), return_exceptions=True
        )
        assert sum(isinstance(outcome, InvalidCredentials) for outcome in outcomes) == 3
        assert len(await build.recorded_events()) == 1


class TestSetUserRole:
    async def test_a_new_role_is_told(self, build: Builders):
        """The role and the version of the rights change, with one event; sessions go on."""
        admin, user = await build.an_actor(Role.ADMIN), await build.a_user()
        await build.a_session(user)
        await set_user_role(build.as_(admin), user_id=user.id, role=Role.MODERATOR)

        row, event = await stored(build, user.id), await the_event(build)
        assert (row.role, row.access_version) == (Role.MODERATOR, 2)
        assert (event.change, event.user_id, event.actor_id) == (AccessChange.ROLE_CHANGED, user.id, admin.user_id)
        assert len((await build.snapshot())["sessions"]) == 1

    async def test_the_same_role_changes_nothing(self, build: Builders):
        """A role that one has already is no change, also for the last admin."""
        admin, user = await build.an_actor(Role.ADMIN), await build.a_user()
        async with build.unchanged():
            await set_user_role(build.as_(admin), user_id=user.id, role=Role.USER)
            await set_user_role(build.as_(admin), user_id=admin.user_id, role=Role.ADMIN)

    async def test_each_refusal(self, build: Builders):
        """Who is no admin, a user who does not exist, and the last active admin."""
        admin, user = await build.an_actor(Role.ADMIN), await build.an_actor(Role.MODERATOR)
        await build.a_user(Role.ADMIN, is_active=False)
        for actor, user_id, refusal in (
            (user, user.user_id, Forbidden),
            (admin, uuid4(), NotFound),
            (admin, admin.user_id, LastAdmin),
            (OPERATOR, admin.user_id, LastAdmin),
        ):
            async with build.unchanged():
                with pytest.raises(refusal) as caught:
                    await set_user_role(build.as_(actor), user_id=user_id, role=Role.USER)
            assert caught.value.path == ("userId",)

    async def test_an_admin_who_is_disabled_is_not_the_last(self, build: Builders):
        """The role of somebody who cannot sign in can be taken, whoever is left."""
        admin, gone = await build.an_actor(Role.ADMIN), await build.a_user(Role.ADMIN, is_active=False)
        row = await set_user_role(build.as_(admin), user_id=gone.id, role=Role.USER)
        assert row.role is Role.USER


class TestSetUserActive:
    async def test_cut_off_and_let_in_again(self, build: Builders):
        """Disabling ends all sessions, enabling brings none back; each is one event and one version of the rights."""
        admin, user = await build.an_actor(Role.ADMIN), await build.a_user()
        await build.a_session(user)
        await set_user_active(build.as_(admin), user_id=user.id, is_active=False)
        off = await stored(build, user.id)
        await set_user_active(build.as_(admin), user_id=user.id, is_active=True)
        on = await stored(build, user.id)

        changes = [event.change for event in await build.recorded_events() if isinstance(event, AccessEvent)]
        assert (off.is_active, off.access_version, on.is_active, on.access_version) == (False, 2, True, 3)
        assert changes == [AccessChange.DISABLED, AccessChange.ENABLED]
        assert (await build.snapshot())["sessions"] == []

    async def test_what_is_already_so_changes_nothing(self, build: Builders):
        """Twice is as good as once."""
        admin, gone = await build.an_actor(Role.ADMIN), await build.a_user(is_active=False)
        async with build.unchanged():
            await set_user_active(build.as_(admin), user_id=gone.id, is_active=False)
            await set_user_active(build.as_(admin), user_id=admin.user_id, is_active=True)

    async def test_each_refusal(self, build: Builders):
        """Who is no admin, a user who does not exist, and the last active admin."""
        admin, user = await build.an_actor(Role.ADMIN), await build.an_actor(Role.MODERATOR)
        for actor, user_id, refusal in (
            (user, admin.user_id, Forbidden),
            (admin, uuid4(), NotFound),
            (admin, admin.user_id, LastAdmin),
        ):
            async with build.unchanged():
                with pytest.raises(refusal) as caught:
                    await set_user_active(build.as_(actor), user_id=user_id, is_active=False)
            assert caught.value.path == ("userId",)


class TestLastAdmin:
    @pytest.mark.parametrize("seed", range(4))
    async def test_whoever_turns_on_whom(self, build: Builders, seed: int):
        """Admins who demote and disable one another at the same time always leave one of them, and never deadlock."""
        chance = random.Random(seed)
        admins = [await build.an_actor(Role.ADMIN) for _ in range(4)]

        async def turn(actor: Actor, target: Actor) -> object:
            if chance.random() < 0.5:
                return await set_user_role(build.as_(actor), user_id=target.user_id, role=Role.USER)
            return await set_user_active(build.as_(actor), user_id=target.user_id, is_active=False)

        outcomes = await asyncio.gather(
            *(turn(actor, target) for actor in admins for target in chance.sample(admins, len(admins))),
            return_exceptions=True,
        )
        left = [await stored(build, admin.user_id) for admin in admins]
        assert [outcome for outcome in outcomes if not isinstance(outcome, UserRow | LastAdmin)] == []
        assert sum(row.role is Role.ADMIN and row.is_active for row in left) == 1

    async def test_those_who_work_meanwhile_are_not_in_the_way(self, build: Builders):
        """Tasks that refer to admins can be created while admins are demoted: neither waits in a circle."""
        admins = [await build.an_actor(Role.ADMIN) for _ in range(6)]

        async def work(owner: Actor, friend: Actor) -> object:
            return await create_task(build.as_(owner), title="Task", assignee_id=friend.user_id)

        for target in admins[:4]:
            await asyncio.gather(
                *(work(one, other) for one in admins[3:] for other in admins[3:]),
                set_user_role(build.as_(OPERATOR), user_id=target.user_id, role=Role.USER),
            )


class TestReading:
    async def test_one_by_id_and_by_name(self, build: Builders):
        """Anybody signed in may look somebody up; who does not exist is not found."""
        actor, user = await build.an_actor(), await build.a_user(username="Somebody")

        assert (await get_user(build.as_(actor), user_id=user.id)).id == user.id
        assert (await get_user_by_name(build.as_(actor), username="somebody")).id == user.id
        with pytest.raises(NotFound) as refusal:
            await get_user_by_name(build.as_(actor), username="some\x00body")
        assert refusal.value.path == ("username",)
        with pytest.raises(NotFound):
            await get_user(build.as_(actor), user_id=uuid4())

    async def test_only_admins_count_everybody(self, build: Builders):
        """An admin sees the number of users; for others it is closed."""
        admin, user = await build.an_actor(Role.ADMIN), await build.an_actor(Role.MODERATOR)
        assert await count_users(build.as_(admin)) == 2

        with pytest.raises(Forbidden) as refusal:
            await count_users(build.as_(user))
        assert refusal.value.path == ()
