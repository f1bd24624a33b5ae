"""The GraphQL type for the stream's items about notes."""

import strawberry

from domain.note import NoteEvent
from graphql_api.context import FieldContext
from graphql_api.schema.fields import resolver
from graphql_api.schema.note import Note
from graphql_api.schema.stream import TaskStreamItem
from graphql_api.schema.viewer import BY_RELATION
from persistence.models import NoteRow
from persistence.queries.note import NOTES


@strawberry.type(description="A note was written or changed.")
class NoteChanged(TaskStreamItem):
    """A change of a note; `row` is its event."""

    row: strawberry.Private[NoteEvent]

    @strawberry.field(description="The current note; null if it was deleted since.", metadata=BY_RELATION)
    @resolver
    async def note(self, field: FieldContext) -> Note | None:
        """Load the note."""
        row = await field.context.loaders.by_id(NoteRow, NOTES.by_ids).load(self.row.note_id)
        return Note.of(row) if row is not None else None
