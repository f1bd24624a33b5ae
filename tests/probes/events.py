"""Events about tasks of a world, recorded without a change of the rows, so that archived tasks can have some too."""

import asyncio
from datetime import UTC, datetime

from domain.actor import OPERATOR
from domain.comment import CommentChange, CommentEvent
from domain.events import People, TaskChange, TaskEvent
from domain.task import TaskStatus
from persistence.database import Database
from tests.probes.things import Task
from tests.support.api import Api
from tests.support.waiting import HANG_SECONDS


async def settled(api: Api) -> None:
    """Wait until the server has dispatched every event that is committed. A late change of a membership would lead to a
    resync, which leaves out the events before it.
    """
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            async with api.server.database.unit_of_work(None) as uow:
                head = await uow.events.head()
            if not head.pending and api.server.stream.position >= head.position:
                return
            await asyncio.sleep(0.005)


async def record(database: Database, *events: TaskEvent | CommentEvent) -> None:
    """Record events in one transaction."""
    async with database.unit_of_work(OPERATOR) as uow:
        for event in events:
            uow.record(event)
        await uow.commit()


def a_move(task: Task) -> TaskEvent:
    """A change of the status by the owner."""
    return _event(task, TaskChange.STATUS, TaskStatus.DONE, is_deleted=False)


def a_deletion(task: Task) -> TaskEvent:
    """The deletion by the owner."""
    return _event(task, TaskChange.DELETED, TaskStatus.TODO, is_deleted=True)


def a_comment(task: Task) -> CommentEvent:
    """A change of the comment by its author."""
    people = _people(task)
    return CommentEvent(
        task_id=task.id,
        version=1,
        to_status=TaskStatus.TODO,
        before=people,
        after=people,
        actor_id=task.commentator.id,
        at=datetime.now(UTC),
        request_id=None,
        comment_id=task.comment_id,
        change=CommentChange.UPDATED,
        comment_count=1,
    )


def _people(task: Task) -> People:
    project_id = task.project.id if task.project is not None else None
    return People(task.owner.id, task.assignee.id if task.assignee is not None else None, project_id)


def _event(task: Task, change: TaskChange, to_status: TaskStatus, *, is_deleted: bool) -> TaskEvent:
    people = _people(task)
    return TaskEvent(
        task_id=task.id,
        version=task.version,
        changes=(change,),
        from_status=TaskStatus.TODO,
        to_status=to_status,
        title=f"Task {task.word}",
        before=people,
        after=None if is_deleted else people,
        actor_id=task.owner.id,
        at=datetime.now(UTC),
        request_id=None,
    )
