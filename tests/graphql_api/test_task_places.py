"""The places of tasks: their order, parents and projects, chosen ids, bulk changes, and the trash."""

from typing import Any
from uuid import UUID, uuid4

from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from persistence.models.base import new_id
from services.project import archive_project
from tests.graphql_api.project_team import Team, project_id
from tests.graphql_api.stream_client import signed_in
from tests.graphql_api.test_comments import CREATE as WRITE
from tests.graphql_api.test_labels import code, label
from tests.graphql_api.test_nested_fields import COMMENTS, HISTORY, LABELS, SET_PARENT, SUBTASKS_IN_STREAM, TRASH, ask
from tests.graphql_api.test_tasks import DELETE, task_id, user_id
from tests.support.api import Api

ERRORS = "userErrors { code path message }"
FIELDS = "id title key number rank status version parent { id } subtaskCount doneSubtaskCount assignee { id }"
CREATE = f"mutation ($input: CreateTaskInput!) {{ createTask(input: $input) {{ task {{ {FIELDS} }} {ERRORS} }} }}"
MOVE = f"mutation ($input: MoveTaskInput!) {{ moveTask(input: $input) {{ task {{ {FIELDS} }} {ERRORS} }} }}"
RESTORE = f"mutation ($input: RestoreTaskInput!) {{ restoreTask(input: $input) {{ task {{ {FIELDS} }} {ERRORS} }} }}"
UPDATE_ALL = f"""mutation ($input: UpdateTasksInput!) {{ updateTasks(input: $input) {{
  results {{ taskId task {{ {FIELDS} }} {ERRORS} }} {ERRORS} }} }}"""
TASK = f"query ($id: ID!) {{ task(id: $id) {{ {FIELDS} }} }}"
BY_KEY = "query ($key: String!) { taskByKey(key: $key) { id key } }"
LIST = """query ($filter: TaskFilter, $first: Int, $after: String) {
  tasks(first: $first, after: $after, filter: $filter, orderBy: RANK) {
    totalCount nodes { title } pageInfo { endCursor } } }"""

Task = dict[str, Any]


async def add(api: Api, team: Team, title: str = "A task", *, by: str = "member", **values: Any) -> Task:
    """A new task of the team's project."""
    sent = {"title": title, "projectId": project_id(team.project)} | values
    return dict((await api.ask(CREATE, team.people[by], input=sent)).payload("createTask")["task"])


async def order(api: Api, team: Team, **wanted: Any) -> str:
    """The titles of the added tasks in the manual order, joined."""
    listed = await api.ask(
        LIST, team.people["viewer"], first=100, filter={"projectId": project_id(team.project)} | wanted
    )
    return "".join(node["title"] for node in listed.data["tasks"]["nodes"] if node["title"] != team.task.title)


async def move(api: Api, team: Team, task: Task, *, by: str = "member", **where: Any) -> Task:
    """A task after its move."""
    answer = await api.ask(MOVE, team.people[by], input={"id": task["id"]} | where)
    return dict(answer.payload("moveTask")["task"])


async def restore(api: Api, task: Task, by: UserRow) -> Task:
    """A task after it is restored."""
    return dict((await api.ask(RESTORE, by, input={"id": task["id"]})).payload("restoreTask")["task"])


async def delete(api: Api, task: Task, by: UserRow) -> None:
    """Put a task into the trash."""
    (await api.ask(DELETE, by, input={"id": task["id"]})).payload("deleteTask")


async def trash(api: Api, by: UserRow, team: Team | None = None) -> list[str]:
    """The titles in the trash of a project, or of personal tasks."""
    found = await ask(api, TRASH, by, project=team and project_id(team.project))
    assert found["totalCount"] == len(found["nodes"])
    return [node["title"] for node in found["nodes"]]


async def changes(api: Api, task: Task, by: UserRow) -> list[tuple[int, list[str]]]:
    """The history of a task: versions, and what was changed."""
    await api.numbered()
    nodes = (await ask(api, HISTORY, by, id=task["id"]))["history"]["nodes"]
    return [(node["version"], node["changes"]) for node in nodes]


async def two_teams(api: Api) -> tuple[Team, Team]:
    """Two projects; the member of the first one is a member of the second one, too."""
    here, there = await Team.made(api), await Team.made(api)
    await api.build.a_member(there.project, here.people["member"])
    return here, there


