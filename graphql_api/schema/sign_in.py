"""GraphQL types for the ways to sign in, and for accounts at sign-in providers."""

from datetime import datetime
from typing import ClassVar, Self

import strawberry

from domain.identity import MAX_IDENTITIES
from graphql_api.auth.provider_sign_ins import START, ProviderSignIns
from graphql_api.schema.common import Node, Payload
from graphql_api.schema.enums import Registration
from persistence.models import IdentityRow

IDENTITIES_DESCRIPTION = (
    f"Your accounts at sign-in providers, with which you can sign in, the oldest first, at most {MAX_IDENTITIES}. To "
    "link another one, send the browser to the provider's `startPath` with `?link`."
)


@strawberry.type(description="A provider through which users can sign in (OpenID Connect).")
class SignInProvider:
    """A provider."""

    name: str = strawberry.field(description="The name in the settings of the server.")
    label: str = strawberry.field(description="The name for a button.")
    start_path: str = strawberry.field(
        description="Send the browser to this path of the server to sign in. `?return_to=/path` is the path to which "
        "it comes back; it has the refresh token in the cookie then."
    )


@strawberry.type(description="The ways in which users can sign in to this server.")
class SignInOptions:
    """What a page for signing in shows."""

    passwords: bool = strawberry.field(
        description="Whether users can sign in with username and password, register, and change passwords."
    )
    registration: Registration = strawberry.field(
        description="Who may register. Nobody may where `passwords` is false."
    )
    providers: list[SignInProvider] = strawberry.field(description="The providers, in the order in which to show them.")

    @classmethod
    def of(cls, sign_ins: ProviderSignIns | None, *, passwords: bool, registration: Registration) -> Self:
        """The options of a server with these providers."""
        configs = [each.config for each in sign_ins.providers.values()] if sign_ins is not None else []
        providers = [
            SignInProvider(name=each.name, label=each.label, start_path=START.format(each.name)) for each in configs
        ]
        return cls(passwords=passwords, registration=registration, providers=providers)


@strawberry.type(description="Your account at a sign-in provider, with which you can sign in.")
class Identity(Node):
    """An identity."""

    model: ClassVar = IdentityRow
    provider: str = strawberry.field(
        description="The name of the provider; `signInOptions` has its label, if it is still in use."
    )
    account_name: str | None = strawberry.field(
        description="The e-mail address or the name of the account there, as of the last sign-in."
    )
    created_at: datetime = strawberry.field(description="When it was linked.")
    last_used_at: datetime | None = strawberry.field(
        description="When you last signed in with it; null if you have not yet."
    )


@strawberry.input(description="The account at a provider to unlink.")
class UnlinkIdentityInput:
    """Input of `unlinkIdentity`."""

    identity_id: strawberry.ID = strawberry.field(description="The id of one of your `identities`.")


@strawberry.type(description="The result of `unlinkIdentity`.")
class UnlinkIdentityPayload(Payload):
    """Payload of `unlinkIdentity`."""

    unlinked_identity_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the account that is not linked any more."
    )
