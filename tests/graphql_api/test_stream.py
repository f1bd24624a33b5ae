"""Subscriptions from end to end: real sockets, real servers, and what a client sees of it all."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.user import Role
from persistence.models import UserRow
from services import task as task_service
from services import task_creation
from services.task_edit import TaskEdit
from tests.graphql_api.stream_client import (
    CHANGES,
    MOVES,
    TASK_LIKE,
    Item,
    Listener,
    assign,
    delete,
    move,
    signed_in,
    stream_cursor,
    to_and_fro,
)
from tests.graphql_api.test_tasks import task_id, user_id
from tests.support.api import Api
from tests.support.transactions import orm_session


class TestItems:
    async def test_a_move_arrives_whole(self, live: Api):
        """A move over HTTP comes with from, to, by, the current task and a cursor; common fields need no fragment."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES)
            await move(live, task, "DONE", owner)
            item = await listener.receive()

        assert item.pop("cursor")
        assert datetime.fromisoformat(item.pop("at")) > datetime.now(UTC) - timedelta(seconds=10)
        assert item == {
            "__typename": "TaskStatusChanged",
            "taskId": task_id(task),
            "task": {"id": task_id(task), "title": task.title, "status": "DONE", "version": 2},
            "from": "TODO",
            "to": "DONE",
            "by": {"username": owner.username},
        }

    async def test_every_change_lists_the_changed_fields(self, live: Api):
        """`taskChanged` delivers creation, edits, status changes, assignments and deletion, once and in order."""
        owner = await live.a_user()
        async with signed_in(live, owner) as listener:
            await listener.listen(CHANGES)
            task = await task_creation.create_task(live.build.as_(owner), title="Paint")
            edit = TaskEdit(title="Paint it", description="Blue")
            await task_service.update_task(live.build.as_(owner), task_id=task.id, edit=edit)
            await move(live, task, "DONE", owner)
            await assign(live, task, owner, owner)
            items = [
                await listener.receive() for _ in range(4)
            ]  # items of a hidden task would not be delivered any more
            await delete(live, task, owner)
            items.append(await listener.receive())

        assert [item.get("changes") for item in items] == [
            ["CREATED"],
            ["TITLE", "DESCRIPTION"],
            ["STATUS"],
            ["ASSIGNEE"],
            None,
        ]
        assert items[-1]["__typename"] == "TaskDeleted"
        assert (items[-1]["taskId"], items[-1]["task"]) == (task_id(task), None)

    async def test_assignment_starts_and_ends_visibility(self, live: Api):
        """An assignee receives events from the assignment on, then that the task is gone."""
        owner, assignee = await live.a_user(), await live.a_user()
        task, own = await live.build.a_task(owner), await live.build.a_task(assignee)
        async with signed_in(live, assignee) as listener:
            await listener.listen(CHANGES)
            await move(live, task, "IN_PROGRESS", owner)
            await assign(live, task, assignee, owner)
            seen = await listener.receive()
            await assign(live, task, None, owner)
            gone = await listener.receive()
            await move(live, task, "DONE", owner)
            await move(live, own, "DONE", assignee)
            after = await listener.receive()

        assert (seen["changes"], seen["task"]["version"]) == (["ASSIGNEE"], 3)
        assert (gone["__typename"], gone["taskId"], gone["task"]) == ("TaskGone", task_id(task), None)
        assert after["taskId"] == task_id(own)

    async def test_status_subscriptions_also_deliver_gone_and_deleted(self, live: Api):
        """`taskStatusChanged` leaves other changes out."""
        owner, assignee = await live.a_user(), await live.a_user()
        first, second = [await live.build.a_task(owner, assignee_id=assignee.id) for _ in range(2)]
        async with signed_in(live, assignee) as listener:
            await listener.listen(MOVES)
            edit = TaskEdit(title="Another")
            await task_service.update_task(live.build.as_(owner), task_id=first.id, edit=edit)
            await assign(live, first, None, owner)
            await delete(live, second, owner)
            items = [await listener.receive() for _ in range(2)]

        assert [item["__typename"] for item in items] == ["TaskGone", "TaskDeleted"]

    async def test_an_unrelated_user_receives_nothing(self, live: Api):
        """Also with a filter that names the other user: the first item is about an own task."""
        owner, outsider = await live.a_user(), await live.a_user()
        task, own = await live.build.a_task(owner), await live.build.a_task(outsider)
        async with signed_in(live, outsider) as listener:
            await listener.listen(CHANGES)
            await listener.listen(CHANGES, "2", filter={"taskIds": [task_id(task), task_id(own)]})
            await move(live, task, "DONE", owner)
            await assign(live, task, owner, owner)
            await delete(live, task, owner)
            await move(live, own, "DONE", outsider)
            received = [(await listener.socket.receive())["payload"]["data"]["taskChanged"]["taskId"] for _ in range(2)]

        assert received == [task_id(own)] * 2

    async def test_moderators_receive_every_change(self, live: Api):
        """Of the tasks of all users."""
        moderator, owner = await live.a_user(Role.MODERATOR), await live.a_user()
        task = await live.build.a_task(owner)
        async with signed_in(live, moderator) as listener:
            await listener.listen(MOVES)
            await move(live, task, "DONE", owner)

            assert (await listener.receive())["taskId"] == task_id(task)


