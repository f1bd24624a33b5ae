"""`projectChanged`: everything of one project in one order; and own roles as items instead of resyncs."""

from typing import Any

import pytest

from domain.project import ProjectRole
from domain.user import Role
from graphql_api.schema.ids import encode_id
from services import comment as comment_service
from services import label as label_service
from services import project as project_service
from services import task_creation
from services.project_deletion import delete_project
from services.task_move import Move, move_task
from services.task_order import Neighbour, Side
from services.trash import restore_task
from tests.graphql_api.project_team import Team, project_id, set_role
from tests.graphql_api.stream_client import CHANGES, Listener, delete, move, signed_in
from tests.graphql_api.test_project_task_stream import dispatched
from tests.graphql_api.test_tasks import task_id, user_id
from tests.support.api import Api

EVERYTHING = """subscription ($id: ID!, $after: String) { projectChanged(projectId: $id, after: $after) {
  __typename cursor taskId mutationId task { title rank }
  ... on TaskChanged { changes }
  ... on CommentChanged { commentId change }
  ... on ProjectChanged { projectChange labelId label { name }
    project { key name isArchived viewerRole } by { username } }
  ... on MemberChanged { role user { username } project { key viewerRole } }
  ... on ProjectAppeared { project { key viewerRole viewerCanUpdate } }
  ... on ProjectRoleChanged { project { key viewerRole viewerCanUpdate } by { username } }
  ... on ProjectGone { projectId }
  ... on ResyncRequired { reason } } }"""
OWN = """subscription ($filter: TaskStreamFilter, $after: String) {
  taskChanged(filter: $filter, after: $after, withProjects: true) {
    __typename cursor taskId task { title }
    ... on ProjectAppeared { project { key viewerRole } }
    ... on ProjectRoleChanged { project { key viewerRole } }
    ... on ProjectGone { projectId }
    ... on ResyncRequired { reason } } }"""


async def kinds(listener: Listener, count: int) -> list[tuple[str, Any]]:
    """The kinds of the next items, with what was changed."""
    found = []
    for _ in range(count):
        item = await listener.receive()
        found.append(
            (
                item["__typename"],
                item.get("projectChange") or item.get("change") or item.get("changes") or item.get("role"),
            )
        )
    return found


async def change_everything(live: Api, team: Team) -> None:
    """One change of each kind, by the manager."""
    manager, build = team.people["manager"], live.build
    project = team.project.id
    await project_service.update_project(build.as_(manager), project_id=project, name="New name")
    label = await label_service.create_label(build.as_(manager), project_id=project, name="Bug", color="#1a7f37")
    await label_service.update_label(build.as_(manager), label_id=label.id, name="Bugs")
    task = await task_creation.create_task(build.as_(manager), title="New", project_id=project, label_ids=[label.id])
    await comment_service.create_comment(build.as_(manager), task_id=task.id, text="A comment")
    place = Neighbour(team.task.id, Side.AFTER)
    await move_task(build.as_(manager), task_id=task.id, move=Move(neighbour=place))
    await delete(live, task, manager)
    await restore_task(build.as_(manager), task_id=task.id)
    await label_service.delete_label(build.as_(manager), label_id=label.id)
    await set_role(live, team, "outsider", ProjectRole.VIEWER)
    await set_role(live, team, "outsider", None)
    await project_service.archive_project(build.as_(manager), project_id=project, is_archived=True)
    await project_service.archive_project(build.as_(manager), project_id=project, is_archived=False)


ITEMS: list[tuple[str, Any]] = [
    ("ProjectChanged", "UPDATED"),
    ("ProjectChanged", "LABEL_CREATED"),
    ("ProjectChanged", "LABEL_UPDATED"),
    ("TaskChanged", ["CREATED"]),
    ("CommentChanged", "CREATED"),
    ("TaskChanged", ["RANK"]),
    ("TaskDeleted", None),
    ("TaskChanged", ["RESTORED"]),
    ("ProjectChanged", "LABEL_DELETED"),
    ("MemberChanged", "VIEWER"),
    ("MemberChanged", None),
    ("ProjectChanged", "ARCHIVED"),
    ("ProjectChanged", "REOPENED"),
]
"""What listeners receive of `change_everything`."""