async def refuses_bad_ids(api: Api, query: str, by: UserRow, name: str, **sent: Any) -> None:
    """A malformed id, and one of another type, is an error."""
    for bad in ("", "nonsense", "VGFzazo", encode_id("User", UUID(int=1))):
        assert (await api.ask(query, by, input=sent | {name: bad})).codes == ["BAD_REQUEST"], (name, bad)


def chosen(at: float | None = None, *, version: int = 7) -> str:
    """A new id of a task that a client chooses, with the time of now or another one in it."""
    known = new_id().int if at is None else (int(at * 1000) << 80) | (2 << 62) | (uuid4().int >> 66)
    return encode_id("Task", UUID(int=known & ~(15 << 76) | version << 76))


class TestOrder:
    async def test_place_and_status(self, api: Api):
        """Both together are one version; a task is placed after or before another one, whatever its status is."""
        team = await Team.made(api)
        a, _, c = [await add(api, team, title) for title in "abc"]
        assert await order(api, team) == "abc"
        moved = await move(api, team, c, after=a["id"])
        assert (moved["version"], moved["key"], a["rank"] < moved["rank"]) == (2, c["key"], True)
        moved = await move(api, team, c, before=a["id"], status="DONE")
        assert (moved["version"], moved["status"]) == (3, "DONE")
        assert await order(api, team) == "cab"
        assert (await move(api, team, c, before=a["id"], status="DONE"))["version"] == 3
        assert await order(api, team, status=["TODO"]) == "ab"
        found = await changes(api, c, team.people["viewer"])
        assert found == [(3, ["STATUS", "RANK"]), (2, ["RANK"]), (1, ["CREATED"])]

    async def test_pages_by_rank(self, api: Api):
        """Each task comes once; the order is that of one project, so it needs one."""
        team = await Team.made(api)
        a, b, _ = [await add(api, team, title) for title in "abc"]
        await move(api, team, b, before=a["id"])
        viewer, wanted = team.people["viewer"], {"projectId": project_id(team.project)}
        first = (await api.ask(LIST, viewer, first=2, filter=wanted)).data["tasks"]
        after = first["pageInfo"]["endCursor"]
        rest = (await api.ask(LIST, viewer, first=2, after=after, filter=wanted)).data["tasks"]
        titles = [[node["title"] for node in page["nodes"]] for page in (first, rest)]
        assert (titles, first["totalCount"]) == ([["b", "a"], ["c", team.task.title]], 4)
        for other in (None, {}, {"projectId": None}, {"parentId": a["id"]}):
            assert (await api.ask(LIST, viewer, filter=other)).codes == ["BAD_REQUEST"]

    async def test_refusals(self, api: Api):
        """Rights, versions and statuses count as for any other change. Malformed ids are errors."""
        team = await Team.made(api)
        a, b = [await add(api, team, title) for title in "ab"]
        member, place = team.people["member"], {"id": b["id"], "before": a["id"]}
        personal = task_id(await api.build.a_task(member))
        await move(api, team, b, status="CANCELLED")
        for by, sent, *expected in (
            ("member", place | {"after": a["id"]}, "INVALID", ["before"]),
            ("member", place | {"status": None}, "INVALID", ["status"]),
            ("member", place | {"status": "DONE"}, "INVALID_TRANSITION", ["status"]),
            ("member", place | {"expectedVersion": 1}, "CONFLICT", ["expectedVersion"]),
            ("member", {"id": personal, "after": a["id"]}, "INVALID", ["after"]),
            ("member", place | {"id": encode_id("Task", uuid4())}, "NOT_FOUND", ["id"]),
            ("member", place | {"projectId": encode_id("Project", uuid4())}, "NOT_FOUND", ["projectId"]),
            ("viewer", place, "FORBIDDEN", ["id"]),
            ("former", place, "NOT_FOUND", ["id"]),
            ("manager", {"id": b["id"], "projectId": None}, "FORBIDDEN", ["projectId"]),
        ):
            assert await code(api, MOVE, team.people[by], **sent) == tuple(expected), sent
        for name in ("id", "after", "before", "projectId"):
            await refuses_bad_ids(api, MOVE, member, name, id=b["id"])
        assert (await ask(api, TASK, member, id=b["id"]))["version"] == 2
        assert await order(api, team) == "ab"


