"""Tasks of projects: who may do what with them, their numbers, and lists of them."""

import asyncio
from typing import Any

import pytest

from domain.project import ProjectRole
from persistence.models import ProjectRow, UserRow
from services import membership as membership_service
from tests.graphql_api.project_team import Team, codes, project_id
from tests.graphql_api.stream_client import CHANGES, signed_in
from tests.graphql_api.test_tasks import ASSIGN, DELETE, STATUS, TASK, UPDATE, task_id, user_id
from tests.support.api import Api

CREATE = """mutation ($input: CreateTaskInput!) { createTask(input: $input) {
  task { id key number project { key } owner { id } assignee { id } viewerCanUpdate }
  userErrors { code path message } } }"""
LIST = """query ($filter: TaskFilter) { tasks(first: 100, filter: $filter) {
  totalCount nodes { title key } } }"""
ASSIGNABLE = 'query ($project: ID) { assignableUsers(search: "", projectId: $project, first: 50) { id } }'
DELETE_PROJECT = """mutation ($input: DeleteProjectInput!) { deleteProject(input: $input) {
  deletedProjectId userErrors { code path message } } }"""
NOT_FOUND, FORBIDDEN, INVALID = "NOT_FOUND", "FORBIDDEN", "INVALID"


async def create(api: Api, project: ProjectRow, by: UserRow, **values: Any) -> Any:
    """The payload of a new task in a project."""
    sent = {"title": "A task", "projectId": project_id(project)} | values
    return (await api.ask(CREATE, by, input=sent)).data["createTask"]


async def titles(api: Api, by: UserRow, **wanted: Any) -> set[str]:
    """The titles of a list; its total agrees."""
    found = (await api.ask(LIST, by, filter=wanted)).data["tasks"]
    assert found["totalCount"] == len(found["nodes"])
    return {node["title"] for node in found["nodes"]}


class TestRights:
    """What each user may do with a task of a project: the former member owns it, and is its assignee."""

    MEMBERS = ("member", "manager", "admin")
    DELETERS = ("manager", "moderator", "admin")
    READERS = ("viewer", "member", "manager", "moderator", "admin")

    @pytest.mark.parametrize("is_archived", [False, True])
    @pytest.mark.parametrize("name", ["viewer", "member", "manager", "former", "outsider", "moderator", "admin"])
    async def test_each_action(self, api: Api, name: str, is_archived: bool):
        """A refusal is NOT_FOUND for those who may not read the task; an archived project does not change."""
        team = await Team.made(api, is_archived=is_archived)
        by, wanted = team.people[name], {"id": task_id(team.task)}
        refusal = [FORBIDDEN] if name in self.READERS else [NOT_FOUND]
        changed = [] if name in self.MEMBERS and not is_archived else refusal

        found = (await api.ask(TASK, by, id=wanted["id"])).data["task"]
        assert (found is not None) is (name in self.READERS)
        assert await codes(api, UPDATE, by, **wanted, title="Other") == changed
        assert await codes(api, STATUS, by, **wanted, status="DONE") == changed
        assert await codes(api, ASSIGN, by, **wanted, assigneeId=None) == changed
        made = await create(api, team.project, by)
        assert [error["code"] for error in made["userErrors"]] == changed
        assert [error["path"] for error in made["userErrors"]] == [["projectId"] for _ in changed]
        deleted = [] if name in self.DELETERS and not is_archived else refusal
        assert await codes(api, DELETE, by, **wanted) == deleted

    async def test_rest_follows_the_same_policy(self, api: Api):
        """By its id; the list has only tasks that the user owns or is assigned to, and may read."""
        team = await Team.made(api)
        mine = await api.build.a_task(team.people["member"], project_id=team.project.id, title="Mine")
        for name, user in team.people.items():
            path = f"/api/v1/tasks/{team.task.id}"
            headers = {"authorization": f"Bearer {await api.token(user)}"}
            got = await api.client.get(path, headers=headers)
            assert got.status_code == (200 if name in self.READERS else 404), name
            put = await api.client.put(path, headers=headers, json={"title": "By REST"})
            expected = 200 if name in self.MEMBERS else 403 if name in self.READERS else 404
            assert put.status_code == expected, name
            listed = await api.client.get("/api/v1/tasks/?limit=100", headers=headers)
            found = {each["uuid"] for each in listed.json()} & {str(team.task.id), str(mine.id)}
            assert found == ({str(mine.id)} if name == "member" else set()), name
        headers = {"authorization": f"Bearer {await api.token(team.people['viewer'])}"}
        assert (await api.client.delete(f"/api/v1/tasks/{team.task.id}", headers=headers)).status_code == 403


