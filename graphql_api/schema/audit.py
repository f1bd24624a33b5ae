"""GraphQL types for the audit log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import orjson
import strawberry

from domain.actor import Actor
from graphql_api.schema.connections import connection
from graphql_api.schema.enums import AuditAction, SubjectKind
from graphql_api.schema.ids import encode_id, optional_id_of
from graphql_api.schema.object_fields import RowObject, object_field
from graphql_api.schema.resolves_to import Expression, Reference
from graphql_api.schema.user import User
from graphql_api.schema.viewer import FOR_ALL_USERS
from persistence.models import AuditRow
from persistence.queries.audit import AuditFilter

_TYPES = {
    SubjectKind.USER: "User",
    SubjectKind.SESSION: "Session",
    SubjectKind.ACCESS_TOKEN: "AccessToken",
    SubjectKind.PROJECT: "Project",
    SubjectKind.INVITATION: "Invitation",
}


def _entry_id(_: Actor, entry_id: UUID) -> strawberry.ID:
    return encode_id("AuditEntry", entry_id)


def _subject_id(_: Actor, kind: SubjectKind | None, subject_id: UUID | None) -> strawberry.ID | None:
    return encode_id(_TYPES[kind], subject_id) if kind is not None and subject_id is not None else None


def _details(_: Actor, details: Mapping[str, Any] | str) -> str:
    # The general executor has a row, and the compiled one the text that the driver returns for JSON.
    decoded = orjson.loads(details) if isinstance(details, str) else details
    return orjson.dumps(decoded, option=orjson.OPT_SORT_KEYS).decode()


@strawberry.type(description="An entry of the audit log: who changed access, or tried to. Entries cannot be changed.")
class AuditEntry(RowObject):
    """An entry."""

    model: ClassVar = AuditRow
    at: datetime = strawberry.field(description="When it was done; if it was done several times, the first time.")
    last_at: datetime | None = strawberry.field(
        description="When it was done the last time, if equal events of an hour are counted together; else null."
    )
    times: int = strawberry.field(description="How often it was done.")
    action: AuditAction = strawberry.field(description="What was done.")
    actor_name: str | None = strawberry.field(
        description="The username of the actor at that time. Null without a user, or the server did it itself."
    )
    ip_address: str | None = strawberry.field(
        description="The address of the client. Of failures, an IPv6 address is its /64 network. Null for commands, "
        "for the server itself, and for failures from many addresses."
    )
    subject_kind: SubjectKind | None = strawberry.field(description="The kind of object to which it was done.")
    subject_name: str | None = strawberry.field(
        description="The username or the key of the project at that time; of a session, the username. Null for an "
        "unknown username: the text is not stored, because it may be a password."
    )

    id = object_field(FOR_ALL_USERS, "An opaque id. `node` does not find it.", Expression(_entry_id, ("id",)))
    actor = object_field(
        FOR_ALL_USERS,
        "The user who did it. Null without a user, for the operator, and if the user does not exist any more.",
        Reference(User, "actor", "actor_id"),
    )
    subject_id = object_field(
        FOR_ALL_USERS,
        "The id of the object to which it was done. The object may not exist any more.",
        Expression(_subject_id, ("subject_kind", "subject_id")),
    )
    details = object_field(
        FOR_ALL_USERS,
        "What else is known, as the text of a JSON object. Control characters in its texts are escaped.",
        Expression(_details, ("details",)),
    )


AuditEntryConnection = connection(
    AuditEntry,
    "AuditEntry",
    "A page of the audit log, the newest entry first.",
    edge="An entry in the audit log.",
    item="entry",
    place="audit log",
)


@strawberry.input(
    name="AuditFilter",
    description="Selects entries of the audit log. An entry must match every field that you give. A field that is null "
    "or left out matches every entry.",
)
class AuditFilterInput:
    """A filter."""

    actor_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the user who did it.")
    action: AuditAction | None = strawberry.field(default=None, description="What was done.")
    from_: datetime | None = strawberry.field(default=None, name="from", description="At this time or later.")
    to: datetime | None = strawberry.field(default=None, description="Before this time.")

    def to_filter(self) -> AuditFilter:
        """Convert to the filter of the `persistence` package.

        Raises:
            BadRequest: the id is malformed.
        """
        actor_id = optional_id_of("User", self.actor_id, field="actorId")
        return AuditFilter(actor_id, self.action, self.from_, self.to)