class TestProjects:
    async def test_another_project(self, api: Api):
        """The task gets a key there, with its subtasks; the old key leads to it, for those who see it."""
        here, there = await two_teams(api)
        member, bug = here.people["member"], await label(api, here, "Bug")
        same = await label(api, there, "BUG")
        task = await add(api, here, "a", labelIds=[bug["id"]], assigneeId=user_id(here.people["manager"]))
        under = await add(api, here, "b", parentId=task["id"])
        moved = await move(api, here, task, projectId=project_id(there.project))
        assert (moved["key"], moved["assignee"], moved["subtaskCount"]) == (f"{there.project.key}-1", None, 1)
        found = await ask(api, TASK, member, id=under["id"])
        assert (found["key"], found["parent"]) == (f"{there.project.key}-2", {"id": task["id"]})
        assert (await order(api, here), await order(api, there)) == ("", "ab")
        labels = (await ask(api, LABELS, member, id=task["id"]))["labels"]["nodes"]
        assert [each["id"] for each in labels] == [same["id"]]
        for key in (task["key"], task["key"].lower(), moved["key"]):
            assert await ask(api, BY_KEY, member, key=key) == {"id": task["id"], "key": moved["key"]}
            assert await ask(api, BY_KEY, here.people["manager"], key=key) is None
        assert [each[1] for each in await changes(api, task, member)] == [
            ["PROJECT", "ASSIGNEE", "LABELS"],
            ["CREATED"],
        ]

    async def test_out_of_a_project_and_back(self, api: Api):
        """Only the owner makes a task personal; with subtasks it cannot be. Its old number is not used again."""
        team = await Team.made(api)
        task = await add(api, team, "a")
        under = await add(api, team, "b", parentId=task["id"])
        sent = {"id": task["id"], "projectId": None}
        assert await code(api, MOVE, team.people["member"], **sent) == ("INVALID", ["projectId"])
        alone = await move(api, team, under, projectId=None)
        assert [alone[name] for name in ("key", "number", "rank", "parent")] == [None] * 4
        assert (await ask(api, TASK, team.people["member"], id=task["id"]))["subtaskCount"] == 0
        assert await ask(api, BY_KEY, team.people["member"], key=under["key"]) == {"id": under["id"], "key": None}
        back = await move(api, team, under, projectId=project_id(team.project))
        assert (back["number"], back["parent"], back["version"]) == (3, None, 3)


