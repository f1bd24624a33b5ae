"""Probes of subscriptions: events of a task reach exactly those who may see it, live and after a cursor."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from domain.policy import Action
from graphql_api.schema.ids import decode_id, encode_id
from tests.probes import documents
from tests.probes.cursors import stream_cursor
from tests.probes.events import a_comment, a_deletion, a_move, record, settled
from tests.probes.filters import Filter
from tests.probes.listeners import (
    ENTRIES,
    TASK_SOCKET,
    TRANSPORTS,
    Listener,
    in_graphql,
    in_task_socket,
    over_socket,
)
from tests.probes.operation import Document
from tests.probes.probe import Ground, Result
from tests.probes.scene import Scene
from tests.probes.things import Task

COMMENTS: Final = "commentChanged"


@dataclass(frozen=True)
class Subscription:
    """A subscription with a filter, over one transport."""

    entry: str
    field: str
    filter: Filter

    @property
    def name(self) -> str:
        """What is sent."""
        return f"{self.field}({self.filter.argument or ''})"

    @property
    def probes(self) -> frozenset[str]:
        """The arguments that name the object."""
        argument = f"filter.{self.filter.argument}" if self.filter.argument else "after"
        return frozenset({f"Subscription.{self.field}.{argument}"})

    async def run(self, ground: Ground, chance: Random) -> Result:
        """Subscribe as any user and, if the events are not for this user, as one who may see them."""
        scene, replays, deletes = self._scene(ground, chance), chance.random() < 0.4, chance.random() < 0.5
        result = Result(is_refused=not self._is_visible(scene))
        if self.filter.argument is not None and chance.random() < 0.1:
            await self._refuse_another_type(ground, scene, result)
        await self._listen(ground, scene, result, replays=replays, deletes=deletes)
        if result.is_refused and ground.has_controls:
            await self._listen(ground, self._control(scene), result, replays=replays, deletes=deletes)
        result.controls = 1
        await ground.world.restore()
        return result

    def _scene(self, ground: Ground, chance: Random) -> Scene:
        """Any scene; scenes in which the user does not see the task are preferred."""
        scene = self._fitting(ground, chance)
        return self._fitting(ground, chance) if self._is_visible(scene) else scene

    def _fitting(self, ground: Ground, chance: Random) -> Scene:
        while not self.filter.fits(scene := Scene.chosen(ground.world, chance)):
            pass
        return scene

    def _control(self, scene: Scene) -> Scene:
        """The owner of a personal task, or a manager; on the task socket a member who owns the task."""
        if self.entry != TASK_SOCKET or scene.task.project is None:
            return scene.with_owner_or_manager(Action.READ_TASK)
        keeper = scene.world.keeper
        return replace(scene, actor=keeper, task=replace(scene.task, owner=keeper))

    def _is_visible(self, scene: Scene) -> bool:
        if self.entry == TASK_SOCKET:
            return scene.task.is_listed_for(scene.actor)
        return scene.task.is_readable_by(scene.actor)

    async def _refuse_another_type(self, ground: Ground, scene: Scene, result: Result) -> None:
        """The same rows as ids of another type are refused; the probe itself is the control."""
        entry = next(each for each in ground.servers.graphql if each.name == ENTRIES[self.entry])
        wanted = self.filter.of(scene, scene.task)
        request = Document(documents.subscription(self.field), {"filter": _of_another_type(wanted)})
        reply = await entry.send(request, scene.actor)
        if b"BAD_REQUEST" not in reply.raw:
            result.note(scene, [f"ids of another type are accepted: {reply.raw[-600:]!r}"])
        result.note(scene, scene.world.words.leaked(reply.raw, scene.actor))

    async def _listen(self, ground: Ground, scene: Scene, result: Result, *, replays: bool, deletes: bool) -> None:
        """Record events about a copy of the task and about a task of the actor. The stream has an order: when the
        second has arrived, the first has been decided.
        """
        world, own = ground.world, ground.world.personal_task_of(scene.actor)
        await settled(world.api)
        after = await stream_cursor(world.api, world.admin) if replays else None  # of another user
        scene = replace(scene, task=await world.copy_of_task(scene.task, scene.task.project))
        change = a_comment if self.field == COMMENTS else a_move
        events = [change(scene.task), *([a_deletion(scene.task)] if deletes else []), change(own)]
        if replays:
            await record(world.database, *events)
            await settled(world.api)
        async with self._listeners(ground, scene, own, after) as (listener, last):
            if not replays:
                await record(world.database, *events)
            await last.until(self._id_of(own))
            if self._is_visible(scene):
                await listener.until(self._id_of(scene.task))
        result.note(scene, self._differences(scene, listener.received(), deletes=deletes))

    @asynccontextmanager
    async def _listeners(
        self, ground: Ground, scene: Scene, own: Task, after: str | None
    ) -> AsyncIterator[tuple[Listener, Listener]]:
        """The subscription, and one of the same user that receives the last event."""
        text = documents.subscription(self.field)
        async with AsyncExitStack() as stack:

            async def opened(filter: dict[str, Any] | None, *, by_socket: bool) -> Listener:
                open_ = over_socket if by_socket else TRANSPORTS[self.entry]
                variables = {"filter": filter, "after": after}
                return await stack.enter_async_context(open_(ground.servers, scene.actor, text, variables))

            listener = await opened(self.filter.of(scene, own), by_socket=False)
            is_same = self.filter.admits(scene)
            yield listener, listener if is_same else await opened(None, by_socket=True)

    def _id_of(self, task: Task) -> bytes:
        return in_task_socket(task) if self.entry == TASK_SOCKET else in_graphql(task)

    def _differences(self, scene: Scene, received: bytes, *, deletes: bool) -> Iterator[str]:
        is_visible, has_item = self._is_visible(scene), self._id_of(scene.task) in received
        if is_visible is not has_item:
            yield f"an item was {'delivered' if has_item else 'not delivered'}: {received[-600:]!r}"
        if is_visible and not deletes and scene.task.word.encode() not in received:
            yield f"the item does not show the task: {received[-600:]!r}"
        yield from (f"an item has {word}" for word in scene.world.words.leaked(received, scene.actor))


def _of_another_type(value: Any) -> Any:
    """The ids of a filter as ids of memberships."""
    if isinstance(value, dict):
        return {name: _of_another_type(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_of_another_type(each) for each in value]
    return encode_id("Membership", decode_id(value, field="id")[1])