class TestAssignees:
    async def test_only_members_can_be_assigned(self, api: Api):
        """Also when a task is created. The list of users to choose from has the active members only."""
        team = await Team.made(api)
        manager, viewer, outsider = (team.people[name] for name in ("manager", "viewer", "outsider"))
        wanted = {"id": task_id(team.task)}
        assert await codes(api, ASSIGN, manager, **wanted, assigneeId=user_id(outsider)) == [INVALID]
        assert await codes(api, ASSIGN, manager, **wanted, assigneeId=user_id(viewer)) == []
        refused = await create(api, team.project, manager, assigneeId=user_id(outsider))
        assert [(each["code"], each["path"]) for each in refused["userErrors"]] == [(INVALID, ["assigneeId"])]
        made = await create(api, team.project, manager, assigneeId=user_id(viewer))
        assert made["task"]["assignee"] == {"id": user_id(viewer)}

        listed = (await api.ask(ASSIGNABLE, manager, project=project_id(team.project))).data["assignableUsers"]
        assert {each["id"] for each in listed} == {user_id(team.people[role.name.lower()]) for role in ProjectRole}
        for by, known in ((outsider, False), (team.people["moderator"], True)):
            listed = (await api.ask(ASSIGNABLE, by, project=project_id(team.project))).data["assignableUsers"]
            assert bool(listed) is known
        assert (await api.ask(ASSIGNABLE, by, project=task_id(team.task))).codes == ["BAD_REQUEST"]

    async def test_an_assignee_who_left_stays_until_the_next_assignment(self, api: Api):
        """Other changes of the task are still possible."""
        team = await Team.made(api)
        wanted = {"id": task_id(team.task)}
        assert await codes(api, UPDATE, team.people["member"], **wanted, title="Changed") == []
        former = user_id(team.people["former"])
        assert await codes(api, ASSIGN, team.people["member"], **wanted, assigneeId=former) == []  # it stays as it is
        assert await codes(api, ASSIGN, team.people["member"], **wanted, assigneeId=None) == []
        assert await codes(api, ASSIGN, team.people["member"], **wanted, assigneeId=former) == [INVALID]


class TestNumbers:
    async def test_numbers_are_dense_and_never_used_again(self, api: Api):
        """Each project counts for itself, from 1, also after a deletion; a refused creation uses no number."""
        team, other = await Team.made(api), await Team.made(api)
        manager = team.people["manager"]
        first = [(await create(api, team.project, manager))["task"] for _ in range(3)]
        assert [task["number"] for task in first] == [1, 2, 3]
        await codes(api, DELETE, manager, id=first[2]["id"])
        refused = await create(api, team.project, manager, assigneeId=user_id(team.people["outsider"]))
        assert refused["task"] is None
        later = (await create(api, team.project, manager))["task"]
        assert (later["number"], later["key"]) == (4, f"{team.project.key}-4")
        assert (await create(api, other.project, other.people["member"]))["task"]["number"] == 1

    @pytest.mark.parametrize("with_keys", [False, True])
    async def test_fifty_parallel_creations(self, api: Api, with_keys: bool):
        """Each has a number of its own, with and without an idempotency key; the first one makes the counter."""
        team = await Team.made(api)
        manager = team.people["manager"]
        headers = [{"Idempotency-Key": f"create-{number}"} if with_keys else {} for number in range(50)]
        sent = {"title": "One of many", "projectId": project_id(team.project)}
        found = await asyncio.gather(*(api.ask(CREATE, manager, input=sent, headers=each) for each in headers))
        numbers = [each.data["createTask"]["task"]["number"] for each in found]

        assert sorted(numbers) == list(range(1, 51))

    async def test_a_repeated_request_returns_the_same_number(self, api: Api):
        """With the same key; another project under this key is another request."""
        team, other = await Team.made(api), await Team.made(api)
        manager = team.people["manager"]
        await membership_service.add_member(
            api.build.as_(other.people["manager"]),
            project_id=other.project.id,
            user_id=manager.id,
            role=ProjectRole.MEMBER,
        )
        sent = {"title": "Once", "projectId": project_id(team.project)}
        headers = {"Idempotency-Key": "only-once"}
        first, again = [await api.ask(CREATE, manager, input=sent, headers=headers) for _ in range(2)]
        assert first.data == again.data
        elsewhere = sent | {"projectId": project_id(other.project)}
        mismatch = await api.ask(CREATE, manager, input=elsewhere, headers=headers)
        assert [each["code"] for each in mismatch.data["createTask"]["userErrors"]] == ["IDEMPOTENCY_MISMATCH"]


