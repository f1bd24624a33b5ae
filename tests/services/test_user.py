"""Users: registration, passwords, roles, and the last active admin."""

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
from services.task_creation import create_task
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
    """Register a user."""
    return await register(build.as_(actor), **(NEWCOMER | {"hash_password": hash_password} | values))


async def change(build: Builders, actor: Actor, current: str, new: str = STRONG) -> UserRow:
    """Change the password of the actor."""
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
    async def test_a_registration_creates_an_active_user(self, build: Builders):
        """Role USER, with only a hash of the password; there is no event."""
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
    async def test_a_used_name_or_address_is_refused(self, build: Builders, values: dict[str, Any], field: str):
        """Ignoring case, at its field."""
        await build.a_user(username="Taken", email="taken@example.org")
        async with build.unchanged():
            with pytest.raises(AlreadyExists) as refusal:
                await join(build, **values)
        assert refusal.value.path == (field,)

    @pytest.mark.parametrize("field", ["username", "email"])
    async def test_one_of_concurrent_registrations_succeeds(self, build: Builders, field: str):
        """Ten with the same name or address: one user, nine refusals."""

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
    async def test_only_admins_create_other_roles(self, build: Builders, role: Role):
        """And the operator; an anonymous actor or a user may not."""
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
    async def test_a_password_change_keeps_the_current_session_only(self, build: Builders):
        """The other sessions of the actor end with one event."""
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
    async def test_refusals_of_disabling(
        self, build: Builders, current: str, new: str, refusal: type[Refusal], field: str
    ):
        """A wrong or a weak password: nothing changes."""
        user = await build.a_user(password_hash="hash of old")
        await build.a_session(user)
        async with build.unchanged():
            with pytest.raises(refusal) as caught:
                await change(build, build.actor(user), current, new)
        assert caught.value.path == (field,)

    async def test_a_user_without_a_password_cannot_change_it(self, build: Builders):
        """The error says why, and no hash is computed."""
        user = await build.a_user(password_hash="hash of old", has_password=False)
        async with build.unchanged():
            with pytest.raises(Invalid, match="has no password") as caught:
                await change(build, build.actor(user), "old")
        assert caught.value.path == ("currentPassword",)

    async def test_one_of_concurrent_password_changes_succeeds(self, build: Builders):
        """For the other the current password is wrong."""
        user = await build.a_user(password_hash="hash of old")
        actor = build.actor(user)
        outcomes = await asyncio.gather(
            *(change(build, actor, "old", f"{STRONG}{number}") for number in range(4)), return_exceptions=True
        )
        assert sum(isinstance(outcome, InvalidCredentials) for outcome in outcomes) == 3
        assert len(await build.recorded_events()) == 1


class TestSetUserRole:
    async def test_a_new_role_has_an_event(self, build: Builders):
        """The access version changes; sessions continue."""
        admin, user = await build.an_actor(Role.ADMIN), await build.a_user()
        await build.a_session(user)
        await set_user_role(build.as_(admin), user_id=user.id, role=Role.MODERATOR)

        row, event = await stored(build, user.id), await the_event(build)
        assert (row.role, row.access_version) == (Role.MODERATOR, 2)
        assert (event.change, event.user_id, event.actor_id) == (AccessChange.ROLE_CHANGED, user.id, admin.user_id)
        assert len((await build.snapshot())["sessions"]) == 1

    async def test_the_same_role_changes_nothing(self, build: Builders):
        """Also for the last admin."""
        admin, user = await build.an_actor(Role.ADMIN), await build.a_user()
        async with build.unchanged():
            await set_user_role(build.as_(admin), user_id=user.id, role=Role.USER)
            await set_user_role(build.as_(admin), user_id=admin.user_id, role=Role.ADMIN)

    async def test_refusals_of_disabling(self, build: Builders):
        """An actor without the permission, an unknown user, the last active admin."""
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

    async def test_a_disabled_admin_does_not_count(self, build: Builders):
        """Their role can be changed."""
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

    async def test_disabling_twice_changes_nothing(self, build: Builders):
        """The second time there is no event."""
        admin, gone = await build.an_actor(Role.ADMIN), await build.a_user(is_active=False)
        async with build.unchanged():
            await set_user_active(build.as_(admin), user_id=gone.id, is_active=False)
            await set_user_active(build.as_(admin), user_id=admin.user_id, is_active=True)

    async def test_refusals_of_disabling(self, build: Builders):
        """An actor without the permission, an unknown user, the last active admin."""
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
    @pytest.mark.parametrize("seed", range(8))
    async def test_concurrent_admin_changes_leave_one_admin(self, build: Builders, seed: int):
        """Admins who demote and disable one another never all succeed, and never deadlock."""
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

    async def test_task_changes_do_not_deadlock_with_role_changes(self, build: Builders):
        """Tasks with admins can be created meanwhile."""
        admins = [await build.an_actor(Role.ADMIN) for _ in range(6)]

        async def work(owner: Actor, friend: Actor) -> object:
            return await create_task(build.as_(owner), title="Task", assignee_id=friend.user_id)

        for target in admins[:4]:
            await asyncio.gather(
                *(work(one, other) for one in admins[3:] for other in admins[3:]),
                set_user_role(build.as_(OPERATOR), user_id=target.user_id, role=Role.USER),
            )


class TestReading:
    async def test_a_user_is_found_by_id_and_by_name(self, build: Builders):
        """By every signed-in user; an unknown one is not found."""
        actor, user = await build.an_actor(), await build.a_user(username="Some.User")

        assert (await get_user(build.as_(actor), user_id=user.id)).id == user.id
        assert (await get_user_by_name(build.as_(actor), username="some.user")).id == user.id
        with pytest.raises(NotFound) as refusal:
            await get_user_by_name(build.as_(actor), username="some\x00body")
        assert refusal.value.path == ("username",)
        with pytest.raises(NotFound):
            await get_user(build.as_(actor), user_id=uuid4())

    async def test_only_admins_count_users(self, build: Builders):
        """Others are refused."""
        admin, user = await build.an_actor(Role.ADMIN), await build.an_actor(Role.MODERATOR)
        assert await count_users(build.as_(admin)) == 2

        with pytest.raises(Forbidden) as refusal:
            await count_users(build.as_(user))
        assert refusal.value.path == ()
