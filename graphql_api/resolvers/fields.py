"""How a field of a root is made: with its door in the schema, and a rule's refusal as data."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar, cast

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.base import StrawberryContainer
from strawberry.types.field import StrawberryField

from domain.errors import NotFound, Refusal
from graphql_api.auth.permissions import Permission, permission_extension
from graphql_api.schema.common import UserError
from graphql_api.schema.resolves_to import Change, ResolvesTo, resolves_to
from observability.request_records import refused

Resolver = TypeVar("Resolver", bound=Callable[..., Any])

_CHANGE: Final = Change()


class Decorator(Protocol):
    """Makes a field of a resolver; to the type checker it stays the function that it was."""

    def __call__(self, resolver: Resolver, /) -> Resolver: ...


def query(permission: Permission, description: str, meaning: ResolvesTo) -> Decorator:
    """A field of Query behind a door, and what it stands for; what is not found is null."""
    field: Any = strawberry.field(
        description=description,
        extensions=[NotFoundAsNull(), permission_extension(permission)],
        metadata=resolves_to(meaning),
    )
    return cast("Decorator", field)


def mutation(permission: Permission, description: str, meaning: Change = _CHANGE) -> Decorator:
    """A field of Mutation behind a door; a refusal is told in the payload's `userErrors`."""
    field: Any = strawberry.mutation(
        description=description,
        extensions=[OneInput(), RefusalAsData(), permission_extension(permission)],
        metadata=resolves_to(meaning),
    )
    return cast("Decorator", field)


def subscription(permission: Permission, description: str) -> Decorator:
    """A field of Subscription behind a door."""
    field: Any = strawberry.subscription(description=description, extensions=[permission_extension(permission)])
    return cast("Decorator", field)


class RefusalAsData(FieldExtension):
    """Answers a refusal with an otherwise empty payload; failures and bugs pass through."""

    def apply(self, field: StrawberryField) -> None:
        """Learn which payload the field answers with."""
        kind = field.type
        self._payload = kind.of_type if isinstance(kind, StrawberryContainer) else kind

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: strawberry.Info, **kwargs: Any
    ) -> Any:
        """The resolver's payload, or one that says why there is none."""
        try:
            return await next_(source, info, **kwargs)
        except Refusal as refusal:
            return self.told(refusal)

    def told(self, refusal: Refusal) -> Any:
        """The payload that says so."""
        refused(refusal.code.value)
        payload: Any = self._payload
        return payload(user_errors=[UserError.of(refusal)])


class OneInput(FieldExtension):
    """Describes the one argument that a mutation has: what is in it is described where it is declared."""

    def apply(self, field: StrawberryField) -> None:
        """Describe it."""
        for argument in field.arguments:
            argument.description = "All that the mutation needs to know."


class NotFoundAsNull(FieldExtension):
    """A query for what is not there, or not visible, answers null."""

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: strawberry.Info, **kwargs: Any
    ) -> Any:
        """The resolver's value, or null."""
        try:
            return await next_(source, info, **kwargs)
        except NotFound:
            return None
