"""Projects: created, changed, archived and deleted, by whom, and their keys."""

import asyncio
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.actor import OPERATOR, Actor
from domain.errors import AlreadyExists, Conflict, DomainError, Forbidden, IdempotencyMismatch, Invalid, NotFound
from domain.idempotency import IdempotencyKey
from domain.policy import IN_PROJECT, POLICY, Action, Reach
from domain.project import MAX_KEYS, ProjectCreation, ProjectRole
from domain.user import Role
from persistence.models import ProjectRow, VisibleProjectRow
from persistence.queries import project as reads
from services.project import (
    archive_project,
    create_project,
    get_project,
    list_projects,
    update_project,
)
from services.project_deletion import delete_project
from services.reading import read_rows
from tests.support.builders import Builders

MANAGER, MEMBER, VIEWER = ProjectRole.MANAGER, ProjectRole.MEMBER, ProjectRole.VIEWER
EVERYONE = ProjectCreation.EVERYONE


async def create(build: Builders, actor: Actor, key: str = "WEB", **values: Any) -> VisibleProjectRow:
    """Create a project."""
    given: dict[str, Any] = {"creation": EVERYONE, "key": key, "name": "Web site"} | values
    idempotency = given.pop("under", None)
    return await create_project(build.as_(actor, key=idempotency), **given)


async def seen(build: Builders, actor: Actor, project_id: UUID) -> VisibleProjectRow | None:
    """The project as the actor sees it."""
    rows = await read_rows(build.as_(actor), VisibleProjectRow, reads.project(actor, project_id))
    return rows[0] if rows else None


class TestCreate:
    async def test_the_creator_is_the_manager(self, build: Builders):
        """The key is stored in upper case."""
        actor = await build.an_actor()
        project = await create(build, actor, " web ", name=" Web site ", description=" All pages ")

        assert (project.key, project.name, project.description) == ("WEB", "Web site", "All pages")
        assert (project.version, project.is_archived, project.viewer_role) == (1, False, MANAGER)
        assert await build.roles_in(project.id) == {actor.user_id: MANAGER}
        stored = await seen(build, actor, project.id)
        assert stored is not None
        assert vars(stored) == vars(project)

    @pytest.mark.parametrize("key", ["WEB", "web"])
    async def test_a_key_is_unique(self, build: Builders, key: str):
        """Ignoring case, also for those who do not see the other project."""
        await create(build, await build.an_actor())
        other = await build.an_actor()
        async with build.unchanged():
            with pytest.raises(AlreadyExists) as caught:
                await create(build, other, key)
        assert caught.value.path == ("key",)

    async def test_one_of_several_at_the_same_time_gets_the_key(self, build: Builders):
        """The others are refused."""
        actors = [await build.an_actor() for _ in range(6)]
        outcomes = await asyncio.gather(*(create(build, each) for each in actors), return_exceptions=True)
        assert sum(isinstance(each, VisibleProjectRow) for each in outcomes) == 1
        assert sum(isinstance(each, AlreadyExists) for each in outcomes) == 5

    @pytest.mark.parametrize(("creation", "role"), list(product(ProjectCreation, Role)))
    async def test_the_operator_decides_who_may_create(self, build: Builders, creation: ProjectCreation, role: Role):
        """Everyone, moderators or admins."""
        least = {EVERYONE: Role.USER, ProjectCreation.MODERATORS: Role.MODERATOR, ProjectCreation.ADMINS: Role.ADMIN}
        roles = list(Role)
        actor = await build.an_actor(role)
        if roles.index(role) >= roles.index(least[creation]):
            assert (await create(build, actor, creation=creation)).viewer_role is MANAGER
        else:
            async with build.unchanged():
                with pytest.raises(Forbidden):
                    await create(build, actor, creation=creation)

    async def test_the_operator_is_no_manager(self, build: Builders):
        """A project needs a user as its manager."""
        with pytest.raises(Forbidden):
            await create(build, OPERATOR)

    @pytest.mark.parametrize("values", [{"key": "1"}, {"name": ""}, {"description": "x" * 10_001}])
    async def test_limits(self, build: Builders, values: dict[str, str]):
        """Nothing is stored."""
        actor = await build.an_actor()
        async with build.unchanged():
            with pytest.raises(Invalid) as caught:
                await create(build, actor, **values)
        assert caught.value.path == tuple(values)

    async def test_a_repeated_request_creates_nothing(self, build: Builders):
        """It returns the project as it is now."""
        actor, key = await build.an_actor(), IdempotencyKey("again")
        first = await create(build, actor, under=key)
        await update_project(build.as_(actor), project_id=first.id, name="Other")
        second = await create(build, actor, under=key)
        assert (second.id, second.name, second.viewer_role) == (first.id, "Other", MANAGER)
        with pytest.raises(IdempotencyMismatch):
            await create(build, actor, "APP", under=key)
        await delete_project(build.as_(actor), project_id=first.id)
        with pytest.raises(NotFound):
            await create(build, actor, under=key)