class TestFilters:
    async def test_filters_select_items(self, live: Api):
        """By task, owner, assignee and target status."""
        admin, owner, other = await live.a_user(Role.ADMIN), await live.a_user(), await live.a_user()
        noise = await live.build.a_task(other)
        task = await live.build.a_task(owner, assignee_id=other.id)
        filters: list[Item] = [
            {"taskIds": [task_id(task)]},
            {"ownerId": user_id(owner)},
            {"assigneeId": user_id(other)},
            {"ownerId": user_id(owner), "assigneeId": user_id(other)},
            {"ownerId": user_id(owner), "to": ["DONE", "CANCELLED"]},
            {},
        ]
        async with signed_in(live, admin) as listener:
            for number, wanted in enumerate(filters):
                await listener.listen(MOVES, str(number), filter=wanted)
            await move(live, noise, "DONE", other)
            await move(live, task, "IN_PROGRESS", owner)
            await move(live, task, "DONE", owner)
            received = await self._received(listener, 4 * 2 + 1 + 3)

        assert [received[str(number)] for number in range(4)] == [["IN_PROGRESS", "DONE"]] * 4
        assert received["4"] == ["DONE"]
        assert received["5"] == ["DONE", "IN_PROGRESS", "DONE"]

    async def test_a_match_before_the_change_counts(self, live: Api):
        """A subscriber to the tasks of an assignee learns that one was unassigned."""
        owner, assignee = await live.a_user(), await live.a_user()
        task = await live.build.a_task(owner, assignee_id=assignee.id)
        async with signed_in(live, owner) as listener:
            await listener.listen(CHANGES, filter={"assigneeId": user_id(assignee)})
            await assign(live, task, None, owner)

            assert (await listener.receive())["changes"] == ["ASSIGNEE"]

    async def test_an_empty_list_matches_nothing(self, live: Api):
        """An absent list matches everything."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES, "none", filter={"taskIds": []})
            await listener.listen(MOVES, "any", filter={"taskIds": None})
            await move(live, task, "IN_PROGRESS", owner)
            await move(live, task, "DONE", owner)

            assert [(await listener.receive("any"))["to"] for _ in range(2)] == ["IN_PROGRESS", "DONE"]
            await listener.lives()

    @pytest.mark.parametrize("wanted", [{"ownerId": "nonsense"}, {"taskIds": [TASK_LIKE] * 101}])
    async def test_an_invalid_filter_is_refused(self, live: Api, wanted: Item):
        """A malformed id, or too many, is an error of this operation."""
        async with signed_in(live, await live.a_user()) as listener:
            answer = await listener.asked(MOVES, filter=wanted)

            assert (answer["type"], answer["id"]) == ("error", "1")
            assert answer["payload"][0]["extensions"]["code"] == "BAD_REQUEST"
            await listener.lives()

    async def _received(self, listener: Listener, many: int) -> dict[str, list[str]]:
        received: dict[str, list[str]] = {}
        for _ in range(many):
            message = await listener.socket.receive()
            received.setdefault(message["id"], []).append(message["payload"]["data"]["taskStatusChanged"]["to"])
        return received


class TestFreshness:
    async def test_each_item_has_current_values(self, live: Api):
        """After a change of the assignee and of its name."""
        query = "subscription { taskChanged { task { assignee { username } } ... on TaskChanged { by { username } } } }"
        owner, one, other = await live.a_user(), await live.a_user(), await live.a_user()
        task = await live.build.a_task(owner, assignee_id=one.id)
        received = []
        async with signed_in(live, owner) as listener:
            await listener.listen(query)
            for status, name in (("IN_PROGRESS", "old.name"), ("TODO", "new.name")):
                await self._rename(live, one, name)
                await move(live, task, status, one)
                received.append(await listener.receive())
            await assign(live, task, other, owner)
            received.append(await listener.receive())

        assert [each["task"]["assignee"]["username"] for each in received] == ["old.name", "new.name", other.username]
        assert [each["by"]["username"] for each in received] == ["old.name", "new.name", owner.username]

    async def test_the_task_is_the_current_row(self, live: Api):
        """A replayed event has its own statuses, and the current task."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        start = await stream_cursor(live, owner)
        await to_and_fro(live, task, owner, 3)
        await live.numbered()
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES, after=start)
            items = [await listener.receive() for _ in range(3)]

        assert [(item["from"], item["to"]) for item in items] == [
            ("TODO", "IN_PROGRESS"),
            ("IN_PROGRESS", "TODO"),
            ("TODO", "IN_PROGRESS"),
        ]
        assert {item["task"]["version"] for item in items} == {4}

    async def _rename(self, api: Api, user: UserRow, name: str) -> None:
        async with orm_session(api.build.database) as session:
            (await session.merge(user)).username = name
            await session.commit()
