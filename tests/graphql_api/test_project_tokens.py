"""Tokens for one project: they reach nothing else of their user, at every entry point, and end with the membership."""

from dataclasses import dataclass
from typing import Any

import pytest

from domain.access_token import Scope
from domain.project import ProjectRole
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import ProjectRow, TaskRow, UserRow
from services import membership as membership_service
from services import task_creation
from services.project_deletion import delete_project
from tests.graphql_api.stream_client import CHANGES, move, signed_in
from tests.graphql_api.test_access_tokens import CREATE, LIST
from tests.support.api import Api

SCOPES = (Scope.TASKS_WRITE, Scope.PROJECTS_MANAGE)
WORD = "forbidden"
"""In the text of everything that the token must not reach."""


@dataclass(frozen=True)
class Reach:
    """A manager of two projects, who is an admin, and a token for the first one."""

    user: UserRow
    keeper: UserRow
    here: ProjectRow
    there: ProjectRow
    task: TaskRow
    forbidden: list[TaskRow]
    token: str


async def a_reach(api: Api, role: Role = Role.ADMIN) -> Reach:
    """Tasks of the user and of others in both projects, and personal ones."""
    user, keeper = await api.a_user(role), await api.a_user()
    build = api.build
    members = ((user, ProjectRole.MANAGER), (keeper, ProjectRole.MANAGER))
    here, there = await build.a_project(*members, name="Here"), await build.a_project(*members, name=WORD)
    task = await build.a_task(user, project_id=here.id, title="Here", assignee_id=user.id)
    forbidden = [
        await build.a_task(user, project_id=there.id, title=WORD, assignee_id=user.id),
        await build.a_task(user, title=WORD),
        await build.a_task(keeper, title=WORD, assignee_id=user.id),
    ]
    await build.a_label(there, WORD)
    _, token = await build.an_access_token(user, *SCOPES, project_id=here.id)
    return Reach(user, keeper, here, there, task, forbidden, token)


def of(row: Any) -> str:
    """The id of a task, a project or a user as clients know it."""
    kind = {ProjectRow: "Project", TaskRow: "Task", UserRow: "User"}[type(row)]
    return encode_id(kind, row.id)


READS = {
    "tasks": "{ tasks(first: 50) { totalCount nodes { title } } }",
    "own": "query ($user: ID!) { tasks(first: 50, filter: {ownerId: $user}) { totalCount nodes { title } } }",
    "assigned": "query ($user: ID!) { tasks(first: 50, filter: {assigneeId: $user}) { totalCount nodes { title } } }",
    "search": '{ tasks(first: 50, filter: {search: "forbidden"}) { totalCount nodes { title } } }',
    "of the project": "query ($there: ID!) { tasks(filter: {projectId: $there}) { totalCount nodes { title } } }",
    "projects": "{ projects(first: 50) { nodes { name } } }",
    "trash": "query ($there: ID!) { trash(projectId: $there) { nodes { title } } }",
    "personal trash": "{ trash { nodes { title } } }",
    "assignable": "query ($there: ID!) { assignableUsers(projectId: $there) { username } }",
    "history": "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Task { title history { nodes { version } } } } }",
}


class TestReads:
    @pytest.mark.parametrize("name", READS)
    async def test_nothing_else_is_read(self, api: Api, name: str):
        """The user's session reads it."""
        reach = await a_reach(api)
        await task_creation.create_task(api.build.as_(api.build.actor(reach.user)), title="Last")
        if "trash" in name:
            for each in reach.forbidden[:2]:
                await api.ask(
                    "mutation ($id: ID!) { deleteTask(input: {id: $id}) { deletedTaskId } }", reach.user, id=of(each)
                )
        sent: dict[str, Any] = {
            "user": of(reach.user),
            "there": of(reach.there),
            "ids": [of(each) for each in (*reach.forbidden, reach.there)],
        }
        given = {key: value for key, value in sent.items() if f"${key}" in READS[name]}
        answer = await api.ask(READS[name], reach.token, **given)
        control = await api.ask(READS[name], reach.user, **given)
        assert "errors" not in answer.body
        assert answer.body != control.body
        assert WORD not in answer.http.text
        assert reach.keeper.username not in answer.http.text

    async def test_single_objects_are_not_found(self, api: Api):
        """By id and by key, and those of the project are."""
        reach = await a_reach(api)
        for each in (*reach.forbidden, reach.there):
            answer = await api.ask("query ($id: ID!) { node(id: $id) { id } }", reach.token, id=of(each))
            assert answer.data == {"node": None}
        found = await api.ask("query ($key: String!) { project(key: $key) { id } }", reach.token, key=reach.there.key)
        assert found.data == {"project": None}
        here = await api.ask(
            "query ($key: String!) { project(key: $key) { id viewerRole } }", reach.token, key=reach.here.key
        )
        assert here.data["project"]["viewerRole"] == "MANAGER"
        read = await api.ask(
            "query ($id: ID!) { task(id: $id) { title viewerCanUpdate } }", reach.token, id=of(reach.task)
        )
        assert read.data["task"] == {"title": "Here", "viewerCanUpdate": True}

    async def test_counts_and_lists_are_those_of_the_project(self, api: Api):
        """Also where the user is an admin, who reads all tasks."""
        reach = await a_reach(api)
        answer = await api.ask(READS["tasks"], reach.token)
        assert answer.data["tasks"] == {"totalCount": 1, "nodes": [{"title": "Here"}]}

    async def test_users_are_those_of_the_project(self, api: Api):
        """Without a project they would be all users of the server."""
        reach = await a_reach(api)
        outsider = await api.a_user()
        answer = await api.ask("{ assignableUsers { username } }", reach.token)
        assert {each["username"] for each in answer.data["assignableUsers"]} == {
            reach.user.username,
            reach.keeper.username,
        }
        assert outsider.username not in answer.http.text
        for query in ("{ users { nodes { id } } }", "{ auditLog { nodes { id } } }", "{ sessions { id } }"):
            assert (await api.ask(query, reach.token)).codes == ["FORBIDDEN"]
        me = await api.ask("{ me { username email viewerCanCreateProjects } }", reach.token)
        expected = {"username": reach.user.username, "email": None, "viewerCanCreateProjects": False}
        assert me.data["me"] == expected

    async def test_rest_lists_have_its_tasks_only(self, api: Api):
        """The list knows no projects: it has the tasks that belong to the user or are assigned."""
        reach = await a_reach(api)
        headers = {"authorization": f"Bearer {reach.token}"}
        listed = await api.client.get("/api/v1/tasks/", headers=headers, follow_redirects=True)
        assert reach.task.title in listed.text
        assert WORD not in listed.text
        for each in reach.forbidden:
            assert (await api.client.get(f"/api/v1/tasks/{each.id}/", headers=headers)).status_code == 404


