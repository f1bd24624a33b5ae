"""The enums of the lower layers with descriptions for the GraphQL schema.

Modules that use an enum in the schema import it from here.
"""

from collections.abc import Mapping
from enum import Enum

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from domain.access_token import Scope
from domain.audit import AuditAction, SubjectKind
from domain.comment import CommentChange
from domain.errors import ErrorCode
from domain.events import ProjectChange, TaskChange
from domain.project import ProjectRole
from domain.registration import Registration
from domain.task import TaskPriority, TaskStatus
from domain.user import Role, UserKind
from domain.user_deletion import RemainingPlace
from persistence.queries.task_list import TaskOrder
from streaming.stream_items import ResyncReason

__all__ = [
    "AuditAction",
    "CommentChange",
    "ErrorCode",
    "ProjectChange",
    "ProjectRole",
    "Registration",
    "RemainingPlace",
    "ResyncReason",
    "Role",
    "Scope",
    "SubjectKind",
    "TaskChange",
    "TaskOrder",
    "TaskPriority",
    "TaskStatus",
    "UserKind",
]


def _described(cls: type[Enum], description: str, values: Mapping[str, str], *, name: str | None = None) -> None:
    strawberry.enum(cls, name=name, description=description)
    definition: StrawberryEnumDefinition = cls.__strawberry_definition__  # type: ignore[attr-defined]  # added by strawberry.enum
    for value in definition.values:
        value.description = values[value.name]


