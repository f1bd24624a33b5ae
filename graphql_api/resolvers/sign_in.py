"""The ways to sign in, and accounts at sign-in providers: listed and unlinked."""

from uuid import UUID

import strawberry

from domain.actor import Actor
from domain.identity import MAX_IDENTITIES
from domain.policy import Action, may_user
from graphql_api.auth.permissions import PUBLIC, SESSION, permission_extension
from graphql_api.context import FieldContext
from graphql_api.resolvers.fields import mutation, query
from graphql_api.schema.fields import resolver
from graphql_api.schema.ids import decode_id_of, encode_id
from graphql_api.schema.resolves_to import Many
from graphql_api.schema.sign_in import (
    IDENTITIES_DESCRIPTION,
    Identity,
    SignInOptions,
    UnlinkIdentityInput,
    UnlinkIdentityPayload,
)
from graphql_api.schema.viewer import FOR_ALL_USERS
from persistence.queries import identity as reads
from persistence.queries.query import Query
from services import identity as identity_service


def own_identities(actor: Actor | None, _: list[UUID] | None = None) -> Query:
    """The actor's own; none with a personal access token."""
    assert actor is not None
    at_most = MAX_IDENTITIES if may_user(actor, Action.MANAGE_IDENTITIES, actor.user_id) else 0
    return reads.identities(actor.user_id, at_most=at_most)


def _own(actor: Actor) -> Query:
    return own_identities(actor)


def _sign_in_options(self: object, field: FieldContext) -> SignInOptions:
    backend = field.context.backend
    return SignInOptions.of(backend.sign_ins, passwords=backend.passwords, registration=backend.accounts.registration)


@strawberry.type
class SignInQueries:
    """Fields of Query."""

    sign_in_options: SignInOptions = strawberry.field(
        resolver=resolver(_sign_in_options),
        description="The ways in which users can sign in to this server, for a page with a form and buttons.",
        extensions=[permission_extension(PUBLIC)],
        metadata=FOR_ALL_USERS,
    )
    identities = query(SESSION, IDENTITIES_DESCRIPTION, Many(Identity, _own))


@strawberry.type
class SignInMutations:
    """Fields of Mutation."""

    @mutation(
        SESSION,
        "Unlink one of your accounts at sign-in providers, and end your other sessions through it. The only way to "
        "sign in cannot be unlinked.",
    )
    async def unlink_identity(self, field: FieldContext, input: UnlinkIdentityInput) -> UnlinkIdentityPayload | None:
        """One service call."""
        context, backend = field.context, field.context.backend
        identity_id = await identity_service.unlink_identity(
            context.unit_of_work(),
            identity_id=decode_id_of("Identity", input.identity_id, field="identityId"),
            passwords=backend.passwords,
            issuers=backend.sign_ins.issuers if backend.sign_ins is not None else (),
        )
        return UnlinkIdentityPayload(unlinked_identity_id=encode_id("Identity", identity_id))
