"""Queries of the audit log."""

from typing import Annotated

import strawberry

from domain import policy
from domain.actor import Actor
from domain.policy import Action
from graphql_api.auth.permissions import ADMIN
from graphql_api.resolvers.fields import query
from graphql_api.schema.audit import AuditEntryConnection, AuditFilterInput
from graphql_api.schema.common import After, Before, First, Last
from graphql_api.schema.resolves_to import Connection
from persistence.pagination import PageRequest, Part
from persistence.queries import audit as reads
from persistence.queries.query import Paged

Filter = Annotated[
    AuditFilterInput | None, strawberry.argument(description="The entries to return. Null or left out: all.")
]


def _audit_log(
    actor: Actor,
    parts: frozenset[Part],
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,
) -> Paged:
    policy.require_user(actor, Action.READ_AUDIT, actor.user_id, path=())
    request = PageRequest.of(first, after, last, before, order=reads.AUDIT_ORDER, parts=parts)
    return reads.audit_page(request, filter.to_filter() if filter is not None else reads.ALL_ENTRIES)


@strawberry.type
class AuditQueries:
    """Fields of Query."""

    audit_log = query(
        ADMIN,
        "Who changed access, or tried to, the newest entry first. Entries are removed after some time, which the "
        "operator sets (AUDIT_DAYS).",
        Connection(AuditEntryConnection, _audit_log, nullable=True),
    )
