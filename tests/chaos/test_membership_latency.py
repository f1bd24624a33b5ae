"""How long joining and leaving take to have effect on the open sockets of another process."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from domain.project import ProjectRole
from graphql_api.schema.ids import encode_id
from tests.chaos.stack import PASSWORD, Stack
from tests.chaos.test_revocation import Trouble, frozen, healthy, notifier_down
from tests.support.figures import Figures, percentile
from tests.support.waiting import HANG_SECONDS
from verification.client.account import Account
from verification.client.follower import Follower, Recorder
from verification.client.projects import KnownProject, Projects
from verification.client.writer import TaskWriter
from verification.history import Item, ItemKind, Listener

PROMISED_SECONDS = 1.0
FROZEN_SECONDS = 1.3
"""The time for which `frozen` stops the process."""
ROUNDS = 20
"""So often the user joins, and so often it leaves."""


@dataclass
class Scene:
    """A user who listens at the first process, and a manager who writes and changes the membership at the second."""

    recorder: Recorder
    writer: TaskWriter
    projects: Projects
    project: KnownProject
    user_id: str
    joined: list[float] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    acked: float = 0.0
    """When the last change was acknowledged; 0 until then."""

    async def join(self) -> None:
        """Measure from the answer until the listener is asked to resync; then it receives the project's events."""
        put = self.projects.put_member(self.project, self.user_id, ProjectRole.VIEWER)
        self.joined.append(await self._until_resync(put))
        task = await self.writer.create(project=self.project.id)
        assert task is not None
        await _until(lambda: any(item.task_id == task.facts.task_id for item in self.items()))

    async def leave(self) -> None:
        """Measure from the answer until the listener is asked to resync: after it, no event of the project comes."""
        self.left.append(await self._until_resync(self.projects.remove_member(self.project, self.user_id)))

    async def keep_writing(self) -> None:
        """Change tasks of the project until it is cancelled."""
        while True:
            await self.writer.create(project=self.project.id)
            await asyncio.sleep(0.03)

    async def _until_resync(self, change: Awaitable[None]) -> float:
        before, self.acked = len(self._resyncs()), 0.0
        await change
        self.acked = time.monotonic()
        await _until(lambda: len(self._resyncs()) > before)
        return max(0.0, self._resyncs()[before].received - self.acked)

    def items(self) -> list[Item]:
        """Everything that the listener received."""
        return [item for connection in self.recorder.listener.connections for item in connection.items]

    def _resyncs(self) -> list[Item]:
        return [item for item in self.items() if item.kind is ItemKind.RESYNC]


@asynccontextmanager
async def scene(stack: Stack, name: str) -> AsyncIterator[Scene]:
    """The user listens as long as the block runs."""
    user = await stack.a_user(f"{name}.u")
    await stack.a_user(f"{name}.m")
    near, far = (process.api for process in stack.processes)
    manager = Account(lambda: far, f"{name}.m", PASSWORD)
    recorder = Recorder(Listener(name, user.id), time.monotonic)
    follower = Follower(Account(lambda: near, f"{name}.u", PASSWORD), lambda: near, recorder, longest_pause=0.3)
    projects = Projects(manager)
    project = await projects.create("For latency")
    listening = asyncio.create_task(follower.run())
    try:
        await _until(lambda: recorder.position >= 0)
        writer = TaskWriter(manager, name)
        yield Scene(recorder, writer, projects, project, encode_id("User", user.id))
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    assert len(recorder.listener.connections) == 1, recorder.losses


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while not condition():
            await asyncio.sleep(0.002)


@asynccontextmanager
async def written(scene: Scene) -> AsyncIterator[None]:
    """Tasks of the project are created all the time."""
    writing = asyncio.create_task(scene.keep_writing())
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


def figures_of(times: list[float]) -> str:
    """Two of them."""
    return f"p50 {1000 * percentile(times, 0.5):.0f} ms, p99 {1000 * percentile(times, 0.99):.0f} ms"


@pytest.mark.parametrize("trouble", [healthy, notifier_down])
async def test_joining_and_leaving_take_effect_within_a_second(stack: Stack, figures: Figures, trouble: Trouble):
    """On an open socket of the other process, which stays open."""
    async with scene(stack, f"in.{trouble.__name__}") as found, trouble(stack), written(found):
        for _ in range(ROUNDS):
            await found.join()
            await found.leave()
    figures.note(
        f"{ROUNDS} times, {trouble.__name__}: joining {figures_of(found.joined)}; leaving {figures_of(found.left)}"
    )

    assert max(found.joined) <= PROMISED_SECONDS
    assert max(found.left) <= PROMISED_SECONDS


async def test_a_frozen_process_delivers_nothing_after_leaving(stack: Stack, figures: Figures):
    """When it continues, it reads the log before it delivers."""
    async with scene(stack, "in.frozen") as found:
        await found.join()
        async with frozen(stack):
            leaving = asyncio.create_task(found.leave())
            await _until(lambda: found.acked)
            hidden = await found.writer.create(project=found.project.id)
            await leaving
        await found.join()
    figures.note(f"frozen for {FROZEN_SECONDS} s: leaving {1000 * found.left[0]:.0f} ms after the answer")

    assert hidden is not None
    assert all(item.task_id != hidden.facts.task_id for item in found.items())
