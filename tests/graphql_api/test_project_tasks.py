"""Tasks of projects: who may do what with them, their numbers, lists of them, and the stream."""

import asyncio
from typing import Any

import pytest

from domain.project import ProjectRole
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import ProjectRow, UserRow
from services import membership as membership_service
from services import task as task_service
from services.project import archive_project
from tests.graphql_api.stream_client import CHANGES, Listener, assign, delete, move, signed_in
from tests.graphql_api.test_tasks import ASSIGN, DELETE, STATUS, TASK, UPDATE, task_id, user_id
from tests.streaming.support import until
from tests.support.api import Api
from tests.support.builders import AnyTask

CREATE = """mutation ($input: CreateTaskInput!) { createTask(input: $input) {
  task { id key number project { key } owner { id } assignee { id } viewerCanUpdate }
  userErrors { code path message } } }"""
LIST = """query ($filter: TaskFilter) { tasks(first: 100, filter: $filter) {
  totalCount nodes { title key } } }"""
ASSIGNABLE = 'query ($project: ID) { assignableUsers(search: "", projectId: $project, first: 50) { id } }'
DELETE_PROJECT = """mutation ($input: DeleteProjectInput!) { deleteProject(input: $input) {
  deletedProjectId userErrors { code path message } } }"""
NOT_FOUND, FORBIDDEN, INVALID = "NOT_FOUND", "FORBIDDEN", "INVALID"


def project_id(row: ProjectRow) -> str:
    """A project's id as clients know it."""
    return encode_id("Project", row.id)


async def create(api: Api, project: ProjectRow, by: UserRow, **values: Any) -> Any:
    """The payload of a new task in a project."""
    sent = {"title": "A task", "projectId": project_id(project)} | values
    return (await api.ask(CREATE, by, input=sent)).data["createTask"]


async def codes(api: Api, query: str, by: UserRow, /, **sent: Any) -> list[str]:
    """The codes of the refusals of a mutation."""
    [payload] = (await api.ask(query, by, input=sent)).data.values()
    return [error["code"] for error in payload["userErrors"]]


async def titles(api: Api, by: UserRow, **wanted: Any) -> set[str]:
    """The titles of a list; its total agrees."""
    found = (await api.ask(LIST, by, filter=wanted)).data["tasks"]
    assert found["totalCount"] == len(found["nodes"])
    return {node["title"] for node in found["nodes"]}


class Team:
    """A project with a member of each role, who is also the assignee or the owner of a task, and others."""

    def __init__(self, api: Api, people: dict[str, UserRow], project: ProjectRow, task: AnyTask) -> None:
        self.api, self.people, self.project, self.task = api, people, project, task

    @classmethod
    async def made(cls, api: Api, *, is_archived: bool = False) -> "Team":
        """The project, and a task that a former member created and to whom it is assigned."""
        people = {name: await api.a_user() for name in ("viewer", "member", "manager", "former", "outsider")}
        people |= {"moderator": await api.a_user(Role.MODERATOR), "admin": await api.a_user(Role.ADMIN)}
        roles = [(people[role.name.lower()], role) for role in ProjectRole]
        project = await api.build.a_project(*roles, is_archived=is_archived)
        former = people["former"]
        task = await api.build.a_task(former, assignee_id=former.id, project_id=project.id, title="Team's")
        return cls(api, people, project, task)


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


async def dispatched(api: Api) -> None:
    """Wait until the process has dispatched every event that is committed: a resync then covers all of them."""
    await api.numbered()
    async with api.build.database.log() as log:
        head = await log.head()
    await until(lambda: api.server.stream.position >= head.position)


async def changed(listener: Listener) -> tuple[str, str | None]:
    """The kind of the next item, and why it is a resync."""
    item = await listener.receive()
    return item["__typename"], item.get("reason")


CHANGED, RESYNC, DELETED = ("TaskChanged", None), ("ResyncRequired", "ACCESS"), ("TaskDeleted", None)


async def set_role(live: Api, team: Team, name: str, role: ProjectRole | None) -> None:
    """Add, change or remove a member."""
    uow, user = live.build.as_(team.people["admin"]), team.people[name]
    if role is None:
        await membership_service.remove_member(uow, project_id=team.project.id, user_id=user.id)
    else:
        await membership_service.put_member(uow, project_id=team.project.id, user_id=user.id, role=role)