_described(
    ErrorCode,
    "Why a mutation did not make the change.",
    {
        "NOT_FOUND": "The object does not exist, or you may not see it.",
        "FORBIDDEN": "You may see the object, but you may not make this change.",
        "INVALID": "A value breaks a rule of its field.",
        "INVALID_TRANSITION": "The task cannot change from its current status to this status.",
        "CONFLICT": "The object has changed since you read it: `expectedVersion` is not its current version.",
        "INVALID_CREDENTIALS": "The username, the password or the token is wrong.",
        "ALREADY_EXISTS": "The username, e-mail address or key is already in use, or the user is a member already.",
        "LAST_ADMIN": "The last active admin cannot lose the admin role, and cannot be disabled or deleted.",
        "LAST_MANAGER": "The last active manager of a project cannot lose this role, leave, or be deleted.",
        "IDEMPOTENCY_MISMATCH": "The idempotency key was already used for a different request.",
    },
)
_described(
    RemainingPlace,
    "A place in which personal data remain after the deletion of a user.",
    {
        "AUDIT_LOG": "The audit log.",
        "EVENT_LOG": "The log of events, which is the history of tasks and what subscriptions replay.",
        "TASKS": "Tasks and comments.",
        "TRASH": "Deleted tasks that can be restored.",
        "RESERVED_NAME": "The list of names that no new user can have.",
        "SERVER_LOGS": "The log lines of the server.",
        "BACKUPS": "Backups of the database.",
    },
    name="RemainingDataPlace",
)
_described(
    Role,
    "The role of a user. It decides what the user may do.",
    {
        "USER": "Creates tasks. Reads, changes and deletes their own tasks. "
        "Reads the tasks that are assigned to them and changes their status.",
        "MODERATOR": "The rights of USER, and reads and deletes the tasks of all users. Reads all projects.",
        "ADMIN": "All rights for the tasks of all users and for all projects, and manages users.",
    },
)
_described(
    Registration,
    "Who may register.",
    {
        "OPEN": "Everyone.",
        "INVITE": "Only those who have an invitation.",
        "CLOSED": "Nobody.",
    },
)
_described(
    UserKind,
    "What a user is.",
    {
        "HUMAN": "A person, who signs in.",
        "SERVICE": "A service account: a program, which has personal access tokens only.",
    },
)
_described(
    ProjectRole,
    "The role of a member of a project. It decides what the member may do in the project.",
    {
        "VIEWER": "Reads the project and its members.",
        "MEMBER": "The rights of VIEWER.",
        "MANAGER": "The rights of MEMBER. Changes, archives and deletes the project, and manages its members.",
    },
)
_described(
    TaskStatus,
    "The status of a task: its column on the board. Allowed changes: "
    "TODO → IN_PROGRESS, DONE, CANCELLED · IN_PROGRESS → TODO, DONE, CANCELLED · DONE → TODO, IN_PROGRESS · "
    "CANCELLED → TODO. Setting the current status again is always allowed.",
    {
        "TODO": "Not started.",
        "IN_PROGRESS": "In progress.",
        "DONE": "Finished.",
        "CANCELLED": "Will not be done.",
    },
)
_described(
    TaskPriority,
    "The priority of a task. LOW sorts before URGENT.",
    {"LOW": "Low priority.", "MEDIUM": "Normal priority; the default.", "HIGH": "High priority.", "URGENT": "Urgent."},
)
_described(
    TaskOrder,
    "The order of a list of tasks. Tasks with equal values are sorted by id, in the same direction.",
    {
        "CREATED_ASC": "Oldest first.",
        "CREATED_DESC": "Newest first.",
        "UPDATED_ASC": "Least recently changed first.",
        "UPDATED_DESC": "Most recently changed first.",
        "DUE_ASC": "Earliest due date first; tasks without a due date last.",
        "DUE_DESC": "Latest due date first; tasks without a due date last.",
        "PRIORITY_ASC": "Lowest priority first.",
        "PRIORITY_DESC": "Highest priority first.",
        "RANK": "The manual order of one project; it needs a `projectId` in the filter.",
    },
)
_described(
    TaskChange,
    "What was changed in a task.",
    {
        "CREATED": "The task was created.",
        "TITLE": "The title was changed.",
        "DESCRIPTION": "The description was changed.",
        "STATUS": "The status was changed.",
        "PRIORITY": "The priority was changed.",
        "DUE_AT": "The due date was changed or removed.",
        "OWNER": "The task got another owner, because its owner was deleted.",
        "ASSIGNEE": "The task was assigned to another user, or the assignee was removed.",
        "LABELS": "Labels were added or removed.",
        "RANK": "The task was placed elsewhere in the manual order of its project.",
        "PARENT": "The task became a subtask, or a subtask of another task, or no subtask any more.",
        "PROJECT": "The task was moved to another project, or out of one.",
        "RESTORED": "The deleted task was restored.",
        "DELETED": "The task was deleted.",
    },
)
_described(
    ProjectChange,
    "What was changed in a project.",
    {
        "CREATED": "The project was created.",
        "UPDATED": "The key, the name or the description was changed.",
        "ARCHIVED": "The project was archived.",
        "REOPENED": "The archived project was made active again.",
        "LABEL_CREATED": "A label was created.",
        "LABEL_UPDATED": "A label was changed.",
        "LABEL_DELETED": "A label was deleted. Its tasks have lost it.",
        "RANKS": "Ranks of tasks were replaced by shorter ones. The order of the tasks is the same: load the ranks "
        "again.",
        "DELETED": "The project was deleted, with its tasks.",
    },
)
_described(
    CommentChange,
    "What was done with a comment.",
    {
        "CREATED": "The comment was written.",
        "UPDATED": "The text was changed.",
        "DELETED": "The comment was deleted.",
    },
)
_described(
    ResyncReason,
    "Why the stream cannot continue from a cursor.",
    {
        "TRIMMED": "Events after the cursor are older than the time for which events are stored.",
        "FUTURE": "The cursor is ahead of the stream: it comes from another server.",
        "EPOCH": "The event history was replaced, for example because a backup was restored.",
        "ACCESS": "Your rights have changed since: you may see tasks that you could not see before, or lose some.",
    },
)

