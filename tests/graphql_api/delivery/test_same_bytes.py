"""Told together or one by one: the same bytes, for everybody, whatever they ask."""

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
from tests.graphql_api.delivery.listeners import Crowd, Way, a_crowd, session_of
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
class Cast:
    """People of every role: two to own and be given tasks, and two whom nothing concerns."""

    people: dict[Role, list[UserRow]]

    def everybody(self) -> list[Actor]:
        """All of them, the first of each role on two devices."""
        actors = [Builders.actor(user) for users in self.people.values() for user in users]
        return actors + [session_of(Builders.actor(users[0])) for users in self.people.values()]


@pytest.fixture
async def people(api: Api) -> Cast:
    """The cast."""
    return Cast({role: [await api.a_user(role) for _ in range(4)] for role in Role})


async def live_through(api: Api, crowd: Crowd, task: TaskRow, owner: UserRow, other: UserRow) -> None:
    """Everything that can happen to a task, one after the other."""
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
        await crowd.has_heard_all()


class TestTheSameBytes:
    @pytest.mark.parametrize("name", DOCUMENTS)
    async def test_live(self, api: Api, people: Cast, name: str):
        """Every role, being owner, assignee, both and neither in turn, hears the same bytes either way."""
        ways = [Way(api, shared=True), Way(api, shared=True, at_once=False), Way(api, shared=False)]
        async with a_crowd(api) as crowd:
            ears = [[await crowd.join(way, actor, DOCUMENTS[name]) for actor in people.everybody()] for way in ways]
            for users in people.people.values():
                task = await api.build.a_task(users[0])
                await live_through(api, crowd, task, users[0], users[1])

        at_once, woken, apart = ([ear.told for ear in those] for those in ears)
        assert at_once == woken == apart
        assert {role: max(len(ear.told) for ear in ears[0] if ear.actor.role is role) for role in Role}[Role.ADMIN] > 5
        assert all(b'"errors"' not in told for bodies in apart for told in bodies)

    async def test_nobody_is_woken(self, api: Api, monkeypatch: pytest.MonkeyPatch):
        """A listener that waits gets each event without its task being run, person of the task or not."""
        # While the lease is stale events wait, and their listeners are woken: a slow machine may let it get stale.
        monkeypatch.setattr(api.server.stream.lease, "_length", HANG_SECONDS)
        admins = [await api.a_user(Role.ADMIN) for _ in range(3)]
        task = await api.build.a_task(admins[0])
        way = Way(api, shared=True)
        async with a_crowd(api) as crowd:
            ears = [await crowd.join(way, Builders.actor(admin), DOCUMENTS["everything"]) for admin in admins]
            for status in (TaskStatus.IN_PROGRESS, TaskStatus.DONE):
                await until(lambda: all(each._consumer_waits for each in api.server.stream._subscribers))
                await task_service.update_task_status(api.build.as_(admins[0]), task_id=task.id, status=status)
                await crowd.has_heard_all()

        assert [(len(ear.told), ear.at_once) for ear in ears] == [(2, 2)] * 3

    @pytest.mark.parametrize("name", ["everything", "rights", "moves"])
    async def test_replayed(self, api: Api, people: Cast, name: str):
        """Who comes back to a history that is over hears the same bytes either way, decided by what is true now."""
        together, apart = Way(api, shared=True), Way(api, shared=False)
        start = here(api)
        async with a_crowd(api) as nobody:
            for users in people.people.values():
                task = await api.build.a_task(users[0])
                await live_through(api, nobody, task, users[0], users[1])
                kept = await api.build.a_task(users[0], assignee_id=users[1].id)
                as_owner = api.build.as_(users[0])
                await task_service.update_task_status(as_owner, task_id=kept.id, status=TaskStatus.DONE)
                await task_service.assign_task(api.build.as_(users[0]), task_id=kept.id, assignee_id=users[2].id)
        await api.numbered()
        async with a_crowd(api) as crowd:
            pairs = [
                (
                    await crowd.join(together, actor, DOCUMENTS[name], after=start),
                    await crowd.join(apart, actor, DOCUMENTS[name], after=start),
                )
                for actor in people.everybody()
            ]
            await crowd.has_heard_all()

        assert [ear.told for ear, _ in pairs] == [ear.told for _, ear in pairs]
        assert sum(len(ear.told) for ear, _ in pairs) > 100

    async def test_the_documents_are_executed_as_rarely_as_can_be(self, api: Api):
        """A crowd that sees the same costs one execution an event; of what is personal, one for each person."""
        owner, admins = await api.a_user(), [await api.a_user(Role.ADMIN) for _ in range(5)]
        task = await api.build.a_task(owner)
        together = Way(api, shared=True)
        async with a_crowd(api) as crowd:
            for admin in admins:
                for _ in range(3):
                    await crowd.join(together, session_of(api.build.actor(admin)), DOCUMENTS["rights"])
            await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=TaskStatus.DONE)
            await crowd.has_heard_all()
            assert together.executed == 1
            for admin in admins:
                for _ in range(3):
                    await crowd.join(together, session_of(api.build.actor(admin)), DOCUMENTS["e-mail"])
            await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=TaskStatus.TODO)
            await crowd.has_heard_all()
            assert together.executed == 1 + 1 + len(admins)


