"""Projects whose members join, leave and get other roles while users write, listen and faults happen."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Final
from uuid import UUID

from domain.project import ProjectRole
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from tests.chaos.stack import Deployment
from verification.client.failures import Away, Refused, Unreachable
from verification.client.projects import KnownProject, Projects
from verification.history import MembershipWrite

PAUSE_SECONDS: Final = (0.2, 0.6)
"""Between two changes."""
STEADY: Final = "alice"
"""A member who stays, so that tasks of the projects are written all the time."""
CHANGING: Final = ("bob", "carol", "dave", "erin", "mona")
"""Users who join and leave; bob is the owner of tasks when he does."""
PROJECTS: Final = 2


class MembershipChanges:
    """Changes memberships as *boss*, one after the other, each until it is acknowledged."""

    def __init__(self, stack: Deployment, boss: str, users: dict[str, UserRow], random: Random) -> None:
        self._projects = Projects(stack.account(boss))
        self._users = users
        self._random = random
        self.known: list[KnownProject] = []
        self.roles: dict[tuple[str, UUID], ProjectRole] = {}
        """The roles by name of the user and project, as far as acknowledged."""
        self.writes: list[MembershipWrite] = []
        self.archived = self.deleted = 0

    async def start(self) -> None:
        """Create the projects, each with a member who stays."""
        for _ in range(PROJECTS):
            await self._create()

    async def run(self, going_on: Callable[[], bool]) -> None:
        """Change something, again and again."""
        while going_on():
            await asyncio.sleep(self._random.uniform(*PAUSE_SECONDS))
            step = self._random.random()
            if step < 0.03:
                await self._delete()
            elif step < 0.1:
                await self._archive()
            else:
                await self._change()

    def projects_of(self, name: str) -> Sequence[KnownProject]:
        """The projects of which a user is a member who may change tasks."""
        return [each for each in self.known if self.roles.get((name, each.project_id), "VIEWER") != "VIEWER"]

    def open_to(self, name: str, role: Role) -> Sequence[KnownProject]:
        """The projects in which a user with this role may create tasks."""
        return self.known if role is Role.ADMIN else self.projects_of(name)

    async def _create(self) -> None:
        """A project, also if an answer is lost: then another one is left, without tasks."""
        made: list[KnownProject] = []

        async def create() -> None:
            made.append(await self._projects.create("Under load"))

        await _until_done(create)
        await self._put(STEADY, made[0], ProjectRole.MEMBER)
        self.known.append(made[0])

    async def _change(self) -> None:
        name, project = self._random.choice(CHANGING), self._random.choice(self.known)
        now = self.roles.get((name, project.project_id))
        role = self._random.choice([each for each in (None, *ProjectRole) if each is not now])
        if role is None:
            await self._remove(name, project)
        else:
            await self._put(name, project, role)

    async def _put(self, name: str, project: KnownProject, role: ProjectRole) -> None:
        user = self._users[name]
        await _until_done(lambda: self._projects.put_member(project, encode_id("User", user.id), role))
        self.roles[name, project.project_id] = role
        self.writes.append(MembershipWrite(user.id, project.project_id, role, acked=time.monotonic()))

    async def _remove(self, name: str, project: KnownProject) -> None:
        user = self._users[name]
        await _until_done(lambda: self._projects.remove_member(project, encode_id("User", user.id)))
        self.roles.pop((name, project.project_id), None)
        self.writes.append(MembershipWrite(user.id, project.project_id, None, acked=time.monotonic()))

    async def _archive(self) -> None:
        """While the block runs, no other transaction can change the project."""
        project = self._random.choice(self.known)
        await _until_done(lambda: self._projects.archive(project, is_archived=True))
        await asyncio.sleep(self._random.uniform(*PAUSE_SECONDS))
        await _until_done(lambda: self._projects.archive(project, is_archived=False))
        self.archived += 1

    async def _delete(self) -> None:
        """Delete a project with its tasks; another one follows."""
        project = self.known.pop(0)
        await _until_done(lambda: self._projects.delete(project))
        self.roles = {key: role for key, role in self.roles.items() if key[1] != project.project_id}
        self.deleted += 1
        await self._create()


async def _until_done(change: Callable[[], Awaitable[None]]) -> None:
    """Repeat a change until it is acknowledged. After a lost answer, what is to be removed may be gone."""
    is_unknown = False
    while True:
        try:
            await change()
        except (Unreachable, Away):
            is_unknown = True
        except Refused as refused:
            if is_unknown and refused.code == "NOT_FOUND":
                return
            raise
        else:
            return
        await asyncio.sleep(0.1)