class TestParents:
    async def test_the_payload_and_the_counts(self, api: Api):
        """A subtask is in the lists that ask for it; the parent has a version only for its own changes."""
        team = await Team.made(api)
        member = team.people["member"]
        a, b = [await add(api, team, title) for title in "ab"]
        answer = await api.ask(SET_PARENT, member, input={"id": b["id"], "parentId": a["id"]})
        parent = {"title": "a", "subtaskCount": 1}
        assert answer.payload("setTaskParent")["task"] == {"version": 2, "parent": parent, "subtasks": {"nodes": []}}
        await move(api, team, b, status="DONE")
        found = await ask(api, TASK, member, id=a["id"])
        assert (found["version"], found["subtaskCount"], found["doneSubtaskCount"]) == (1, 1, 1)
        assert await order(api, team, parentId=a["id"]) == await order(api, team, isSubtask=True) == "b"
        assert await order(api, team, isSubtask=False) == "a"
        answer = await api.ask(SET_PARENT, member, input={"id": b["id"]})
        assert answer.payload("setTaskParent")["task"] == {"version": 4, "parent": None, "subtasks": {"nodes": []}}
        assert [each[1] for each in await changes(api, b, member)] == [["PARENT"], ["STATUS"], ["PARENT"], ["CREATED"]]

    async def test_refusals(self, api: Api):
        """There is one level, in one project. A new task is refused for the same reasons."""
        here, there = await two_teams(api)
        member, a, b = here.people["member"], await add(api, here, "a"), await add(api, here, "b")
        under, foreign = await add(api, here, "c", parentId=a["id"]), await add(api, there, "x")
        personal = task_id(await api.build.a_task(member))
        for by, task, parent, *expected in (
            ("member", b["id"], under["id"], "INVALID", ["parentId"]),
            ("member", b["id"], b["id"], "INVALID", ["parentId"]),
            ("member", a["id"], b["id"], "INVALID", ["id"]),
            ("member", personal, a["id"], "INVALID", ["id"]),
            ("member", b["id"], personal, "NOT_FOUND", ["parentId"]),
            ("member", b["id"], foreign["id"], "NOT_FOUND", ["parentId"]),
            ("viewer", b["id"], a["id"], "FORBIDDEN", ["id"]),
            ("former", b["id"], a["id"], "NOT_FOUND", ["id"]),
        ):
            assert await code(api, SET_PARENT, here.people[by], id=task, parentId=parent) == tuple(expected)
        for parent, *expected in (
            (under["id"], "INVALID", ["parentId"]),
            (personal, "INVALID", ["parentId"]),
            (encode_id("Task", uuid4()), "NOT_FOUND", ["parentId"]),
        ):
            assert await code(api, CREATE, member, title="No", parentId=parent) == tuple(expected)
        sent = {"title": "No", "parentId": foreign["id"], "projectId": project_id(here.project)}
        assert await code(api, CREATE, member, **sent) == ("NOT_FOUND", ["parentId"])
        await refuses_bad_ids(api, SET_PARENT, member, "parentId", id=b["id"])
        await refuses_bad_ids(api, CREATE, member, "parentId", title="No")

    async def test_it_comes_live(self, live: Api):
        """Each subscriber sees the parent with their own rights."""
        team = await Team.made(live)
        a, b = [await add(live, team, title) for title in "ab"]
        await live.numbered()
        async with signed_in(live, team.people["viewer"]) as listener:
            await listener.listen(SUBTASKS_IN_STREAM)
            await live.ask(SET_PARENT, team.people["member"], input={"id": b["id"], "parentId": a["id"]})
            parent = {"title": "a", "viewerCanUpdate": False}
            task = {"title": "b", "parent": parent, "subtasks": {"nodes": []}}
            assert await listener.receive() == {"task": task, "changes": ["PARENT"]}


class TestChosenIds:
    async def test_the_same_input_again_returns_the_same_task(self, api: Api):
        """Also after the task was changed; another input is refused, and so is another user."""
        team = await Team.made(api)
        member, parent = team.people["member"], await add(api, team, "a")
        sent = {"id": chosen(), "title": "b", "parentId": parent["id"]}
        first, again = [(await api.ask(CREATE, member, input=sent)).data for _ in range(2)]
        made = first["createTask"]["task"]
        assert (made["id"], made["number"], made["parent"]) == (sent["id"], 2, {"id": parent["id"]})
        assert again == first
        await move(api, team, made, status="DONE")
        assert (await api.ask(CREATE, member, input=sent)).payload("createTask")["task"]["status"] == "DONE"
        assert await code(api, CREATE, member, **sent | {"title": "c"}) == ("IDEMPOTENCY_MISMATCH", [])
        assert await code(api, CREATE, team.people["manager"], **sent) == ("ALREADY_EXISTS", ["id"])
        assert await code(api, CREATE, member, **sent | {"id": task_id(team.task)}) == ("ALREADY_EXISTS", ["id"])
        await delete(api, made, team.people["manager"])
        assert await code(api, CREATE, team.people["manager"], **sent) == ("ALREADY_EXISTS", ["id"])
        assert await code(api, CREATE, member, **sent | {"parentId": None}) == ("IDEMPOTENCY_MISMATCH", [])
        assert await code(api, CREATE, member, **sent) == ("NOT_FOUND", [])

    async def test_what_cannot_be_an_id(self, api: Api):
        """Another version of UUID, and a time in the future; clocks may differ by some hours."""
        owner, now = await api.a_user(), (new_id().int >> 80) / 1000
        for wrong in (chosen(version=4), chosen(version=1), chosen(now + 100_000), chosen(now + 10**10)):
            assert await code(api, CREATE, owner, title="No", id=wrong) == ("INVALID", ["id"])
        await refuses_bad_ids(api, CREATE, owner, "id", title="No")
        for good in (chosen(0), chosen(now + 50_000)):
            assert await code(api, CREATE, owner, title="Yes", id=good) is None


