"""The enums of the floors below as clients see them: the same values, each with its description.

Whoever shows one in the schema takes it from here.
"""

from collections.abc import Mapping
from enum import Enum

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from domain.errors import ErrorCode
from domain.events import TaskChange
from domain.task import TaskPriority, TaskStatus
from domain.user import Role
from persistence.queries.task_list import TaskOrder
from streaming.stream_items import ResyncReason

__all__ = ["ErrorCode", "ResyncReason", "Role", "TaskChange", "TaskOrder", "TaskPriority", "TaskStatus"]


def _described(cls: type[Enum], description: str, values: Mapping[str, str]) -> None:
    strawberry.enum(cls, description=description)
    definition: StrawberryEnumDefinition = cls.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[value.name]


_described(
    ErrorCode,
    "Why a rule refused.",
    {
        "NOT_FOUND": "There is no such object, or you may not see it.",
        "FORBIDDEN": "You may see it, but not do this to it.",
        "INVALID": "A value breaks a rule of its field.",
        "INVALID_TRANSITION": "The board has no such move.",
        "CONFLICT": "Somebody changed it since you looked: `expectedVersion` is not the current one.",
        "INVALID_CREDENTIALS": "The name, the password or the token was not accepted.",
        "ALREADY_EXISTS": "The name is taken.",
        "LAST_ADMIN": "The last active admin can be neither demoted nor disabled.",
        "IDEMPOTENCY_MISMATCH": "The idempotency key was used for another request.",
    },
)
_described(
    Role,
    "What a user may do.",
    {
        "USER": "Creates tasks; reads, changes and deletes own ones; reads and moves those assigned to them.",
        "MODERATOR": "The same, and reads and deletes anybody's tasks.",
        "ADMIN": "Everything with anybody's tasks, and manages users.",
    },
)
_described(
    TaskStatus,
    "The columns of the board. "
    "TODO → IN_PROGRESS, DONE, CANCELLED · IN_PROGRESS → TODO, DONE, CANCELLED · DONE → TODO, IN_PROGRESS · "
    "CANCELLED → TODO; staying put is always allowed.",
    {
        "TODO": "Not begun.",
        "IN_PROGRESS": "Somebody is at it.",
        "DONE": "Finished.",
        "CANCELLED": "Will not be done.",
    },
)
_described(
    TaskPriority,
    "How urgent a task is; sorts from LOW to URGENT.",
    {"LOW": "Some day.", "MEDIUM": "As usual.", "HIGH": "Soon.", "URGENT": "Now."},
)
_described(
    TaskOrder,
    "The order of a list of tasks; equals are ordered by id, the same way.",
    {
        "CREATED_ASC": "The oldest first.",
        "CREATED_DESC": "The newest first.",
        "UPDATED_ASC": "The longest untouched first.",
        "UPDATED_DESC": "The last changed first.",
        "DUE_ASC": "The next due first; those without a due date last.",
        "DUE_DESC": "The last due first; those without a due date last.",
        "PRIORITY_ASC": "The least urgent first.",
        "PRIORITY_DESC": "The most urgent first.",
    },
)
_described(
    TaskChange,
    "What a change did to a task.",
    {
        "CREATED": "It was created.",
        "TITLE": "It has another title.",
        "DESCRIPTION": "It has another description.",
        "STATUS": "It moved to another column.",
        "PRIORITY": "It has another priority.",
        "DUE_AT": "It has another due date, or none.",
        "ASSIGNEE": "It was given to somebody else, or to nobody.",
        "DELETED": "It was deleted.",
    },
)
_described(
    ResyncReason,
    "Why a cursor cannot be continued.",
    {
        "TRIMMED": "The events behind it are older than events are kept.",
        "FUTURE": "It lies ahead of the stream: it was taken from another server.",
        "EPOCH": "The history that it counts in was replaced, for example by a restored backup.",
        "ACCESS": "Your rights have changed since: older tasks may have become visible, or have vanished.",
    },
)
