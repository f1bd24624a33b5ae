"""All mapped tables; importing this package completes `Base.metadata`."""

from persistence.models.access_token import AccessTokenRow
from persistence.models.audit import AuditRow
from persistence.models.base import Base
from persistence.models.comment import CommentRow
from persistence.models.event import EVENT_HEAD, EventFloorRow, EventRow, LogStateRow, TaskHistoryRow
from persistence.models.idempotency import IdempotencyRow
from persistence.models.identity import IdentityRow, SingleUseRow
from persistence.models.invitation import InvitationRow
from persistence.models.label import LabelRow
from persistence.models.mail import LinkTokenRow, MailRow
from persistence.models.membership import MembershipRow, membership_id
from persistence.models.project import ProjectKeyRow, ProjectRow, VisibleProjectRow
from persistence.models.session import SessionRow, UsedTokenRow
from persistence.models.sign_in_code import SignInCodeRow
from persistence.models.task import TaskCounterRow, TaskKeyRow, TaskRow, VisibleTaskRow
from persistence.models.task_text import SEARCH_KEYS, TaskTextRow, search_keys
from persistence.models.trash import TrashRow, VisibleTrashRow
from persistence.models.trusted_document import TrustedDocumentRow
from persistence.models.user import UserRow
from persistence.models.user_deletion import ReservedNameRow, UserDeletionRow

__all__ = [
    "EVENT_HEAD",
    "SEARCH_KEYS",
    "AccessTokenRow",
    "AuditRow",
    "Base",
    "CommentRow",
    "EventFloorRow",
    "EventRow",
    "IdempotencyRow",
    "IdentityRow",
    "InvitationRow",
    "LabelRow",
    "LinkTokenRow",
    "LogStateRow",
    "MailRow",
    "MembershipRow",
    "ProjectKeyRow",
    "ProjectRow",
    "ReservedNameRow",
    "SessionRow",
    "SignInCodeRow",
    "SingleUseRow",
    "TaskCounterRow",
    "TaskHistoryRow",
    "TaskKeyRow",
    "TaskRow",
    "TaskTextRow",
    "TrashRow",
    "TrustedDocumentRow",
    "UsedTokenRow",
    "UserDeletionRow",
    "UserRow",
    "VisibleProjectRow",
    "VisibleTaskRow",
    "VisibleTrashRow",
    "membership_id",
    "search_keys",
]