class TestUpdate:
    async def test_the_changed_fields(self, build: Builders):
        """One version."""
        actor = await build.an_actor()
        project = await create(build, actor)
        changed = await update_project(build.as_(actor), project_id=project.id, name="Site", description="x")
        assert (changed.name, changed.description, changed.key, changed.version) == ("Site", "x", "WEB", 2)
        assert changed.updated_at >= project.updated_at

    async def test_the_current_values_change_nothing(self, build: Builders):
        """No new version."""
        actor = await build.an_actor()
        project = await create(build, actor)
        async with build.unchanged():
            same = await update_project(build.as_(actor), project_id=project.id, key="web", name="Web site")
        assert same.version == 1

    async def test_the_expected_version(self, build: Builders):
        """Another one is a conflict."""
        actor = await build.an_actor()
        project = await create(build, actor)
        await update_project(build.as_(actor), project_id=project.id, name="Site", expected_version=1)
        async with build.unchanged():
            with pytest.raises(Conflict):
                await update_project(build.as_(actor), project_id=project.id, name="B", expected_version=1)

    async def test_old_keys_lead_to_the_project(self, build: Builders):
        """In any case, also after several changes, and when an old key is used again."""
        actor = await build.an_actor()
        project = await create(build, actor)
        for key in ("APP", "SITE", "WEB"):
            assert (await update_project(build.as_(actor), project_id=project.id, key=key)).key == key
        for key in ("WEB", "app", "Site"):
            assert (await get_project(build.as_(actor), key=key)).id == project.id

    async def test_nobody_else_gets_an_old_key(self, build: Builders):
        """Neither by a new project nor by a change."""
        actor = await build.an_actor()
        project = await create(build, actor)
        await update_project(build.as_(actor), project_id=project.id, key="APP")
        other = await create(build, await build.an_actor(), "OTHER")
        async with build.unchanged():
            with pytest.raises(AlreadyExists):
                await create(build, actor, "WEB")
            with pytest.raises(AlreadyExists):
                await update_project(build.as_(OPERATOR), project_id=other.id, key="web")

    async def test_a_project_has_a_limited_number_of_keys(self, build: Builders):
        """So it cannot take all short ones; its old keys stay usable."""
        actor = await build.an_actor()
        project = await create(build, actor, "K1")
        for number in range(2, MAX_KEYS + 1):
            await update_project(build.as_(actor), project_id=project.id, key=f"K{number}")
        async with build.unchanged():
            with pytest.raises(Invalid) as caught:
                await update_project(build.as_(actor), project_id=project.id, key="MORE")
        assert caught.value.path == ("key",)
        assert (await update_project(build.as_(actor), project_id=project.id, key="K1")).key == "K1"

    async def test_a_user_manages_a_limited_number_of_projects(self, build: Builders, monkeypatch: pytest.MonkeyPatch):
        """Projects of which the user is only a member do not count."""
        monkeypatch.setattr("domain.project.MAX_MANAGED", 2)
        actor = await build.an_actor()
        await build.a_project((actor, MEMBER))
        for key in ("ONE", "TWO"):
            await create(build, actor, key)
        async with build.unchanged():
            with pytest.raises(Forbidden):
                await create(build, actor, "THREE")

    async def test_a_deleted_project_frees_its_keys(self, build: Builders):
        """All of them."""
        actor = await build.an_actor()
        project = await create(build, actor)
        await update_project(build.as_(actor), project_id=project.id, key="APP")
        await delete_project(build.as_(actor), project_id=project.id)
        assert (await create(build, actor, "WEB")).id != project.id
        assert (await create(build, actor, "APP")).id != project.id

    async def test_keys_are_exchanged_by_one_only(self, build: Builders):
        """Two projects that take the same new key at the same time."""
        actor = await build.an_actor()
        projects = [await create(build, actor, key) for key in ("ONE", "TWO")]
        outcomes = await asyncio.gather(
            *(update_project(build.as_(actor), project_id=each.id, key="NEW") for each in projects),
            return_exceptions=True,
        )
        assert sum(isinstance(each, VisibleProjectRow) for each in outcomes) == 1
        assert sum(isinstance(each, AlreadyExists) for each in outcomes) == 1


