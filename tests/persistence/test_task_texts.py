"""The search finds the current texts of tasks; other changes do not write the texts."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.project import ProjectRole
from domain.task import TaskStatus
from domain.user import Role
from persistence import migrations
from persistence.database import Database
from persistence.pagination import PageRequest
from persistence.queries.task_list import TaskFilter, TaskOrder
from services.task import delete_task, update_task, update_task_status
from services.task_creation import create_task
from services.task_edit import TaskEdit
from services.task_move import Move, move_task
from services.trash import restore_task
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


async def found_in(build: Builders, project_id: UUID, words: str) -> list[str]:
    """The titles of the matching tasks of a project, in alphabetical order."""
    admin = await build.an_actor(Role.ADMIN)
    async with build.as_(admin) as uow:
        wanted = TaskFilter(search=words, project_id=project_id)
        page = await task_page(uow, PageRequest(50), wanted=wanted)
        assert await uow.tasks.count(wanted) == len(page.rows)
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


class TestFoundInAProject:
    @pytest.mark.parametrize(
        ("title", "words"),
        [
            ("Mend the boat", "nd the b"),
            ("Mend the boat", "MEND"),
            ("Straße nach Übersee", "ÜBERSEE"),
            ("ΟΔΟΣ", "οδοσ"),
            ("船を修理する", "を修理"),
            ("100% done_now", "0% d"),
            ("100% done_now", "e_n"),
            ("a \\ b", "a \\ b"),
            ("It's \N{GRINNING FACE}!?", "s \N{GRINNING FACE}!"),
            ("  two   spaces", "two   sp"),
        ],
    )
    async def test_the_same_texts_as_everywhere(self, build: Builders, title: str, words: str):
        """The index has other keys than that of all tasks, and finds the same."""
        admin = await build.an_actor(Role.ADMIN)
        project, other = await build.a_project(), await build.a_project()
        for each in (project, other):
            await build.a_task(admin, title=title, description="Of no interest", project_id=each.id)
            await build.a_task(admin, title="Of no interest", description=f"Before {title} after", project_id=each.id)
            await build.a_task(admin, title="100 donetnow", description="meNNd teh baot", project_id=each.id)

        assert await found_in(build, project.id, words) == sorted([title, "Of no interest"])
        assert await found_in(build, project.id, words + "~") == []

    async def test_a_moved_and_a_restored_task(self, build: Builders):
        """A task is found in the project where it is."""
        manager = await build.an_actor()
        one = await build.a_project((manager, ProjectRole.MANAGER))
        two = await build.a_project((manager, ProjectRole.MANAGER))
        task = await create_task(build.as_(manager), title="Mend the boat", project_id=one.id)
        assert [await found_in(build, each.id, "boat") for each in (one, two)] == [["Mend the boat"], []]

        await move_task(build.as_(manager), task_id=task.id, move=Move(project_id=two.id))
        assert [await found_in(build, each.id, "boat") for each in (one, two)] == [[], ["Mend the boat"]]

        await delete_task(build.as_(manager), task_id=task.id)
        assert await found_in(build, two.id, "boat") == []
        await restore_task(build.as_(manager), task_id=task.id)
        assert await found_in(build, two.id, "boat") == ["Mend the boat"]


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

    async def test_tasks_of_projects_are_found_after_the_migration(self, new_database: Callable[[], str]):
        """Their projects are copied to their texts."""
        database = Database(new_database(), pool_size=2)
        build = Builders(database)
        project = await build.a_project()
        for number in range(3):
            await build.a_task(title=f"Boat {number}", project_id=project.id)
        await build.a_task(title="Boat of no project")
        await migrations.downgrade(database.engine, "0012")
        await migrations.upgrade(database.engine)

        assert await found_in(build, project.id, "boat") == ["Boat 0", "Boat 1", "Boat 2"]
        await database.close()
