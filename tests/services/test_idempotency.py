"""With a key a change is made once: for concurrent repeats, after a crash, and beside other changes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from domain.actor import Actor
from domain.errors import Conflict, IdempotencyMismatch, Invalid, NotFound, RateLimited, Unavailable
from domain.idempotency import COUNTED, IdempotencyKey
from domain.task import TaskStatus
from domain.user import Role
from persistence import connecting
from persistence.database import Database
from persistence.models import IdempotencyRow, TaskRow, VisibleTaskRow
from persistence.unit_of_work import UnitOfWork
from services.task import assign_task, delete_task, update_task, update_task_status
from services.task_creation import create_task
from services.task_edit import TaskEdit
from tests.support.builders import Builders
from tests.support.transactions import orm_session

Write = Callable[[UnitOfWork], Awaitable[VisibleTaskRow | UUID]]

TWINS, ROUNDS = 20, 3
EDIT = TaskEdit(title="Mended")


def a_key(place: str = "") -> IdempotencyKey:
    """A new key."""
    return IdempotencyKey(str(uuid4()), place)


def writes(task: TaskRow, friend: UUID) -> dict[str, Write]:
    """Every kind of write; those of a task that is there are about this one."""
    return {
        "create": lambda uow: create_task(uow, title="New"),
        "update": lambda uow: update_task(uow, task_id=task.id, edit=EDIT, expected_version=1),
        "status": lambda uow: update_task_status(uow, task_id=task.id, status=TaskStatus.DONE),
        "assign": lambda uow: assign_task(uow, task_id=task.id, assignee_id=friend),
        "delete": lambda uow: delete_task(uow, task_id=task.id),
    }


KINDS = ("create", "update", "status", "assign", "delete")


async def a_write(build: Builders, kind: str) -> tuple[Actor, Write]:
    """A write of this kind, and an actor who may make it."""
    actor, friend = await build.an_actor(), await build.a_user()
    return actor, writes(await build.a_task(actor), friend.id)[kind]


def answer(result: VisibleTaskRow | UUID) -> Any:
    """All that a client can see of an answer."""
    if isinstance(result, UUID):
        return result
    return {column.name: getattr(result, column.name) for column in TaskRow.__table__.columns}


async def keys(build: Builders) -> list[IdempotencyRow]:
    """What is remembered."""
    async with orm_session(build.database) as session:
        return list(await session.scalars(select(IdempotencyRow)))


class TestTwins:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_concurrent_repeats_make_one_change(self, build: Builders, kind: str):
        """Of twenty one makes the change, and all results are equal."""
        for changes in range(1, ROUNDS + 1):
            actor, write = await a_write(build, kind)
            key = a_key()
            results = await asyncio.gather(*(write(build.as_(actor, key=key)) for _ in range(TWINS)))

            assert all(answer(result) == answer(results[0]) for result in results)
            assert len(await build.recorded_events()) == len(await keys(build)) == changes

    async def test_a_refusal_stores_no_key(self, build: Builders):
        """Each repeat is checked, and the key stays free."""
        actor = await build.an_actor()
        task, key = await build.a_task(actor), a_key()

        async def move(version: int) -> object:
            uow = build.as_(actor, key=key)
            return await update_task(uow, task_id=task.id, edit=EDIT, expected_version=version)

        refusals = await asyncio.gather(*(move(7) for _ in range(TWINS)), return_exceptions=True)
        assert {type(refusal) for refusal in refusals} == {Conflict}
        assert await keys(build) == []

        await move(1)
        assert len(await build.recorded_events()) == len(await keys(build)) == 1


class TestReplay:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_repeat_changes_nothing(self, build: Builders, kind: str):
        """It has the same result, and stores and records nothing."""
        actor, write = await a_write(build, kind)
        key = a_key()
        first = answer(await write(build.as_(actor, key=key)))
        async with build.unchanged():
            assert answer(await write(build.as_(actor, key=key))) == first

    async def test_a_replay_shows_the_current_task(self, build: Builders):
        """With later changes of others."""
        actor = await build.an_actor()
        task, key = await build.a_task(actor), a_key()
        await update_task_status(build.as_(actor, key=key), task_id=task.id, status=TaskStatus.DONE)
        await update_task_status(build.as_(actor), task_id=task.id, status=TaskStatus.TODO)
        again = await update_task_status(build.as_(actor, key=key), task_id=task.id, status=TaskStatus.DONE)

        assert (again.status, again.version) == (TaskStatus.TODO, 3)
        [known] = await keys(build)
        assert (known.object_id, known.version) == (task.id, 2)

    async def test_an_unchanged_task_counts_as_changed(self, build: Builders):
        """The replay of an unchanged status must not undo later changes."""
        actor = await build.an_actor()
        task, key = await build.a_task(actor), a_key()
        await update_task_status(build.as_(actor, key=key), task_id=task.id, status=TaskStatus.TODO)
        await update_task_status(build.as_(actor), task_id=task.id, status=TaskStatus.DONE)
        again = await update_task_status(build.as_(actor, key=key), task_id=task.id, status=TaskStatus.TODO)

        assert (again.status, again.version) == (TaskStatus.DONE, 2)
        assert [row.version for row in await keys(build)] == [None]

    @pytest.mark.parametrize("kind", ["create", "update", "status", "assign"])
    async def test_a_replay_for_a_deleted_task_is_not_found(self, build: Builders, kind: str):
        """The message says that the request was executed."""
        actor, write = await a_write(build, kind)
        key = a_key()
        task = await write(build.as_(actor, key=key))
        assert isinstance(task, VisibleTaskRow)
        await delete_task(build.as_(actor), task_id=task.id)
        async with build.unchanged():
            with pytest.raises(NotFound, match="done already"):
                await write(build.as_(actor, key=key))

    async def test_a_replay_for_a_hidden_task_is_not_found(self, build: Builders):
        """A replay shows nothing that a query would not show."""
        owner, helper = await build.an_actor(), await build.an_actor()
        task, key = await build.a_task(owner, assignee_id=helper.user_id), a_key()
        await update_task_status(build.as_(helper, key=key), task_id=task.id, status=TaskStatus.DONE)
        await assign_task(build.as_(owner), task_id=task.id, assignee_id=None)
        with pytest.raises(NotFound):
            await update_task_status(build.as_(helper, key=key), task_id=task.id, status=TaskStatus.DONE)


class TestScope:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_another_request_is_a_mismatch(self, build: Builders, kind: str):
        """Any other write with a used key is refused and does nothing."""
        actor, friend = await build.an_actor(), await build.a_user()
        task, other, key = await build.a_task(actor), await build.a_task(actor), a_key()
        await writes(other, friend.id)[kind](build.as_(actor, key=key))
        others = [write for name, write in writes(task, friend.id).items() if (name, kind) != ("create", "create")]
        async with build.unchanged():
            for write in others:
                with pytest.raises(IdempotencyMismatch):
                    await write(build.as_(actor, key=key))

    async def test_every_value_counts(self, build: Builders):
        """The same mutation with another value, or with another version expected, is another request."""
        actor = await build.an_actor()
        task, key = await build.a_task(actor), a_key()
        await update_task(build.as_(actor, key=key), task_id=task.id, edit=EDIT)
        for edit, version in ((TaskEdit(title="x"), None), (EDIT, 1), (TaskEdit(title="Mended", due_at=None), None)):
            with pytest.raises(IdempotencyMismatch):
                await update_task(build.as_(actor, key=key), task_id=task.id, edit=edit, expected_version=version)

    async def test_keys_belong_to_their_account(self, build: Builders):
        """Two users may use the same text."""
        one, other, key = await build.an_actor(), await build.an_actor(), a_key()
        first = await create_task(build.as_(one, key=key), title="Mine")
        second = await create_task(build.as_(other, key=key), title="Mine, too")
        assert first.id != second.id

    async def test_one_request_may_make_several_changes(self, build: Builders):
        """Places within a request keep its changes apart."""
        actor, text = await build.an_actor(), str(uuid4())
        made = [await create_task(build.as_(actor, key=IdempotencyKey(text, place)), title="x") for place in "aba"]
        assert made[0].id == made[2].id != made[1].id

    async def test_without_a_key_every_request_is_executed(self, build: Builders):
        """Nothing is stored."""
        actor = await build.an_actor()
        made = [await create_task(build.as_(actor), title="x") for _ in range(2)]
        assert made[0].id != made[1].id
        assert await keys(build) == []

    async def test_a_key_is_independent_of_the_role(self, build: Builders):
        """It belongs to the account."""
        user, key = await build.a_user(Role.MODERATOR), a_key()
        first = await create_task(build.as_(user, key=key), title="x")
        demoted = Actor(user.id, Role.USER, None, 2)
        assert (await create_task(build.as_(demoted, key=key), title="x")).id == first.id

    async def test_broken_rules_keep_no_key(self, build: Builders):
        """What a rule refuses before the transaction leaves the key free, too."""
        actor, key = await build.an_actor(), a_key()
        for title in ("", "x" * 201):
            with pytest.raises(Invalid):
                await create_task(build.as_(actor, key=key), title=title)
        with pytest.raises(Invalid):
            await create_task(build.as_(actor, key=key), title="x", assignee_id=uuid4())
        assert (await create_task(build.as_(actor, key=key), title="x")).version == 1


@asynccontextmanager
async def with_free_keys(build: Builders, keys: int) -> AsyncIterator[Database]:
    """Another process, where an account may have so many keys."""
    url = build.database.engine.url.render_as_string(hide_password=False)
    database = Database(url, pool_size=5, keys_per_account=keys)
    yield database
    await database.close()


class TestLimit:
    async def test_an_account_has_so_many_keys(self, build: Builders):
        """One key too many is refused with the time to wait, and leaves nothing; other accounts have their own."""
        actor, other, used = await build.an_actor(), await build.an_actor(), a_key()
        async with with_free_keys(build, 3) as database:
            first = await create_task(database.unit_of_work(actor, idempotency=used), title="x")
            for _ in range(2):
                await create_task(database.unit_of_work(actor, idempotency=a_key()), title="x")
            async with build.unchanged():
                for _ in range(3):
                    with pytest.raises(RateLimited, match="3 idempotency keys in 24 hours") as refusal:
                        await create_task(database.unit_of_work(actor, idempotency=a_key()), title="x")
                assert 86_000 < refusal.value.retry_after <= 86_400
                again = await create_task(database.unit_of_work(actor, idempotency=used), title="x")
            assert again.id == first.id
            await create_task(database.unit_of_work(actor), title="x")
            await create_task(database.unit_of_work(other, idempotency=a_key()), title="x")

    async def test_older_keys_do_not_count(self, build: Builders):
        """Keys older than a day, whether cleaned up or not."""
        actor = await build.an_actor()
        async with with_free_keys(build, 1) as database:
            yesterday = datetime.now(UTC) - COUNTED
            for now in (yesterday, None):
                await create_task(database.unit_of_work(actor, idempotency=a_key(), now=now), title="x")

    async def test_keys_of_the_previous_release_do_not_count(self, build: Builders):
        """They have no account, but still work."""
        actor, key = await build.an_actor(), a_key()
        async with with_free_keys(build, 1) as database:
            first = await create_task(database.unit_of_work(actor, idempotency=key), title="x")
            async with orm_session(build.database) as session:
                await session.execute(update(IdempotencyRow).values(actor_id=None))
                await session.commit()
            again = await create_task(database.unit_of_work(actor, idempotency=key), title="x")
            assert again.id == first.id
        async with with_free_keys(build, 1) as database:
            await create_task(database.unit_of_work(actor, idempotency=a_key()), title="x")

    async def test_processes_share_the_limit(self, build: Builders):
        """Two concurrent processes exceed it only by running writes."""
        actor, most = await build.an_actor(), 20
        async with with_free_keys(build, most) as one, with_free_keys(build, most) as other:
            results = await asyncio.gather(
                *(
                    create_task(database.unit_of_work(actor, idempotency=a_key(), gate=gate), title="x")
                    for database, gate in ((one, asyncio.Semaphore(2)), (other, asyncio.Semaphore(2)))
                    for _ in range(2 * most)
                ),
                return_exceptions=True,
            )
        made = sum(isinstance(result, VisibleTaskRow) for result in results)
        assert most <= made <= most + 4
        assert all(isinstance(result, VisibleTaskRow | RateLimited) for result in results)


class DeafAfterCommit:
    """A proxy in front of the database that cuts the connection once after a COMMIT."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self.cuts = 1

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        there = await asyncio.open_connection(*self._address)
        committed = asyncio.Event()
        ways = [
            asyncio.create_task(self._up(reader, there[1], committed)),
            asyncio.create_task(self._down(there[0], writer, committed)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in (writer, there[1]):
            end.close()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, committed: asyncio.Event) -> None:
        while sent := await reader.read(65536):
            if b"COMMIT" in sent and self.cuts:
                self.cuts -= 1
                committed.set()
            writer.write(sent)

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, committed: asyncio.Event) -> None:
        while (data := await reader.read(65536)) and not committed.is_set():
            writer.write(data)


