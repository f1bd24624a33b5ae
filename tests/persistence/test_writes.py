"""What every write guarantees, in a transaction of its own and in a group commit."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from uuid import UUID, uuid4

import pytest

from domain.actor import OPERATOR, Actor
from domain.errors import Conflict, IdempotencyMismatch, Invalid, Refusal, Unavailable
from domain.events import AccessEvent, TaskEvent
from domain.idempotency import IdempotencyKey
from domain.task import TaskStatus
from persistence import connecting
from persistence.database import Database
from persistence.errors import RowsChanged
from persistence.models import TaskRow, VisibleTaskRow
from persistence.unit_of_work import UnitOfWork
from services.task import assign_task, delete_task, update_task, update_task_status
from services.task_creation import create_task
from services.task_edit import TaskEdit
from services.task_event import creation
from services.user import set_user_active
from tests.support.builders import Builders
from tests.support.transactions import lock_row
from tests.support.waiting import HANG_SECONDS

WAYS = {"alone": IdempotencyKey("a key"), "grouped": None}
"""A write with a key has a transaction of its own."""


@pytest.fixture(params=WAYS)
def key(request: pytest.FixtureRequest) -> IdempotencyKey | None:
    """The key of a write, which decides how it is made."""
    return WAYS[request.param]


def one_event(uow: UnitOfWork, task: TaskRow) -> None:
    """Record an event of the task."""
    uow.record(creation(uow, task))


class TestEvents:
    async def test_an_event_is_stored_only_with_its_change(self, build: Builders):
        """A statement whose update or deletion finds no row fails, and its event is not stored."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        for gone in ("updated", "deleted"):
            async with build.unchanged():
                with pytest.raises(RowsChanged):
                    await self.write_a_missing_row(build, actor, task, gone)

    async def write_a_missing_row(self, build: Builders, actor: Actor, task: TaskRow, operation: str) -> None:
        """Write a row that another transaction has deleted, although it seemed to be locked."""
        async with build.as_(actor) as uow:
            await uow.transaction.begin()
            missing = await lock_row(uow, TaskRow, task.id)
            missing.__dict__["id"] = uuid4()
            if operation == "updated":
                uow.change(missing, title="Changed")
            else:
                uow.tasks.remove(missing)
            one_event(uow, missing)
            await uow.commit()

    async def test_a_refused_change_records_no_event(self, build: Builders, key: IdempotencyKey | None):
        """Nor does one that changes nothing."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        with pytest.raises(Conflict):
            await update_task_status(
                build.as_(actor, key=key), task_id=task.id, status=TaskStatus.DONE, expected_version=7
            )
        await update_task_status(build.as_(actor), task_id=task.id, status=TaskStatus.TODO)

        assert await build.recorded_events() == []

    async def test_ids_of_the_events_of_a_task_follow_its_versions(self, build: Builders, shared_database: Database):
        """Writers of two processes, in groups and alone: the id is drawn while the row is locked."""
        actor = await build.an_actor()
        tasks = [await build.a_task(actor) for _ in range(3)]
        url = shared_database.engine.url.render_as_string(hide_password=False)
        rival = Builders(Database(url, pool_size=5))

        async def write(build: Builders, seed: int) -> None:
            chance = random.Random(seed)
            for number in range(25):
                key = IdempotencyKey(f"{seed}-{number}") if chance.random() < 0.3 else None
                edit = TaskEdit(title=f"{seed} {number}")
                await update_task(build.as_(actor, key=key), task_id=chance.choice(tasks).id, edit=edit)

        async with asyncio.timeout(HANG_SECONDS):
            await asyncio.gather(*(write((build, rival)[seed % 2], seed) for seed in range(10)))
        await rival.database.close()

        versions: dict[UUID, list[int]] = defaultdict(list)
        for event in await build.recorded_events():  # by id
            assert isinstance(event, TaskEvent)
            versions[event.task_id].append(event.version)
        assert sum(len(each) for each in versions.values()) == 250
        assert all(each == list(range(2, len(each) + 2)) for each in versions.values())


class TestDecisions:
    """A decision reads locked rows: what it has read is true when it commits."""

    @pytest.mark.parametrize("create", [True, False])
    async def test_a_user_who_was_disabled_gets_no_task(
        self, build: Builders, key: IdempotencyKey | None, *, create: bool
    ):
        """The assignment starts while the disabling has not ended."""
        actor, friend = await build.an_actor(), await build.a_user()
        task = await build.a_task(actor)
        async with build.as_(OPERATOR) as disabling:
            [row] = await disabling.lock(disabling.users.lock_of(friend.id))
            disabling.change(row, is_active=False)
            uow = build.as_(actor, key=key)
            assigning = asyncio.create_task(
                create_task(uow, title="For a friend", assignee_id=friend.id)
                if create
                else assign_task(uow, task_id=task.id, assignee_id=friend.id)
            )
            await is_waiting_for_a_lock(build)
            await disabling.commit()
        with pytest.raises(Invalid, match="no active user"):
            await assigning

    async def test_a_user_who_is_assigned_is_not_disabled_meanwhile(self, build: Builders):
        """Many users, each disabled and assigned at the same time: no assignment follows the disabling."""
        actor = await build.an_actor()
        friends = [await build.a_user() for _ in range(20)]
        tasks = [await build.a_task(actor) for _ in friends]

        async def assign(number: int) -> None:
            with suppress(Invalid):
                await assign_task(build.as_(actor), task_id=tasks[number].id, assignee_id=friends[number].id)

        async def disable(number: int) -> None:
            await set_user_active(build.as_(OPERATOR), user_id=friends[number].id, is_active=False)

        async with asyncio.timeout(HANG_SECONDS):
            await asyncio.gather(*(each(number) for number in range(20) for each in (assign, disable)))
        events = await build.recorded_events()
        disabled_at = {event.user_id: place for place, event in enumerate(events) if isinstance(event, AccessEvent)}
        for place, event in enumerate(events):
            if isinstance(event, TaskEvent):
                assert event.after is not None
                assert event.after.assignee_id is not None
                assert place < disabled_at[event.after.assignee_id]

    async def test_two_writes_that_expect_the_same_version(self, build: Builders, key: IdempotencyKey | None):
        """One of them succeeds, and the others are in conflict with it."""
        actor = await build.an_actor()
        task = await build.a_task(actor)

        async def write(number: int) -> None:
            each = IdempotencyKey(f"{key.text}-{number}") if key is not None else None
            edit = TaskEdit(title=f"Title {number}")
            await update_task(build.as_(actor, key=each), task_id=task.id, edit=edit, expected_version=1)

        results = await asyncio.gather(*(write(number) for number in range(5)), return_exceptions=True)

        assert sorted(type(each).__name__ for each in results) == ["Conflict"] * 4 + ["NoneType"]


class TestIdempotencyKeys:
    async def test_the_key_is_looked_up_before_the_rules(self, build: Builders):
        """A repeated request is answered, although the rules would refuse it now."""
        actor = await build.an_actor()
        task = await build.a_task(actor)

        for _ in range(2):
            uow = build.as_(actor, key=IdempotencyKey("change"))
            changed = await update_task_status(uow, task_id=task.id, status=TaskStatus.DONE, expected_version=1)
            assert changed.version == 2
        for _ in range(2):
            key = IdempotencyKey("deletion")
            assert await delete_task(build.as_(actor, key=key), task_id=task.id, expected_version=2) == task.id
        assert len(await build.recorded_events()) == 2

    async def test_concurrent_requests_with_one_key(self, build: Builders):
        """They wait for the first one, and get its result."""
        actor = await build.an_actor()
        task = await build.a_task(actor)

        async def write() -> VisibleTaskRow:
            uow = build.as_(actor, key=IdempotencyKey("one"))
            return await update_task(uow, task_id=task.id, edit=TaskEdit(title="Changed"), expected_version=1)

        rows = await asyncio.gather(*(write() for _ in range(8)))

        assert [row.version for row in rows] == [2] * 8
        assert len(await build.recorded_events()) == 1

    async def test_a_key_of_another_request_is_refused_before_the_rules(self, build: Builders):
        """Even if the rules would refuse that one."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        await delete_task(build.as_(actor, key=IdempotencyKey("one")), task_id=task.id)
        with pytest.raises(IdempotencyMismatch):
            await update_task(
                build.as_(actor, key=IdempotencyKey("one")),
                task_id=task.id,
                edit=TaskEdit(title="x"),
                expected_version=9,
            )

    async def test_a_refused_write_releases_its_key(self, build: Builders):
        """The same key can be used for a corrected request."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        for version in (7, 1):
            with suppress(Refusal):
                await update_task(
                    build.as_(actor, key=IdempotencyKey("one")),
                    task_id=task.id,
                    edit=TaskEdit(title="Changed"),
                    expected_version=version,
                )
        assert len(await build.recorded_events()) == 1


class TestFrozenClient:
    @pytest.fixture
    async def frozen(self, new_database: Callable[[], str]) -> AsyncIterator[Builders]:
        """A database that ends transactions of this client that are idle for a moment."""
        with pytest.MonkeyPatch.context() as patch:
            settings = connecting.SERVER_SETTINGS | {"idle_in_transaction_session_timeout": "300"}
            patch.setattr(connecting, "SERVER_SETTINGS", settings)
            database = Database(new_database(), pool_size=2)
            await database.ping()
        yield Builders(database)
        await database.close()

    async def write(self, uow: UnitOfWork, task: TaskRow, meanwhile: Callable[[], Awaitable[None]]) -> None:
        """Change a task; between the lock and the commit the client does nothing."""
        async with uow:
            [row] = await uow.lock(uow.tasks.lock_of(task.id))
            uow.change(row, title="Late", version=row.version + 1)
            one_event(uow, row)
            await meanwhile()
            await uow.commit()

    async def test_it_loses_its_locks_and_holds_none_of_the_log(self, frozen: Builders):
        """Between lock and commit: numbering continues, others get the row, and its commit fails."""
        url = frozen.database.engine.url.render_as_string(hide_password=False)
        build = Builders(Database(url, pool_size=4))
        actor = await build.an_actor()
        task = await build.a_task(actor)

        async def meanwhile() -> None:
            await create_task(build.as_(actor), title="Another")
            async with build.database.log() as log:
                assert len((await log.number()).events) == 1
            async with asyncio.timeout(HANG_SECONDS):
                await update_task(build.as_(actor), task_id=task.id, edit=TaskEdit(title="In time"))

        with pytest.raises(Unavailable):
            await self.write(frozen.as_(actor), task, meanwhile)

        stored = await build.task(task.id)
        assert stored is not None
        assert (stored.title, stored.version) == ("In time", 2)
        assert len(await build.recorded_events()) == 2
        await build.database.close()


async def is_waiting_for_a_lock(build: Builders) -> None:
    """Wait until a session of this database waits for a lock."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(HANG_SECONDS), build.database.connect() as connection:
        while not (await connection.exec_driver_sql(waiting)).all():
            await connection.rollback()
