"""Changes of all kinds, made by the services of the API."""

from domain.actor import OPERATOR, Actor
from domain.project import ProjectCreation, ProjectRole
from domain.task import TaskStatus
from persistence.database import Database
from persistence.models import VisibleTaskRow
from services.comment import create_comment
from services.label import create_label
from services.membership import add_member
from services.project import create_project
from services.task import delete_task, update_task_status
from services.task_creation import create_task
from services.user import get_user_by_name, register

Change = tuple[str, int]
"""The id of a task, and the version that the change has made."""


async def known_user(database: Database, name: str) -> Actor:
    """A user of the demo data as an actor."""
    row = await get_user_by_name(database.unit_of_work(OPERATOR), username=name)
    return Actor(row.id, row.role, None, row.access_version)


async def change_all_kinds(database: Database, owner: Actor, *, mark: str) -> None:
    """A user, a project with a member, a label, tasks and comments, and a deleted task. The names contain *mark*."""
    project = await create_project(
        database.unit_of_work(owner), creation=ProjectCreation.EVERYONE, key=mark.upper(), name=f"Project {mark}"
    )
    member = await _register(database, f"user-{mark}")
    await add_member(
        database.unit_of_work(owner), project_id=project.id, user_id=member.user_id, role=ProjectRole.MEMBER
    )
    await create_label(database.unit_of_work(owner), project_id=project.id, name=mark, color="#1a7f37")
    for number in range(20):
        task = await create_task(database.unit_of_work(member), title=f"Task {number} of {mark}", project_id=project.id)
        await create_comment(database.unit_of_work(owner), task_id=task.id, text=f"Comment on {number}")
    await delete_task(database.unit_of_work(owner), task_id=task.id)
    await change_tasks(database, owner, mark=mark)


async def change_tasks(database: Database, owner: Actor, *, mark: str) -> list[Change]:
    """Create personal tasks, finish every second one, and return the changes in their order."""
    changes: list[Change] = []
    for number in range(10):
        task = await create_task(database.unit_of_work(owner), title=f"Personal task {number} of {mark}")
        changes.append(_change(task))
        if number % 2:
            uow = database.unit_of_work(owner)
            changes.append(_change(await update_task_status(uow, task_id=task.id, status=TaskStatus.DONE)))
    return changes


async def _register(database: Database, name: str) -> Actor:
    row = await register(
        database.unit_of_work(OPERATOR),
        username=name,
        email=f"{name}@example.org",
        password="Correct-horse1",
        hash_password=no_hash,
    )
    return Actor(row.id, row.role, None, row.access_version)


async def no_hash(password: str) -> str:
    """A hash that no password has: nobody signs in during a drill."""
    return "!"


def _change(task: VisibleTaskRow) -> Change:
    return str(task.id), task.version
