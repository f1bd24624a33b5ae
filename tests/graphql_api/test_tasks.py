"""Tasks over GraphQL."""

from typing import Any
from uuid import uuid4

import pytest

from domain.task import TaskPriority, TaskStatus
from domain.user import Role
from graphql_api.schema.ids import encode_id
from tests.support.api import Api

TASK = "query ($id: ID!) { task(id: $id) { id title status version owner { username } assignee { username } } }"
CREATE = """mutation ($input: CreateTaskInput!) { createTask(input: $input) {
  task { id title description status priority dueAt version owner { id } assignee { id } completedAt }
  userErrors { message code path } } }"""
UPDATE = """mutation ($input: UpdateTaskInput!) { updateTask(input: $input) {
  task { title description priority dueAt version } userErrors { message code path } } }"""
STATUS = """mutation ($input: UpdateTaskStatusInput!) { updateTaskStatus(input: $input) {
  task { status version completedAt } userErrors { message code path } } }"""
ASSIGN = """mutation ($input: AssignTaskInput!) { assignTask(input: $input) {
  task { assignee { id } version } userErrors { message code path } } }"""
DELETE = """mutation ($input: DeleteTaskInput!) { deleteTask(input: $input) {
  deletedTaskId userErrors { message code path } } }"""


def task_id(row: Any) -> str:
    """A task's id as clients know it."""
    return encode_id("Task", row.id)


def user_id(row: Any) -> str:
    """A user's id as clients know it."""
    return encode_id("User", row.id)


def _as_to(value: dict[str, Any]) -> dict[str, Any]:
    return {"to": value["assigneeId"]} if "assigneeId" in value else {}


class TestTask:
    async def test_a_task_has_its_owner_and_assignee(self, api: Api):
        """For its owner."""
        owner, assignee = await api.a_user(), await api.a_user()
        task = await api.build.a_task(owner, assignee_id=assignee.id, title="Paint the fence")

        answer = await api.ask(TASK, owner, id=task_id(task))

        assert answer.data["task"] == {
            "id": task_id(task),
            "title": "Paint the fence",
            "status": "TODO",
            "version": 1,
            "owner": {"username": owner.username},
            "assignee": {"username": assignee.username},
        }

    async def test_a_hidden_task_is_null(self, api: Api):
        """Like a missing one."""
        task = await api.build.a_task()
        outsider = await api.a_user()

        for identity in (task_id(task), encode_id("Task", uuid4())):
            assert (await api.ask(TASK, outsider, id=identity)).data == {"task": None}

    async def test_a_malformed_id_is_a_bad_request(self, api: Api):
        """Also an id of another type."""
        user = await api.a_user()

        for identity in ("", "x", "not an id", user_id(user), "VGFzazo", "💥", "A" * 10_000):
            assert (await api.ask(TASK, user, id=identity)).codes == ["BAD_REQUEST"]


