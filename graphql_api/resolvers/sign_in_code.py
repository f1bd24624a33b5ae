"""Mutations for signing in through a browser."""

import strawberry

from graphql_api.auth.permissions import PUBLIC, SESSION
from graphql_api.context import FieldContext
from graphql_api.resolvers.fields import mutation
from graphql_api.schema.sign_in_code import (
    CreateSignInCodeInput,
    CreateSignInCodePayload,
    ExchangeSignInCodeInput,
    ExchangeSignInCodePayload,
)
from graphql_api.schema.user import current_user
from services import sign_in_code as sign_in_code_service


@strawberry.type
class SignInCodeMutations:
    """Fields of Mutation."""

    @mutation(
        SESSION,
        "Let a program on the machine of your browser sign in as you. Its code works once, within a minute; a session "
        "has one code at a time. The page `/account/cli` uses this after the user has confirmed it.",
    )
    async def create_sign_in_code(
        self, field: FieldContext, input: CreateSignInCodeInput
    ) -> CreateSignInCodePayload | None:
        """One service call."""
        context = field.context
        created = await sign_in_code_service.create_sign_in_code(
            context.unit_of_work(), challenge=input.code_challenge, port=input.port, client_name=input.client_name
        )
        context.request.carries_secret = True
        return CreateSignInCodePayload(code=created.code, expires_at=created.expires_at)

    @mutation(
        PUBLIC, "Sign in with a code from `createSignInCode`. A failed attempt uses up the code.", viewer=current_user
    )
    async def exchange_sign_in_code(
        self, field: FieldContext, input: ExchangeSignInCodeInput
    ) -> ExchangeSignInCodePayload | None:
        """One call of the accounts."""
        context = field.context
        signed_in = await context.backend.accounts.exchange_code(
            context.request.client,
            code=input.code,
            verifier=input.code_verifier,
            port=input.port,
            request_id=context.request_id,
        )
        context.request.carries_secret = True
        return ExchangeSignInCodePayload.of(
            signed_in, return_refresh_token=True, creation=context.backend.project_creation
        )
