"""Who may use an operation, before any row is read: users who are signed in, admins, and tokens with a scope.

The fields of the GraphQL API and the operations of the REST API declare the same rules. `domain/policy.py` decides what
needs the row.
"""

from dataclasses import dataclass
from typing import Final

from asgi.errors import MissingToken
from asgi.request_context import RequestContext
from domain.access_token import ANY_SCOPE, NO_TOKEN, MissingScope, Scope
from domain.actor import Actor
from domain.errors import PermissionDenied
from domain.policy import SCOPES, Action, reach_of


@dataclass(frozen=True, slots=True)
class AccessRule:
    """A rule that depends only on the request; this one permits everything."""

    def check(self, request: RequestContext) -> None:
        """Check the request.

        Raises:
            Unauthenticated: the request has no token, or its token is not valid.
            PermissionDenied: the user does not have the permission.
        """


@dataclass(frozen=True, slots=True)
class SignedInRule(AccessRule):
    """The client must be signed in. A personal access token must have one of the scopes in `needed`."""

    needed: frozenset[Scope]

    def check(self, request: RequestContext) -> None:
        """Raise the error of the authentication, if it failed; `MissingToken` without a token; else `MissingScope`."""
        if request.auth_error is not None:
            raise request.auth_error
        if request.identity is None:
            raise MissingToken
        self.check_scopes(request.identity.actor)

    def check_scopes(self, actor: Actor) -> None:
        """Check the scopes of the actor's token, if it has one.

        Raises:
            MissingScope: the token has none of the needed scopes.
        """
        if actor.scopes is not None and actor.scopes.isdisjoint(self.needed):
            raise MissingScope(self.needed)


@dataclass(frozen=True, slots=True)
class AdminRule(SignedInRule):
    """The user must have a role that may manage users."""

    def check(self, request: RequestContext) -> None:
        """Raise an error if the user is not an admin."""
        SignedInRule.check(self, request)
        assert request.identity is not None
        if not reach_of(request.identity.actor, Action.LIST_USERS):
            raise PermissionDenied("Only admins may do this.")


PUBLIC: Final = AccessRule()
SIGNED_IN: Final = SignedInRule(ANY_SCOPE)
"""Every personal access token will do. What the result contains depends on its scopes."""
SESSION: Final = SignedInRule(NO_TOKEN)
TASKS_READ: Final = SignedInRule(frozenset({Scope.TASKS_READ}))
TASKS_WRITE: Final = SignedInRule(frozenset({Scope.TASKS_WRITE}))
PROJECTS_MANAGE: Final = SignedInRule(frozenset({Scope.PROJECTS_MANAGE}))
ACCOUNT: Final = SignedInRule(frozenset({Scope.ACCOUNT}))
ADMIN: Final = AdminRule(SCOPES[Action.LIST_USERS])