WRITES: dict[str, tuple[str, str]] = {
    "create personal": ('createTask(input: {title: "x"})', "FORBIDDEN"),
    "create there": ('createTask(input: {title: "x", projectId: "THERE"})', "NOT_FOUND"),
    "create project": ('createProject(input: {key: "NEW", name: "New"})', "FORBIDDEN"),
    "move there": ('moveTask(input: {id: "TASK", projectId: "THERE"})', "NOT_FOUND"),
    "make personal": ('moveTask(input: {id: "TASK", projectId: null})', "FORBIDDEN"),
    "add a member": ('addMember(input: {projectId: "THERE", userId: "USER", role: MEMBER})', "NOT_FOUND"),
    "leave": ('leaveProject(input: {projectId: "THERE"})', "NOT_FOUND"),
    "label": ('createLabel(input: {projectId: "THERE", name: "x", color: "#1a7f37"})', "NOT_FOUND"),
    "archive": ('archiveProject(input: {id: "THERE", isArchived: true})', "NOT_FOUND"),
    "delete": ('deleteProject(input: {id: "THERE", confirmKey: "KEY"})', "NOT_FOUND"),
}
OF_TASKS: dict[str, str] = {
    "update": 'updateTask(input: {id: "OTHER", title: "x"})',
    "status": 'updateTaskStatus(input: {id: "OTHER", status: DONE})',
    "assign": 'assignTask(input: {id: "OTHER", assigneeId: null})',
    "remove": 'deleteTask(input: {id: "OTHER"})',
    "take": 'moveTask(input: {id: "OTHER", projectId: "HERE"})',
    "comment": 'createComment(input: {taskId: "OTHER", text: "x"})',
    "restore": 'restoreTask(input: {id: "OTHER"})',
}


class TestWrites:
    @pytest.mark.parametrize("name", WRITES)
    async def test_nothing_else_is_changed(self, api: Api, name: str):
        """The refusal is that of a user who is no member."""
        reach = await a_reach(api)
        field, expected = WRITES[name]
        text = _filled(field, reach, reach.forbidden[0])
        async with api.build.unchanged():
            answer = await api.ask(f"mutation {{ {text} {{ userErrors {{ code }} }} }}", reach.token)
        assert [each["code"] for each in answer.data[field.partition("(")[0]]["userErrors"]] == [expected]

    @pytest.mark.parametrize("name", OF_TASKS)
    async def test_tasks_elsewhere_are_not_found(self, api: Api, name: str):
        """Of the other project, and personal ones."""
        reach = await a_reach(api)
        field = OF_TASKS[name]
        for other in reach.forbidden:
            async with api.build.unchanged():
                text = _filled(field, reach, other)
                answer = await api.ask(f"mutation {{ {text} {{ userErrors {{ code }} }} }}", reach.token)
            assert [each["code"] for each in answer.data[field.partition("(")[0]]["userErrors"]] == ["NOT_FOUND"]

    async def test_it_works_in_its_project(self, api: Api):
        """The positive control: with the role of the user there."""
        reach = await a_reach(api, Role.USER)
        for field in (
            'createTask(input: {title: "x", projectId: "HERE"})',
            'updateTask(input: {id: "OTHER", title: "x"})',
            'createComment(input: {taskId: "OTHER", text: "x"})',
            'createLabel(input: {projectId: "HERE", name: "x", color: "#1a7f37"})',
            'deleteTask(input: {id: "OTHER"})',
            'restoreTask(input: {id: "OTHER"})',
        ):
            text = _filled(field, reach, reach.task)
            answer = await api.ask(f"mutation {{ {text} {{ userErrors {{ code message }} }} }}", reach.token)
            assert answer.data[field.partition("(")[0]]["userErrors"] == []