class TestTasks:
    async def test_forward_pages(self, api: Api):
        """By endCursor each own task appears once, in order, until hasNextPage is false."""
        owner = await api.a_user()
        made = [task_id(await api.build.a_task(owner)) for _ in range(7)]
        query = """query ($after: String) { tasks(first: 3, after: $after, orderBy: CREATED_ASC) {
          totalCount nodes { id } edges { cursor node { id } }
          pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
        seen, after = [], None
        for _ in range(3):
            page = (await api.ask(query, owner, after=after)).data["tasks"]
            assert page["totalCount"] == 7
            assert page["nodes"] == [edge["node"] for edge in page["edges"]]
            assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
            seen += [node["id"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
        assert seen == made
        assert page["pageInfo"]["hasNextPage"] is False

    async def test_backward_pages(self, api: Api):
        """By startCursor each own task appears once, until hasPreviousPage is false."""
        owner = await api.a_user()
        made = [task_id(await api.build.a_task(owner)) for _ in range(7)]
        query = """query ($before: String) { tasks(last: 3, before: $before, orderBy: CREATED_ASC) {
          totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
        seen: list[str] = []
        before = None
        for _ in range(3):
            page = (await api.ask(query, owner, before=before)).data["tasks"]
            assert page["totalCount"] == 7
            assert page["pageInfo"]["hasNextPage"] is (before is not None)
            seen = [node["id"] for node in page["nodes"]] + seen
            before = page["pageInfo"]["startCursor"]
        assert seen == made
        assert page["pageInfo"]["hasPreviousPage"] is False

    async def test_a_page_after_a_deleted_task_is_the_first(self, api: Api):
        """There is no previous page."""
        owner = await api.a_user()
        first, second = [await api.build.a_task(owner) for _ in range(2)]
        query = """query ($after: String) { tasks(first: 1, after: $after, orderBy: CREATED_ASC) {
          nodes { id } pageInfo { hasPreviousPage endCursor } } }"""
        after = (await api.ask(query, owner)).data["tasks"]["pageInfo"]["endCursor"]
        for before in (True, False):
            page = (await api.ask(query, owner, after=after)).data["tasks"]
            assert page["nodes"] == [{"id": task_id(second)}]
            assert page["pageInfo"]["hasPreviousPage"] is before
            await api.ask(DELETE, owner, input={"id": task_id(first)})

    @pytest.mark.parametrize("field", ["tasks", "users", "tasks { nodes { history"])
    async def test_invalid_page_arguments_are_refused(self, api: Api, field: str):
        """By every connection with the same message."""
        admin = await api.a_user(Role.ADMIN)
        await api.build.a_task(admin)
        for how, message in (
            ("first: 2, last: 2", "Give first or last, not both."),
            ("last: 0", "last must be 1 to 100, not 0."),
            ("last: 101", "last must be 1 to 100, not 101."),
        ):
            query = f"{{ {field}({how}) {{ nodes {{ __typename }} }} {'} } ' if '{' in field else ''}}}"
            answer = await api.ask(query, admin)
            assert answer.codes[0] == "BAD_REQUEST"
            assert answer.body["errors"][0]["message"] == message

    async def test_a_cursor_of_another_ordering_is_refused(self, api: Api):
        """A cursor contains its ordering; another ordering is a bad request."""
        owner = await api.a_user()
        await api.build.a_task(owner)
        page = await api.ask("{ tasks { pageInfo { endCursor } } }", owner)

        answer = await api.ask(
            "query ($after: String) { tasks(after: $after, orderBy: DUE_ASC) { nodes { id } } }",
            owner,
            after=page.data["tasks"]["pageInfo"]["endCursor"],
        )

        assert answer.codes == ["BAD_REQUEST"]

    async def test_filters_are_and_between_fields_and_or_within_a_list(self, api: Api):
        """Of several fields all must match, of a list one value must."""
        owner, helper = await api.a_user(), await api.a_user()
        wanted = await api.build.a_task(owner, status=TaskStatus.DONE, priority=TaskPriority.HIGH, title="Oil hinges")
        await api.build.a_task(owner, status=TaskStatus.DONE, priority=TaskPriority.LOW, title="Oil hinges")
        await api.build.a_task(owner, status=TaskStatus.CANCELLED, priority=TaskPriority.HIGH, title="Oil hinges")
        await api.build.a_task(owner, status=TaskStatus.TODO, priority=TaskPriority.HIGH, assignee_id=helper.id)

        answer = await api.ask(
            "query ($filter: TaskFilter) { tasks(filter: $filter) { totalCount nodes { id } } }",
            owner,
            filter={
                "status": ["DONE", "TODO"],
                "priority": ["HIGH", "URGENT"],
                "search": "OIL",
                "ownerId": user_id(owner),
            },
        )

        assert answer.data["tasks"] == {"totalCount": 1, "nodes": [{"id": task_id(wanted)}]}

    async def test_the_stream_cursor_continues_from_the_page(self, api: Api):
        """A list returns the stream cursor of its snapshot."""
        owner = await api.a_user()
        assert (await api.ask("{ tasks { streamCursor } }", owner)).data["tasks"]["streamCursor"]


class TestCreateTask:
    async def test_a_new_task_belongs_to_its_creator(self, api: Api):
        """It is TODO, at version 1."""
        owner, helper = await api.a_user(), await api.a_user()

        answer = await api.ask(
            CREATE,
            owner,
            input={
                "title": "  Buy nails ",
                "description": "Two inches",
                "priority": "URGENT",
                "dueAt": "2030-01-02T03:04:05+02:00",
                "assigneeId": user_id(helper),
            },
        )

        task = answer.payload("createTask")["task"]
        assert task.pop("id")
        assert task == {
            "title": "Buy nails",
            "description": "Two inches",
            "status": "TODO",
            "priority": "URGENT",
            "dueAt": "2030-01-02T01:04:05Z",
            "version": 1,
            "owner": {"id": user_id(owner)},
            "assignee": {"id": user_id(helper)},
            "completedAt": None,
        }

    async def test_a_broken_rule_lands_on_its_field(self, api: Api):
        """A refusal names the field of the input."""
        owner = await api.a_user()
        for wrong, field in (
            ({"title": " "}, "title"),
            ({"title": "x" * 201}, "title"),
            ({"title": "x", "description": "y" * 10_001}, "description"),
            ({"title": "x", "assigneeId": encode_id("User", uuid4())}, "assigneeId"),
        ):
            refusal = (await api.ask(CREATE, owner, input=wrong)).refusal("createTask")
            assert (refusal["code"], refusal["path"]) == ("INVALID", [field])

    async def test_an_anonymous_request_is_refused(self, api: Api):
        """UNAUTHENTICATED, and nothing else runs."""
        answer = await api.ask(CREATE, input={"title": "x"})
        assert answer.codes == ["UNAUTHENTICATED"]
        assert answer.body["data"] == {"createTask": None}


class TestUpdateTask:
    async def test_left_out_stays_and_null_clears(self, api: Api):
        """Only what is given changes, and null empties what can be empty."""
        owner = await api.a_user()
        task = await api.build.a_task(owner, title="Old", description="Text")

        answer = await api.ask(UPDATE, owner, input={"id": task_id(task), "title": "New"})
        assert answer.payload("updateTask")["task"] == {
            "title": "New",
            "description": "Text",
            "priority": "MEDIUM",
            "dueAt": None,
            "version": 2,
        }
        answer = await api.ask(UPDATE, owner, input={"id": task_id(task), "description": None, "dueAt": None})
        assert answer.payload("updateTask")["task"]["description"] == ""
        refusal = (await api.ask(UPDATE, owner, input={"id": task_id(task), "title": None})).refusal("updateTask")
        assert (refusal["code"], refusal["path"]) == ("INVALID", ["title"])

    async def test_an_old_version_is_a_conflict(self, api: Api):
        """`expectedVersion` prevents overwriting another change."""
        owner = await api.a_user()
        task = await api.build.a_task(owner, version=4)

        answer = await api.ask(UPDATE, owner, input={"id": task_id(task), "title": "New", "expectedVersion": 3})

        assert answer.refusal("updateTask")["code"] == "CONFLICT"


class TestUpdateTaskStatus:
    async def test_the_assignee_may_change_the_status(self, api: Api):
        """DONE sets the completion time."""
        helper = await api.a_user()
        task = await api.build.a_task(assignee_id=helper.id)

        moved = (await api.ask(STATUS, helper, input={"id": task_id(task), "status": "DONE"})).payload(
            "updateTaskStatus"
        )

        assert (moved["task"]["status"], moved["task"]["version"]) == ("DONE", 2)
        assert moved["task"]["completedAt"].endswith("Z")

    async def test_a_forbidden_status_change_is_refused(self, api: Api):
        """The message lists the allowed statuses."""
        owner = await api.a_user()
        task = await api.build.a_task(owner, status=TaskStatus.DONE)

        refusal = (await api.ask(STATUS, owner, input={"id": task_id(task), "status": "CANCELLED"})).refusal(
            "updateTaskStatus"
        )

        assert refusal["code"] == "INVALID_TRANSITION"
        assert "TODO, IN_PROGRESS" in refusal["message"]


class TestAssignTask:
    @pytest.mark.parametrize(
        "document",
        [
            ASSIGN,
            ASSIGN.replace("$input: AssignTaskInput!", "$id: ID!, $to: ID").replace(
                "input: $input", "input: {id: $id, assigneeId: $to}"
            ),
        ],
        ids=["the input is a variable", "the id is a variable"],
    )
    async def test_left_out_leaves_it_and_null_clears_it(self, api: Api, document: str):
        """Whether the document is new, and executed in general, or known, and compiled."""
        owner, helper = await api.a_user(), await api.a_user()
        for _ in range(3):
            task = await api.build.a_task(owner, assignee_id=helper.id)
            given = {"id": task_id(task)}
            answers = [
                await api.ask(document, owner, input=given | value, id=given["id"], **_as_to(value))
                for value in ({}, {"assigneeId": None})
            ]
            assert [answer.payload("assignTask")["task"] for answer in answers] == [
                {"assignee": {"id": user_id(helper)}, "version": 1},
                {"assignee": None, "version": 2},
            ]

    async def test_left_out_needs_the_same_rights(self, api: Api):
        """Changing nothing is still a change of a task that one must be allowed to change."""
        owner, helper = await api.a_user(), await api.a_user()
        task = await api.build.a_task(owner, assignee_id=helper.id)
        answer = await api.ask(ASSIGN, helper, input={"id": task_id(task)})
        assert answer.refusal("assignTask")["code"] == "FORBIDDEN"

    async def test_a_task_is_assigned_and_unassigned(self, api: Api):
        """To a user, and to null."""
        owner, helper = await api.a_user(), await api.a_user()
        task = await api.build.a_task(owner)

        given = await api.ask(ASSIGN, owner, input={"id": task_id(task), "assigneeId": user_id(helper)})
        taken = await api.ask(ASSIGN, owner, input={"id": task_id(task), "assigneeId": None})

        assert given.payload("assignTask")["task"] == {"assignee": {"id": user_id(helper)}, "version": 2}
        assert taken.payload("assignTask")["task"] == {"assignee": None, "version": 3}


class TestDeleteTask:
    async def test_a_moderator_may_delete_any_task(self, api: Api):
        """The payload has its id."""
        moderator = await api.a_user(Role.MODERATOR)
        task = await api.build.a_task()

        answer = await api.ask(DELETE, moderator, input={"id": task_id(task)})

        assert answer.payload("deleteTask")["deletedTaskId"] == task_id(task)
        assert await api.build.task(task.id) is None


class TestHistory:
    async def test_history_has_every_change_newest_first(self, api: Api):
        """As soon as the events are numbered."""
        owner = await api.a_user()
        task = (await api.ask(CREATE, owner, input={"title": "x"})).payload("createTask")["task"]
        await api.ask(STATUS, owner, input={"id": task["id"], "status": "IN_PROGRESS"})
        await api.ask(UPDATE, owner, input={"id": task["id"], "title": "y", "priority": "LOW"})
        query = """query ($id: ID!, $after: String) { task(id: $id) { history(first: 2, after: $after) {
          nodes { changes from to version by { username } } pageInfo { hasNextPage endCursor } } } }"""
        await api.numbered()

        first = (await api.ask(query, owner, id=task["id"])).data["task"]["history"]
        second = (await api.ask(query, owner, id=task["id"], after=first["pageInfo"]["endCursor"])).data["task"][
            "history"
        ]

        by = {"username": owner.username}
        assert first["nodes"] == [
            {"changes": ["TITLE", "PRIORITY"], "from": "IN_PROGRESS", "to": "IN_PROGRESS", "version": 3, "by": by},
            {"changes": ["STATUS"], "from": "TODO", "to": "IN_PROGRESS", "version": 2, "by": by},
        ]
        assert first["pageInfo"]["hasNextPage"] is True
        assert second["nodes"] == [{"changes": ["CREATED"], "from": None, "to": "TODO", "version": 1, "by": by}]


class TestViewerCan:
    async def test_viewer_fields_agree_with_the_policy(self, api: Api):
        """viewerCan… equals what the mutations allow, for each relation."""
        owner, helper, moderator = await api.a_user(), await api.a_user(), await api.a_user(Role.MODERATOR)
        task = await api.build.a_task(owner, assignee_id=helper.id)
        query = """query ($id: ID!) { task(id: $id) {
          viewerCanUpdate viewerCanUpdateStatus viewerCanAssign viewerCanDelete } }"""
        for viewer, expected in ((owner, "1111"), (helper, "0100"), (moderator, "0001")):
            found = (await api.ask(query, viewer, id=task_id(task))).data["task"]
            assert "".join(str(int(value)) for value in found.values()) == expected
