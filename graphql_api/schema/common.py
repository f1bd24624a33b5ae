"""GraphQL types that all parts of the schema share: nodes, arguments of lists, and errors of mutations."""

from typing import Annotated, Self

import strawberry

from domain.errors import Refusal
from graphql_api.schema.enums import ErrorCode
from graphql_api.schema.object_fields import RowObject, object_field
from graphql_api.schema.resolves_to import OpaqueId
from graphql_api.schema.viewer import FOR_ALL_USERS
from persistence.pagination import DEFAULT_PAGE, MAX_FIRST

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
class Node(RowObject):
    """The Node interface of Relay."""

    id = object_field(FOR_ALL_USERS, "An opaque id. It never changes and is unique across all types.", OpaqueId())


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