class TestStream:
    async def test_all_members_and_nobody_else_receive_events(self, live: Api):
        """Not the owner and the assignee, who left the project; all kinds of changes."""
        team = await Team.made(live)
        manager = team.people["manager"]
        async with (
            signed_in(live, team.people["viewer"]) as viewer,
            signed_in(live, team.people["former"]) as former,
            signed_in(live, team.people["moderator"]) as moderator,
        ):
            for listener in (viewer, former, moderator):
                await listener.listen(CHANGES)
            await move(live, team.task, "IN_PROGRESS", manager)
            await assign(live, team.task, team.people["member"], manager)
            await delete(live, team.task, manager)
            made = await task_service.create_task(live.build.as_(manager), title="Another", project_id=team.project.id)
            for listener in (viewer, moderator):
                assert [await changed(listener) for _ in range(4)] == [CHANGED, CHANGED, DELETED, CHANGED]
            await live.build.a_task(team.people["former"])
            own = await task_service.create_task(live.build.as_(team.people["former"]), title="Personal")
            assert (await former.receive())["taskId"] == task_id(own)
            assert made.number == 1

    async def test_a_project_as_a_filter(self, live: Api):
        """Other projects and personal tasks are left out; of a foreign project nothing is delivered."""
        team, other = await Team.made(live), await Team.made(live)
        member = team.people["member"]
        await set_role(live, other, "admin", ProjectRole.MEMBER)
        await membership_service.add_member(
            live.build.as_(other.people["admin"]),
            project_id=other.project.id,
            user_id=member.id,
            role=ProjectRole.MEMBER,
        )
        async with signed_in(live, member) as listener, signed_in(live, team.people["outsider"]) as outsider:
            for each in (listener, outsider):
                await each.listen(CHANGES, filter={"projectId": project_id(team.project)})
            await task_service.create_task(live.build.as_(member), title="Personal")
            await move(live, other.task, "DONE", other.people["manager"])
            await move(live, team.task, "DONE", team.people["manager"])
            assert (await listener.receive())["taskId"] == task_id(team.task)
            await set_role(live, team, "outsider", ProjectRole.VIEWER)
            assert await changed(outsider) == RESYNC

    async def test_joining_and_leaving_take_effect_on_open_sockets(self, live: Api):
        """The socket stays open. The listener has to load again, and then receives exactly what it may see."""
        team = await Team.made(live)
        manager = team.people["manager"]
        async with signed_in(live, team.people["outsider"]) as listener:
            await listener.listen(CHANGES)
            await move(live, team.task, "IN_PROGRESS", manager)
            await set_role(live, team, "outsider", ProjectRole.VIEWER)
            assert await changed(listener) == RESYNC
            await move(live, team.task, "DONE", manager)
            assert await changed(listener) == CHANGED
            await set_role(live, team, "outsider", ProjectRole.MANAGER)
            assert await changed(listener) == RESYNC
            await set_role(live, team, "outsider", None)
            assert await changed(listener) == RESYNC
            await move(live, team.task, "TODO", manager)
            own = await task_service.create_task(live.build.as_(team.people["outsider"]), title="Personal")
            assert (await listener.receive())["taskId"] == task_id(own)
            await listener.lives()

    async def test_a_new_subscription_on_an_open_socket_has_the_current_roles(self, live: Api):
        """The identity of the socket is older than the membership."""
        team = await Team.made(live)
        async with signed_in(live, team.people["outsider"]) as listener:
            await listener.lives()
            await set_role(live, team, "outsider", ProjectRole.VIEWER)
            await dispatched(live)
            await listener.listen(CHANGES)
            await move(live, team.task, "DONE", team.people["manager"])
            assert await changed(listener) == CHANGED

    async def test_a_cursor_from_before_a_change_of_the_role(self, live: Api):
        """It leads to a resync, also if the user has joined and left since; events before the change come first."""
        team = await Team.made(live)
        member, manager = team.people["member"], team.people["manager"]
        async with signed_in(live, member) as listener:
            await listener.listen(CHANGES)
            await move(live, team.task, "IN_PROGRESS", manager)
            cursor = (await listener.receive())["cursor"]
        await set_role(live, team, "member", None)
        await move(live, team.task, "TODO", manager)
        await set_role(live, team, "member", ProjectRole.VIEWER)
        await dispatched(live)
        async with signed_in(live, member) as listener:
            resync = (await listener.asked(CHANGES, after=cursor))["payload"]["data"]["taskChanged"]
            assert (resync["__typename"], resync["reason"]) == RESYNC
            await move(live, team.task, "DONE", manager)
            item = await listener.receive()
            assert (item["__typename"], item["task"]["version"]) == ("TaskChanged", 4)
            again = (await listener.asked(CHANGES, "2", after=resync["cursor"]))["payload"]["data"]["taskChanged"]
            assert again["cursor"] == item["cursor"]

    async def test_archiving_changes_no_rights_to_read(self, live: Api):
        """Listeners continue without a resync."""
        team = await Team.made(live)
        async with signed_in(live, team.people["viewer"]) as listener:
            await listener.listen(CHANGES)
            for is_archived in (True, False):
                await archive_project(
                    live.build.as_(team.people["manager"]), project_id=team.project.id, is_archived=is_archived
                )
            await move(live, team.task, "DONE", team.people["manager"])
            assert await changed(listener) == CHANGED


async def test_a_disabled_manager_is_replaced_on_the_stream(live: Api):
    """The new manager's listeners load again, because their rights have grown."""
    team = await Team.made(live)
    async with signed_in(live, team.people["member"]) as listener:
        await listener.listen(CHANGES)
        query = "mutation ($input: SetUserActiveInput!) { setUserActive(input: $input) { userErrors { code } } }"
        wanted = {"userId": user_id(team.people["manager"]), "isActive": False}
        assert await codes(live, query, team.people["admin"], **wanted) == []
        assert await changed(listener) == RESYNC
    assert (await live.build.roles_in(team.project.id))[team.people["member"].id] is ProjectRole.MANAGER