class TestEverything:
    async def test_all_changes_arrive_in_one_order(self, live: Api):
        """To members and to those who see all projects; nothing of other projects. A cursor continues anywhere."""
        team, other = await Team.made(live), await Team.made(live)
        await set_role(live, other, "manager", ProjectRole.MANAGER)
        async with signed_in(live, team.people["viewer"]) as viewer, signed_in(live, team.people["admin"]) as admin:
            for listener in (viewer, admin):
                await listener.listen(EVERYTHING, id=project_id(team.project))
            await change_everything(live, other)
            await change_everything(live, team)
            assert await kinds(admin, len(ITEMS)) == ITEMS
            first = await viewer.receive()
            assert await kinds(viewer, len(ITEMS) - 1) == ITEMS[1:]
            await viewer.listen(EVERYTHING, "2", id=project_id(team.project), after=first["cursor"])
            again = [(await viewer.receive("2"))["__typename"] for _ in ITEMS[1:]]
            assert again == [kind for kind, _ in ITEMS[1:]]

    async def test_what_an_item_shows(self, live: Api):
        """The project as each listener sees it, the label, the member and who did it."""
        team = await Team.made(live)
        people = team.people
        async with signed_in(live, people["viewer"]) as viewer, signed_in(live, people["member"]) as member:
            for listener in (viewer, member):
                await listener.listen(EVERYTHING, id=project_id(team.project))
            label = await label_service.create_label(
                live.build.as_(people["manager"]), project_id=team.project.id, name="Bug", color="#1a7f37"
            )
            await set_role(live, team, "outsider", ProjectRole.MEMBER)
            for listener, role in ((viewer, "VIEWER"), (member, "MEMBER")):
                item = await listener.receive()
                assert item["project"] == {
                    "key": team.project.key,
                    "name": "A project",
                    "isArchived": False,
                    "viewerRole": role,
                }
                assert (item["label"], item["labelId"]) == ({"name": "Bug"}, encode_id("Label", label.id))
                assert item["by"] == {"username": people["manager"].username}
                item = await listener.receive()
                assert (item["user"]["username"], item["role"]) == (people["outsider"].username, "MEMBER")
                assert (item["taskId"], item["task"]) == (None, None)

    async def test_new_ranks_of_many_tasks_are_one_item(self, live: Api):
        """Without new versions; the next item has the new rank."""
        team = await Team.made(live)
        manager, build = team.people["manager"], live.build
        made = [
            await task_creation.create_task(build.as_(manager), title=title, project_id=team.project.id)
            for title in "abc"
        ]
        async with signed_in(live, team.people["viewer"]) as viewer:
            await viewer.listen(EVERYTHING, id=project_id(team.project))
            found: list[Any] = []
            while ("ProjectChanged", "RANKS") not in found:
                for task in made[:0:-1]:
                    place = Neighbour(made[0].id, Side.AFTER)
                    await move_task(build.as_(manager), task_id=task.id, move=Move(neighbour=place))
                    found += await kinds(viewer, 1)
                assert len(found) < 400

    @pytest.mark.parametrize("name", ["outsider", "former"])
    async def test_only_for_those_who_see_the_project(self, live: Api, name: str):
        """It is not found, as a project that does not exist."""
        team = await Team.made(live)
        async with signed_in(live, team.people[name]) as listener:
            for wanted in (project_id(team.project), encode_id("Project", team.task.id)):
                answer = await listener.asked(EVERYTHING, f"of {wanted}", id=wanted)
                assert answer["type"] == "error", answer
                assert answer["payload"][0]["extensions"]["code"] == "NOT_FOUND"

    async def test_a_deleted_project_is_gone(self, live: Api):
        """For its members and for those who see all projects."""
        team = await Team.made(live)
        async with signed_in(live, team.people["viewer"]) as viewer, signed_in(live, team.people["admin"]) as admin:
            for listener in (viewer, admin):
                await listener.listen(EVERYTHING, id=project_id(team.project))
            uow = live.build.as_(team.people["manager"])
            await delete_project(uow, project_id=team.project.id, confirm_key=team.project.key)
            gone = await viewer.receive()
            assert (gone["__typename"], gone["projectId"]) == ("ProjectGone", project_id(team.project))
            seen = await kinds(admin, 5)
            assert ("TaskDeleted", None) in seen
            assert seen[-1] == ("ProjectChanged", "DELETED")