class TestLists:
    async def test_what_each_user_finds(self, api: Api):
        """Personal tasks, and all tasks of the own projects; with a filter only those of one project."""
        team, other = await Team.made(api), await Team.made(api)
        member, former = team.people["member"], team.people["former"]
        await api.build.a_task(member, title="Personal")
        await api.build.a_task(former, title="Former's own")
        by_project = {"projectId": project_id(team.project)}

        assert await titles(api, member) == {"Personal", "Team's"}
        assert await titles(api, member, **by_project) == {"Team's"}
        assert await titles(api, member, projectId=project_id(other.project)) == set()
        assert await titles(api, member, search="team's") == {"Team's"}
        assert await titles(api, former) == {"Former's own"}
        assert await titles(api, former, **by_project) == set()
        assert await titles(api, former, assigneeId=user_id(former)) == set()
        assert await titles(api, member, assigneeId=user_id(former)) == {"Team's"}
        assert await titles(api, member, ownerId=user_id(former)) == {"Team's"}
        assert await titles(api, team.people["moderator"], **by_project) == {"Team's"}
        assert (await api.ask(LIST, member, filter={"projectId": task_id(team.task)})).codes == ["BAD_REQUEST"]

    @pytest.mark.parametrize("order", ["CREATED_ASC", "DUE_DESC", "PRIORITY_ASC", "UPDATED_DESC"])
    async def test_pages_through_personal_tasks_and_several_projects(self, api: Api, order: str):
        """Every task once, in the same order forwards and backwards, however it is divided into pages."""
        query = """query ($order: TaskOrder!, $first: Int, $after: String, $last: Int, $before: String) {
          tasks(orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
            nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
        mia = await api.a_user()
        projects = [await api.build.a_project((mia, role)) for role in ProjectRole]
        tasks = [
            await api.build.a_task(*([mia] if project is None else []), project_id=project and project.id)
            for _ in range(3)
            for project in (None, *projects)
        ]

        async def page(**bounds: Any) -> Any:
            return (await api.ask(query, mia, order=order, **bounds)).data["tasks"]

        whole = [node["id"] for node in (await page(first=100))["nodes"]]
        assert sorted(whole) == sorted(task_id(task) for task in tasks)
        for size in (1, 5):
            forwards, backwards = list[str](), list[str]()
            found = await page(first=size)
            while True:
                forwards += [node["id"] for node in found["nodes"]]
                if not found["pageInfo"]["hasNextPage"]:
                    break
                found = await page(first=size, after=found["pageInfo"]["endCursor"])
            found = await page(last=size)
            while True:
                backwards = [node["id"] for node in found["nodes"]] + backwards
                if not found["pageInfo"]["hasPreviousPage"]:
                    break
                found = await page(last=size, before=found["pageInfo"]["startCursor"])
            assert forwards == backwards == whole


class TestDeletedProject:
    async def test_a_project_with_tasks_needs_its_key(self, live: Api):
        """Each task is deleted with an event; the members' roles end; the keys are free again."""
        team = await Team.made(live)
        manager, wanted = team.people["manager"], {"id": project_id(team.project)}
        [refused] = (await live.ask(DELETE_PROJECT, manager, input=wanted)).data["deleteProject"]["userErrors"]
        assert (refused["code"], refused["path"]) == (INVALID, ["confirmKey"])
        assert team.project.key in refused["message"]
        assert await codes(live, DELETE_PROJECT, manager, **wanted, confirmKey="OTHER") == [INVALID]
        async with signed_in(live, team.people["viewer"]) as listener:
            await listener.listen(CHANGES)
            assert await codes(live, DELETE_PROJECT, manager, **wanted, confirmKey=team.project.key.lower()) == []
            received = [(await listener.receive())["__typename"]]
            if received == ["TaskDeleted"]:
                received.append((await listener.receive())["__typename"])

        assert received[-1] == "ResyncRequired"
        assert await live.build.task(team.task.id) is None
        assert await codes(live, DELETE_PROJECT, manager, **wanted) == [NOT_FOUND]
        again = await live.build.a_project((manager, ProjectRole.MANAGER), key=team.project.key)
        assert (await create(live, again, manager))["task"]["number"] == 1
