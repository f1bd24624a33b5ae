"""Permissions of fields: checks that need no row. `domain/policy.py` decides what needs the row."""

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
    locations=[Location.FIELD_DEFINITION], name="public", description="Available to all clients, signed in or not."
)
class PublicDirective:
    """Prints as `@public`."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="signedIn",
    description="Available to users who are signed in. For others the error code is UNAUTHENTICATED.",
)
class SignedInDirective:
    """Prints as `@signedIn`."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="admin",
    description="Available to admins. For others the error code is UNAUTHENTICATED or FORBIDDEN.",
)
class AdminDirective:
    """Prints as `@admin`."""


class Permission(BasePermission):
    """A permission that depends only on the request."""

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        """Return True or raise an error. An error says more than False would."""
        self.check(info.context.request)
        return True

    def check(self, request: RequestContext) -> None:
        """Check the request.

        Raises:
            Unauthenticated: the request has no token, or its token is not valid.
            PermissionDenied: the user does not have the permission.
        """


class Public(Permission):
    """No restriction. Every field must declare a permission, so that none is public by accident."""

    _schema_directive: ClassVar[object] = PublicDirective()


class IsSignedIn(Permission):
    """The client must be signed in."""

    _schema_directive: ClassVar[object] = SignedInDirective()

    def check(self, request: RequestContext) -> None:
        """Raise the error of the authentication, if it failed, or `MissingToken` without a token."""
        if request.auth_error is not None:
            raise request.auth_error
        if request.identity is None:
            raise MissingToken


class IsAdmin(IsSignedIn):
    """The user must have a role that may manage users."""

    _schema_directive: ClassVar[object] = AdminDirective()

    def check(self, request: RequestContext) -> None:
        """Raise an error if the user is not an admin."""
        super().check(request)
        assert request.identity is not None
        if not reach(request.identity.actor.role, Action.LIST_USERS):
            raise PermissionDenied("Only admins may do this.")


PUBLIC: Final = Public()
SIGNED_IN: Final = IsSignedIn()
ADMIN: Final = IsAdmin()


def permission_extension(permission: Permission) -> FieldExtension:
    """The field extension that checks a permission, and prints its directive in the schema."""
    return PermissionExtension(permissions=[permission])
