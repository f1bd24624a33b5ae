"""GraphQL types for signing in through a browser."""

from datetime import datetime

import strawberry

from graphql_api.schema.common import Payload
from graphql_api.schema.session import Tokens


@strawberry.input(description="A program that asks to sign in through the browser of a user.")
class CreateSignInCodeInput:
    """Input of `createSignInCode`."""

    code_challenge: str = strawberry.field(
        description="The SHA-256 of the program's secret in base64url: PKCE with the method S256 (RFC 7636)."
    )
    port: int = strawberry.field(description="The port of 127.0.0.1 at which the program listens, 1 to 65535.")
    client_name: str = strawberry.field(
        description="What the program calls itself and its machine: 1 to 100 characters."
    )


@strawberry.type(description="The result of `createSignInCode`.")
class CreateSignInCodePayload(Payload):
    """Payload of `createSignInCode`."""

    code: str | None = strawberry.field(
        default=None, description="The code for the program. It can be used once, with the program's secret."
    )
    expires_at: datetime | None = strawberry.field(default=None, description="When the code expires.")


@strawberry.input(description="A sign-in code, and the secret of the program for which it was created.")
class ExchangeSignInCodeInput:
    """Input of `exchangeSignInCode`."""

    code: str = strawberry.field(description="The code from `createSignInCode`.")
    code_verifier: str = strawberry.field(description="The program's secret, 43 to 128 characters (RFC 7636).")
    port: int = strawberry.field(description="The port at which the program listened.")


@strawberry.type(description="The result of `exchangeSignInCode`. The refresh token is always in the payload.")
class ExchangeSignInCodePayload(Tokens):
    """Payload of `exchangeSignInCode`."""
