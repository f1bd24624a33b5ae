"""How the fields of Query, Mutation and Subscription are made: resolver, permission, refusals as data."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar, cast

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField

from domain.errors import NotFound
from graphql_api.auth.permissions import Permission, permission_extension
from graphql_api.resolvers.reads import resolver_of
from graphql_api.resolvers.user_errors import RefusalAsData
from graphql_api.schema.fields import resolver
from graphql_api.schema.resolves_to import AnyNode, Change, Connection, Many, One, ViewerOf, resolves_to

Resolver = TypeVar("Resolver", bound=Callable[..., Any])


class Decorator(Protocol):
    """Makes a field of a resolver; for the type checker it stays a function."""

    def __call__(self, resolver: Resolver, /) -> Resolver: ...


def query(permission: Permission, description: str, meaning: One | Many | Connection | AnyNode) -> Any:
    """A field of Query, with the resolver that is derived from what it resolves to; what is not found is null."""
    return strawberry.field(
        resolver=resolver(resolver_of(meaning)),
        description=description,
        extensions=[NotFoundAsNull(), permission_extension(permission)],
        metadata=resolves_to(meaning),
    )


def mutation(permission: Permission, description: str, *, viewer: ViewerOf | None = None) -> Decorator:
    """A field of Mutation; a refusal is returned in the payload's `userErrors`. For *viewer* see `Change`."""

    def decorate(function: Callable[..., Any]) -> Any:
        return strawberry.mutation(
            resolver=resolver(function),
            description=description,
            extensions=[OneInput(), RefusalAsData(), permission_extension(permission)],
            metadata=resolves_to(Change(function, viewer)),
        )

    return cast("Decorator", decorate)


def subscription(permission: Permission, description: str) -> Decorator:
    """A field of Subscription."""

    def decorate(function: Callable[..., Any]) -> Any:
        return strawberry.subscription(
            resolver=resolver(function), description=description, extensions=[permission_extension(permission)]
        )

    return cast("Decorator", decorate)


class OneInput(FieldExtension):
    """Describes the one argument of a mutation; the fields of the input are described where they are declared."""

    def apply(self, field: StrawberryField) -> None:
        """Describe it."""
        for argument in field.arguments:
            argument.description = "The input of the mutation."


class NotFoundAsNull(FieldExtension):
    """Returns null for an object that does not exist or is not visible."""

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: strawberry.Info, **kwargs: Any
    ) -> Any:
        """The resolver's value, or null."""
        try:
            return await next_(source, info, **kwargs)
        except NotFound:
            return None