class TestNothingLeaks:
    async def test_what_was_warmed_by_an_admin_is_never_told_to_a_user(self, api: Api):
        """The same document and event, first by an admin, then by a moderator, the owner and the assignee."""
        owner, assignee = await api.a_user(), await api.a_user()
        admin, moderator = await api.a_user(Role.ADMIN), await api.a_user(Role.MODERATOR)
        task = await api.build.a_task(owner, assignee_id=assignee.id)
        together = Way(api, shared=True)
        heard = {}
        cursor = here(api)
        await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=TaskStatus.DONE)
        await api.numbered()
        async with a_crowd(api) as crowd:
            for who in (admin, moderator, owner, assignee):
                ear = await crowd.join(together, api.build.actor(who), DOCUMENTS["everything"], after=cursor)
                await crowd.has_heard_all()
                [heard[who.username]] = [item["task"] for item in ear.items if item["task"]["id"]]

        rights = {
            name: [task[key] for key in CAN.split()] + [task["owner"]["email"], task["assignee"]["email"]]
            for name, task in heard.items()
        }
        assert rights == {
            admin.username: [True, True, True, True, owner.email, assignee.email],
            moderator.username: [False, False, False, True, None, None],
            owner.username: [True, True, True, True, owner.email, None],
            assignee.username: [False, True, False, False, None, assignee.email],
        }

    async def test_a_stranger_hears_nothing_of_what_is_warm(self, api: Api):
        """Nor does somebody from whom the task was taken away before they were told."""
        owner, assignee, stranger = [await api.a_user() for _ in range(3)]
        admin = await api.a_user(Role.ADMIN)
        task = await api.build.a_task(owner, assignee_id=assignee.id)
        together = Way(api, shared=True)
        async with a_crowd(api) as crowd:
            slow = await crowd.join(together, api.build.actor(assignee), DOCUMENTS["nothing personal"])
            slow.pace.clear()
            outside = await crowd.join(together, api.build.actor(stranger), DOCUMENTS["nothing personal"])
            quick = await crowd.join(together, api.build.actor(admin), DOCUMENTS["nothing personal"])
            for heard, status in enumerate((TaskStatus.IN_PROGRESS, TaskStatus.DONE), start=1):
                await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=status)
                await until(lambda heard=heard: len(quick.told) == heard)  # type: ignore[misc]
            await task_service.assign_task(api.build.as_(owner), task_id=task.id, assignee_id=None)
            await api.numbered()
            await until(lambda: len(quick.told) == 3)
            slow.pace.set()
            await crowd.has_heard_all()

        assert [item["__typename"] for item in quick.items] == ["TaskChanged"] * 3
        assert [item["__typename"] for item in slow.items] == ["TaskChanged", "TaskGone", "TaskGone"]
        assert outside.told == []

    async def test_rights_of_before_a_change_of_role_are_another_class(self, api: Api):
        """The same person with another role shares nothing with who they were."""
        user, owner = await api.a_user(Role.ADMIN), await api.a_user()
        task = await api.build.a_task(owner)
        together = Way(api, shared=True)
        was, is_ = api.build.actor(user), Actor(user.id, Role.MODERATOR, None, 2)
        async with a_crowd(api) as crowd:
            ears = [await crowd.join(together, who, DOCUMENTS["rights"]) for who in (was, is_)]
            await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=TaskStatus.DONE)
            await crowd.has_heard_all()

        assert [ear.items[0]["task"]["viewerCanUpdate"] for ear in ears] == [True, False]
        assert ears[0].items[0]["cursor"] != ears[1].items[0]["cursor"]


class TestTogether:
    async def test_who_leaves_in_the_middle_takes_nothing_from_the_others(self, api: Api):
        """The first one begins the execution for all; when it hangs up the others are told all the same."""
        owner = await api.a_user()
        task = await api.build.a_task(owner)
        together, actor = Way(api, shared=True), api.build.actor(owner)
        async with a_crowd(api) as crowd:
            ears = [await crowd.join(together, actor, DOCUMENTS["history"]) for _ in range(8)]
            for number in range(6):
                status = (TaskStatus.DONE, TaskStatus.TODO)[number % 2]
                before = api.server.stream.position
                await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=status)
                await until(lambda: api.server.stream.position > before)  # noqa: B023
                await crowd.leave(ears.pop(0))
            await crowd.has_heard_all()

        assert [len(ear.told) for ear in ears] == [6, 6]

    async def test_a_task_never_goes_back_in_time(self, api: Api):
        """Quick and slow listeners side by side: to each of them a task's version only grows."""
        owner = await api.a_user()
        task = await api.build.a_task(owner)
        together, actor = Way(api, shared=True), api.build.actor(owner)
        start = here(api)
        async with a_crowd(api) as crowd:
            ears = [await crowd.join(together, actor, DOCUMENTS["nothing personal"]) for _ in range(3)]
            for number in range(60):
                if number % 10 == 0:
                    ears[0].pace.clear()
                    late = await crowd.join(together, actor, DOCUMENTS["nothing personal"], after=start)
                    ears.append(late)
                if number % 10 == 5:
                    ears[0].pace.set()
                status = (TaskStatus.DONE, TaskStatus.TODO)[number % 2]
                await task_service.update_task_status(api.build.as_(owner), task_id=task.id, status=status)
            ears[0].pace.set()
            await crowd.has_heard_all()

        for ear in ears:
            versions = [item["task"]["version"] for item in ear.items]
            assert len(versions) == 60
            assert versions == sorted(versions)


def here(api: Api) -> str:
    """The cursor of somebody who has heard everything so far."""
    return StreamCursor(api.server.stream.epoch, api.server.stream.position, 1).encode()
