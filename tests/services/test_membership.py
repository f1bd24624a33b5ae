"""Members of projects: added, changed and removed; a project keeps an active manager."""

import asyncio
import logging
from collections.abc import Callable
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.actor import OPERATOR
from domain.errors import AlreadyExists, Forbidden, Invalid, LastManager, NotFound
from domain.idempotency import IdempotencyKey
from domain.policy import Action
from domain.project import ProjectRole
from domain.user import Role
from persistence.models import ProjectRow
from persistence.unit_of_work import UnitOfWork
from services.membership import (
    add_member,
    leave_project,
    list_members,
    put_member,
    remove_member,
    set_member_role,
)
from services.project import archive_project
from services.user import set_user_active
from tests.services.test_project import allowed
from tests.support.builders import Builders

MANAGER, MEMBER, VIEWER = ProjectRole.MANAGER, ProjectRole.MEMBER, ProjectRole.VIEWER
Change = Callable[[UnitOfWork, UUID, UUID], Any]

CHANGES: dict[str, Change] = {
    "set": lambda uow, project_id, user_id: set_member_role(uow, project_id=project_id, user_id=user_id, role=VIEWER),
    "remove": lambda uow, project_id, user_id: remove_member(uow, project_id=project_id, user_id=user_id),
}

ALL_CHANGES: dict[str, Change] = {
    **CHANGES,
    "leave": lambda uow, project_id, _: leave_project(uow, project_id=project_id),
}


class TestAdd:
    async def test_a_user_becomes_a_member(self, build: Builders):
        """With the role; the list has them in the order in which they were added."""
        manager, other = await build.an_actor(), await build.an_actor()
        project = await build.a_project((manager, MANAGER))
        made = await add_member(build.as_(manager), project_id=project.id, user_id=other.user_id, role=VIEWER)
        assert (made.project_id, made.user_id, made.role) == (project.id, other.user_id, VIEWER)
        found = await list_members(build.as_(other), project_id=project.id)
        assert [(row.id, row.role, user.id) for row, user in found[1:]] == [(made.id, VIEWER, other.user_id)]
        assert [user.id for _, user in found] == [manager.user_id, other.user_id]

    async def test_a_member_is_not_added_again(self, build: Builders):
        """ALREADY_EXISTS, also at the same time."""
        manager, other = await build.an_actor(), await build.an_actor()
        project = await build.a_project((manager, MANAGER))
        adding = [
            add_member(build.as_(manager), project_id=project.id, user_id=other.user_id, role=MEMBER) for _ in range(5)
        ]
        outcomes = await asyncio.gather(*adding, return_exceptions=True)
        assert sum(isinstance(each, AlreadyExists) for each in outcomes) == 4
        assert len(await build.roles_in(project.id)) == 2

    async def test_only_active_users(self, build: Builders):
        """A disabled or unknown user is INVALID."""
        manager, disabled = await build.an_actor(), await build.a_user(is_active=False)
        project = await build.a_project((manager, MANAGER))
        async with build.unchanged():
            for user_id in (disabled.id, uuid4()):
                with pytest.raises(Invalid) as caught:
                    await add_member(build.as_(manager), project_id=project.id, user_id=user_id, role=MEMBER)
                assert caught.value.path == ("userId",)

    async def test_a_repeated_request_adds_nothing(self, build: Builders):
        """It returns the membership as it is now."""
        manager, other, key = await build.an_actor(), await build.an_actor(), IdempotencyKey("again")
        project = await build.a_project((manager, MANAGER))

        async def add() -> Any:
            return await add_member(
                build.as_(manager, key=key), project_id=project.id, user_id=other.user_id, role=MEMBER
            )

        first = await add()
        await put_member(build.as_(manager), project_id=project.id, user_id=other.user_id, role=VIEWER)
        assert ((await add()).id, (await add()).role) == (first.id, VIEWER)
        await leave_project(build.as_(other), project_id=project.id)
        with pytest.raises(NotFound, match="done already") as caught:
            await add()
        assert caught.value.path == ()

    async def test_put_changes_a_disabled_member(self, build: Builders):
        """Who could not be added."""
        disabled = await build.a_user(is_active=False)
        project = await build.a_project((await build.an_actor(), MANAGER), (disabled, MANAGER))
        await put_member(build.as_(OPERATOR), project_id=project.id, user_id=disabled.id, role=VIEWER)
        assert (await build.roles_in(project.id))[disabled.id] is VIEWER

    async def test_put_adds_or_changes(self, build: Builders):
        """Both with one call."""
        manager, other = await build.an_actor(), await build.an_actor()
        project = await build.a_project((manager, MANAGER))
        for role in (MEMBER, VIEWER, VIEWER):
            await put_member(build.as_(OPERATOR), project_id=project.id, user_id=other.user_id, role=role)
            assert (await build.roles_in(project.id))[other.user_id] is role


