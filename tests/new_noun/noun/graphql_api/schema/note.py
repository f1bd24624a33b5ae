"""GraphQL types for notes."""

from datetime import datetime
from typing import ClassVar

import strawberry

from domain.note import MAX_NOTE
from graphql_api.schema.common import Node, Payload
from graphql_api.schema.connections import connection
from graphql_api.schema.object_fields import object_field
from graphql_api.schema.resolves_to import Reference
from graphql_api.schema.user import User
from graphql_api.schema.viewer import FOR_ALL_USERS
from persistence.models import NoteRow


@strawberry.type(description="A note on a task.")
class Note(Node):
    """A note."""

    model: ClassVar = NoteRow
    text: str = strawberry.field(description=f"1 to {MAX_NOTE:,} characters.")
    version: int = strawberry.field(description="The version of the note. It grows by one with every change.")
    created_at: datetime = strawberry.field(description="When the note was written.")
    updated_at: datetime = strawberry.field(description="When the note was last changed.")
    author = object_field(FOR_ALL_USERS, "The user who wrote the note.", Reference(User, "author", "author_id"))


NoteConnection = connection(
    Note, "Note", "A page of the notes on a task, oldest first.", edge="A note in a list.", item="note"
)


@strawberry.input(description="A new note.")
class CreateNoteInput:
    """Input of `createNote`."""

    task_id: strawberry.ID = strawberry.field(description="The id of the task.")
    text: str = strawberry.field(description=f"1 to {MAX_NOTE:,} characters.")


@strawberry.input(description="The new text of a note.")
class UpdateNoteInput:
    """Input of `updateNote`."""

    id: strawberry.ID = strawberry.field(description="The id of the note.")
    text: str = strawberry.field(description=f"1 to {MAX_NOTE:,} characters.")
    expected_version: int | None = strawberry.field(default=None, description="Only if the note has this version.")


@strawberry.type
class ChangedNote(Payload):
    """A payload with the note after the change."""

    note: Note | None = strawberry.field(default=None, description="The note after the change.")


@strawberry.type(description="The result of `createNote`.")
class CreateNotePayload(ChangedNote):
    """Payload of `createNote`."""


@strawberry.type(description="The result of `updateNote`.")
class UpdateNotePayload(ChangedNote):
    """Payload of `updateNote`."""
