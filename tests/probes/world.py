"""The users and objects of the probes: users of each role and standing, and objects with each relation to them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final
from uuid import UUID

from domain.access_token import Scope
from domain.actor import OPERATOR
from domain.project import ProjectRole
from domain.user import Role, UserKind
from persistence.database import Database
from persistence.models import AccessTokenRow, IdentityRow, SessionRow, UserRow
from persistence.models.base import new_id
from services import membership as membership_service
from services.project import archive_project
from tests.probes import stored
from tests.probes.rows import (
    a_project,
    a_task,
    store,
    store_deleted,
    store_old_key,
    store_project,
    store_tasks,
)
from tests.probes.stored import Kept
from tests.probes.things import DeletedTask, Person, Project, Secret, Session, Standing, Task
from tests.probes.words import Words
from tests.support.api import Api

_A_DAY: Final = timedelta(days=1)


@dataclass
class World:
    """The stored objects. Those in `keep` never change: whatever may change an object gets a copy of it."""

    api: Api
    words: Words = field(default_factory=Words)
    actors: list[Person] = field(default_factory=list)
    """One for each role and standing."""
    helpers: dict[str, Person] = field(default_factory=dict)
    projects: list[Project] = field(default_factory=list)
    tasks: dict[UUID, Task] = field(default_factory=dict)
    """In projects, tasks that are not assigned have a subtask each, with the same owner."""
    deleted: list[DeletedTask] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)
    """Cursors of lists that no actor may read; see `cursors.py`."""
    account_id: UUID = field(default_factory=new_id)
    """A service account of the active project."""
    _kept: Kept | None = None
    _words: set[str] = field(default_factory=set)

    @classmethod
    async def prepared(cls, api: Api) -> "World":
        """A world in a database without other objects; its events stay."""
        await stored.remove_others(api.server.database, Kept((), (), (), (), ()))
        world = cls(api)
        await world._add_people()
        await world._add_projects()
        await world._add_tasks()
        await world._add_deleted()
        await world._archive()
        return world

    @property
    def database(self) -> Database:
        """The database of the server."""
        return self.api.server.database

    @property
    def earlier(self) -> Project:
        """A project in which no actor has a role, with members who were added before all others."""
        return self.projects[0]

    @property
    def active(self) -> Project:
        """The project of the actors."""
        return self.projects[1]

    @property
    def archived(self) -> Project:
        """The same, archived."""
        return self.projects[2]

    @property
    def elsewhere(self) -> Project:
        """Another project in which no actor has a role."""
        return self.projects[3]

    @property
    def keeper(self) -> Person:
        """Who owns what belongs to no actor; a MEMBER of the projects of the actors."""
        return self.helpers["keeper"]

    @property
    def manager(self) -> Person:
        """A MANAGER of all projects."""
        return self.helpers["manager"]

    @property
    def admin(self) -> Person:
        """An ADMIN without projects."""
        return self.helpers["admin"]

    @property
    def outsider(self) -> Person:
        """A MEMBER of the projects in which no actor has a role."""
        return self.helpers["outsider"]

    def readable_by(self, person: Person) -> list[Task]:
        """The tasks that a person may read."""
        return [task for task in self.tasks.values() if task.is_readable_by(person)]

    def personal_task_of(self, person: Person) -> Task:
        """A personal task of a person, which is not assigned."""
        found = (task for task in self.tasks.values() if task.owner is person and task.project is None)
        return next(task for task in found if task.assignee is None)

    def task_in(self, project: Project, *, beside: Task | None = None) -> Task:
        """A task of a project, which is no subtask, and another one than *beside*."""
        found = (task for task in self.tasks.values() if task.project is project and task.parent is None)
        return next(task for task in found if task is not beside)

    def subtasks_of(self, task: Task) -> list[Task]:
        """The subtasks of a task."""
        return [each for each in self.tasks.values() if each.parent is task]

    def earlier_project_of(self, task: Task) -> Project:
        """The project in which a task of the world was before, with its version as its number.

        It has other members than the project of the task.
        """
        return self.active if task.project in (self.earlier, self.elsewhere) else self.elsewhere

    async def copy_of_task(self, task: Task, project: Project | None) -> Task:
        """A new task with the same people, in this project."""
        return await self.add_task(a_task(task.owner, task.assignee, project))

    async def add_task(self, task: Task) -> Task:
        """Store a task."""
        await store_tasks(self.database, task)
        self.tasks[task.id] = task
        self._keep_words(task, task)
        return task

    async def copy_of_deleted(self, deleted: DeletedTask, project: Project | None) -> DeletedTask:
        """A new deleted task with the same people, in this project."""
        copy = DeletedTask(a_task(deleted.task.owner, deleted.task.assignee, project), deleted.by)
        await self._store_deleted(copy)
        return copy

    async def copy_of_project(self, project: Project) -> Project:
        """A new project with the same members and without tasks."""
        copy = a_project(project.members, is_archived=project.is_archived)
        await store_project(self.database, copy)
        self.words.keep(copy.word, copy)
        return copy

    async def add_session(self, user: Person) -> Session:
        """A new session, and a personal access token and an account at a provider with the same id."""
        session = Session(new_id(), user, Words.new())
        await store(self.database, _session_row(session.id, user.id, session.word))
        await store(self.database, _access_token_row(session.id, user.id, session.word))
        await store(self.database, _identity_row(session.id, user.id, session.word))
        self.words.keep(session.word, session)
        return session

    async def add_person(self, role: Role = Role.USER, standing: Standing = Standing.NONE) -> Person:
        """A new user, signed in; the standing is only noted."""
        user_id, session_id, name = new_id(), new_id(), Words.new()
        now = datetime.now(UTC)
        row = UserRow(
            id=user_id,
            username=f"user-{user_id.hex[-12:]}",
            email=f"{name}@example.org",
            password_hash="!",
            role=role,
            is_active=True,
            access_version=1,
            created_at=now,
            updated_at=now,
        )
        await store(self.database, row)
        await store(self.database, _session_row(session_id, user_id, None))
        token = self.api.server.tokens.issue(user_id, session_id, now).token
        person = Person(user_id, row.username, role, standing, token, session_id)
        self.words.keep(name, person)
        return person

    async def restore(self) -> None:
        """Remove everything that was added since the world was prepared."""
        assert self._kept is not None
        await stored.remove_others(self.database, self._kept)
        self.tasks = {task_id: self.tasks[task_id] for task_id in self._kept.tasks}
        self.deleted = [each for each in self.deleted if each.task.id in self._kept.deleted]
        self.words.forget(self._words)

    async def _add_people(self) -> None:
        self.actors = [await self.add_person(role, standing) for role, standing in product(Role, Standing)]
        for name in ("keeper", "manager", "outsider"):
            self.helpers[name] = await self.add_person()
        self.helpers["admin"] = await self.add_person(Role.ADMIN)
        self.sessions = [await self.add_session(person) for person in (*self.actors, self.keeper)]

    async def _add_projects(self) -> None:
        members = {each.id: each.standing.role for each in self.actors if each.standing.role is not None}
        members |= {self.keeper.id: ProjectRole.MEMBER, self.manager.id: ProjectRole.MANAGER}
        outside = {self.outsider.id: ProjectRole.MEMBER, self.manager.id: ProjectRole.MANAGER}
        each_kind = ((outside, "a"), (members, "m"), (members, "m"), (outside, "z"))
        self.projects = [a_project(each, is_archived=False, rank=rank) for each, rank in each_kind]
        await self._add_account()
        for project in self.projects:
            await store_project(self.database, project)
            self.words.keep(project.word, project)
        for person in self.actors:
            if person.standing is Standing.FORMER:
                await self._join_and_leave(person)

    async def _add_account(self) -> None:
        """A service account of the active project, with a token that has its id."""
        account_id, now = self.account_id, datetime.now(UTC)
        row = UserRow(
            id=account_id,
            username=f"user-{account_id.hex[-12:]}",
            email=f"{account_id.hex}@service.invalid",
            password_hash="!",
            role=Role.USER,
            is_active=True,
            access_version=1,
            created_at=now,
            updated_at=now,
            kind=UserKind.SERVICE,
            has_password=False,
            project_id=self.active.id,
        )
        self.active.members = self.active.members | {account_id: ProjectRole.MEMBER}
        await store(self.database, row)
        await store(self.database, _access_token_row(account_id, account_id, "of the account"))

    async def _join_and_leave(self, person: Person) -> None:
        for project in (self.active, self.archived):
            work = self.database.unit_of_work(OPERATOR)
            await membership_service.add_member(
                work, project_id=project.id, user_id=person.id, role=ProjectRole.MANAGER
            )
            await membership_service.remove_member(work, project_id=project.id, user_id=person.id)

    async def _add_tasks(self) -> None:
        tasks = [*_with_subtask(self.outsider, self.earlier)]
        for project in (self.active, self.archived, None):
            for person in (self.keeper, *self.actors):
                tasks += [a_task(person, None, None)] if project is None else _with_subtask(person, project)
            tasks += [a_task(self.keeper, actor, project) for actor in self.actors]
        tasks += [a_task(self.manager, None, None), *_with_subtask(self.outsider, self.elsewhere)]
        await store_tasks(self.database, *tasks)
        for task in tasks:
            self.tasks[task.id] = task
            self._keep_words(task, task)
        for project in (self.active, self.elsewhere):
            await store_old_key(
                self.database, project, *(each for each in tasks if self.earlier_project_of(each) is project)
            )

    async def _add_deleted(self) -> None:
        """Deleted tasks of the same people. Those that no actor may see were deleted before and after all others."""
        await self._store_deleted(DeletedTask(a_task(self.outsider, None, self.earlier), self.manager))
        found = []
        for project in (self.active, self.archived, None):
            found.append(DeletedTask(a_task(self.keeper, None, project), self.keeper))
            for actor in self.actors:
                found.append(DeletedTask(a_task(actor, None, project), actor))
                found.append(DeletedTask(a_task(actor, None, project), self.manager))
                found.append(DeletedTask(a_task(self.keeper, actor, project), self.keeper))
        await self._store_deleted(*found)
        await self._store_deleted(DeletedTask(a_task(self.outsider, None, self.elsewhere), self.manager))

    async def _store_deleted(self, *tasks: DeletedTask) -> None:
        await store_deleted(self.database, *tasks)
        for each in tasks:
            self.deleted.append(each)
            self._keep_words(each.task, each)

    def _keep_words(self, task: Task, of: Secret) -> None:
        for word in (task.word, task.comment_word):
            self.words.keep(word, of)

    async def _archive(self) -> None:
        project = self.archived
        await archive_project(self.database.unit_of_work(OPERATOR), project_id=project.id, is_archived=True)
        project.is_archived = True
        people = [*self.actors, *self.helpers.values()]
        sessions = [*(each.session_id for each in people), *(each.id for each in self.sessions)]
        projects = [each.id for each in self.projects]
        deleted = frozenset(each.task.id for each in self.deleted)
        users = [*(each.id for each in people), self.account_id]
        self._kept = Kept(tuple(self.tasks), projects, users, [*sessions, self.account_id], deleted)
        self._words = self.words.all()


def _with_subtask(owner: Person, project: Project) -> list[Task]:
    task = a_task(owner, None, project)
    return [task, a_task(owner, None, project, task)]


def _access_token_row(token_id: UUID, user_id: UUID, name: str) -> AccessTokenRow:
    return AccessTokenRow(
        id=token_id,
        user_id=user_id,
        name=name,
        token_hash=token_id.bytes * 2,
        scopes=[scope.value for scope in Scope],
        created_at=datetime.now(UTC),
        expires_at=datetime.now(UTC) + _A_DAY,
        last_used_at=None,
    )


def _identity_row(identity_id: UUID, user_id: UUID, name: str) -> IdentityRow:
    return IdentityRow(
        id=identity_id,
        user_id=user_id,
        provider="one",
        issuer="https://one.example",
        subject=identity_id.hex,
        account_name=name,
        created_at=datetime.now(UTC),
        last_used_at=None,
    )


def _session_row(session_id: UUID, user_id: UUID, device: str | None) -> SessionRow:
    now = datetime.now(UTC)
    return SessionRow(
        id=session_id,
        user_id=user_id,
        token_hash=session_id.bytes * 2,
        key_id="dev",
        ip_address="127.0.0.1",
        user_agent=device,
        created_at=now,
        expires_at=now + _A_DAY,
        last_used_at=None,
    )
