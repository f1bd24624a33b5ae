"""Forgotten passwords, and the verification of addresses."""

import strawberry

from graphql_api.auth.permissions import PUBLIC, SESSION
from graphql_api.context import FieldContext
from graphql_api.resolvers.fields import mutation
from graphql_api.schema.email_account import (
    RequestEmailVerificationPayload,
    RequestPasswordResetInput,
    RequestPasswordResetPayload,
    ResetPasswordInput,
    ResetPasswordPayload,
    VerifyEmailInput,
    VerifyEmailPayload,
)


@strawberry.type
class EmailAccountMutations:
    """Fields of Mutation."""

    @mutation(
        PUBLIC,
        "Let a link for a new password be mailed to the address of an account. The answer is the same if there is no "
        "such account. The link is valid for an hour, once.",
    )
    async def request_password_reset(
        self, field: FieldContext, input: RequestPasswordResetInput
    ) -> RequestPasswordResetPayload | None:
        """One call of the links."""
        context = field.context
        await context.backend.email_links.request_password_reset(
            context.request.client, email=input.email, request_id=context.request_id
        )
        return RequestPasswordResetPayload()

    @mutation(
        PUBLIC,
        "Set a new password with a link. All sessions of the user end within a second; personal access tokens stay.",
    )
    async def reset_password(self, field: FieldContext, input: ResetPasswordInput) -> ResetPasswordPayload | None:
        """One call of the links."""
        context = field.context
        await context.backend.email_links.reset_password(
            context.request.client,
            token=input.token,
            new_password=input.new_password,
            request_id=context.request_id,
        )
        return ResetPasswordPayload()

    @mutation(SESSION, "Let a link be mailed to your address, which verifies it. It is valid for an hour, once.")
    async def request_email_verification(self, field: FieldContext) -> RequestEmailVerificationPayload | None:
        """One call of the links."""
        context = field.context
        await context.backend.email_links.request_email_verification(
            context.actor, context.request.client, request_id=context.request_id
        )
        return RequestEmailVerificationPayload()

    @mutation(PUBLIC, "Verify an e-mail address with a link. You need not be signed in.")
    async def verify_email(self, field: FieldContext, input: VerifyEmailInput) -> VerifyEmailPayload | None:
        """One call of the links."""
        context = field.context
        await context.backend.email_links.verify_email(
            context.request.client, token=input.token, request_id=context.request_id
        )
        return VerifyEmailPayload()
