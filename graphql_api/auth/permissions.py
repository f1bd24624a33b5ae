"""The coarse doors: what can be decided before any row is known. The policy decides the rest."""

from typing import Any, ClassVar, Final

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission, PermissionExtension
from strawberry.schema_directive import Location

from asgi.errors import MissingToken
from asgi.request_context import RequestContext
from domain.errors import PermissionDenied
from domain.policy import Action, reach

Info = strawberry.Info[Any, None]


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION], name="public", description="Anybody may ask this, signed in or not."
)
class PublicDirective:
    """Prints as `@public`."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="signedIn",
    description="Whoever is signed in may ask this; else UNAUTHENTICATED.",
)
class SignedInDirective:
    """Prints as `@signedIn`."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="admin",
    description="Only admins may ask this; else UNAUTHENTICATED or FORBIDDEN.",
)
class AdminDirective:
    """Prints as `@admin`."""


class Permission(BasePermission):
    """A permission class that needs nothing but the request's facts."""

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        """True, or the refusal is raised: it says more than False."""
        self.check(info.context.facts)
        return True

    def check(self, facts: RequestContext) -> None:
        """Pass, or say why not.

        Raises:
            Unauthenticated: nobody is signed in, or the token was not accepted.
            PermissionDenied: somebody is, who may not enter here.
        """


class Public(Permission):
    """Open to everybody; written down, so that no field is open by accident."""

    _schema_directive: ClassVar[object] = PublicDirective()


class IsSignedIn(Permission):
    """Open to whoever is signed in."""

    _schema_directive: ClassVar[object] = SignedInDirective()

    def check(self, facts: RequestContext) -> None:
        """Refuse without an identity; why a token was not accepted is said in its own words."""
        if facts.auth_error is not None:
            raise facts.auth_error
        if facts.identity is None:
            raise MissingToken


class IsAdmin(IsSignedIn):
    """Open to those whose role may manage users."""

    _schema_directive: ClassVar[object] = AdminDirective()

    def check(self, facts: RequestContext) -> None:
        """Refuse whoever is no admin."""
        super().check(facts)
        assert facts.identity is not None
        if not reach(facts.identity.actor.role, Action.LIST_USERS):
            raise PermissionDenied("Only admins may do this.")


PUBLIC: Final = Public()
SIGNED_IN: Final = IsSignedIn()
ADMIN: Final = IsAdmin()


def permission_extension(permission: Permission) -> FieldExtension:
    """The extension that guards a field and prints its door into the schema."""
    return PermissionExtension(permissions=[permission])
