"""Invitations: created, listed, revoked and accepted."""

from typing import Annotated

import strawberry

from domain.actor import Actor
from graphql_api.auth.permissions import SESSION
from graphql_api.context import FieldContext
from graphql_api.resolvers.fields import mutation, query
from graphql_api.schema.common import After, Before, First, Last
from graphql_api.schema.ids import decode_id_of, encode_id, optional_id_of
from graphql_api.schema.invitation import (
    CREATE_DESCRIPTION,
    INVITATIONS_DESCRIPTION,
    AcceptInvitationInput,
    AcceptInvitationPayload,
    CreateInvitationInput,
    CreateInvitationPayload,
    Invitation,
    InvitationConnection,
    RevokeInvitationInput,
    RevokeInvitationPayload,
)
from graphql_api.schema.membership import Membership
from graphql_api.schema.resolves_to import Connection
from persistence.pagination import PageRequest, Part
from persistence.queries import invitation as reads
from persistence.queries.query import Paged
from services import invitation as invitation_service

OfProject = Annotated[
    strawberry.ID | None, strawberry.argument(description="The id of a project. Null or left out: of all.")
]


def _invitations(
    actor: Actor,
    parts: frozenset[Part],
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    project_id: OfProject = None,
) -> Paged:
    request = PageRequest.of(first, after, last, before, order=reads.INVITATION_ORDER, parts=parts)
    return reads.invitation_page(actor, request, project_id=optional_id_of("Project", project_id, field="projectId"))


@strawberry.type
class InvitationQueries:
    """Fields of Query."""

    invitations = query(SESSION, INVITATIONS_DESCRIPTION, Connection(InvitationConnection, _invitations, nullable=True))


@strawberry.type
class InvitationMutations:
    """Fields of Mutation."""

    @mutation(SESSION, CREATE_DESCRIPTION)
    async def create_invitation(
        self, field: FieldContext, input: CreateInvitationInput
    ) -> CreateInvitationPayload | None:
        """One call of the links."""
        context = field.context
        created = await context.backend.email_links.invite(
            context.actor,
            context.request.client,
            email=input.email,
            role=input.role,
            project_id=optional_id_of("Project", input.project_id, field="projectId"),
            project_role=input.project_role,
            request_id=context.request_id,
        )
        context.request.carries_secret = created.link is not None
        return CreateInvitationPayload(invitation=Invitation.of(created.row), link=created.link)

    @mutation(SESSION, "Delete an invitation. Its link has no effect any more.")
    async def revoke_invitation(
        self, field: FieldContext, input: RevokeInvitationInput
    ) -> RevokeInvitationPayload | None:
        """One service call."""
        invitation_id = await invitation_service.revoke_invitation(
            field.context.unit_of_work(),
            invitation_id=decode_id_of("Invitation", input.invitation_id, field="invitationId"),
        )
        return RevokeInvitationPayload(revoked_invitation_id=encode_id("Invitation", invitation_id))

    @mutation(SESSION, "Join the project of an invitation to your address. To create an account use `register`.")
    async def accept_invitation(
        self, field: FieldContext, input: AcceptInvitationInput
    ) -> AcceptInvitationPayload | None:
        """One call of the links."""
        context = field.context
        row = await context.backend.email_links.accept(
            context.actor, context.request.client, token=input.token, request_id=context.request_id
        )
        return AcceptInvitationPayload(membership=Membership.of(row))
