"""Events of a task that was deleted later: they are delivered to users who could see it until then."""

from typing import Any

import pytest

from domain.task import TaskStatus
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow, VisibleTaskRow
from services import task as task_service
from services import task_creation
from tests.graphql_api.stream_client import CHANGES, MOVES, assign, delete, move, signed_in, stream_cursor
from tests.support.api import Api


async def a_life(api: Api, owner: UserRow, assignee: UserRow, until: UserRow | None) -> VisibleTaskRow:
    """A task is created, given away, moved twice, perhaps taken back, and deleted."""
    task = await task_creation.create_task(api.build.as_(owner), title="Short")
    await assign(api, task, assignee, owner)
    await move(api, task, "IN_PROGRESS", owner)
    await move(api, task, "DONE", assignee)
    if until is not assignee:
        await assign(api, task, until, owner)
    await delete(api, task, owner)
    return task


async def replayed(api: Api, actor: UserRow, query: str, cursor: str, many: int) -> list[dict[str, Any]]:
    """The items of a user after a cursor."""
    async with signed_in(api, actor) as listener:
        await listener.listen(query, after=cursor)
        return [await listener.receive() for _ in range(many)]


class TestReplay:
    @pytest.mark.parametrize("relation", ["owner", "assignee", "moderator"])
    async def test_status_changes_are_delivered_without_the_task(self, live: Api, relation: str):
        """With statuses and actor, followed by the deletion."""
        people = {
            "owner": await live.a_user(),
            "assignee": await live.a_user(),
            "moderator": await live.a_user(Role.MODERATOR),
        }
        cursor = await stream_cursor(live, people[relation])
        task = await a_life(live, people["owner"], people["assignee"], people["assignee"])
        items = await replayed(live, people[relation], MOVES, cursor, 3)

        assert [item["__typename"] for item in items] == ["TaskStatusChanged"] * 2 + ["TaskDeleted"]
        assert [(item["from"], item["to"]) for item in items[:2]] == [("TODO", "IN_PROGRESS"), ("IN_PROGRESS", "DONE")]
        movers = [people["owner"].username, people["assignee"].username]
        assert [item["by"]["username"] for item in items[:2]] == movers
        assert {item["taskId"] for item in items} == {encode_id("Task", task.id)}
        assert [item["task"] for item in items] == [None] * 3

    async def test_every_change_is_delivered(self, live: Api):
        """The same for `taskChanged`."""
        owner, assignee = await live.a_user(), await live.a_user()
        cursor = await stream_cursor(live, owner)
        await a_life(live, owner, assignee, assignee)
        items = await replayed(live, owner, CHANGES, cursor, 5)

        assert [item.get("changes") for item in items] == [["CREATED"], ["ASSIGNEE"], ["STATUS"], ["STATUS"], None]
        assert [item["task"] for item in items] == [None] * 5
        assert items[-1]["__typename"] == "TaskDeleted"

    async def test_a_former_assignee_does_not_learn_of_the_deletion(self, live: Api):
        """The task is gone for them, and its deletion is not delivered."""
        owner, assignee = await live.a_user(), await live.a_user()
        own = await live.build.a_task(assignee)
        cursor = await stream_cursor(live, assignee)
        await a_life(live, owner, assignee, None)
        await move(live, own, "DONE", assignee)
        items = await replayed(live, assignee, CHANGES, cursor, 5)

        assert [item["__typename"] for item in items] == ["TaskGone"] * 4 + ["TaskChanged"]
        assert items[-1]["taskId"] == encode_id("Task", own.id)

    async def test_a_live_subscription_and_a_deletion(self, live: Api):
        """The earlier change is delivered with or without the task, and then the deletion."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES)
            await task_service.update_task_status(live.build.as_(owner), task_id=task.id, status=TaskStatus.IN_PROGRESS)
            await task_service.delete_task(live.build.as_(owner), task_id=task.id)
            items = [await listener.receive() for _ in range(2)]

        assert [item["__typename"] for item in items] == ["TaskStatusChanged", "TaskDeleted"]
        assert (items[0]["from"], items[0]["to"]) == ("TODO", "IN_PROGRESS")
