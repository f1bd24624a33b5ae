"""GraphQL types that all parts of the schema share: nodes, pagination, and errors of mutations."""

from typing import Annotated, Any, Self

import strawberry

from domain.actor import Actor
from domain.errors import Refusal
from domain.stream_cursor import StreamCursor
from graphql_api.schema.enums import ErrorCode
from graphql_api.schema.resolves_to import OpaqueId, resolves_to
from persistence.pagination import DEFAULT_PAGE, MAX_FIRST, Facts, Page

Id = Annotated[strawberry.ID, strawberry.argument(description="The id of the object.")]
First = Annotated[
    int | None,
    strawberry.argument(
        description=f"Return the first items, 1 to {MAX_FIRST}. "
        f"Without `first` and `last` you get the first {DEFAULT_PAGE}."
    ),
]
After = Annotated[
    str | None, strawberry.argument(description="A cursor of this list. Return only items that come after it.")
]
Last = Annotated[
    int | None,
    strawberry.argument(description=f"Return the last items, 1 to {MAX_FIRST}. Do not combine it with `first`."),
]
Before = Annotated[
    str | None, strawberry.argument(description="A cursor of this list. Return only items that come before it.")
]


@strawberry.interface(description="An object that `node` can find by its id.")
class Node:
    """The Node interface of Relay."""

    id: strawberry.ID = strawberry.field(
        description="An opaque id. It never changes and is unique across all types.", metadata=resolves_to(OpaqueId())
    )


@strawberry.type(description="An error of a mutation: a rule does not allow the change. Nothing was changed.")
class UserError:
    """A `Refusal` of the domain as GraphQL data."""

    message: str = strawberry.field(description="A message that you can show to the user.")
    code: ErrorCode = strawberry.field(description="The same reason as a stable code for programs.")
    path: list[str] = strawberry.field(
        description="The path of the input field that is wrong, outermost field first. "
        "Empty if the error concerns the input as a whole."
    )

    @classmethod
    def of(cls, refusal: Refusal) -> Self:
        """Convert a refusal of the domain."""
        return cls(message=refusal.message, code=refusal.code, path=list(refusal.path))


@strawberry.interface(description="The fields that the result of every mutation has.")
class Payload:
    """The errors of a mutation; every payload type inherits them."""

    user_errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="The reasons why the change was not made. Empty if, and only if, the change was made.",
    )


@strawberry.type(description="The position of a page in its list (Relay cursor connections).")
class PageInfo:
    """The PageInfo type of Relay."""

    has_next_page: bool = strawberry.field(description="Whether the list has more items after this page.")
    has_previous_page: bool = strawberry.field(description="Whether the list has more items before this page.")
    start_cursor: str | None = strawberry.field(
        description="The cursor of the first edge. Pass it as `before` to get the previous page. Null on an empty page."
    )
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last edge. Pass it as `after` to get the next page. Null on an empty page."
    )

    @classmethod
    def of(cls, page: Page[Any]) -> Self:
        """Convert a page of rows."""
        return cls(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        )


def stream_cursor(facts: Facts, actor: Actor) -> str:
    """The stream cursor for the position that was read together with a page; it is valid for this actor."""
    return StreamCursor(facts["head_epoch"], facts["head_position"], actor.access_version).encode()
