"""Probes of members who leave a project while they listen: what happens afterwards is not for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from domain.actor import OPERATOR
from domain.policy import Action
from domain.project import ProjectRole
from domain.user import Role
from services import membership as membership_service
from tests.probes import documents
from tests.probes.events import a_move, record, settled
from tests.probes.listeners import TASK_SOCKET, TRANSPORTS, Listener, in_graphql, in_task_socket
from tests.probes.probe import Ground, Result
from tests.probes.rows import a_task
from tests.probes.things import Person, Project, Task
from tests.probes.world import World

_FIELD: Final = "taskChanged"
_RESYNC: Final = (b"ResyncRequired", b"resync_required")
"""The item by which a listener learns that the rights have changed, in GraphQL and on the task socket."""


@dataclass(frozen=True)
class Departure:
    """A new member listens, is removed from the project, and gets no further event of it."""

    entry: str

    @property
    def name(self) -> str:
        """What happens."""
        return "a member is removed"

    async def run(self, ground: Ground, chance: Random) -> Result:
        """The events before the removal are the control. Moderators and admins still receive those after it."""
        world = ground.world
        person = await world.add_person(chance.choice([*Role]))
        project = await world.copy_of_project(world.active)
        await self._join(world, project, person, chance.choice([*ProjectRole]))
        before, after = [await world.add_task(a_task(world.keeper, person, project)) for _ in range(2)]
        own = await world.add_task(a_task(person, None, None))
        result = Result(controls=1)
        await settled(world.api)
        text = documents.subscription(_FIELD)
        async with TRANSPORTS[self.entry](ground.servers, person, text, {}) as listener:
            await self._happens(world, listener, before)
            await self._leave(world, project, person)
            await listener.until(_RESYNC[self.entry == TASK_SOCKET])
            result.is_refused = not after.is_readable_by(person)
            await record(world.database, a_move(after), a_move(own))
            await listener.until(self._id_of(own))
        result.note(f"{person}, then a former member", self._differences(world, listener, person, before, after))
        await ground.servers.sockets.close(person)
        await world.restore()
        return result

    async def _happens(self, world: World, listener: Listener, task: Task) -> None:
        await record(world.database, a_move(task))
        await listener.until(task.word.encode())

    async def _join(self, world: World, project: Project, person: Person, role: ProjectRole) -> None:
        work = world.database.unit_of_work(OPERATOR)
        await membership_service.add_member(work, project_id=project.id, user_id=person.id, role=role)
        project.members[person.id] = role

    async def _leave(self, world: World, project: Project, person: Person) -> None:
        work = world.database.unit_of_work(OPERATOR)
        await membership_service.remove_member(work, project_id=project.id, user_id=person.id)
        del project.members[person.id]

    def _id_of(self, task: Task) -> bytes:
        return in_task_socket(task) if self.entry == TASK_SOCKET else in_graphql(task)

    def _differences(
        self, world: World, listener: Listener, person: Person, before: Task, after: Task
    ) -> Iterator[str]:
        received = listener.received()
        is_visible, has_item = after.permits(person, Action.READ_TASK), self._id_of(after) in received
        if is_visible is not has_item:
            yield f"an item was {'delivered' if has_item else 'not delivered'}: {received[-600:]!r}"
        known = received.replace(before.word.encode(), b"")  # was delivered while the person was a member
        known = known.replace(before.project.word.encode() if before.project else b"", b"")
        yield from (f"an item has {word}" for word in world.words.leaked(known, person))
