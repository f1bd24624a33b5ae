"""The execution of one operation by graphql-core and Strawberry, stopped when it fails in too many places."""

from typing import Any, Final

from graphql import GraphQLError, OperationType
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from domain.errors import TooExpensive

MAX_FAILED_FIELDS: Final = 300
"""Each costs time and space, and one wrong variable can fail a field of every row."""


class TooManyErrors(TooExpensive):
    """The operation was stopped."""

    def __init__(self) -> None:
        super().__init__(
            f"More than {MAX_FAILED_FIELDS} fields failed, and the operation was stopped: correct these errors first."
        )


class ExecutionContext(StrawberryGraphQLCoreExecutionContext):
    """Executes one operation. Mutations are never stopped: each of their fields is told for itself."""

    _failed = 0

    def handle_field_error(self, raw_error: Exception, return_type: Any, field_details_list: Any, path: Path) -> None:
        """Note that a field failed.

        Raises:
            GraphQLError: the field's parent fails with it, or the operation is stopped.
        """
        if self._failed >= MAX_FAILED_FIELDS and self.operation.operation is not OperationType.MUTATION:
            raise GraphQLError("", original_error=TooManyErrors())
        super().handle_field_error(raw_error, return_type, field_details_list, path)
        self._failed += 1
