"""GraphQL types for deleting users."""

from datetime import datetime
from typing import Self

import strawberry

from domain.user_deletion import RemainingData as Remaining
from graphql_api.schema.common import Payload
from graphql_api.schema.enums import RemainingPlace
from graphql_api.schema.ids import encode_id
from services.user_deletion import Deletion


@strawberry.input(
    description="The user to delete, and what happens with the user's personal tasks. One of `transferTasksTo` and "
    "`deleteTasks` is needed if there are such tasks; otherwise both may be left out."
)
class DeleteUserInput:
    """Input of `deleteUser`."""

    user_id: strawberry.ID = strawberry.field(
        description="The id of the user: your own, or if you are an admin, that of any user."
    )
    transfer_tasks_to: strawberry.ID | None = strawberry.field(
        default=None,
        description="The active user who gets the personal tasks. Tasks of projects stay in the projects.",
    )
    delete_tasks: bool = strawberry.field(
        default=False, description="True: the personal tasks are deleted. They cannot be restored."
    )
    current_password: str | None = strawberry.field(
        default=None,
        description="Your password, if you delete yourself. A user without a password must have signed in less than 10 "
        "minutes ago.",
    )


@strawberry.type(description="Personal data that remain after the deletion of a user.")
class RemainingData:
    """Where data remain."""

    place: RemainingPlace = strawberry.field(description="Where.")
    description: str = strawberry.field(description="Which data remain, in English.")
    until: datetime | None = strawberry.field(
        description="When the last of them are removed, with the current settings. Null: there is no fixed time."
    )

    @classmethod
    def of(cls, data: Remaining) -> Self:
        """Convert it."""
        return cls(place=data.place, description=data.description, until=data.until)


@strawberry.type(description="The result of `deleteUser`.")
class DeleteUserPayload(Payload):
    """Payload of `deleteUser`."""

    deleted_user_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the user. The user can still be read, with a placeholder for the name."
    )
    changed_tasks: int | None = strawberry.field(
        default=None, description="The number of tasks that were transferred, deleted or unassigned so far."
    )
    is_complete: bool | None = strawberry.field(
        default=None,
        description="False: the user is deleted, and further tasks are transferred in the background.",
    )
    remaining_data: list[RemainingData] | None = strawberry.field(
        default=None, description="Which personal data remain, where, and until when."
    )

    @classmethod
    def done(cls, deletion: Deletion) -> Self:
        """Convert the result of the service."""
        return cls(
            deleted_user_id=encode_id("User", deletion.user_id),
            changed_tasks=deletion.tasks,
            is_complete=deletion.is_complete,
            remaining_data=[RemainingData.of(each) for each in deletion.remaining],
        )
