"""What all nouns share: nodes, pages, refusals."""

from typing import Annotated, Any, Self

import strawberry

from domain.actor import Actor
from domain.errors import Refusal
from domain.stream_cursor import StreamCursor
from graphql_api.schema.enums import ErrorCode
from graphql_api.schema.resolves_to import Identity, resolves_to
from persistence.pagination import DEFAULT_PAGE, MAX_FIRST, Facts, Page

Id = Annotated[strawberry.ID, strawberry.argument(description="Which one.")]
First = Annotated[
    int | None,
    strawberry.argument(
        description=f"The first so many, 1 to {MAX_FIRST}; without `first` and `last`: the first {DEFAULT_PAGE}."
    ),
]
After = Annotated[str | None, strawberry.argument(description="A cursor of this list: only what comes behind it.")]
Last = Annotated[
    int | None, strawberry.argument(description=f"The last so many, 1 to {MAX_FIRST}; not together with `first`.")
]
Before = Annotated[str | None, strawberry.argument(description="A cursor of this list: only what comes before it.")]


@strawberry.interface(description="Something that can be asked for by its id alone.")
class Node:
    """Relay's Node."""

    id: strawberry.ID = strawberry.field(
        description="Opaque and stable; unique across all types.", metadata=resolves_to(Identity())
    )


@strawberry.type(description="A rule's refusal; nothing was changed.")
class UserError:
    """A refusal as data."""

    message: str = strawberry.field(description="What was wrong, for the person who asked.")
    code: ErrorCode = strawberry.field(description="The same in one stable word.")
    path: list[str] = strawberry.field(
        description="The field of the input that it is about, from the outside in; empty: the input as a whole."
    )

    @classmethod
    def of(cls, refusal: Refusal) -> Self:
        """The refusal as clients see it."""
        return cls(message=refusal.message, code=refusal.code, path=list(refusal.path))


@strawberry.interface(description="What every mutation answers beside its result.")
class Payload:
    """The part of a payload that says no."""

    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why a rule refused; empty if and only if the change was made."
    )


@strawberry.type(description="Where a page lies in its list (Relay cursor connections).")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool = strawberry.field(description="Whether the list has anything behind this page.")
    has_previous_page: bool = strawberry.field(description="Whether the list has anything before this page.")
    start_cursor: str | None = strawberry.field(
        description="The cursor of the first edge: `before` for the previous page; null on an empty page."
    )
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last edge: `after` for the next page; null on an empty page."
    )

    @classmethod
    def of(cls, page: Page[Any]) -> Self:
        """The page's place."""
        return cls(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        )


def stream_cursor(facts: Facts, actor: Actor) -> str:
    """The cursor of the position that was read with a page, for the actor who read it."""
    return StreamCursor(facts["head_epoch"], facts["head_position"], actor.access_version).encode()
