"""Probes of `projectChanged`: events of a project reach those who may read it; for others there is no project."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import uuid4

from domain.policy import Action
from graphql_api.schema.ids import encode_id
from tests.probes import documents
from tests.probes.cursors import stream_cursor
from tests.probes.events import a_comment, a_deletion, a_move, record, settled
from tests.probes.listeners import ENTRIES, TRANSPORTS, in_graphql
from tests.probes.operation import Document
from tests.probes.probe import Ground, Result
from tests.probes.scene import Scene

_TEXT = documents.project_subscription()


@dataclass(frozen=True)
class ProjectSubscription:
    """The subscription over one transport."""

    entry: str

    @property
    def name(self) -> str:
        """What is sent."""
        return "projectChanged(projectId)"

    @property
    def probes(self) -> frozenset[str]:
        """The arguments that name the project, and an event of it."""
        return frozenset({"Subscription.projectChanged.projectId", "Subscription.projectChanged.after"})

    async def run(self, ground: Ground, chance: Random) -> Result:
        """Subscribe as any user; if the project is not for this user, it is not found, and a manager subscribes."""
        scene, replays = self._scene(ground, chance), chance.random() < 0.4
        is_readable = scene.project.is_readable_by(scene.actor)
        result = Result(is_refused=not is_readable)
        await settled(ground.world.api)
        after = await stream_cursor(ground.world.api, ground.world.admin) if replays else None  # of another user
        if not is_readable:
            await self._refuse(ground, scene, after, result)
            scene = scene.with_manager(Action.READ_PROJECT)
        if is_readable or ground.has_controls:
            await self._listen(ground, scene, after, result)
        result.controls = 1
        await ground.world.restore()
        return result

    def _scene(self, ground: Ground, chance: Random) -> Scene:
        """A scene in a project; those in which the user may not read it are preferred."""
        while (scene := Scene.chosen(ground.world, chance)).task.project is None:
            pass
        if not scene.project.is_readable_by(scene.actor) or chance.random() < 0.3:
            return scene
        return self._scene(ground, chance)

    async def _refuse(self, ground: Ground, scene: Scene, after: str | None, result: Result) -> None:
        """The response is that for a project that does not exist, and for the id of another object."""
        entry = next(each for each in ground.servers.graphql if each.name == ENTRIES[self.entry])
        for identity in (scene.project.id, uuid4(), scene.task.id):
            request = Document(_TEXT, {"id": encode_id("Project", identity), "after": after})
            reply = await entry.send(request, scene.actor)
            if b"NOT_FOUND" not in reply.raw:
                result.note(scene, [f"the project is not refused as one that does not exist: {reply.raw[-600:]!r}"])
            result.note(scene, scene.world.words.leaked(reply.raw, scene.actor))

    async def _listen(self, ground: Ground, scene: Scene, after: str | None, result: Result) -> None:
        """Record events of another project, and then of this one: when these have arrived, the others are decided."""
        world = ground.world
        task = await world.copy_of_task(scene.task, scene.project)
        other = await world.copy_of_task(scene.other, world.elsewhere)
        events = [change(each) for each in (other, task) for change in (a_move, a_comment, a_deletion)]
        if after is not None:
            await record(world.database, *events)
            await settled(world.api)
        variables: dict[str, Any] = {"id": encode_id("Project", scene.project.id), "after": after}
        async with TRANSPORTS[self.entry](ground.servers, scene.actor, _TEXT, variables) as listener:
            if after is None:
                await record(world.database, *events)
            await listener.until(b"TaskDeleted")
            received = listener.received()
        result.note(scene, self._differences(scene, received, in_graphql(task), in_graphql(other)))

    def _differences(self, scene: Scene, received: bytes, own: bytes, other: bytes) -> Iterator[str]:
        if own not in received:
            yield f"the item of the project's task was not delivered: {received[-600:]!r}"
        if other in received:
            yield f"an item of another project was delivered: {received[-600:]!r}"
        yield from (f"an item has {word}" for word in scene.world.words.leaked(received, scene.actor))
