"""The stream of projects: who receives what, and what joining and leaving change on open sockets."""

from domain.project import ProjectRole
from services import membership as membership_service
from services import task_creation
from services.project import archive_project
from tests.graphql_api.project_team import Team, codes, project_id, set_role
from tests.graphql_api.stream_client import CHANGES, Listener, assign, delete, move, signed_in
from tests.graphql_api.test_tasks import task_id, user_id
from tests.streaming.support import until
from tests.support.api import Api


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
            made = await task_creation.create_task(live.build.as_(manager), title="Another", project_id=team.project.id)
            for listener in (viewer, moderator):
                assert [await changed(listener) for _ in range(4)] == [CHANGED, CHANGED, DELETED, CHANGED]
            await live.build.a_task(team.people["former"])
            own = await task_creation.create_task(live.build.as_(team.people["former"]), title="Personal")
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
            await task_creation.create_task(live.build.as_(member), title="Personal")
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
            own = await task_creation.create_task(live.build.as_(team.people["outsider"]), title="Personal")
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
