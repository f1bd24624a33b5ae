"""Labels: created, changed and deleted, set on tasks, and found by filters."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from domain.events import TaskChange, TaskEvent
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from services.project import archive_project
from tests.graphql_api.project_team import Team, project_id
from tests.graphql_api.stream_client import CHANGES, signed_in
from tests.graphql_api.test_nested_fields import LABELS, ask
from tests.graphql_api.test_project_tasks import LIST
from tests.graphql_api.test_tasks import task_id
from tests.support.api import Api
from tests.support.builders import AnyTask

FIELDS = "id name color version"
CREATE = f"""mutation ($input: CreateLabelInput!) {{ createLabel(input: $input) {{
  label {{ {FIELDS} }} userErrors {{ code path message }} }} }}"""
UPDATE = f"""mutation ($input: UpdateLabelInput!) {{ updateLabel(input: $input) {{
  label {{ {FIELDS} }} userErrors {{ code path message }} }} }}"""
DELETE = """mutation ($input: DeleteLabelInput!) { deleteLabel(input: $input) {
  deletedLabelId userErrors { code path message } } }"""
SET = """mutation ($input: SetTaskLabelsInput!) { setTaskLabels(input: $input) {
  task { id version } userErrors { code path message } } }"""
OF_TASK = f"query ($id: ID!) {{ task(id: $id) {{ labels {{ nodes {{ {FIELDS} }} }} }} }}"
OF_PROJECT = f"""query ($id: ID!, $first: Int, $after: String) {{ project(id: $id) {{ viewerCanManageLabels
  labels(first: $first, after: $after) {{ nodes {{ {FIELDS} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""
NODE = f"query ($id: ID!) {{ node(id: $id) {{ ... on Label {{ {FIELDS} }} }} }}"
CREATE_TASK = """mutation ($input: CreateTaskInput!) { createTask(input: $input) {
  task { id } userErrors { code path } } }"""


async def label(api: Api, team: Team, name: str, color: str = "#1a7f37", by: str = "manager") -> dict[str, Any]:
    """A new label."""
    sent = {"projectId": project_id(team.project), "name": name, "color": color}
    answer = await api.ask(CREATE, team.people[by], input=sent)
    return dict(answer.payload("createLabel")["label"])


async def code(api: Api, query: str, by: UserRow, /, **sent: Any) -> tuple[str, list[str]] | None:
    """The code and the path of a refusal; None: it was not refused."""
    [payload] = (await api.ask(query, by, input=sent)).data.values()
    refused = [(error["code"], error["path"]) for error in payload["userErrors"]]
    return refused[0] if refused else None


async def names_of(api: Api, task: AnyTask, by: UserRow) -> list[str]:
    """The names of a task's labels."""
    found = await ask(api, OF_TASK, by, id=task_id(task))
    return [each["name"] for each in found["labels"]["nodes"]]


async def test_labels_of_a_task_and_of_its_project(api: Api):
    """Both are read with the task; a personal task has none."""
    team = await Team.made(api)
    manager, bug, urgent = team.people["manager"], await label(api, team, "Bug"), await label(api, team, "Urgent")
    await api.ask(SET, manager, input={"id": task_id(team.task), "labelIds": [bug["id"]]})
    shown = [{name: each[name] for name in ("id", "name", "color")} for each in (bug, urgent)]
    assert await ask(api, LABELS, manager, id=task_id(team.task)) == {
        "labels": {"nodes": shown[:1]},
        "project": {"viewerCanManageLabels": True, "labels": {"nodes": shown}},
    }
    personal = await api.build.a_task(manager)
    assert await ask(api, LABELS, manager, id=task_id(personal)) == {"labels": {"nodes": []}, "project": None}


class TestLabels:
    async def test_a_project_has_labels_by_name(self, api: Api):
        """In pages, ignoring case; a label is found by its id if the project may be seen."""
        team = await Team.made(api)
        made = {name: await label(api, team, name) for name in ("urgent", "Bug", "  design ")}
        assert made["  design "] == {"id": made["  design "]["id"], "name": "design", "color": "#1a7f37", "version": 1}
        viewer, names = team.people["viewer"], list[str]()
        cursor, has_next = None, True
        while has_next:
            page = await ask(api, OF_PROJECT, viewer, id=project_id(team.project), first=2, after=cursor)
            assert page["viewerCanManageLabels"] is False
            names += [each["name"] for each in page["labels"]["nodes"]]
            cursor, has_next = page["labels"]["pageInfo"]["endCursor"], page["labels"]["pageInfo"]["hasNextPage"]
        assert names == ["Bug", "design", "urgent"]
        assert await ask(api, NODE, viewer, id=made["Bug"]["id"]) == made["Bug"]
        assert await ask(api, NODE, team.people["former"], id=made["Bug"]["id"]) is None
        assert (await ask(api, OF_PROJECT, team.people["manager"], id=project_id(team.project)))[
            "viewerCanManageLabels"
        ]

    async def test_labels_are_changed(self, api: Api):
        """Name and color have versions; the current values change nothing."""
        team = await Team.made(api)
        manager, made = team.people["manager"], await label(api, team, "Bug")
        for version, sent in (
            (2, {"name": "BUG"}),
            (3, {"color": "#FF0000"}),
            (3, {"name": "BUG", "color": "#ff0000"}),
        ):
            found = (await api.ask(UPDATE, manager, input={"id": made["id"], **sent})).payload("updateLabel")["label"]
            assert found["version"] == version
        assert found == made | {"name": "BUG", "color": "#ff0000", "version": 3}

    async def test_refusals(self, api: Api):
        """Managers only; names are unique ignoring case, in every script."""
        team, other = await Team.made(api), await Team.made(api)
        manager, member, former = (team.people[name] for name in ("manager", "member", "former"))
        made = await label(api, team, "Straße")
        await label(api, other, "strasse")
        new = {"projectId": project_id(team.project), "color": "#000000"}
        for query, by, sent, *expected in (
            (CREATE, manager, new | {"name": "STRASSE"}, "ALREADY_EXISTS", ["name"]),
            (CREATE, manager, new | {"name": " "}, "INVALID", ["name"]),
            (CREATE, manager, new | {"name": "x" * 41}, "INVALID", ["name"]),
            (CREATE, manager, new | {"name": "x", "color": "red"}, "INVALID", ["color"]),
            (CREATE, member, new | {"name": "x"}, "FORBIDDEN", ["projectId"]),
            (CREATE, former, new | {"name": "x"}, "NOT_FOUND", ["projectId"]),
            (UPDATE, member, {"id": made["id"], "name": "x"}, "FORBIDDEN", ["id"]),
            (UPDATE, former, {"id": made["id"], "name": "x"}, "NOT_FOUND", ["id"]),
            (UPDATE, manager, {"id": made["id"], "name": None}, "INVALID", ["name"]),
            (UPDATE, manager, {"id": made["id"], "name": "x", "expectedVersion": 2}, "CONFLICT", ["expectedVersion"]),
            (DELETE, member, {"id": made["id"]}, "FORBIDDEN", ["id"]),
            (DELETE, former, {"id": made["id"]}, "NOT_FOUND", ["id"]),
            (DELETE, manager, {"id": encode_id("Label", uuid4())}, "NOT_FOUND", ["id"]),
        ):
            assert await code(api, query, by, **sent) == tuple(expected), sent

    async def test_an_idempotency_key_creates_once(self, api: Api):
        """A repeated request gets the same label."""
        team = await Team.made(api)
        sent = {"projectId": project_id(team.project), "name": "Once", "color": "#000000"}
        key = {"idempotency-key": str(uuid4())}
        first, again = [await api.ask(CREATE, team.people["manager"], headers=key, input=sent) for _ in range(2)]
        assert first.data == again.data


class TestLabelsOfTasks:
    async def test_labels_are_one_change_of_the_task(self, api: Api):
        """Set as a whole, each once; the same labels change nothing. A subscriber sees the change."""
        team = await Team.made(api)
        member, bug, urgent = team.people["member"], await label(api, team, "Bug"), await label(api, team, "Urgent")
        for version, ids, names in (
            (2, [urgent["id"], bug["id"], bug["id"]], ["Bug", "Urgent"]),
            (2, [bug["id"], urgent["id"]], ["Bug", "Urgent"]),
            (3, [urgent["id"]], ["Urgent"]),
            (4, [], []),
        ):
            answer = await api.ask(SET, member, input={"id": task_id(team.task), "labelIds": ids})
            assert answer.payload("setTaskLabels")["task"]["version"] == version
            assert await names_of(api, team.task, member) == names
        events = [each for each in await api.build.events_by(member.id) if isinstance(each, TaskEvent)]
        assert [each.changes for each in events] == [(TaskChange.LABELS,)] * 3

    async def test_a_new_task_with_labels(self, api: Api):
        """Of its project only; a personal task has none."""
        team, other = await Team.made(api), await Team.made(api)
        member, bug, foreign = team.people["member"], await label(api, team, "Bug"), await label(api, other, "Bug")
        new = {"title": "With labels", "projectId": project_id(team.project)}
        made = (await api.ask(CREATE_TASK, member, input=new | {"labelIds": [bug["id"]]})).payload("createTask")["task"]
        found = await ask(api, OF_TASK, member, id=made["id"])
        assert found["labels"]["nodes"] == [bug]
        unknown = encode_id("Label", uuid4())
        for ids in ([foreign["id"]], [bug["id"], unknown]):
            assert await code(api, CREATE_TASK, member, **new, labelIds=ids) == ("INVALID", ["labelIds"])
            assert await code(api, SET, member, id=task_id(team.task), labelIds=ids) == ("INVALID", ["labelIds"])
        assert await code(api, CREATE_TASK, member, title="Personal", labelIds=[bug["id"]]) == ("INVALID", ["labelIds"])
        personal = await api.build.a_task(member)
        assert await code(api, SET, member, id=task_id(personal), labelIds=[bug["id"]]) == ("INVALID", ["labelIds"])
        assert await code(api, SET, member, id=task_id(personal), labelIds=[]) is None
        many = [encode_id("Label", uuid4()) for _ in range(21)]
        assert await code(api, SET, member, id=task_id(team.task), labelIds=many) == ("INVALID", ["labelIds"])
        wrong = await api.ask(SET, member, input={"id": task_id(team.task), "labelIds": [task_id(team.task)]})
        assert wrong.codes == ["BAD_REQUEST"]

    async def test_who_may_set_labels(self, api: Api):
        """Members, as for other fields of the task."""
        team = await Team.made(api)
        bug = await label(api, team, "Bug")
        sent = {"id": task_id(team.task), "labelIds": [bug["id"]]}
        for name, refusal in (("viewer", "FORBIDDEN"), ("former", "NOT_FOUND"), ("moderator", "FORBIDDEN")):
            assert await code(api, SET, team.people[name], **sent) == (refusal, ["id"])
        await archive_project(api.build.as_(team.people["admin"]), project_id=team.project.id, is_archived=True)
        assert await code(api, SET, team.people["member"], **sent) == ("FORBIDDEN", ["id"])

    async def test_a_deleted_label_is_on_no_task(self, api: Api):
        """Without a new version of the task; its id finds nothing, and the other labels stay."""
        team = await Team.made(api)
        manager, bug, urgent = team.people["manager"], await label(api, team, "Bug"), await label(api, team, "Urgent")
        await api.ask(SET, manager, input={"id": task_id(team.task), "labelIds": [bug["id"], urgent["id"]]})
        assert await code(api, DELETE, manager, id=bug["id"]) is None
        assert await names_of(api, team.task, manager) == ["Urgent"]
        stored = await api.build.task(team.task.id)
        assert stored is not None
        assert stored.version == 2
        again = await label(api, team, "bug")
        assert again["id"] != bug["id"]
        assert await code(api, SET, manager, id=task_id(team.task), labelIds=[bug["id"]]) == ("INVALID", ["labelIds"])

    async def test_a_label_that_is_deleted_while_it_is_set(self, api: Api):
        """Either it is refused, or it is on the task and then is not: never is a deleted label shown."""
        team = await Team.made(api)
        manager, labels = team.people["manager"], [await label(api, team, f"Label {number}") for number in range(5)]
        tasks = [await api.build.a_task(manager, project_id=team.project.id) for _ in labels]
        await asyncio.gather(
            *(api.ask(SET, manager, input={"id": task_id(task), "labelIds": [each["id"]]})
              for task, each in zip(tasks, labels, strict=True)),
            *(api.ask(DELETE, manager, input={"id": each["id"]}) for each in labels),
        )  # fmt: skip
        assert [await names_of(api, task, manager) for task in tasks] == [[] for _ in tasks]

    async def test_tasks_are_found_by_labels(self, api: Api):
        """By one of several, in one project and in all projects of the user, and not in others."""
        team, other = await Team.made(api), await Team.made(api)
        manager, bug, urgent = team.people["manager"], await label(api, team, "Bug"), await label(api, team, "Urgent")
        tasks = [await api.build.a_task(manager, project_id=team.project.id, title=f"Task {n}") for n in range(3)]
        for task, ids in zip(tasks, ([bug["id"]], [bug["id"], urgent["id"]], []), strict=True):
            await api.ask(SET, manager, input={"id": task_id(task), "labelIds": ids})

        async def titles(by: UserRow, **wanted: Any) -> set[str]:
            found = (await api.ask(LIST, by, filter=wanted)).data["tasks"]
            assert found["totalCount"] == len(found["nodes"])
            return {node["title"] for node in found["nodes"]}

        for more in ({}, {"projectId": project_id(team.project)}):
            assert await titles(manager, labelIds=[bug["id"]], **more) == {"Task 0", "Task 1"}
            assert await titles(manager, labelIds=[urgent["id"]], **more) == {"Task 1"}
            assert await titles(manager, labelIds=[urgent["id"], bug["id"]], **more) == {"Task 0", "Task 1"}
            assert await titles(manager, labelIds=[], **more) == set()
        assert await titles(other.people["manager"], labelIds=[bug["id"]]) == set()
        too_many = [encode_id("Label", uuid4())] * 21
        assert (await api.ask(LIST, manager, filter={"labelIds": too_many})).codes == ["BAD_REQUEST"]


@pytest.mark.parametrize("name", ["viewer", "member"])
async def test_members_see_the_change_live(live: Api, name: str):
    """As a change of the task."""
    team = await Team.made(live)
    bug = await label(live, team, "Bug")
    async with signed_in(live, team.people[name]) as listener:
        await listener.listen(CHANGES)
        await live.ask(SET, team.people["manager"], input={"id": task_id(team.task), "labelIds": [bug["id"]]})
        assert (await listener.receive())["changes"] == ["LABELS"]