@asynccontextmanager
async def over_a_bad_line(build: Builders) -> AsyncIterator[Database]:
    """The database through a proxy that cuts the first COMMIT."""
    url = build.database.engine.url
    assert url.host is not None
    assert url.port is not None
    server = await asyncio.start_server(DeafAfterCommit(url.host, url.port).serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    database = Database(url.set(port=port).render_as_string(hide_password=False), pool_size=2)
    yield database
    await database.close()
    server.close()


class TestCrash:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_lost_commit_is_not_applied_twice(self, build: Builders, kind: str):
        """The client has to retry, and then gets its result."""
        actor, write = await a_write(build, kind)
        key = a_key()
        async with over_a_bad_line(build) as database:
            with pytest.raises(Unavailable):
                await write(database.unit_of_work(actor, idempotency=key))
            async with build.unchanged():
                result = await write(database.unit_of_work(actor, idempotency=key))

        assert len(await build.recorded_events()) == 1
        if isinstance(result, VisibleTaskRow):
            assert answer(result) == answer(await _stored(build, result.id))

    async def test_a_concurrent_repeat_waits_for_a_lock_timeout_at_most(
        self, build: Builders, monkeypatch: pytest.MonkeyPatch
    ):
        """While the first request hangs, the repeat has to retry."""
        actor, key = await build.an_actor(), a_key()
        monkeypatch.setattr(connecting, "SERVER_SETTINGS", connecting.SERVER_SETTINGS | {"lock_timeout": "100"})
        impatient = Database(build.database.engine.url.render_as_string(hide_password=False), pool_size=1)
        async with build.as_(actor, key=key) as hanging:
            await hanging.keys.claim(
                key.scope(actor.user_id),
                actor_id=actor.user_id,
                fingerprint=b"",
                object_id=uuid4(),
                now=datetime.now(UTC),
            )
            with pytest.raises(Unavailable):
                await create_task(Builders(impatient).as_(actor, key=key), title="x")
        await impatient.close()
        assert (await create_task(build.as_(actor, key=key), title="x")).version == 1


async def _stored(build: Builders, task_id: UUID) -> VisibleTaskRow:
    row = await build.task(task_id)
    assert row is not None
    return row
