"""Permissions of fields: the access rules of root fields, and the directives that show them in the schema."""

from typing import Any, Final

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission, PermissionExtension
from strawberry.schema_directive import Location

from domain.access_token import Scope
from graphql_api.auth import access_rules
from graphql_api.auth.access_rules import AccessRule, SignedInRule

Info = strawberry.Info[Any, None]


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION], name="public", description="Available to all clients, signed in or not."
)
class PublicDirective:
    """Prints as `@public`."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="signedIn",
    description="Available to users who are signed in. For others the error code is UNAUTHENTICATED. A personal access "
    "token needs the scope; without one, every token will do. A token without it gets FORBIDDEN.",
)
class SignedInDirective:
    """Prints as `@signedIn(scope: TASKS_READ)`."""

    scope: Scope | None = strawberry.UNSET


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="session",
    description="Available to users who are signed in with their password, and to no personal access token. For others "
    "the error code is UNAUTHENTICATED, for tokens FORBIDDEN.",
)
class SessionDirective:
    """Prints as `@session`."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="admin",
    description="Available to admins. For others the error code is UNAUTHENTICATED or FORBIDDEN. A personal access "
    "token needs the scope.",
)
class AdminDirective:
    """Prints as `@admin(scope: ADMIN)`."""

    scope: Scope | None = strawberry.UNSET


class Permission(BasePermission):
    """A permission that depends only on the request, with the directive that shows it."""

    def __init__(self, rule: AccessRule, directive: object) -> None:
        self.rule = rule
        self.check = rule.check
        self._directive = directive

    @property
    def schema_directive(self) -> object:
        """The directive of the field."""
        return self._directive

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        """Return True or raise an error. An error says more than False would."""
        self.check(info.context.request)
        return True


def _signed_in(rule: SignedInRule) -> Permission:
    return Permission(rule, SignedInDirective(scope=next(iter(rule.needed))))


# Every field must declare a permission, so that none is public by accident.
PUBLIC: Final = Permission(access_rules.PUBLIC, PublicDirective())
SIGNED_IN: Final = Permission(access_rules.SIGNED_IN, SignedInDirective())
SESSION: Final = Permission(access_rules.SESSION, SessionDirective())
TASKS_READ: Final = _signed_in(access_rules.TASKS_READ)
TASKS_WRITE: Final = _signed_in(access_rules.TASKS_WRITE)
PROJECTS_MANAGE: Final = _signed_in(access_rules.PROJECTS_MANAGE)
ACCOUNT: Final = _signed_in(access_rules.ACCOUNT)
ADMIN: Final = Permission(access_rules.ADMIN, AdminDirective(scope=Scope.ADMIN))


def permission_extension(permission: Permission) -> FieldExtension:
    """The field extension that checks a permission, and prints its directive in the schema."""
    return PermissionExtension(permissions=[permission])