_described(
    Scope,
    "What a personal access token may be used for. A token never has more rights than its user.",
    {
        "TASKS_READ": "`tasks:read`: read tasks, comments, projects and their members, live too.",
        "TASKS_WRITE": "`tasks:write`: change tasks and comments. It includes `TASKS_READ`.",
        "PROJECTS_MANAGE": "`projects:manage`: create, change, archive and delete projects, and manage their members "
        "and labels. It includes `TASKS_READ`.",
        "ACCOUNT": "`account`: see the own e-mail address, and list and end the own sessions.",
        "ADMIN": "`admin`: what the role MODERATOR or ADMIN adds. A token without it acts with the role USER.",
    },
    name="TokenScope",
)
_described(
    AuditAction,
    "What was done, in the audit log.",
    {
        "SIGNED_IN": "A user signed in, and a session began.",
        "SIGN_IN_FAILED": "Sign-ins with a wrong password or an unknown username. `times` is their number in this "
        "hour.",
        "SIGNED_OUT": "A user signed out, and the session ended.",
        "SIGNED_OUT_EVERYWHERE": "A user ended all their sessions.",
        "SESSION_REVOKED": "A user ended another session, or had too many: then the oldest ended.",
        "TOKEN_REUSED": "A refresh token was used again, so it may be stolen. Its session ended.",
        "PASSWORD_CHANGED": "A user changed their password. Their other sessions ended.",
        "PASSWORD_CHANGE_FAILED": "Password changes with a wrong current password. `times` is their number in this "
        "hour.",
        "USER_CREATED": "A user registered, or was created by the operator.",
        "ROLE_CHANGED": "A user was given another role.",
        "USER_ENABLED": "A disabled user was enabled.",
        "USER_DELETED": "A user was deleted.",
        "USER_DISABLED": "A user was disabled. Their sessions ended.",
        "ACCESS_TOKEN_CREATED": "A personal access token was created.",
        "ACCESS_TOKEN_REVOKED": "A personal access token was revoked.",
        "IDENTITY_LINKED": "An account at a sign-in provider was linked to a user.",
        "IDENTITY_UNLINKED": "An account at a sign-in provider was unlinked from a user.",
        "PROJECT_CREATED": "A project was created. The actor is its manager.",
        "PROJECT_ARCHIVED": "A project was archived.",
        "PROJECT_REOPENED": "An archived project was made active again.",
        "PROJECT_DELETED": "A project was deleted, with its tasks.",
        "MEMBER_ADDED": "A user was added to a project.",
        "MEMBER_ROLE_CHANGED": "A member of a project was given another role.",
        "MEMBER_REMOVED": "A member was removed from a project.",
        "MEMBER_LEFT": "A member left a project.",
        "EXPORT_STARTED": "The operator started an export of the tasks that a user may see.",
        "IMPORT_STARTED": "The operator started an import in the name of a user.",
        "DOCUMENTS_ADDED": "The operator added trusted documents of a client.",
        "DOCUMENTS_REMOVED": "The operator removed trusted documents of a client.",
        "AUDIT_EXPORTED": "The operator printed the audit log.",
        "SERVER_STARTED": "Processes started. `times` is their number in this hour. The details are the settings that "
        "are not the defaults, without secrets.",
        "CLEANED_UP": "The clean-up removed what was older than the times in the details.",
        "INVITATION_CREATED": "A person was invited, to a project if the details have one.",
        "INVITATION_REVOKED": "An invitation was deleted.",
        "INVITATION_ACCEPTED": "An invitation was used. The actor is the user who has accepted it.",
        "PASSWORD_RESET": "A user set a new password with a link from a mail. Their sessions ended.",
        "EMAIL_VERIFIED": "A user verified their e-mail address with a link from a mail.",
        "RECOVERY_CREATED": "The operator created a code with which a user can sign in once.",
        "RECOVERY_USED": "Such a code was used. The next entry is the session.",
    },
)
_described(
    SubjectKind,
    "The kind of object to which something was done.",
    {
        "USER": "A user.",
        "SESSION": "A session of a user.",
        "ACCESS_TOKEN": "A personal access token of a user.",
        "PROJECT": "A project.",
        "INVITATION": "An invitation. Its address is not in the log.",
    },
)