@pytest.mark.parametrize(("role", "member", "change"), list(product(Role, [None, *ProjectRole], CHANGES)))
async def test_changes_follow_the_table(build: Builders, role: Role, member: ProjectRole | None, change: str):
    """Managers manage members; a refusal changes nothing."""
    actor, other = await build.an_actor(role), await build.an_actor()
    project = await build.a_project((other, MEMBER), (await build.an_actor(), MANAGER))
    if member is not None:
        await build.a_member(project, actor, member)
    if allowed(role, Action.MANAGE_MEMBERS, member):
        await CHANGES[change](build.as_(actor), project.id, other.user_id)
    else:
        async with build.unchanged():
            with pytest.raises(Forbidden if allowed(role, Action.READ_PROJECT, member) else NotFound):
                await CHANGES[change](build.as_(actor), project.id, other.user_id)


@pytest.mark.parametrize("change", CHANGES)
async def test_a_user_who_is_no_member_is_not_found(build: Builders, change: str):
    """Also a member of another project."""
    manager, outsider = await build.an_actor(), await build.an_actor()
    project = await build.a_project((manager, MANAGER))
    await build.a_project((outsider, MEMBER))
    async with build.unchanged():
        for user_id in (outsider.user_id, uuid4()):
            with pytest.raises(NotFound) as caught:
                await CHANGES[change](build.as_(manager), project.id, user_id)
            assert caught.value.path == ("userId",)


async def test_a_repeated_removal_is_harmless(build: Builders):
    """Under the same key: the id of the membership, as before."""
    manager, other, key = await build.an_actor(), await build.an_actor(), IdempotencyKey("again")
    project = await build.a_project((manager, MANAGER), (other, MEMBER))
    first, second = [
        await remove_member(build.as_(manager, key=key), project_id=project.id, user_id=other.user_id) for _ in range(2)
    ]
    assert first == second


async def test_an_archived_project_keeps_its_members(build: Builders):
    """No member is added, changed or removed; members can leave."""
    manager, other = await build.an_actor(), await build.an_actor()
    project = await build.a_project((manager, MANAGER), (other, MEMBER))
    await archive_project(build.as_(manager), project_id=project.id, is_archived=True)
    async with build.unchanged():
        for change in CHANGES.values():
            with pytest.raises(Forbidden, match="archived"):
                await change(build.as_(manager), project.id, other.user_id)
    await leave_project(build.as_(other), project_id=project.id)
    assert await build.roles_in(project.id) == {manager.user_id: MANAGER}


class TestLeave:
    async def test_a_member_leaves(self, build: Builders):
        """Then the project is not visible any more."""
        manager, other = await build.an_actor(), await build.an_actor()
        project = await build.a_project((manager, MANAGER), (other, VIEWER))
        await leave_project(build.as_(other), project_id=project.id)
        with pytest.raises(NotFound):
            await list_members(build.as_(other), project_id=project.id)
        with pytest.raises(NotFound):
            await leave_project(build.as_(other), project_id=project.id)

    @pytest.mark.parametrize("role", Role)
    async def test_who_is_no_member_cannot_leave(self, build: Builders, role: Role):
        """NOT_FOUND, also for an admin, who sees the project."""
        project = await build.a_project((await build.an_actor(), MANAGER))
        actor = await build.an_actor(role)
        async with build.unchanged():
            with pytest.raises(NotFound):
                await leave_project(build.as_(actor), project_id=project.id)


class TestLastManager:
    @pytest.mark.parametrize("change", ALL_CHANGES)
    async def test_the_last_manager_stays(self, build: Builders, change: str):
        """Tried by anyone: the manager, or an admin."""
        manager, member = await build.an_actor(), await build.an_actor()
        disabled = await build.a_user(is_active=False)
        project = await build.a_project((manager, MANAGER), (member, MEMBER), (disabled, MANAGER))
        async with build.unchanged():
            for actor in (manager, OPERATOR) if change in CHANGES else (manager,):
                with pytest.raises(LastManager):
                    await ALL_CHANGES[change](build.as_(actor), project.id, manager.user_id)

    async def test_a_disabled_manager_is_removed(self, build: Builders):
        """Even if there is no active one: the number of active managers stays the same."""
        disabled = await build.a_user(is_active=False)
        project = await build.a_project((disabled, MANAGER))
        await remove_member(build.as_(OPERATOR), project_id=project.id, user_id=disabled.id)
        assert await build.roles_in(project.id) == {}

    @pytest.mark.parametrize("change", CHANGES)
    async def test_two_managers_do_not_remove_each_other(self, build: Builders, change: str):
        """At the same time: one succeeds; the other is no manager any more, or is the last one."""
        for _ in range(5):
            one, two = await build.an_actor(), await build.an_actor()
            project = await build.a_project((one, MANAGER), (two, MANAGER))
            outcomes = await asyncio.gather(
                CHANGES[change](build.as_(one), project.id, two.user_id),
                CHANGES[change](build.as_(two), project.id, one.user_id),
                return_exceptions=True,
            )
            refused = [each for each in outcomes if isinstance(each, BaseException)]
            assert len(refused) == 1
            assert isinstance(refused[0], Forbidden | NotFound)
            assert list((await build.roles_in(project.id)).values()).count(MANAGER) == 1

    async def test_two_managers_do_not_leave_together(self, build: Builders):
        """One stays."""
        for _ in range(5):
            actors = [await build.an_actor() for _ in range(2)]
            project = await build.a_project(*((each, MANAGER) for each in actors))
            outcomes = await asyncio.gather(
                *(leave_project(build.as_(each), project_id=project.id) for each in actors), return_exceptions=True
            )
            assert sum(isinstance(each, LastManager) for each in outcomes) == 1
            assert len(await build.roles_in(project.id)) == 1


