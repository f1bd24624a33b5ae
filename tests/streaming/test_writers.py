"""Many writers at once: the promise that nothing is lost, nothing comes twice, and each task's events are in order."""

import asyncio
import random
from collections import defaultdict
from uuid import UUID

from domain.user import Role
from persistence.models import TaskRow
from tests.streaming.conftest import StartProcess
from tests.streaming.support import Process, a_task_event, an_actor, receive_event
from tests.support.transactions import flush, lock_row

WRITERS, CHANGES, TASKS = 8, 100, 4
ADMIN = an_actor(Role.ADMIN)


async def change(process: Process, task_id: UUID, *, give_up: bool) -> None:
    """One more version of a task, with its row locked; or, having gone almost all the way, none."""
    async with process.build.as_(ADMIN) as uow:
        task = await lock_row(uow, TaskRow, task_id)
        uow.change(task, version=task.version + 1)
        uow.record(a_task_event(task_id=task.id, version=task.version))
        await flush(uow)
        if not give_up:
            await uow.commit()


async def write(process: Process, tasks: list[UUID], chance: random.Random) -> int:
    """Change hot tasks at random; returns how many changes were committed."""
    committed = 0
    for _ in range(CHANGES):
        give_up = chance.random() < 0.2
        await change(process, chance.choice(tasks), give_up=give_up)
        committed += not give_up
    return committed


class TestOverlappingWriters:
    async def test_nothing_is_lost_doubled_or_out_of_order(self, start: StartProcess, build):
        """Eight writers in three processes on four tasks, a fifth rolled back."""
        processes = [await start() for _ in range(3)]
        tasks = [(await build.a_task()).id for _ in range(TASKS)]
        subscribers = [each.stream.subscribe(ADMIN, None, None) for each in processes]
        work = [write(processes[each % 3], tasks, random.Random(each)) for each in range(WRITERS)]
        total = sum(await asyncio.gather(*work))
        received = [[await receive_event(each) for _ in range(total)] for each in subscribers]

        for events in received:
            versions: dict[UUID, list[int]] = defaultdict(list)
            for event in events:
                versions[event.task_id].append(event.version)
            assert all(each == list(range(2, len(each) + 2)) for each in versions.values())
        assert received[0] == received[1] == received[2]
        assert sum(each.stream.counters.numbered for each in processes) == total
