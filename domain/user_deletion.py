"""The rules for deleting users, and which personal data remain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.errors import Invalid, LastManager

RECENT_SIGN_IN: Final = timedelta(minutes=10)
"""How old the session of a user without a password may be, who confirms the own deletion with it."""
DELETED: Final = "This user is deleted."
_TASKS_PATH: Final = ("transferTasksTo",)
_MAX_KEYS: Final = 10


class RemainingPlace(StrEnum):
    """Where personal data remain after the deletion of a user."""

    AUDIT_LOG = "AUDIT_LOG"
    EVENT_LOG = "EVENT_LOG"
    TASKS = "TASKS"
    TRASH = "TRASH"
    RESERVED_NAME = "RESERVED_NAME"
    SERVER_LOGS = "SERVER_LOGS"
    BACKUPS = "BACKUPS"


@dataclass(frozen=True, slots=True)
class RemainingData:
    """Personal data that remain: where, which, and until when; None: there is no fixed time."""

    place: RemainingPlace
    description: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """How long data are kept."""

    events: timedelta
    trash: timedelta
    audit: timedelta


def remaining_data(now: datetime, retention: Retention) -> list[RemainingData]:
    """What remains of a user who is deleted *now*."""
    return [
        RemainingData(
            RemainingPlace.AUDIT_LOG,
            "Entries with the username, addresses and user agents. They cannot be changed.",
            now + retention.audit,
        ),
        RemainingData(
            RemainingPlace.EVENT_LOG,
            "The id of the user in the events of tasks and projects, and the titles of these tasks.",
            now + retention.events,
        ),
        RemainingData(
            RemainingPlace.TASKS,
            "Texts of tasks and comments, in projects and with other users, under the name of a deleted user.",
        ),
        RemainingData(
            RemainingPlace.TRASH, "Deleted tasks of projects that the user has created.", now + retention.trash
        ),
        RemainingData(
            RemainingPlace.RESERVED_NAME, "A SHA-256 of the username, so that nobody takes the name. It stays."
        ),
        RemainingData(
            RemainingPlace.SERVER_LOGS, "The id of the user in log lines, as long as the operator keeps them."
        ),
        RemainingData(
            RemainingPlace.BACKUPS, "Everything that backups of the database have, as long as the operator keeps them."
        ),
    ]


def check_managed_alone(keys: Sequence[str]) -> None:
    """Refuse to delete the only active manager of projects.

    Raises:
        LastManager: there are such projects; the message names up to ten of them.
    """
    if keys:
        more = f" and {len(keys) - _MAX_KEYS} more" if len(keys) > _MAX_KEYS else ""
        raise LastManager(
            f"This is the only active manager of {', '.join(keys[:_MAX_KEYS])}{more}: make another member a manager, "
            "or delete the project first.",
            path=("userId",),
        )


def check_choice(user_id: UUID, tasks_to: UUID | None, *, deletes_tasks: bool) -> None:
    """Check that what is to happen with the tasks is not contradictory.

    Raises:
        Invalid: the tasks would go to the user, or would be both transferred and deleted.
    """
    if tasks_to is not None and deletes_tasks:
        raise Invalid("Give transferTasksTo or deleteTasks, not both.", path=_TASKS_PATH)
    if tasks_to == user_id:
        raise Invalid("Name another user: this one is deleted.", path=_TASKS_PATH)


def check_tasks(tasks: int, tasks_to: UUID | None, *, deletes_tasks: bool) -> None:
    """Check that it is said what happens with this number of personal tasks.

    Raises:
        Invalid: there are tasks, and nothing is said.
    """
    if tasks and tasks_to is None and not deletes_tasks:
        raise Invalid(
            f"The user has {tasks:,} personal tasks: name in transferTasksTo who gets them, or set deleteTasks.",
            path=_TASKS_PATH,
        )