class TestOwnRoles:
    async def test_joining_another_role_and_leaving(self, live: Api):
        """As items; the subscription goes on without a resync, and delivers exactly what the user may see."""
        team = await Team.made(live)
        people, key = team.people, team.project.key
        async with signed_in(live, people["outsider"]) as listener:
            await listener.listen(OWN)
            await move(live, team.task, "IN_PROGRESS", people["manager"])
            # An own item proves that the change was not delivered. If a busy process has to read the roles again, it
            # may find that of the next line already, and deliver changes from before.
            own = await task_creation.create_task(live.build.as_(people["outsider"]), title="First")
            assert (await listener.receive())["taskId"] == task_id(own)
            await set_role(live, team, "outsider", ProjectRole.VIEWER)
            appeared = await listener.receive()
            assert appeared["__typename"] == "ProjectAppeared", appeared
            assert appeared["project"] == {"key": key, "viewerRole": "VIEWER"}
            await move(live, team.task, "DONE", people["manager"])
            assert (await listener.receive())["__typename"] == "TaskChanged"
            await set_role(live, team, "outsider", ProjectRole.MANAGER)
            changed = await listener.receive()
            assert (changed["__typename"], changed["project"]["viewerRole"]) == ("ProjectRoleChanged", "MANAGER")
            await set_role(live, team, "outsider", None)
            gone = await listener.receive()
            assert (gone["__typename"], gone["projectId"]) == ("ProjectGone", project_id(team.project))
            await move(live, team.task, "TODO", people["manager"])
            own = await task_creation.create_task(live.build.as_(people["outsider"]), title="Personal")
            assert (await listener.receive())["taskId"] == task_id(own)

    async def test_a_replay_across_the_changes(self, live: Api):
        """It ends with what the user sees now, and shows nothing of the project to those who left."""
        team = await Team.made(live)
        people = team.people
        async with signed_in(live, people["outsider"]) as listener:
            await listener.listen(OWN)
            first = await task_creation.create_task(live.build.as_(people["outsider"]), title="First")
            cursor = (await listener.receive())["cursor"]
        await set_role(live, team, "outsider", ProjectRole.VIEWER)
        await move(live, team.task, "DONE", people["manager"])
        await set_role(live, team, "outsider", None)
        last = await task_creation.create_task(live.build.as_(people["outsider"]), title="Last")
        await dispatched(live)
        async with signed_in(live, people["outsider"]) as listener:
            await listener.listen(OWN, after=cursor)
            items = [await listener.receive() for _ in range(3)]
            assert [each["__typename"] for each in items] == ["ProjectGone", "ProjectGone", "TaskChanged"]
            assert items[-1]["taskId"] == task_id(last) != task_id(first)

    async def test_items_that_wait_while_the_user_leaves(self, live: Api):
        """The tasks are gone, and nothing of the project is shown."""
        team = await Team.made(live)
        people = team.people
        async with signed_in(live, people["member"]) as listener:
            await listener.listen(EVERYTHING, id=project_id(team.project))
            uow = live.build.as_(people["manager"])
            await move(live, team.task, "DONE", people["manager"])
            await project_service.update_project(uow, project_id=team.project.id, name="Secret name")
            await set_role(live, team, "member", None)
            await move(live, team.task, "TODO", people["manager"])
            await dispatched(live)
            shown: list[str] = []
            while "ProjectGone" not in shown:
                shown.append((await listener.receive())["__typename"])
            await listener.socket.send(type="ping")
            while (message := await listener.socket.receive())["type"] != "pong":
                shown.append(message["payload"]["data"]["projectChanged"]["__typename"])
            # How much was delivered before the user left depends on the time. Everything after that is gone.
            assert sorted(shown, key=("TaskGone", "ProjectGone").__contains__) == shown

    async def test_the_filter_is_about_the_project(self, live: Api):
        """Roles in other projects are left out; without the argument a resync comes as before."""
        team, other = await Team.made(live), await Team.made(live)
        outsider = team.people["outsider"]
        other.people["outsider"] = outsider
        async with signed_in(live, outsider) as listener:
            await listener.listen(OWN, filter={"projectId": project_id(team.project)})
            await listener.listen(CHANGES, "2", filter={"projectId": project_id(team.project)})
            await set_role(live, other, "outsider", ProjectRole.MEMBER)
            await set_role(live, team, "outsider", ProjectRole.MEMBER)
            messages = [await listener.socket.receive() for _ in range(2)]
            found = {each["id"]: each["payload"]["data"]["taskChanged"]["__typename"] for each in messages}
            assert found == {"1": "ProjectAppeared", "2": "ResyncRequired"}

    async def test_an_admin_is_a_member_too(self, live: Api):
        """The role in the project changes, and the admin sees everything before and after."""
        team = await Team.made(live)
        admin = await live.a_user(Role.ADMIN)
        team.people["other admin"] = admin
        async with signed_in(live, admin) as listener:
            await listener.listen(EVERYTHING, id=project_id(team.project))
            await set_role(live, team, "other admin", ProjectRole.VIEWER)
            await set_role(live, team, "other admin", None)
            await set_role(live, team, "outsider", ProjectRole.VIEWER)
            items = [await listener.receive() for _ in range(3)]
            assert [each["__typename"] for each in items][::2] == ["ProjectAppeared", "MemberChanged"]
            assert user_id(admin)