class TestUpdateTasks:
    async def test_results_in_the_order_of_the_ids(self, api: Api):
        """Also if an id is there twice. What is refused has its reason, and the others are changed."""
        team = await Team.made(api)
        member, personal = team.people["member"], task_id(await api.build.a_task(team.people["former"]))
        a, b, c = [await add(api, team, title) for title in "abc"]
        await move(api, team, b, status="CANCELLED")
        missing = encode_id("Task", uuid4())
        ids = [c["id"], missing, b["id"], a["id"], c["id"], personal]
        sent = {"ids": ids, "status": "DONE", "priority": "URGENT"}
        results = (await api.ask(UPDATE_ALL, member, input=sent)).payload("updateTasks")["results"]
        assert [each["taskId"] for each in results] == ids
        refused = [[(error["code"], error["path"]) for error in each["userErrors"]] for each in results]
        gone, status = [("NOT_FOUND", ["id"])], [("INVALID_TRANSITION", ["status"])]
        assert refused == [[], gone, status, [], [], gone]
        versions = [each["task"] and (each["task"]["status"], each["task"]["version"]) for each in results]
        assert versions == [("DONE", 2), None, None, ("DONE", 2), ("DONE", 2), None]
        assert (await ask(api, TASK, member, id=b["id"]))["status"] == "CANCELLED"
        assert [each[1] for each in await changes(api, a, member)] == [["STATUS", "PRIORITY"], ["CREATED"]]

    async def test_what_is_refused_as_a_whole(self, api: Api):
        """Nulls, values that break a limit, malformed ids, and too many; no ids are no change."""
        team = await Team.made(api)
        member, task = team.people["member"], await add(api, team)
        for name in ("status", "priority", "labelIds"):
            assert await code(api, UPDATE_ALL, member, ids=[task["id"]], **{name: None}) == ("INVALID", [name])
        many = [encode_id("Label", uuid4()) for _ in range(21)]
        assert await code(api, UPDATE_ALL, member, ids=[task["id"]], labelIds=many) == ("INVALID", ["labelIds"])
        for ids in (["nonsense"], [encode_id("User", uuid4())], [task["id"]] * 101):
            assert (await api.ask(UPDATE_ALL, member, input={"ids": ids, "status": "DONE"})).codes == ["BAD_REQUEST"]
        for ids in ([], [task["id"]] * 100):
            answer = await api.ask(UPDATE_ALL, member, input={"ids": ids, "dueAt": None})
            results = answer.payload("updateTasks")["results"]
            assert [each["task"]["version"] for each in results] == [1 for _ in ids]

    async def test_a_key(self, api: Api):
        """The repeated request has the same results, and changes nothing; another request is refused."""
        team = await Team.made(api)
        member, ids = team.people["member"], [(await add(api, team, title))["id"] for title in "abc"]
        sent, key = {"ids": ids, "status": "DONE"}, {"idempotency-key": "bulk"}
        first = await api.ask(UPDATE_ALL, member, input=sent, headers=key)
        events = len(await api.build.recorded_events())
        assert (await api.ask(UPDATE_ALL, member, input=sent, headers=key)).data == first.data
        for other in ({"status": "TODO"}, {"ids": ids[:1]}):
            answer = await api.ask(UPDATE_ALL, member, input=sent | other, headers=key)
            assert answer.refusal("updateTasks")["code"] == "IDEMPOTENCY_MISMATCH"
        assert len(await api.build.recorded_events()) == events
        await api.ask(MOVE, member, input={"id": ids[0], "status": "TODO"})
        answer = await api.ask(UPDATE_ALL, member, input=sent, headers=key)
        statuses = [each["task"]["status"] for each in answer.payload("updateTasks")["results"]]
        assert statuses == ["TODO", "DONE", "DONE"]


