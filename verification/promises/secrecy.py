"""Subscribers receive only what they may see."""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import UUID

from domain.stream_cursor import StreamCursor
from verification.client.failures import Failed
from verification.client.follower import Follower
from verification.client.writer import Writer
from verification.history import Item, TaskFacts
from verification.promises.stack import Measured, Outcome, Stack

TASKS = 30
PATIENCE_SECONDS = 10.0
_ME = "{ me { id } }"


class Ear:
    """Keeps what one person is told."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.listening = asyncio.Event()
        self._news = asyncio.Event()

    def opened(self, after: StreamCursor, snapshot: tuple[TaskFacts, ...] | None, session_id: UUID | None) -> None:
        """Now it begins."""
        self.listening.set()

    def told(self, item: Item, raw: dict[str, Any]) -> None:
        """Keep it."""
        self.items.append(item)
        self._news.set()

    async def heard_of(self, tasks: set[UUID]) -> None:
        """Wait until something was told of each of the tasks."""
        while not tasks <= {item.task_id for item in self.items}:
            self._news.clear()
            await self._news.wait()

    def lost(self, error: Failed) -> None:
        """The follower comes back by itself."""


async def prove(stack: Stack) -> Measured:
    """One user makes and changes tasks, every third is the other's for a while; the other listens elsewhere."""
    (_, owner), (_, other) = stack.somebody(stack.first), stack.somebody(stack.second)
    ear = Ear()
    follower = Follower(other, other.place, ear)
    listening = asyncio.create_task(follower.run())
    try:
        await ear.listening.wait()
        writer = Writer(owner, "promise")
        shared = await _changes(writer, str((await other.ask(_ME))["me"]["id"]))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await ear.heard_of(shared)
        # What must not come may be late, too: wait for the stream to have passed it.
        await asyncio.sleep(1)
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError, Failed):
            await listening
    me = (await other.me()).user_id
    wrong = [item for item in ear.items if not may_hear(item, shared, me)]
    told = f"{len(writer.writes)} changes, {len(ear.items)} told to another user, {len(wrong)} that they may not see"
    return Measured(told, Outcome.of(not wrong))


async def _changes(writer: Writer, other: str) -> set[UUID]:
    """Make the tasks and change them; those that the other one could see for a while."""
    shared = set()
    for number in range(TASKS):
        task = await writer.create()
        assert task is not None
        task = await writer.edit(task) or task
        if number % 3 == 0:
            shared.add(task.facts.task_id)
            task = await writer.assign(task, other) or task
            task = await writer.edit(task) or task
            task = await writer.assign(task, None) or task
            await writer.edit(task)
    return shared


def may_hear(item: Item, shared: set[UUID], me: UUID) -> bool:
    """Only of tasks that were theirs, and the task itself only while it was."""
    return item.task_id in shared and (item.task is None or item.task.assignee_id == me)
