"""`/ws/tasks/…` of a task that was moved and then deleted, for a client that comes back."""

import pytest

from domain.user import Role
from persistence.models import TaskRow, UserRow
from tests.graphql_api.stream_client import assign
from tests.rest_api.support import Rest
from tests.rest_api.task_listening import listening, move, open_socket


class TestDeletedSince:
    @pytest.mark.parametrize("relation", ["owner", "assignee", "moderator"])
    async def test_its_moves_are_delivered_and_then_its_deletion(self, url: str, rest: Rest, relation: str):
        """To users who could see it when it was deleted; without the task."""
        api = rest.api
        people = {"owner": await api.a_user(), "assignee": await api.a_user()}
        people["moderator"] = await api.a_user(Role.MODERATOR)
        cursor, task = await self._a_life(url, rest, people, relation, is_taken_back=False)
        async with listening(url, api, people[relation], after=cursor) as listener:
            moves = [await listener.receive() for _ in range(2)]
            deleted = await listener.receive()

        for frame in moves:
            assert set(frame) == {"type", "task_uuid", "from", "to", "cursor", "at"}
        assert {frame["type"] for frame in moves} == {"task.status_changed_before_deletion"}
        assert [(frame["from"], frame["to"]) for frame in moves] == [("TODO", "DONE"), ("DONE", "TODO")]
        assert {frame["task_uuid"] for frame in (*moves, deleted)} == {str(task.id)}
        assert deleted["type"] == "task.deleted"

    async def test_a_former_assignee_receives_no_moves(self, url: str, rest: Rest):
        """For them the task is gone."""
        api = rest.api
        people = {"owner": await api.a_user(), "assignee": await api.a_user()}
        cursor, _ = await self._a_life(url, rest, people, "assignee", is_taken_back=True)
        own = await api.build.a_task(people["assignee"])
        await move(rest, own, people["assignee"])
        async with listening(url, api, people["assignee"], after=cursor) as listener:
            frames = [await listener.receive() for _ in range(4)]

        assert [frame["type"] for frame in frames] == [*["task.gone"] * 3, "task.status_changed"]
        assert all("from" not in frame for frame in frames[:3])

    async def _a_life(
        self, url: str, rest: Rest, people: dict[str, UserRow], relation: str, *, is_taken_back: bool
    ) -> tuple[str, TaskRow]:
        """A task is moved twice and deleted; the cursor in front of that."""
        owner, assignee = people["owner"], people["assignee"]
        async with open_socket(url, await rest.api.token(people[relation])) as listener:
            cursor = await listener.cursor()
        task = await rest.api.build.a_task(owner, assignee_id=assignee.id)
        for completed in (True, False):
            await move(rest, task, owner, completed)
        if is_taken_back:
            await assign(rest.api, task, None, owner)
        await rest.send("DELETE", f"/tasks/{task.id}", owner)
        return cursor, task
