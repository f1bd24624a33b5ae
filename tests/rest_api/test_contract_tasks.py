"""The older API's contract in detail: tasks."""

from typing import Any
from uuid import UUID

import pytest

from domain.task import TaskStatus
from tests.rest_api.support import Rest
from tests.rest_api.test_contract import task_of


class TestTasks:
    async def test_the_list_is_by_age_and_in_slices(self, rest: Rest):
        """The oldest first; ten unless asked otherwise, and over 100 counts as 100."""
        visitor = await rest.a_visitor()
        rows = [await task_of(rest, visitor, title=str(number)) for number in range(12)]
        ids = [str(row.id) for row in rows]
        for query, expected in (
            ("", ids[:10]),
            ("?skip=10", ids[10:]),
            ("?skip=1&limit=2", ids[1:3]),
            ("?limit=1000000", ids),
            ("?limit=0", []),
            ("?skip=99999999999999999999999", []),
            ("?unknown=1&limit=1", ids[:1]),
        ):
            listed = (await rest.send("GET", f"/tasks/{query}", visitor)).json()
            assert [task["uuid"] for task in listed] == expected

    async def test_more_than_a_hundred_are_never_listed(self, rest: Rest):
        """A limit over 100 counts as 100."""
        visitor = await rest.a_visitor()
        for _ in range(101):
            await task_of(rest, visitor)
        assert len((await rest.send("GET", "/tasks/?limit=101", visitor)).json()) == 100

    @pytest.mark.parametrize(("query", "field"), [("skip=-1", "skip"), ("limit=-1", "limit"), ("limit=x", "limit")])
    async def test_invalid_numbers_are_422(self, rest: Rest, query: str, field: str):
        """Each is reported with its name."""
        response = await rest.send("GET", f"/tasks/?{query}", await rest.a_visitor())
        assert response.status_code == 422
        assert [problem["field"] for problem in response.json()["details"]] == [field]

    @pytest.mark.parametrize("changed", [{}, {"title": None, "description": None, "completed": None}, {"unknown": 1}])
    async def test_an_empty_change_is_a_no_op(self, rest: Rest, changed: dict[str, Any]):
        """Absent and null fields change nothing: 200 with the task, and no event."""
        visitor = await rest.a_visitor()
        task = await task_of(rest, visitor)
        response = await rest.send("PUT", f"/tasks/{task.id}", visitor, json=changed)
        assert (response.status_code, response.json()["version"]) == (200, 1)
        assert await rest.api.build.recorded_events(of=task.id) == []

    async def test_an_empty_description_is_a_value(self, rest: Rest):
        """Only null leaves it alone."""
        visitor = await rest.a_visitor()
        task = await task_of(rest, visitor, description="Something")
        response = await rest.send("PATCH", f"/tasks/{task.id}", visitor, json={"description": ""})
        assert (response.json()["description"], response.json()["version"]) == ("", 2)

    @pytest.mark.parametrize("value", [True, 1, "true", "True", "yes", "on", "1"])
    async def test_completed_accepts_the_older_values(self, rest: Rest, value: object):
        """All values that the older server accepted."""
        visitor = await rest.a_visitor()
        task = await task_of(rest, visitor)
        response = await rest.send("PUT", f"/tasks/{task.id}", visitor, json={"completed": value})
        assert response.json()["completed"] is True

    async def test_completed_is_the_status_done_and_back(self, rest: Rest):
        """True moves to DONE, false moves DONE to TODO and leaves others where they are."""
        visitor = await rest.a_visitor()
        task = await task_of(rest, visitor, status=TaskStatus.IN_PROGRESS)
        for completed, status in ((False, "IN_PROGRESS"), (True, "DONE"), (True, "DONE"), (False, "TODO")):
            response = await rest.send("PUT", f"/tasks/{task.id}", visitor, json={"completed": completed})
            assert (response.status_code, response.json()["status"]) == (200, status)
            assert response.json()["completed"] is (status == "DONE")

    async def test_a_move_that_the_board_does_not_have_is_409(self, rest: Rest):
        """Completing a cancelled task changes nothing, the title beside it included."""
        visitor = await rest.a_visitor()
        task = await task_of(rest, visitor, status=TaskStatus.CANCELLED)
        response = await rest.send("PUT", f"/tasks/{task.id}", visitor, json={"title": "Other", "completed": True})
        assert response.status_code == 409
        assert response.json() == {"detail": "A task cannot go from CANCELLED to DONE; from here it can go to TODO."}
        stored = await rest.api.build.task(task.id)
        assert stored is not None
        assert (stored.title, stored.version) == (task.title, 1)

    async def test_the_assignee_may_read_and_complete_only(self, rest: Rest):
        """Another title is 403 with the older message."""
        visitor = await rest.a_visitor()
        task = await rest.api.build.a_task(assignee_id=UUID(visitor.uuid))
        assert (await rest.send("GET", f"/tasks/{task.id}", visitor)).status_code == 200
        assert (await rest.send("PUT", f"/tasks/{task.id}", visitor, json={"completed": True})).status_code == 200
        for method, body in (("PUT", {"title": "Mine"}), ("DELETE", None)):
            response = await rest.send(method, f"/tasks/{task.id}", visitor, json=body)
            assert (response.status_code, response.json()) == (403, {"detail": "Insufficient permissions"})

    async def test_a_deletion_is_204_and_then_404(self, rest: Rest):
        """The second one finds no task."""
        visitor = await rest.a_visitor()
        task = await task_of(rest, visitor)
        statuses = [(await rest.send("DELETE", f"/tasks/{task.id}", visitor)).status_code for _ in range(2)]
        assert statuses == [204, 404]

    async def test_an_id_that_is_none_is_422(self, rest: Rest):
        """As before: the path is looked at like any other value."""
        response = await rest.send("GET", "/tasks/42", await rest.a_visitor())
        assert response.status_code == 422
        assert response.json()["details"][0]["field"] == "task_id"
