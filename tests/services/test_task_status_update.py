"""A move in one statement is the move that the ordinary way makes: the same row, the same event, the same refusals."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from typing import Any

import pytest

from domain.actor import Actor
from domain.errors import Refusal
from domain.events import TaskEvent
from domain.task import FOLLOWERS, TaskStatus
from domain.user import Role
from persistence.models import TaskRow
from persistence.unit_of_work import UnitOfWork
from services.task import update_task, update_task_status
from services.task_edit import TaskEdit
from tests.support.builders import Builders

NOW = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
RELATIONS = ("owner", "assignee", "both", "outsider")
VERSIONS = {"any": None, "right": 1, "wrong": 7, "one of them": (1, 7)}


async def a_task(build: Builders, actor: Actor, relation: str, status: TaskStatus) -> TaskRow:
    """A task that the actor stands so to."""
    mine, other = actor.user_id, (await build.a_user()).id
    people = {"owner": (mine, other), "assignee": (other, mine), "both": (mine, mine), "outsider": (other, None)}
    owner_id, assignee_id = people[relation]
    return await build.a_task(
        owner_id=owner_id, assignee_id=assignee_id, status=status, title="Ünder the bridge", updated_at=BEFORE
    )


async def outcome(build: Builders, uow: UnitOfWork, task: TaskRow, move: Any) -> dict[str, Any]:
    """The result of a status change: the response, the row, the event; ids and users by their relation to the task."""
    before = len(await build.recorded_events())
    try:
        answer: object = facts(await move(uow, task))
    except Refusal as refusal:
        answer = (refusal.code, refusal.message, refusal.path)
    stored = await build.task(task.id)
    assert stored is not None
    events = (await build.recorded_events())[before:]
    return {"answer": answer, "stored": facts(stored), "events": [event_facts(event, task) for event in events]}


def facts(row: TaskRow) -> dict[str, Any]:
    """A row's values, but for what makes it this one."""
    own = {"id", "owner_id", "assignee_id", "created_at"}
    return {column: getattr(row, column) for column in TaskRow.__table__.columns.keys() if column not in own}  # noqa: SIM118 - no dict


def event_facts(event: object, task: TaskRow) -> dict[str, Any]:
    """The values of an event, after a check of its people."""
    assert isinstance(event, TaskEvent)
    assert event.task_id == task.id
    assert event.before == event.after
    assert event.before is not None
    assert (event.before.owner_id, event.before.assignee_id) == (task.owner_id, task.assignee_id)
    shown = ("version", "changes", "from_status", "to_status", "title", "actor_id", "at", "request_id")
    return {name: getattr(event, name) for name in shown}


class TestSameAsTheTransactionalPath:
    @pytest.mark.parametrize("relation", RELATIONS)
    @pytest.mark.parametrize("role", Role)
    async def test_both_paths_have_equal_results(self, build: Builders, role: Role, relation: str):
        """For every actor, change and expected version."""
        actor = await build.an_actor(role)
        moves = [(status, target, "any") for status, target in product(TaskStatus, TaskStatus)]
        moves += [(TaskStatus.TODO, TaskStatus.DONE, version) for version in VERSIONS]
        for status, target, version in moves:
            expected = VERSIONS[version]

            async def in_one(uow: UnitOfWork, task: TaskRow, to: TaskStatus = target, at: Any = expected) -> TaskRow:
                return await update_task_status(uow, task_id=task.id, status=to, expected_version=at)

            async def ordinary(uow: UnitOfWork, task: TaskRow, to: TaskStatus = target, at: Any = expected) -> TaskRow:
                return await update_task(uow, task_id=task.id, edit=TaskEdit(status=to), expected_version=at)

            results = []
            for move in (in_one, ordinary):
                task = await a_task(build, actor, relation, status)
                results.append(await outcome(build, build.as_(actor, now=NOW), task, move))
            assert results[0] == results[1], (status, target, version)

    async def test_allowed_changes_use_one_statement(self, build: Builders):
        """Other changes use the transactional path."""
        actor = await build.an_actor()
        for status, target in product(TaskStatus, TaskStatus):
            task = await a_task(build, actor, "owner", status)
            moved = await build.as_(actor).try_status_update(task.id, target, None)
            assert (moved is not None) == (target in FOLLOWERS[status]), (status, target)

    async def test_time_goes_the_way_of_the_versions(self, build: Builders):
        """A clock that is behind does not date a move before the change that it follows."""
        actor = await build.an_actor()
        task = await a_task(build, actor, "owner", TaskStatus.TODO)
        moved = await update_task_status(
            build.as_(actor, now=BEFORE - timedelta(hours=1)), task_id=task.id, status=TaskStatus.DONE
        )

        assert moved.updated_at == moved.completed_at == task.updated_at


class TestManyAtOnce:
    async def test_each_event_starts_from_the_previous_status(self, build: Builders):
        """Forty concurrent changes of one task: no version occurs twice."""
        actor = await build.an_actor()
        task = await a_task(build, actor, "owner", TaskStatus.TODO)
        targets = [TaskStatus.IN_PROGRESS, TaskStatus.TODO, TaskStatus.DONE, TaskStatus.IN_PROGRESS] * 10

        async def move(target: TaskStatus) -> None:
            await update_task_status(build.as_(actor), task_id=task.id, status=target)

        await asyncio.gather(*(move(target) for target in targets))
        events = [event for event in await build.recorded_events() if isinstance(event, TaskEvent)]

        assert len(events) > 10
        assert [event.version for event in events] == list(range(2, len(events) + 2))
        assert all(one.to_status == other.from_status for one, other in pairwise(events))
        assert await build.status_of(task) == events[-1].to_status
