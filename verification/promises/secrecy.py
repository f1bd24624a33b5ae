"""Subscribers receive only what they may see."""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import UUID

from domain.stream_cursor import StreamCursor
from verification.client.failures import Failed
from verification.client.follower import Follower
from verification.client.writer import TaskWriter
from verification.history import Item, TaskFacts
from verification.promises.stack import Measured, Outcome, Stack

TASKS = 30
TIMEOUT_SECONDS = 10.0
_ME = "{ me { id } }"


class ItemRecorder:
    """Records the items that one user receives."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.listening = asyncio.Event()
        self._item_received = asyncio.Event()

    def opened(self, after: StreamCursor, snapshot: tuple[TaskFacts, ...] | None, session_id: UUID | None) -> None:
        """The subscription has started."""
        self.listening.set()

    def received(self, item: Item, raw: dict[str, Any]) -> None:
        """Record the item."""
        self.items.append(item)
        self._item_received.set()

    async def wait_for(self, tasks: set[UUID]) -> None:
        """Wait until an item of each of the tasks was received."""
        while not tasks <= {item.task_id for item in self.items}:
            self._item_received.clear()
            await self._item_received.wait()

    def lost(self, error: Failed) -> None:
        """The follower reconnects by itself."""


async def prove(stack: Stack) -> Measured:
    """One user makes and changes tasks, every third is the other's for a while; the other listens elsewhere."""
    (_, owner), (_, other) = stack.new_user(stack.first), stack.new_user(stack.second)
    subscriber = ItemRecorder()
    follower = Follower(other, other.api, subscriber)
    listening = asyncio.create_task(follower.run())
    try:
        await subscriber.listening.wait()
        writer = TaskWriter(owner, "promise")
        shared = await _changes(writer, str((await other.ask(_ME))["me"]["id"]))
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await subscriber.wait_for(shared)
        # A forbidden item could arrive late, too: wait until the stream has passed its position.
        await asyncio.sleep(1)
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError, Failed):
            await listening
    me = (await other.me()).user_id
    wrong = [item for item in subscriber.items if not may_receive(item, shared, me)]
    changes, items = len(writer.writes), len(subscriber.items)
    value = f"{changes} changes, {items} delivered to another user, {len(wrong)} that the user may not see"
    return Measured(value, Outcome.of(not wrong))


async def _changes(writer: TaskWriter, other: str) -> set[UUID]:
    """Create and change tasks; returns those that the other user could see for a while."""
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


def may_receive(item: Item, shared: set[UUID], me: UUID) -> bool:
    """Whether the item may be received: the task was shared, and it is assigned to the user if the item contains it."""
    return item.task_id in shared and (item.task is None or item.task.assignee_id == me)