class TestDisabled:
    async def test_the_first_member_becomes_the_manager(self, build: Builders):
        """Of the active ones with the role MEMBER, in the order in which they were added."""
        manager, viewer, off = await build.a_user(), await build.an_actor(), await build.a_user(is_active=False)
        first, second = await build.an_actor(), await build.an_actor()
        project = await build.a_project(
            (manager, MANAGER), (viewer, VIEWER), (off, MEMBER), (first, MEMBER), (second, MEMBER)
        )
        await set_user_active(build.as_(OPERATOR), user_id=manager.id, is_active=False)
        assert await build.roles_in(project.id) == {
            manager.id: MANAGER, viewer.user_id: VIEWER, off.id: MEMBER, first.user_id: MANAGER, second.user_id: MEMBER
        }  # fmt: skip

    async def test_a_new_manager_is_logged(self, build: Builders, caplog: pytest.LogCaptureFixture):
        """One line for each project, after the commit; none if no role changes."""
        manager, members = await build.a_user(), [await build.an_actor() for _ in range(2)]
        projects = [await build.a_project((manager, MANAGER), (member, MEMBER)) for member in members]
        await build.a_project((manager, MANAGER), (members[0], MANAGER), (members[1], MEMBER))
        with caplog.at_level(logging.INFO, "taskriver.projects"):
            for is_active in (False, False, True):
                await set_user_active(build.as_(OPERATOR), user_id=manager.id, is_active=is_active)
        assert sorted(caplog.messages) == sorted(
            f"the user {member.user_id} is a manager of the project {project.id} now: its only manager, the user "
            f"{manager.id}, was disabled (request test)"
            for member, project in zip(members, projects, strict=True)
        )

    async def test_another_manager_is_enough(self, build: Builders):
        """Then no role changes; nor without a member who could be one."""
        manager, other, member = await build.a_user(), await build.an_actor(), await build.an_actor()
        managed = await build.a_project((manager, MANAGER), (other, MANAGER), (member, MEMBER))
        alone = await build.a_project((manager, MANAGER), (member, VIEWER))
        await set_user_active(build.as_(OPERATOR), user_id=manager.id, is_active=False)
        assert (await build.roles_in(managed.id))[member.user_id] is MEMBER
        assert (await build.roles_in(alone.id))[member.user_id] is VIEWER

    async def test_disabling_and_leaving_at_the_same_time(self, build: Builders):
        """Whatever comes first, an active manager remains, and nothing deadlocks."""
        for _ in range(5):
            one, two, member = await build.a_user(), await build.a_user(), await build.a_user()
            project = await build.a_project((one, MANAGER), (two, MANAGER), (member, MEMBER))
            outcomes = await asyncio.gather(
                set_user_active(build.as_(OPERATOR), user_id=one.id, is_active=False),
                leave_project(build.as_(two), project_id=project.id),
                return_exceptions=True,
            )
            assert all(isinstance(each, LastManager) for each in outcomes if isinstance(each, BaseException))
            assert await _active_managers(build, project) >= 1

    async def test_promoting_and_disabling_at_the_same_time(self, build: Builders):
        """A user is not the only active manager when the user is disabled."""
        for _ in range(5):
            one, two, member = await build.a_user(), await build.a_user(), await build.a_user()
            project = await build.a_project((one, MANAGER), (two, MEMBER), (member, MEMBER))
            await asyncio.gather(
                set_user_active(build.as_(OPERATOR), user_id=two.id, is_active=False),
                put_member(build.as_(OPERATOR), project_id=project.id, user_id=two.id, role=MANAGER),
                leave_project(build.as_(one), project_id=project.id),
                return_exceptions=True,
            )
            assert await _active_managers(build, project) >= 1


async def _active_managers(build: Builders, project: ProjectRow) -> int:
    roles = await build.roles_in(project.id)
    users = [await build.user(user_id) for user_id, role in roles.items() if role is MANAGER]
    return sum(user is not None and user.is_active for user in users)