class TestTrash:
    async def test_who_finds_what(self, api: Api):
        """Managers, moderators and admins; a personal task is there for the owner who deleted it, and nobody else."""
        team = await Team.made(api)
        mine, taken = [{"id": task_id(await api.build.a_task(team.people["member"], title=each))} for each in "mt"]
        for title, by in (("a", "manager"), ("b", "admin")):
            await delete(api, await add(api, team, title), team.people[by])
        await delete(api, mine, team.people["member"])
        await delete(api, taken, team.people["moderator"])
        for name, person in team.people.items():
            may_restore = name in {"manager", "moderator", "admin"}
            assert await trash(api, person, team) == (["b", "a"] if may_restore else []), name
            assert await trash(api, person) == (["m"] if name == "member" else []), name
        assert (await api.ask(TRASH, person, project=taken["id"])).codes == ["BAD_REQUEST"]
        for by, task in (("member", taken), ("manager", mine)):
            assert await code(api, RESTORE, team.people[by], id=task["id"]) == ("NOT_FOUND", ["id"])
        assert (await restore(api, mine, team.people["member"]))["version"] == 3
        assert (await restore(api, taken, team.people["moderator"]))["version"] == 3
        assert await trash(api, team.people["member"]) == []

    async def test_a_restored_task_is_as_it_was(self, api: Api):
        """With its comments, labels and subtasks, its key and place; its versions and its history continue."""
        team = await Team.made(api)
        manager, viewer, bug = team.people["manager"], team.people["viewer"], await label(api, team, "Bug")
        task = await add(api, team, "a", labelIds=[bug["id"]])
        under, last = await add(api, team, "b", parentId=task["id"]), await add(api, team, "c")
        await move(api, team, under, status="DONE")
        assert await code(api, WRITE, viewer, taskId=task["id"], text="Hi") is None
        await delete(api, task, manager)
        assert (await order(api, team), await trash(api, manager, team)) == ("c", ["a"])
        assert await restore(api, task, manager) == task | {"version": 3, "subtaskCount": 1, "doneSubtaskCount": 1}
        assert await ask(api, TASK, viewer, id=under["id"]) == under | {"status": "DONE", "version": 4}
        assert (await order(api, team), await trash(api, manager, team)) == ("abc", [])
        found = await ask(api, COMMENTS, viewer, id=task["id"])
        assert (found["commentCount"], [each["text"] for each in found["comments"]["nodes"]]) == (1, ["Hi"])
        assert [each["name"] for each in (await ask(api, LABELS, viewer, id=task["id"]))["labels"]["nodes"]] == ["Bug"]
        assert await ask(api, BY_KEY, viewer, key=task["key"]) == {"id": task["id"], "key": task["key"]}
        assert await changes(api, task, viewer) == [(3, ["RESTORED"]), (2, ["DELETED"]), (1, ["CREATED"])]
        assert await code(api, RESTORE, manager, id=task["id"]) == ("NOT_FOUND", ["id"])
        assert (await add(api, team, "d"))["number"] == last["number"] + 1

    async def test_refusals(self, api: Api):
        """Managers of an active project restore its tasks. The repeated request has the same result."""
        team = await Team.made(api)
        manager, task = team.people["manager"], await add(api, team, "a")
        await delete(api, task, manager)
        for name in ("viewer", "member", "former", "outsider"):
            assert await code(api, RESTORE, team.people[name], id=task["id"]) == ("NOT_FOUND", ["id"])
        await archive_project(api.build.as_(manager), project_id=team.project.id, is_archived=True)
        assert await code(api, RESTORE, manager, id=task["id"]) == ("FORBIDDEN", ["id"])
        await archive_project(api.build.as_(manager), project_id=team.project.id, is_archived=False)
        await refuses_bad_ids(api, RESTORE, manager, "id")
        sent, key = {"id": task["id"]}, {"idempotency-key": "restore"}
        first, again = [(await api.ask(RESTORE, manager, input=sent, headers=key)).data for _ in range(2)]
        assert first == again

    async def test_a_subtask_whose_parent_is_gone(self, api: Api):
        """It is a task of its own; while the parent is there, it is a subtask again."""
        team = await Team.made(api)
        manager, parent = team.people["manager"], await add(api, team, "a")
        under = await add(api, team, "b", parentId=parent["id"])
        await delete(api, under, manager)
        assert (await restore(api, under, manager))["parent"] == {"id": parent["id"]}
        assert (await ask(api, TASK, manager, id=parent["id"]))["subtaskCount"] == 1
        await delete(api, under, manager)
        await delete(api, parent, manager)
        assert (await restore(api, under, manager))["parent"] is None
        assert (await restore(api, parent, manager))["subtaskCount"] == 0
