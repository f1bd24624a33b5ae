"""The search finds the current texts of tasks; other changes do not write the texts."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.task import TaskStatus
from domain.user import Role
from persistence import migrations
from persistence.database import Database
from persistence.pagination import PageRequest
from persistence.queries.task_list import TaskFilter, TaskOrder
from services.task import delete_task, update_task, update_task_status
from services.task_creation import create_task
from services.task_edit import TaskEdit
from tests.support.builders import Builders
from tests.support.reads import task_page

A_USER = UUID(int=1)
ONE_USER = text("""INSERT INTO users (id, username, email, password_hash, role, is_active, access_version, created_at,
    updated_at) VALUES (:id, 'ann', 'ann@example.org', '!', 'USER', true, 1, now(), now())""").bindparams(id=A_USER)
MANY_TASKS = text("""INSERT INTO tasks (id, title, description, status, priority, owner_id, version, created_at,
    updated_at) SELECT gen_random_uuid(), 'Boat ' || i, 'Its hull', 'TODO', 2, :owner, 1, now(), now()
    FROM generate_series(1, 3) AS i""")


async def found(build: Builders, words: str) -> list[str]:
    """The titles of all matching tasks, in any order."""
    admin = await build.an_actor(Role.ADMIN)
    async with build.as_(admin) as uow:
        page = await task_page(uow, PageRequest(50, None), wanted=TaskFilter(search=words), order=TaskOrder.CREATED_ASC)
        return sorted(row.title for row in page.rows)


async def written(build: Builders, task_id: UUID) -> object:
    """Which transaction wrote the text of a task last."""
    async with build.database.connect() as connection:
        query = text("SELECT xmin::text FROM task_texts WHERE task_id = :id").bindparams(id=task_id)
        return await connection.scalar(query)


class TestFound:
    async def test_a_text_is_found_from_creation_to_deletion(self, build: Builders):
        """Also after a change."""
        actor = await build.an_actor()
        task = await create_task(build.as_(actor), title="Mend the boat", description="Oakum")
        assert await found(build, "boat") == await found(build, "oakum") == ["Mend the boat"]

        await update_task(build.as_(actor), task_id=task.id, edit=TaskEdit(title="Sell the boat", description="Cheap"))
        assert await found(build, "mend") == await found(build, "oakum") == []
        assert await found(build, "cheap") == ["Sell the boat"]

        await delete_task(build.as_(actor), task_id=task.id)
        assert await found(build, "boat") == []

    async def test_rows_written_by_sql_are_found(self, build: Builders):
        """Single and bulk inserts, and updates."""
        owner = await build.a_user()
        async with build.database.engine.begin() as connection:
            await connection.execute(MANY_TASKS.bindparams(owner=owner.id))
            await connection.execute(text("UPDATE tasks SET title = 'Ship ' || title WHERE title <> 'Boat 2'"))

        assert await found(build, "hull") == ["Boat 2", "Ship Boat 1", "Ship Boat 3"]
        assert await found(build, "ship") == ["Ship Boat 1", "Ship Boat 3"]


class TestLeftAlone:
    async def test_a_move(self, build: Builders):
        """It writes the task, and neither its text nor the indexes that search it."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        before = await written(build, task.id)
        await update_task_status(build.as_(actor), task_id=task.id, status=TaskStatus.DONE)
        await update_task(build.as_(actor), task_id=task.id, edit=TaskEdit(status=TaskStatus.TODO))

        assert before is not None
        assert await written(build, task.id) == before

    async def test_tasks_have_no_text_index(self, build: Builders):
        """A status change writes only small index entries."""
        async with build.database.connect() as connection:
            query = text("SELECT indexdef FROM pg_indexes WHERE tablename = 'tasks'")
            assert not [
                each
                for each in await connection.scalars(query)
                if "trgm" in each or "title" in each or "description" in each
            ]


class TestMigration:
    @pytest.mark.parametrize("again", [False, True])
    async def test_existing_tasks_are_found_after_the_migration(self, new_database: Callable[[], str], again: bool):
        """Also after a downgrade and another upgrade."""
        database = Database(new_database(), pool_size=2)
        await migrations.downgrade(database.engine, "0002")
        async with database.engine.begin() as connection:
            await connection.execute(ONE_USER)
            await connection.execute(MANY_TASKS.bindparams(owner=A_USER))
        await migrations.upgrade(database.engine)
        if again:
            await migrations.downgrade(database.engine, "0002")
            await migrations.upgrade(database.engine)

        assert await found(Builders(database), "hull") == ["Boat 1", "Boat 2", "Boat 3"]
        await database.close()
