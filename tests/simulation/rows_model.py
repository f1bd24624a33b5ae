"""The rows of the model of the database: users, sessions and versions of tasks; and who sees a task."""

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from uuid import UUID

from domain.events import People
from domain.project import ProjectRole
from domain.task import TaskStatus
from domain.user import Role

AT = datetime(2026, 11, 23, tzinfo=UTC)
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass
class User:
    """A row of users, and when each version of its rights ended."""

    id: UUID
    name: str
    role: Role
    version: int = 1
    active: bool = True
    ended: dict[int, float] = field(default_factory=dict)
    sessions: list["Session"] = field(default_factory=list)


@dataclass
class Session:
    """A row of sessions; `ended` is when it was removed."""

    id: UUID
    user: User
    ended: float | None = None


@dataclass(frozen=True)
class Task:
    """A version of a task row; without people it is deleted or not created yet."""

    id: UUID
    version: int
    status: TaskStatus
    people: People | None
    title: str = ""
    description: str = ""
    priority: None = None
    due_at: None = None
    created_at: datetime = AT
    updated_at: datetime = AT
    completed_at: None = None
    number: None = None
    comment_count: int = 0
    rank: None = None
    subtask_count: int = 0
    done_subtask_count: int = 0
    viewer_role: ProjectRole | None = None
    """Set by the product for the viewer of a task of a project."""

    @property
    def owner_id(self) -> UUID:
        """As the policy asks for it."""
        assert self.people is not None
        return self.people.owner_id

    @property
    def assignee_id(self) -> UUID | None:
        """As the policy asks for it."""
        assert self.people is not None
        return self.people.assignee_id

    @property
    def project_id(self) -> UUID | None:
        """As the policy asks for it."""
        assert self.people is not None
        return self.people.project_id


class Unknown(Enum):
    """What a newer version may do."""

    EVENT = auto()
    ROLE = auto()
    OF_ONE_USER = auto()
    OF_ALL_USERS = auto()


def sees(role: Role, user_id: UUID, people: People | None, projects: Container[UUID]) -> bool:
    """Who may see a task, written independently of the policy; *projects* are those of which the user is a member."""
    if people is None:
        return False
    if people.project_id is not None:
        return role is not Role.USER or people.project_id in projects
    return role is not Role.USER or user_id == people.owner_id or user_id == people.assignee_id