class TestArchive:
    async def test_an_archived_project_does_not_change(self, build: Builders):
        """Until it is active again."""
        actor = await build.an_actor()
        project = await create(build, actor)
        archived = await archive_project(build.as_(actor), project_id=project.id, is_archived=True)
        assert (archived.is_archived, archived.version) == (True, 2)
        async with build.unchanged():
            with pytest.raises(Forbidden, match="archived"):
                await update_project(build.as_(actor), project_id=project.id, name="Other")
            await archive_project(build.as_(actor), project_id=project.id, is_archived=True)
        await archive_project(build.as_(actor), project_id=project.id, is_archived=False, expected_version=2)
        assert (await update_project(build.as_(actor), project_id=project.id, name="Other")).version == 4

    async def test_an_archived_project_can_be_deleted(self, build: Builders):
        """With its members."""
        actor = await build.an_actor()
        project = await create(build, actor)
        await archive_project(build.as_(actor), project_id=project.id, is_archived=True)
        assert await delete_project(build.as_(actor), project_id=project.id) == project.id
        assert await build.roles_in(project.id) == {}

    async def test_the_list_without_archived_projects(self, build: Builders):
        """Or only these, or both."""
        actor = await build.an_actor()
        active = await create(build, actor, "B1")
        archived = await create(build, actor, "A1")
        await archive_project(build.as_(actor), project_id=archived.id, is_archived=True)
        found = {
            wanted: [row.id for row in await list_projects(build.as_(actor), is_archived=wanted)]
            for wanted in (None, False, True)
        }
        assert found == {None: [archived.id, active.id], False: [active.id], True: [archived.id]}


CHANGES: dict[Action, Any] = {
    Action.UPDATE_PROJECT: lambda uow, project: update_project(uow, project_id=project.id, name="Changed"),
    Action.ARCHIVE_PROJECT: lambda uow, project: archive_project(uow, project_id=project.id, is_archived=True),
    Action.DELETE_PROJECT: lambda uow, project: delete_project(uow, project_id=project.id),
}


def allowed(role: Role, action: Action, member: ProjectRole | None) -> bool:
    """What the policy table allows."""
    reaches = POLICY[role].get(action, frozenset())
    return Reach.ANY in reaches or (member is not None and not reaches.isdisjoint(IN_PROJECT[member]))


@pytest.mark.parametrize(("role", "member", "action"), list(product(Role, [None, *ProjectRole], CHANGES)))
async def test_changes_follow_the_table(build: Builders, role: Role, member: ProjectRole | None, action: Action):
    """A refusal changes nothing; for those who do not see the project it says NOT_FOUND."""
    actor = await build.an_actor(role)
    others = [(await build.an_actor(), MANAGER)]
    project = await build.a_project(*others, *([(actor, member)] if member is not None else []))
    if allowed(role, action, member):
        await CHANGES[action](build.as_(actor), project)
    else:
        async with build.unchanged():
            with pytest.raises(Forbidden if allowed(role, Action.READ_PROJECT, member) else NotFound):
                await CHANGES[action](build.as_(actor), project)


@pytest.mark.parametrize(("role", "member"), list(product(Role, [None, *ProjectRole])))
async def test_reads_follow_the_table(build: Builders, role: Role, member: ProjectRole | None):
    """By id, by key, and in the list; beside projects of others."""
    actor = await build.an_actor(role)
    await build.a_project((await build.an_actor(), MANAGER), key="OTHER")
    project = await build.a_project(*([(actor, member)] if member is not None else []), key="MINE")
    is_visible = allowed(role, Action.READ_PROJECT, member)

    found = await seen(build, actor, project.id)
    assert (found is not None) is is_visible
    assert found is None or found.viewer_role is member
    keys = [row.key for row in await list_projects(build.as_(actor))]
    sees_all = Reach.ANY in POLICY[role][Action.READ_PROJECT]
    assert keys == (["MINE", "OTHER"] if sees_all else ["MINE"] if is_visible else [])
    if is_visible:
        assert (await get_project(build.as_(actor), key="mine")).id == project.id
    else:
        with pytest.raises(NotFound):
            await get_project(build.as_(actor), key="mine")


@pytest.mark.parametrize("action", CHANGES)
async def test_an_unknown_project_is_not_found(build: Builders, action: Action):
    """Also for an admin."""
    admin = await build.an_actor(Role.ADMIN)
    with pytest.raises(NotFound):
        await CHANGES[action](build.as_(admin), ProjectRow(id=uuid4()))


async def test_many_projects(build: Builders):
    """A member of 250 projects sees each of them once, by key."""
    actor = await build.an_actor()
    keys = sorted(f"K{number}" for number in range(250))
    for key in keys:
        await build.a_project((actor, VIEWER), key=key)
    assert [row.key for row in await list_projects(build.as_(actor))] == keys


@pytest.mark.parametrize("key", ["", "ß", "x" * 5_000, "a\x00", "\ud800", "' OR 1=1", "%"])
async def test_keys_that_no_project_has(build: Builders, key: str):
    """They are not found; nothing fails."""
    actor = await build.an_actor(Role.ADMIN)
    await build.a_project(key="SS")
    with pytest.raises(DomainError) as caught:
        await get_project(build.as_(actor), key=key)
    assert isinstance(caught.value, NotFound)