def _filled(field: str, reach: Reach, other: TaskRow) -> str:
    values = {"THERE": of(reach.there), "HERE": of(reach.here), "TASK": of(reach.task), "OTHER": of(other)}
    values |= {"USER": of(reach.keeper), "KEY": reach.there.key}
    for name, value in values.items():
        field = field.replace(f'"{name}"', f'"{value}"')
    return field


class TestStream:
    async def test_only_its_project_is_delivered(self, live: Api):
        """Neither other tasks nor a change of the role in another project."""
        reach = await a_reach(live)
        async with signed_in(live, reach.token) as listener:
            await listener.listen(CHANGES)
            for each in reach.forbidden[:2]:
                await move(live, each, "DONE", reach.user)
            admin = live.build.as_(live.build.actor(reach.user))
            await membership_service.set_member_role(
                admin, project_id=reach.there.id, user_id=reach.user.id, role=ProjectRole.VIEWER
            )
            await move(live, reach.task, "DONE", reach.user)
            assert (await listener.receive())["taskId"] == of(reach.task)


class TestEnd:
    async def test_leaving_the_project_ends_the_token(self, live: Api):
        """Also on an open socket. The session and other tokens go on; coming back does not bring it back."""
        reach = await a_reach(live, Role.USER)
        _, other = await live.build.an_access_token(reach.user, Scope.TASKS_READ)
        uow = live.build.as_(live.build.actor(reach.keeper))
        async with signed_in(live, reach.token) as listener, signed_in(live, other) as spared:
            await listener.listen(CHANGES)
            await spared.listen(CHANGES)
            await membership_service.remove_member(uow, project_id=reach.here.id, user_id=reach.user.id)
            assert await listener.is_closed() == 4403
            assert (await spared.receive())["__typename"] == "ResyncRequired"
        assert (await live.ask("{ me { id } }", reach.token)).codes == ["UNAUTHENTICATED"]
        again = live.build.as_(live.build.actor(reach.keeper))
        await membership_service.add_member(
            again, project_id=reach.here.id, user_id=reach.user.id, role=ProjectRole.MEMBER
        )
        assert (await live.ask("{ me { id } }", reach.token)).codes == ["UNAUTHENTICATED"]
        assert (await live.ask("{ me { id } }", other)).codes == []

    async def test_deleting_the_project_ends_the_token(self, live: Api):
        """As for every member."""
        reach = await a_reach(live, Role.USER)
        assert (await live.ask("{ me { id } }", reach.token)).codes == []
        uow = live.build.as_(live.build.actor(reach.keeper))
        await delete_project_of(uow, reach)
        await live.numbered()
        assert (await live.ask("{ me { id } }", reach.token)).codes == ["UNAUTHENTICATED"]


async def delete_project_of(uow: Any, reach: Reach) -> None:
    """Delete the project of the token."""
    await delete_project(uow, project_id=reach.here.id, confirm_key=reach.here.key)


class TestCreation:
    async def test_a_member_creates_one(self, api: Api):
        """The list shows the project."""
        user = await api.a_user()
        project = await api.build.a_project((user, ProjectRole.VIEWER))
        sent = {"name": "CI", "scopes": ["TASKS_WRITE"], "projectId": of(project)}
        created = (await api.ask(CREATE, user, input=sent)).payload("createAccessToken")
        assert created["userErrors"] == []
        listed = await api.ask(LIST.replace("id name", "project { key }"), user)
        assert listed.data["accessTokens"][0]["project"] == {"key": project.key}
        projects = await api.ask("{ projects { nodes { key viewerRole } } }", created["secret"])
        assert projects.data["projects"]["nodes"] == [{"key": project.key, "viewerRole": "VIEWER"}]

    async def test_refusals(self, api: Api):
        """Without a membership, as an admin too; and scopes that are not about a project."""
        user, admin = await api.a_user(), await api.a_user(Role.ADMIN)
        project = await api.build.a_project((admin, ProjectRole.MANAGER))
        foreign = await api.build.a_project((user, ProjectRole.MANAGER))
        sent = {"name": "CI", "scopes": ["TASKS_READ"], "projectId": of(project)}
        refusal = (await api.ask(CREATE, user, input=sent)).refusal("createAccessToken")
        assert (refusal["code"], refusal["path"]) == ("NOT_FOUND", ["projectId"])
        refusal = (await api.ask(CREATE, admin, input=sent | {"projectId": of(foreign)})).refusal("createAccessToken")
        assert (refusal["code"], refusal["path"]) == ("NOT_FOUND", ["projectId"])
        for scope in ("ADMIN", "ACCOUNT"):
            refusal = (await api.ask(CREATE, admin, input=sent | {"scopes": [scope]})).refusal("createAccessToken")
            assert (refusal["code"], refusal["path"]) == ("INVALID", ["scopes"])
