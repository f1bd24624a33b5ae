"""GraphQL types for forgotten passwords and the verification of addresses."""

import strawberry

from graphql_api.schema.common import Payload

_TOKEN = "The text after `#token=` in the link."  # noqa: S105 - a description


@strawberry.input(description="The address of your account.")
class RequestPasswordResetInput:
    """Input of `requestPasswordReset`."""

    email: str = strawberry.field(description="The e-mail address of the account.")


@strawberry.type(description="The result of `requestPasswordReset`. It is the same whether there is such an account.")
class RequestPasswordResetPayload(Payload):
    """Payload of `requestPasswordReset`."""


@strawberry.input(description="A new password.")
class ResetPasswordInput:
    """Input of `resetPassword`."""

    token: str = strawberry.field(description=_TOKEN)
    new_password: str = strawberry.field(description="The new password. The rules are the same as for `register`.")


@strawberry.type(description="The result of `resetPassword`. Nobody is signed in: use `login`.")
class ResetPasswordPayload(Payload):
    """Payload of `resetPassword`."""


@strawberry.type(description="The result of `requestEmailVerification`.")
class RequestEmailVerificationPayload(Payload):
    """Payload of `requestEmailVerification`."""


@strawberry.input(description="The token of a link that verifies an address.")
class VerifyEmailInput:
    """Input of `verifyEmail`."""

    token: str = strawberry.field(description=_TOKEN)


@strawberry.type(description="The result of `verifyEmail`.")
class VerifyEmailPayload(Payload):
    """Payload of `verifyEmail`."""
