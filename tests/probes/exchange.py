"""Probes of requests that have one response."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.probes import stored
from tests.probes.entry_points import EntryPoint, Reply
from tests.probes.operation import Operation, Request
from tests.probes.oracle import ALLOWED
from tests.probes.probe import Ground, Result
from tests.probes.scene import Scene
from tests.probes.variations import varied
from tests.probes.world import World

_CHOICES: Final = 3
"""Scenes of which the first is taken that an operation prefers."""


@dataclass(frozen=True)
class Exchange:
    """An operation on an entry point. A refused request changes nothing, and its control succeeds."""

    entry_point: EntryPoint
    operation: Operation

    @property
    def entry(self) -> str:
        """The name of the entry point."""
        return self.entry_point.name

    @property
    def name(self) -> str:
        """The name of the operation."""
        return self.operation.name

    async def run(self, ground: Ground, chance: Random) -> Result:
        """Send the request as any user and, if it is refused, as one who may make it."""
        scene = self._scene(ground.world, chance)
        request, expected = varied(self.operation, scene, chance)
        result = Result(is_refused=expected != ALLOWED)
        if result.is_refused:
            await self._refuse(scene, request, expected, result)
            scene = self.operation.control(scene)
        if ground.has_controls or not result.is_refused:
            await self._confirm(scene, result)
        return result

    def _scene(self, world: World, chance: Random) -> Scene:
        scenes = [self.operation.prepare(self._fitting(world, chance)) for _ in range(_CHOICES)]
        return next(filter(self.operation.prefers or self._is_refused, scenes), scenes[0])

    def _is_refused(self, scene: Scene) -> bool:
        return self.operation.expected(scene) != ALLOWED

    def _fitting(self, world: World, chance: Random) -> Scene:
        while not self.operation.fits(scene := Scene.chosen(world, chance)):
            pass
        return scene

    async def _refuse(self, scene: Scene, request: Request, expected: str, result: Result) -> None:
        before = await self._state(scene)
        reply = await self.entry_point.send(request, scene.actor)
        result.note(scene, self._differences(scene, reply, expected))
        if await self._state(scene) != before:
            result.note(scene, ["a refused request changes rows"])

    async def _confirm(self, scene: Scene, result: Result) -> None:
        """The request succeeds: it shows the object, or changes it."""
        scene = await self.operation.copy(scene)
        assert self.operation.expected(scene) == ALLOWED, f"no control: {self.name}, {scene}"
        before, kept = await self._state(scene), await self._kept(scene)
        reply = await self.entry_point.send(self.operation.make(scene), scene.actor)
        result.controls += 1
        result.note(scene, self._differences(scene, reply, ALLOWED))
        secret = self.operation.secret(scene)
        if secret is not None and secret.encode() not in reply.raw:
            result.note(scene, ["the object is not shown"])
        if await self._kept(scene) != kept:
            result.note(scene, ["another task is changed"])
        if self.operation.changes:
            if await self._state(scene) == before:
                result.note(scene, ["nothing is changed"])
            await scene.world.restore()

    def _differences(self, scene: Scene, reply: Reply, expected: str) -> Iterator[str]:
        found = reply.answer(self.operation, scene)
        if found != expected:
            yield f"{found} instead of {expected}: {reply.raw[-600:]!r}"
        yield from (f"the response has {word}" for word in scene.world.words.leaked(reply.raw, scene.actor))

    async def _state(self, scene: Scene) -> object:
        return await stored.state(scene.world.database) if self.operation.changes else None

    async def _kept(self, scene: Scene) -> list[str]:
        ids = [task.id for task in self.operation.keeps(scene)]
        return await stored.tasks(scene.world.database, ids) if ids else []
