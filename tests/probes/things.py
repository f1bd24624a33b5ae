"""The objects of a world, with the facts that decide who may do what with them, and their secret words."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.policy import Action
from domain.project import ProjectRole
from domain.user import Role
from tests.probes import oracle


class Standing(StrEnum):
    """The role of a person in the projects of a world, or why the person has none."""

    NONE = "none"
    FORMER = "former member"
    VIEWER = "viewer"
    MEMBER = "member"
    MANAGER = "manager"

    @property
    def role(self) -> ProjectRole | None:
        """The role in the project."""
        return ProjectRole[self.name] if self.name in ProjectRole.__members__ else None


class Secret(Protocol):
    """Something whose content not all users may read."""

    def is_readable_by(self, person: "Person") -> bool:
        """Whether the policy lets the person read it."""


@dataclass(frozen=True, eq=False)
class Person:
    """A user, who is signed in. The e-mail address is secret."""

    id: UUID
    name: str
    role: Role
    standing: Standing
    token: str
    session_id: UUID

    def is_readable_by(self, person: "Person") -> bool:
        """Whether the person may read the e-mail address."""
        return oracle.with_user(person.role, Action.READ_EMAIL, is_self=person is self)

    def __str__(self) -> str:
        return f"{self.role.name}, {self.standing.value}"


@dataclass(frozen=True, eq=False)
class Session:
    """A session of a user; the name of the device is secret."""

    id: UUID
    user: Person
    word: str

    def is_readable_by(self, person: Person) -> bool:
        """Whether the person may list it."""
        return self.permits(person, Action.LIST_SESSIONS)

    def permits(self, person: Person, action: Action) -> bool:
        """Whether the policy permits this."""
        return oracle.with_user(person.role, action, is_self=person is self.user)


@dataclass(eq=False)
class Project:
    """A project with its members and one label. Its name, its description and its label contain the word."""

    id: UUID
    key: str
    old_key: str
    word: str
    is_archived: bool
    members: dict[UUID, ProjectRole] = field(repr=False)
    label_id: UUID
    label_name: str

    def permits(self, person: Person, action: Action) -> bool:
        """Whether the policy permits this."""
        member = self.members.get(person.id)
        return oracle.in_project(person.role, action, member, is_archived=self.is_archived)

    def is_readable_by(self, person: Person) -> bool:
        """Whether the person may read it."""
        return self.permits(person, Action.READ_PROJECT)


@dataclass(frozen=True, eq=False)
class Task:
    """A task with one comment. The title and the description contain the word, and the comment another one.

    `version` is that of no other task. A subtask has a `parent`.
    """

    id: UUID
    owner: Person
    assignee: Person | None
    project: Project | None
    number: int | None
    version: int
    word: str
    created_at: datetime
    comment_id: UUID
    comment_word: str
    parent: "Task | None" = None

    def permits(self, person: Person, action: Action) -> bool:
        """Whether the policy permits this."""
        if self.project is not None:
            return self.project.permits(person, action)
        owns, is_assigned = person is self.owner, person is self.assignee
        return oracle.with_personal_task(person.role, action, owns=owns, is_assigned=is_assigned)

    def is_readable_by(self, person: Person) -> bool:
        """Whether the person may read it."""
        return self.permits(person, Action.READ_TASK)

    @property
    def commentator(self) -> Person:
        """Who wrote the comment on the task."""
        return self.assignee or self.owner

    def permits_with_comment(self, person: Person, action: Action) -> bool:
        """Whether the policy permits this with the comment on the task."""
        if not self.is_readable_by(person) or (self.project is not None and self.project.is_archived):
            return False
        is_author = person is self.commentator
        return (is_author and oracle.as_author(person.role, action)) or self.permits(person, action)

    def is_listed_for(self, person: Person) -> bool:
        """Whether lists that know no projects have it: see `slice_tasks`."""
        is_own = person in (self.owner, self.assignee)
        return self.is_readable_by(person) and (self.project is None or is_own)

    @property
    def key(self) -> str:
        """The key of a task of a project."""
        assert self.project is not None
        return f"{self.project.key}-{self.number}"


@dataclass(frozen=True, eq=False)
class DeletedTask:
    """A task in the trash, and who deleted it. Those who may restore it read it there, in archived projects too."""

    task: Task
    by: Person

    def is_readable_by(self, person: Person) -> bool:
        """Whether the policy lets the person restore it, if the project is active.

        The owner of a personal task restores it only after deleting it.
        """
        project, action = self.task.project, Action.RESTORE_TASK
        if project is not None:
            return oracle.in_project(person.role, action, project.members.get(person.id), is_archived=False)
        is_deleter = oracle.with_user(person.role, action, is_self=person is self.by)
        return is_deleter and self.task.permits(person, action)

    def is_restorable_by(self, person: Person) -> bool:
        """Whether the policy lets the person restore it now."""
        return self.is_readable_by(person) and self.task.permits(person, Action.RESTORE_TASK)

    def is_listed_for(self, person: Person) -> bool:
        """Whether the list of personal deleted tasks has it."""
        return self.task.project is None and person is self.task.owner and person is self.by
