"""Refused mutations: a refusal becomes the `userErrors` of the payload."""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.base import StrawberryContainer
from strawberry.types.field import StrawberryField

from domain.errors import Refusal
from graphql_api.schema.common import UserError
from observability.request_records import record_error


class RefusalAsData(FieldExtension):
    """Returns a refusal as an otherwise empty payload; failures and bugs pass through."""

    def apply(self, field: StrawberryField) -> None:
        """Keep the type of the field's payload."""
        kind = field.type
        self._payload = kind.of_type if isinstance(kind, StrawberryContainer) else kind

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: strawberry.Info, **kwargs: Any
    ) -> Any:
        """The resolver's payload, or one with the refusal."""
        try:
            return await next_(source, info, **kwargs)
        except Refusal as refusal:
            return self.payload_of(refusal)

    def payload_of(self, refusal: Refusal) -> Any:
        """The payload with the refusal as its only user error."""
        record_error(refusal.code.value)
        payload: Any = self._payload
        return payload(user_errors=[UserError.of(refusal)])
