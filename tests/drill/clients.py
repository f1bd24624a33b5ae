"""Clients of the stream: their cursors, and what they receive when they resume."""

from collections.abc import Mapping

from domain.actor import Actor
from domain.events import TaskEvent
from streaming.stream_items import Delivered, ResyncReason
from tests.drill.contents import last_position
from tests.drill.writes import Change
from tests.streaming.support import Process, receive, until
from tests.support.waiting import HANG_SECONDS


async def caught_up(process: Process, url: str) -> None:
    """Wait until the process has delivered every event of the database."""
    position = await last_position(url)
    while position is None:
        position = await last_position(url)
    await until(lambda: process.stream.position >= position, HANG_SECONDS)


async def current_cursor(process: Process, actor: Actor) -> str:
    """The cursor of a client that has received everything."""
    async with process.stream.subscribe(actor, None, None) as subscriber:
        return subscriber.cursor


async def wrongly_continued(process: Process, actor: Actor, cursors: Mapping[str, str]) -> list[str]:
    """The clients, by the name of their cursor, that do not get a resync because of the epoch."""
    problems = []
    for name, cursor in cursors.items():
        async with process.stream.subscribe(actor, None, cursor) as subscriber:
            item = await receive(subscriber)
        if getattr(item, "reason", None) is not ResyncReason.EPOCH:
            problems.append(f"the client with the cursor {name} gets no ResyncRequired(EPOCH): {item}")
    return problems


async def changes_after(process: Process, actor: Actor, cursor: str, count: int) -> tuple[list[Change], list[str]]:
    """The next changes that a client receives after a cursor, and the cursors of these changes."""
    changes, cursors = [], []
    async with process.stream.subscribe(actor, None, cursor) as subscriber:
        for _ in range(count):
            item = await receive(subscriber)
            assert isinstance(item, Delivered), item
            assert isinstance(item.event, TaskEvent), item
            changes.append((str(item.event.task_id), item.event.version))
            cursors.append(item.cursor)
    return changes, cursors
