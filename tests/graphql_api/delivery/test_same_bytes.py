"""Shared and separate executions deliver the same bytes to all users, for all operations."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from domain.actor import Actor
from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from domain.user import Role
from persistence.models import TaskRow, UserRow
from persistence.unit_of_work import UnitOfWork
from services import task as task_service
from services.task_edit import TaskEdit
from tests.graphql_api.delivery.listeners import DeliveryPath, ListenerGroup, listener_group, session_of
from tests.streaming.support import until
from tests.support.api import Api
from tests.support.builders import Builders
from tests.support.waiting import HANG_SECONDS

TASK = "id title description status priority dueAt version createdAt updatedAt completedAt"
CAN = "viewerCanUpdate viewerCanUpdateStatus viewerCanAssign viewerCanDelete"
DOCUMENTS = {
    "everything": f"""subscription ($after: String) {{ taskChanged(after: $after) {{
        __typename cursor at taskId task {{ {TASK} {CAN} owner {{ id username role isActive createdAt email }}
          assignee {{ id email }} history(first: 3) {{ edges {{ cursor node {{ at changes from to version
            by {{ id email }} }} }} pageInfo {{ hasNextPage endCursor }} }} }}
        ... on TaskChanged {{ changes by {{ username email }} }} ... on ResyncRequired {{ reason }} }} }}""",
    "nothing personal": f"""subscription ($after: String) {{ taskChanged(after: $after) {{
        __typename cursor at taskId task {{ {TASK} owner {{ username }} assignee {{ username }} }}
        ... on TaskChanged {{ changes by {{ username }} }} }} }}""",
    "rights": f"subscription ($after: String) {{ taskChanged(after: $after) {{ cursor task {{ {CAN} }} }} }}",
    "e-mail": """subscription ($after: String) { taskChanged(after: $after) {
        cursor task { owner { email } assignee { email } } } }""",
    "moves": f"""subscription ($after: String) {{ taskStatusChanged(after: $after) {{
        cursor task {{ {CAN} }} ... on TaskStatusChanged {{ from to by {{ id }} }} }} }}""",
    "fragments": """subscription ($after: String) { taskChanged(after: $after) { ...Item } }
        fragment Item on TaskStreamItem { a: cursor b: cursor ... on TaskGone { gone: taskId }
          ... on TaskDeleted { deleted: taskId } task { ...T } } fragment T on Task { x: title ...U owner { ...P } }
        fragment U on Task { viewerCanDelete } fragment P on Node { id ... on User { email } }""",
    "history": """subscription ($after: String) { taskChanged(after: $after) {
        cursor task { history(first: 2) { nodes { version by { username } } } } } }""",
    "least": "subscription ($after: String) { taskChanged(after: $after) { __typename } }",
}


@dataclass
class UsersByRole:
    """Users of every role: two that own and are assigned tasks, and two that are unrelated."""

    users_by_role: dict[Role, list[UserRow]]

    def all_actors(self) -> list[Actor]:
        """All of them, the first of each role on two devices."""
        actors = [Builders.actor(user) for users in self.users_by_role.values() for user in users]
        return actors + [session_of(Builders.actor(users[0])) for users in self.users_by_role.values()]


@pytest.fixture
async def users_by_role(api: Api) -> UsersByRole:
    """The cast."""
    return UsersByRole({role: [await api.a_user(role) for _ in range(4)] for role in Role})


async def live_through(api: Api, group: ListenerGroup, task: TaskRow, owner: UserRow, other: UserRow) -> None:
    """All kinds of changes of a task, one after another."""
    key, edit = task.id, TaskEdit(title="Another", description='💥\u2028"', status=TaskStatus.DONE)
    steps: list[Callable[[UnitOfWork], Awaitable[object]]] = [
        lambda uow: task_service.update_task_status(uow, task_id=key, status=TaskStatus.IN_PROGRESS),
        lambda uow: task_service.assign_task(uow, task_id=key, assignee_id=other.id),
        lambda uow: task_service.update_task_status(uow, task_id=key, status=TaskStatus.TODO),
        lambda uow: task_service.assign_task(uow, task_id=key, assignee_id=owner.id),
        lambda uow: task_service.update_task(uow, task_id=key, edit=edit),
        lambda uow: task_service.assign_task(uow, task_id=key, assignee_id=None),
        lambda uow: task_service.delete_task(uow, task_id=key),
    ]
    for number, step in enumerate(steps):
        await step(api.build.as_(other if number == 2 else owner))
        await group.have_received_all()


class TestTheSameBytes:
    @pytest.mark.parametrize("name", DOCUMENTS)
    async def test_live(self, api: Api, users_by_role: UsersByRole, name: str):
        """Each role as owner, assignee, both and neither receives the same bytes."""
        ways = [
            DeliveryPath(api, shared=True),
            DeliveryPath(api, shared=True, at_once=False),
            DeliveryPath(api, shared=False),
        ]
        async with listener_group(api) as group:
            listeners = [
                [await group.join(path, actor, DOCUMENTS[name]) for actor in users_by_role.all_actors()]
                for path in ways
            ]
            for users in users_by_role.users_by_role.values():
                task = await api.build.a_task(users[0])
                await live_through(api, group, task, users[0], users[1])

        at_once, woken, apart = ([listener.responses for listener in those] for those in listeners)
        assert at_once == woken == apart
        assert {
            role: max(len(listener.responses) for listener in listeners[0] if listener.actor.role is role)
            for role in Role
        }[Role.ADMIN] > 5
        assert all(b'"errors"' not in responses for bodies in apart for responses in bodies)

    async def test_no_task_is_woken(self, api: Api, monkeypatch: pytest.MonkeyPatch):
        """A waiting subscriber receives each event without running its task, also as owner or assignee."""
        # While the lease is stale events wait, and their listeners are woken: a slow machine may let it get stale.
        monkeypatch.setattr(api.server.stream.lease, "_length", HANG_SECONDS)
        admins = [await api.a_user(Role.ADMIN) for _ in range(3)]
        task = await api.build.a_task(admins[0])
        path = DeliveryPath(api, shared=True)
        async with listener_group(api) as group:
            listeners = [await group.join(path, Builders.actor(admin), DOCUMENTS["everything"]) for admin in admins]
            for status in (TaskStatus.IN_PROGRESS, TaskStatus.DONE):
                await until(lambda: all(each._consumer_waits for each in api.server.stream._subscribers))
                await task_service.update_task_status(api.build.as_(admins[0]), task_id=task.id, status=status)
                await group.have_received_all()

        assert [(len(listener.responses), listener.at_once) for listener in listeners] == [(2, 2)] * 3

    @pytest.mark.parametrize("name", ["everything", "rights", "moves"])
    async def test_replayed(self, api: Api, users_by_role: UsersByRole, name: str):
        """A replay gives the same bytes, with the current visibility."""
        together, apart = DeliveryPath(api, shared=True), DeliveryPath(api, shared=False)
        start = here(api)
        async with listener_group(api) as no_user:
            for users in users_by_role.users_by_role.values():
                task = await api.build.a_task(users[0])
                await live_through(api, no_user, task, users[0], users[1])
                kept = await api.build.a_task(users[0], assignee_id=users[1].id)
                as_owner = api.build.as_(users[0])
                await task_service.update_task_status(as_owner, task_id=kept.id, status=TaskStatus.DONE)
                await task_service.assign_task(api.build.as_(users[0]), task_id=kept.id, assignee_id=users[2].id)
        await api.numbered()
        async with listener_group(api) as group:
            pairs = [
                (
                    await group.join(together, actor, DOCUMENTS[name], after=start),
                    await group.join(apart, actor, DOCUMENTS[name], after=start),
                )
                for actor in users_by_role.all_actors()
            ]
            await group.have_received_all()

        assert [listener.responses for listener, _ in pairs] == [listener.responses for _, listener in pairs]
        assert sum(len(listener.responses) for listener, _ in pairs) > 100

    async def test_executions_are_minimal(self, api: Api):
        """Subscribers with equal results cost one execution per event; personal fields cost one per user."""
        owner, admins = await api.a_user(), [await api.a_user(Role.ADMIN) for _ in range(5)]
        task = await api.build.a_task(owner)
        together = DeliveryPath(api, shared=True)
        async with listener_group(api) as group:
            for admin in admins:
                for _ in range(3):
                    await group.join(together, session_of(api.build.actor(admin)), DOCUMENTS["rights"])
            await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=TaskStatus.DONE)
            await group.have_received_all()
            assert together.executed == 1
            for admin in admins:
                for _ in range(3):
                    await group.join(together, session_of(api.build.actor(admin)), DOCUMENTS["e-mail"])
            await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=TaskStatus.TODO)
            await group.have_received_all()
            assert together.executed == 1 + 1 + len(admins)


class TestNothingLeaks:
    async def test_an_answer_for_an_admin_is_not_delivered_to_a_user(self, api: Api):
        """The same document and event, first for an admin, then for a moderator, the owner and the assignee."""
        owner, assignee = await api.a_user(), await api.a_user()
        admin, moderator = await api.a_user(Role.ADMIN), await api.a_user(Role.MODERATOR)
        task = await api.build.a_task(owner, assignee_id=assignee.id)
        together = DeliveryPath(api, shared=True)
        received = {}
        cursor = here(api)
        await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=TaskStatus.DONE)
        await api.numbered()
        async with listener_group(api) as group:
            for user in (admin, moderator, owner, assignee):
                listener = await group.join(together, api.build.actor(user), DOCUMENTS["everything"], after=cursor)
                await group.have_received_all()
                [received[user.username]] = [item["task"] for item in listener.items if item["task"]["id"]]

        rights = {
            name: [task[key] for key in CAN.split()] + [task["owner"]["email"], task["assignee"]["email"]]
            for name, task in received.items()
        }
        assert rights == {
            admin.username: [True, True, True, True, owner.email, assignee.email],
            moderator.username: [False, False, False, True, None, None],
            owner.username: [True, True, True, True, owner.email, None],
            assignee.username: [False, True, False, False, None, assignee.email],
        }

    async def test_an_unrelated_user_receives_no_cached_answer(self, api: Api):
        """Nor does a former assignee."""
        owner, assignee, outsider = [await api.a_user() for _ in range(3)]
        admin = await api.a_user(Role.ADMIN)
        task = await api.build.a_task(owner, assignee_id=assignee.id)
        together = DeliveryPath(api, shared=True)
        async with listener_group(api) as group:
            slow = await group.join(together, api.build.actor(assignee), DOCUMENTS["nothing personal"])
            slow.pace.clear()
            outside = await group.join(together, api.build.actor(outsider), DOCUMENTS["nothing personal"])
            quick = await group.join(together, api.build.actor(admin), DOCUMENTS["nothing personal"])
            for received, status in enumerate((TaskStatus.IN_PROGRESS, TaskStatus.DONE), start=1):
                await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=status)
                await until(lambda received=received: len(quick.responses) == received)  # type: ignore[misc]
                await until(lambda: slow.responses)
            await task_service.assign_task(api.build.as_(owner), task_id=task.id, assignee_id=None)
            await api.numbered()
            await until(lambda: len(quick.responses) == 3)
            slow.pace.set()
            await group.have_received_all()

        assert [item["__typename"] for item in quick.items] == ["TaskChanged"] * 3
        assert [item["__typename"] for item in slow.items] == ["TaskChanged", "TaskGone", "TaskGone"]
        assert outside.responses == []

    async def test_a_changed_role_shares_no_answers(self, api: Api):
        """A user with a new role does not share with the old role."""
        user, owner = await api.a_user(Role.ADMIN), await api.a_user()
        task = await api.build.a_task(owner)
        together = DeliveryPath(api, shared=True)
        was, is_ = api.build.actor(user), Actor(user.id, Role.MODERATOR, None, 2)
        async with listener_group(api) as group:
            listeners = [await group.join(together, user, DOCUMENTS["rights"]) for user in (was, is_)]
            await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=TaskStatus.DONE)
            await group.have_received_all()

        assert [listener.items[0]["task"]["viewerCanUpdate"] for listener in listeners] == [True, False]
        assert listeners[0].items[0]["cursor"] != listeners[1].items[0]["cursor"]


class TestTogether:
    async def test_a_cancelled_subscriber_does_not_stop_the_others(self, api: Api):
        """The first subscriber starts the shared execution and disconnects."""
        owner = await api.a_user()
        task = await api.build.a_task(owner)
        together, actor = DeliveryPath(api, shared=True), api.build.actor(owner)
        async with listener_group(api) as group:
            listeners = [await group.join(together, actor, DOCUMENTS["history"]) for _ in range(8)]
            for number in range(6):
                status = (TaskStatus.DONE, TaskStatus.TODO)[number % 2]
                before = api.server.stream.position
                await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=status)
                await until(lambda: api.server.stream.position > before)  # noqa: B023
                await group.leave(listeners.pop(0))
            await group.have_received_all()

        assert [len(listener.responses) for listener in listeners] == [6, 6]

    async def test_a_task_never_goes_back_in_time(self, api: Api):
        """Quick and slow listeners side by side: to each of them a task's version only grows."""
        owner = await api.a_user()
        task = await api.build.a_task(owner)
        together, actor = DeliveryPath(api, shared=True), api.build.actor(owner)
        start = here(api)
        async with listener_group(api) as group:
            listeners = [await group.join(together, actor, DOCUMENTS["nothing personal"]) for _ in range(3)]
            for number in range(60):
                if number % 10 == 0:
                    listeners[0].pace.clear()
                    late = await group.join(together, actor, DOCUMENTS["nothing personal"], after=start)
                    listeners.append(late)
                if number % 10 == 5:
                    listeners[0].pace.set()
                status = (TaskStatus.DONE, TaskStatus.TODO)[number % 2]
                await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=status)
            listeners[0].pace.set()
            await group.have_received_all()

        for listener in listeners:
            versions = [item["task"]["version"] for item in listener.items]
            assert len(versions) == 60
            assert versions == sorted(versions)


def here(api: Api) -> str:
    """The cursor of a subscriber that has received everything."""
    return StreamCursor(api.server.stream.epoch, api.server.stream.position, 1).encode()
